use std::collections::VecDeque;

/// What only the paginator knows of its cursors.
pub(crate) trait Plan<C> {
    /// Rearranges what waits, so that the foremost carries as much as it may.
    fn pack(&self, waiting: &mut VecDeque<C>, halvings: u32);

    /// Where the page at `at` will probably lead, to which the one at `before` led.
    fn predict(&self, before: &C, at: &C, total: Option<u64>) -> Option<C>;

    /// Whether a request for this cursor carries as much as it may.
    fn is_full(&self, cursor: &C, halvings: u32) -> bool;
}
