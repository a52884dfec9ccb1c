use std::fmt::{self, Debug, Formatter};

use async_trait::async_trait;

use crate::{
    error::Error,
    page::Page,
    paginator::{Paginator, forward_to},
};

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

    async fn fetch(&self, cursor: P::Cursor) -> Result<Page<T, P::Cursor>, Error> {
        Ok(self.paginator.fetch(cursor).await?.map(&self.record))
    }

    forward_to!(P, self => self.paginator);
}

impl<P: Debug, F> Debug for Map<P, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("paginator", &self.paginator).finish_non_exhaustive()
    }
}
