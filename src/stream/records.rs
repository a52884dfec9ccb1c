use std::{
    fmt::{self, Debug, Formatter},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::stream::{FusedStream, Stream};

use super::{batches::Batches, monitor::Monitor, pages::Pages, source::Source};
use crate::{checkpoint::Checkpoint, error::Error, paginator::Paginator};

/// A stream of records, page after page.
///
/// It is made by [`PaginatorExt::records`](crate::PaginatorExt::records) and
/// [`Read::records`](crate::Read::records). A record costs no allocation and no
/// wake-up: it comes out of its page's own iterator.
///
/// # After an error, after the end
///
/// An error that [concerns some ids alone](Error::is_partial) is yielded behind
/// the records of its page, and the stream goes on. Any other error is yielded
/// once and ends the stream. After that, as after the end, it yields `None` for
/// ever and asks nothing of the service.
///
/// # Cancel safety
///
/// Dropping the future of `next()` loses nothing: the requests in flight and the
/// records that arrived live in this stream, not in that future. Dropping the
/// stream drops its requests.
#[must_use = "streams do nothing unless polled"]
pub struct Records<S: Source> {
    pages: Pages<S>,
}

impl<S: Source> Records<S> {
    pub(super) fn new(pages: Pages<S>) -> Self {
        Self { pages }
    }

    /// A view of this stream that can be kept outside of it.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        self.pages.monitor()
    }

    /// The records in batches of this size, each together with the checkpoint behind its last
    /// record. 0 is taken as 1. Only the last batch, and one before an error, is smaller.
    ///
    /// It is the way to write records to a store: write the records, then store the
    /// checkpoint, in one transaction if there is one. A stored checkpoint is never ahead of
    /// what was written. A checkpoint of the [monitor](Self::monitor) may be, where a combinator
    /// such as `chunks` holds records.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use pagestream::{Page, PaginatorExt, from_fn};
    ///
    /// # futures::executor::block_on(async {
    /// let numbers = from_fn(0_u64, |at| async move {
    ///     Ok(Page::new(vec![at, at + 1], (at < 8).then_some(at + 2)))
    /// })
    /// .identified_by("the numbers below 10");
    ///
    /// let mut batches = numbers.records().batches(3);
    /// let batch = batches.try_next().await?.unwrap();
    /// assert_eq!(batch.records, [0, 1, 2]); // write them, and then the checkpoint
    ///
    /// let remaining = numbers.read().resume(batch.checkpoint).records();
    /// assert_eq!(remaining.try_collect::<Vec<_>>().await?, [3, 4, 5, 6, 7, 8, 9]);
    /// # Ok::<(), pagestream::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The first item is an error if the paginator has no checkpoints: [`Monitor::checkpoint`].
    pub fn batches(self, size: usize) -> Batches<S> {
        Batches::new(self.pages, size)
    }

    /// Where the reading stands: [`Monitor::checkpoint`].
    ///
    /// # Errors
    ///
    /// As [`Monitor::checkpoint`].
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        self.pages.checkpoint()
    }
}

/// Nothing in it is pinned: a request in flight is a box.
impl<S: Source> Unpin for Records<S> {}

impl<S: Source> Stream for Records<S> {
    type Item = Result<<S::Paginator as Paginator>::Record, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.pages.has_records()
            && let Err(error) = ready!(self.pages.poll_records(cx))
        {
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(self.pages.next_record().map(Ok))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (items, more) = self.pages.items_left();
        (items, (!more).then_some(items))
    }
}

impl<S: Source> FusedStream for Records<S> {
    fn is_terminated(&self) -> bool {
        self.pages.is_done()
    }
}

impl<S: Source> Debug for Records<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("progress", &self.monitor().progress())
            .finish_non_exhaustive()
    }
}
