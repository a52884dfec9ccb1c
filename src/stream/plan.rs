use std::collections::VecDeque;

use crate::{frontier::Plan, paginator::Paginator};

/// What a paginator knows of its cursors, as the core asks for it.
pub(super) struct PlanOf<'p, P: ?Sized>(pub(super) &'p P);

impl<P: Paginator + ?Sized> Plan<P::Cursor> for PlanOf<'_, P> {
    fn pack(&self, waiting: &mut VecDeque<P::Cursor>, halvings: u32) {
        self.0.pack(waiting, halvings);
    }

    fn predict(&self, before: &P::Cursor, at: &P::Cursor, total: Option<u64>) -> Option<P::Cursor> {
        self.0.predict(before, at, total)
    }

    fn is_full(&self, cursor: &P::Cursor, halvings: u32) -> bool {
        self.0.is_full(cursor, halvings)
    }
}
