use std::collections::VecDeque;

use crate::{frontier::Hooks, paginator::Paginator};

/// Every paginator knows its cursors.
impl<P: Paginator + ?Sized> Hooks<P::Cursor> for P {
    fn pack(&self, waiting: &mut VecDeque<P::Cursor>, halvings: u32) {
        Paginator::pack(self, waiting, halvings);
    }

    fn predict(&self, before: &P::Cursor, at: &P::Cursor, total: Option<u64>) -> Option<P::Cursor> {
        Paginator::predict(self, before, at, total)
    }

    fn is_full(&self, cursor: &P::Cursor, halvings: u32) -> bool {
        Paginator::is_full(self, cursor, halvings)
    }

    fn pass_over(&self, cursor: &P::Cursor) -> Option<Vec<P::Cursor>> {
        Paginator::pass_over(self, cursor)
    }

    fn narrow(&self, cursor: &P::Cursor, units: &[usize]) -> P::Cursor {
        Paginator::narrow(self, cursor, units)
    }
}
