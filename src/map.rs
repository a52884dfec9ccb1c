use std::{
    collections::VecDeque,
    fmt::{self, Debug, Formatter},
};

use async_trait::async_trait;

use crate::{error::Error, page::Page, paginator::Paginator};

/// A paginator whose records are made from those of another:
/// [`PaginatorExt::map`](crate::PaginatorExt::map).
///
/// It reads what the other one reads, so their checkpoints fit each other.
#[derive(Clone)]
#[must_use = "a paginator does nothing until it is read"]
pub struct Map<P, F> {
    paginator: P,
    record: F,
}

impl<P, F> Map<P, F> {
    pub(crate) fn new(paginator: P, record: F) -> Self {
        Self { paginator, record }
    }
}

#[async_trait]
impl<P, F, T> Paginator for Map<P, F>
where
    P: Paginator,
    F: Fn(P::Record) -> T + Send + Sync,
    T: Send,
{
    type Record = T;
    type Cursor = P::Cursor;

    fn start(&self) -> P::Cursor {
        self.paginator.start()
    }

    async fn fetch(&self, cursor: &P::Cursor) -> Result<Page<T, P::Cursor>, Error> {
        Ok(self.paginator.fetch(cursor).await?.map(&self.record))
    }

    fn identity(&self) -> String {
        self.paginator.identity()
    }

    fn pack(&self, waiting: &mut VecDeque<P::Cursor>, halvings: u32) {
        self.paginator.pack(waiting, halvings);
    }

    fn narrow(&self, cursor: &P::Cursor, units: &[usize]) -> P::Cursor {
        self.paginator.narrow(cursor, units)
    }

    fn predict(&self, before: &P::Cursor, at: &P::Cursor, total: Option<u64>) -> Option<P::Cursor> {
        self.paginator.predict(before, at, total)
    }

    fn is_full(&self, cursor: &P::Cursor, halvings: u32) -> bool {
        self.paginator.is_full(cursor, halvings)
    }

    fn divide(&self, cursor: &P::Cursor, parts: usize, total: Option<u64>) -> Vec<P::Cursor> {
        self.paginator.divide(cursor, parts, total)
    }
}

impl<P: Debug, F> Debug for Map<P, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("paginator", &self.paginator).finish_non_exhaustive()
    }
}
