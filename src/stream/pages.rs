use std::{
    fmt::{self, Debug, Formatter},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures::stream::{FusedStream, Stream};

use super::{
    driver::{Cursor, Driver, Record},
    monitor::Monitor,
    on_end::OnEnd,
    on_progress::OnProgress,
    options::Options,
    reading::Reading,
    shared::Shared,
    source::{Counter, Source},
};
use crate::{
    checkpoint::Checkpoint, error::Error, frontier::Config, repeated_cursor::RepeatedCursor,
};

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
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{Page, PaginatorExt, from_fn};
///
/// # futures::executor::block_on(async {
/// let numbers = from_fn(0_u64, |at| async move {
///     Ok(Page::new(vec![at, at + 1], (at < 4).then_some(at + 2)))
/// });
/// let pages: Vec<Vec<u64>> = numbers.pages().try_collect().await?;
/// assert_eq!(pages, [[0, 1], [2, 3], [4, 5]]);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Pages<S: Source> {
    driver: Driver<S>,
    shared: Arc<Shared<Cursor<S>>>,
}

impl<S: Source> Pages<S> {
    pub(super) fn new(
        source: S,
        config: Config,
        options: Options,
        on_end: OnEnd,
        on_progress: OnProgress,
        checkpoint: Option<Checkpoint>,
    ) -> Self {
        // One request at a time would gain nothing by it. One whose runtime is gone would be
        // made again, and a page that such a cursor lost does not come again.
        let repeats = config.repeated_cursor == RepeatedCursor::End;
        let has_replays = repeats || checkpoint.is_some();
        let has_state = config.repeated_cursor == RepeatedCursor::Continue;
        let spawns = config.window > 1 && !has_state;
        let (reading, failures, mismatch) =
            Reading::open(source.paginator(), config, options.known_keys, checkpoint);
        let shared = Arc::new(Shared::new(reading, failures));
        let counter = Counter(shared.waiting().counter());
        let callbacks = (on_end.once(), on_progress);
        let driver =
            Driver::new(source, options, callbacks, has_replays, mismatch, counter, spawns);
        Self { driver, shared }
    }

    /// A view of this stream that can be kept outside of it.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor::new(Arc::clone(&self.shared) as _)
    }

    /// Where the reading stands: [`Monitor::checkpoint`].
    ///
    /// # Errors
    ///
    /// As [`Monitor::checkpoint`].
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        self.monitor().checkpoint()
    }

    /// The number of items that are here already, and whether others may come.
    pub(super) fn items_left(&self) -> (usize, bool) {
        let records = self.driver.delivery.records_left();
        (records + self.driver.failures_left(), !self.driver.is_done())
    }

    /// The next record of the page being delivered.
    #[inline]
    pub(super) fn next_record(&mut self) -> Option<Record<S>> {
        let record = self.driver.delivery.next_record()?;
        self.shared.count(1);
        Some(record)
    }

    /// Whether records of the page being delivered are left.
    #[inline]
    pub(super) fn has_records(&self) -> bool {
        self.driver.delivery.records_left() > 0
    }

    /// Whether errors come behind the records of the page being delivered.
    pub(super) fn has_failures(&self) -> bool {
        self.driver.failures_left() > 0
    }

    /// Goes on to the next page that has records. If there are none then, the stream has ended.
    // Not a part of the loop over the records, which is the faster the smaller it is.
    #[inline(never)]
    pub(super) fn poll_records(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match ready!(self.poll_page(cx)) {
                Some(Ok(())) if !self.has_records() => {}
                Some(page) => return Poll::Ready(page),
                None => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Goes on to the next page, when all records of the one before are delivered.
    pub(super) fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(), Error>>> {
        self.driver.poll(&mut self.shared, cx)
    }

    /// Whether it has ended, and no record is left.
    pub(super) fn is_done(&self) -> bool {
        self.driver.is_done() && !self.has_records()
    }
}

/// Nothing in it is pinned: a request in flight is a box.
impl<S: Source> Unpin for Pages<S> {}

impl<S: Source> Stream for Pages<S> {
    type Item = Result<Vec<Record<S>>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(page) = ready!(self.poll_page(cx)) else { return Poll::Ready(None) };
        let this = &mut *self;
        Poll::Ready(Some(page.map(|()| {
            let records = this.driver.delivery.take_records();
            this.shared.count(records.len());
            records
        })))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (items, more) = self.items_left();
        (items, (!more).then_some(items))
    }
}

impl<S: Source> FusedStream for Pages<S> {
    fn is_terminated(&self) -> bool {
        self.is_done()
    }
}

impl<S: Source> Debug for Pages<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("progress", &self.monitor().progress())
            .finish_non_exhaustive()
    }
}
