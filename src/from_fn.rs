use std::fmt::{self, Debug, Formatter};

use async_trait::async_trait;

use crate::{cursor::Cursor, error::Error, page::Page, paginator::Paginator};

/// A paginator made from where to start and a function that fetches a page.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{Page, PaginatorExt, from_fn};
///
/// # futures::executor::block_on(async {
/// let countdown = from_fn(9_u32, |at| async move {
///     Ok(Page::new(vec![at], at.checked_sub(1)))
/// })
/// .identified_by("the numbers from 9 to 0");
///
/// let numbers: Vec<u32> = countdown.records().try_collect().await?;
/// assert!(numbers.into_iter().eq((0..=9).rev()));
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
pub fn from_fn<C, F, Fut, R>(start: C, fetch: F) -> FromFn<C, F>
where
    C: Cursor,
    F: Fn(C) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Page<R, C>, Error>> + Send,
    R: Send,
{
    FromFn { start, fetch, identity: String::new() }
}

/// A paginator made from a function: [`from_fn`].
#[derive(Clone)]
#[must_use = "a paginator does nothing until it is read"]
pub struct FromFn<C, F> {
    start: C,
    fetch: F,
    identity: String,
}

impl<C, F> FromFn<C, F> {
    /// Names what is read, so that a checkpoint finds its way back:
    /// [`Paginator::identity`]. Without a name, a checkpoint is an error.
    pub fn identified_by(mut self, identity: impl Into<String>) -> Self {
        self.identity = identity.into();
        self
    }
}

#[async_trait]
impl<C, F, Fut, R> Paginator for FromFn<C, F>
where
    C: Cursor,
    F: Fn(C) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Page<R, C>, Error>> + Send,
    R: Send,
{
    type Record = R;
    type Cursor = C;

    fn start(&self) -> C {
        self.start.clone()
    }

    async fn fetch(&self, cursor: C) -> Result<Page<R, C>, Error> {
        (self.fetch)(cursor).await
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }
}

impl<C: Debug, F> Debug for FromFn<C, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn")
            .field("start", &self.start)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
