use std::collections::VecDeque;

/// What only the paginator knows of its cursors. This is the code of a user: it may
/// panic, and it may call back.
pub(crate) trait Hooks<C> {
    /// Rearranges the cursors that wait, so that the first one fills a request.
    fn pack(&self, waiting: &mut VecDeque<C>, halvings: u32);

    /// The next cursor behind the page at `at`, which came next behind `before`.
    fn predict(&self, before: &C, at: &C, total: Option<u64>) -> Option<C>;

    /// Whether a request for this cursor is full.
    fn is_full(&self, cursor: &C, halvings: u32) -> bool;

    /// What is left of a cursor without the one record that it reads, if it reads one alone.
    fn pass_over(&self, cursor: &C) -> Option<Vec<C>>;

    /// The cursor of these units of a request.
    fn narrow(&self, cursor: &C, units: &[usize]) -> C;
}

/// A cursor as a request for it would have it, if that is one request.
pub(super) fn packed<C>(hooks: &impl Hooks<C>, cursor: C, halvings: u32) -> Option<C> {
    let mut packed = VecDeque::from([cursor]);
    hooks.pack(&mut packed, halvings);
    packed.pop_front().filter(|_| packed.is_empty())
}
