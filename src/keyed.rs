use std::{
    fmt::{self, Debug, Formatter},
    hash::Hash,
};

use async_trait::async_trait;

use crate::{
    error::Error,
    page::Page,
    paginator::{Paginator, forward_to},
};

/// A paginator whose records have keys:
/// [`PaginatorExt::keyed`](crate::PaginatorExt::keyed).
///
/// It reads what the other one reads, so their checkpoints fit each other.
#[derive(Clone)]
#[must_use = "a paginator does nothing until it is read"]
pub struct Keyed<P, F> {
    paginator: P,
    key: F,
}

impl<P, F> Keyed<P, F> {
    pub(crate) fn new(paginator: P, key: F) -> Self {
        Self { paginator, key }
    }
}

#[async_trait]
impl<P, F, K> Paginator for Keyed<P, F>
where
    P: Paginator,
    F: Fn(&P::Record) -> K + Send + Sync,
    K: Hash,
{
    type Record = P::Record;
    type Cursor = P::Cursor;

    fn start(&self) -> P::Cursor {
        self.paginator.start()
    }

    async fn fetch(&self, cursor: P::Cursor) -> Result<Page<P::Record, P::Cursor>, Error> {
        let page = self.paginator.fetch(cursor).await?;
        let keys = page.records().iter().map(&self.key).collect::<Vec<_>>();
        Ok(page.with_keys(keys))
    }

    forward_to!(P, self => self.paginator);
}

impl<P: Debug, F> Debug for Keyed<P, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("paginator", &self.paginator).finish_non_exhaustive()
    }
}
