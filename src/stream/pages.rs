use std::{
    fmt::{self, Debug, Formatter},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures::stream::{FusedStream, Stream};

use super::{
    driver::{Cursor, Driver, Record},
    ledger::{Entries, Ledger},
    limits::Limits,
    monitor::Monitor,
    source::Source,
};
use crate::{checkpoint::Checkpoint, error::Error, retry::Retry};

/// A stream of pages, each the `Vec` of its records.
///
/// It is made by [`PaginatorExt::pages`](crate::PaginatorExt::pages) and
/// [`Read::pages`](crate::Read::pages). Every page is an item, an empty one too.
/// Where some ids of a page failed, their errors follow it.
///
/// # After an error, after the end
///
/// An error that [concerns some ids alone](Error::is_partial) is yielded and the
/// stream goes on. Any other error is yielded once and ends the stream. After
/// that, as after the end, it yields `None` for ever and asks nothing of the
/// service.
///
/// # Cancel safety
///
/// Dropping the future of `next()` loses nothing: the requests in flight and the
/// pages that arrived live in this stream, not in that future. Dropping the
/// stream drops its requests.
#[must_use = "streams do nothing unless polled"]
pub struct Pages<S: Source> {
    driver: Driver<S>,
    ledger: Arc<Ledger<Cursor<S>>>,
}

impl<S: Source> Pages<S> {
    pub(super) fn new(
        source: S,
        limits: Limits,
        retry: Retry,
        checkpoint: Option<Checkpoint>,
    ) -> Self {
        let (mut entries, refusal) = Entries::open(source.paginator(), checkpoint);
        entries.frontier.retry(retry);
        if limits.unordered {
            entries.frontier.unordered();
        }
        let driver = Driver::new(source, limits, refusal);
        Self { driver, ledger: Arc::new(Ledger::new(entries)) }
    }

    /// A view of this stream that can be kept outside of it.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor::new(Arc::clone(&self.ledger) as _)
    }

    /// Where the reading stands: [`Monitor::checkpoint`].
    ///
    /// # Errors
    ///
    /// As [`Monitor::checkpoint`].
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        self.monitor().checkpoint()
    }

    /// Counts records of the page in hand as handed out.
    pub(super) fn count(&self, records: usize) {
        self.ledger.count(records);
    }

    /// The number of items that are here already, and whether others may come.
    pub(super) fn items_left(&self) -> (usize, bool) {
        (self.driver.failures_left(), !self.driver.is_done())
    }

    /// The records of the next page, or an error. The caller counts the records as it
    /// hands them out, and asks again when all are out.
    pub(super) fn poll_page(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Vec<Record<S>>, Error>>> {
        self.driver.poll(&self.ledger, cx)
    }
}

/// Nothing in it is pinned: a request in flight is a box.
impl<S: Source> Unpin for Pages<S> {}

impl<S: Source> Stream for Pages<S> {
    type Item = Result<Vec<Record<S>>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let page = ready!(self.poll_page(cx));
        if let Some(Ok(records)) = &page {
            self.count(records.len());
        }
        Poll::Ready(page)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (items, more) = self.items_left();
        (items, (!more).then_some(items))
    }
}

impl<S: Source> FusedStream for Pages<S> {
    fn is_terminated(&self) -> bool {
        self.driver.is_done()
    }
}

impl<S: Source> Debug for Pages<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("progress", &self.monitor().progress())
            .finish_non_exhaustive()
    }
}
