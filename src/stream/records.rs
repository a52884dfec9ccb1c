use std::{
    fmt::{self, Debug, Formatter},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::stream::{FusedStream, Stream};

use super::{monitor::Monitor, pages::Pages, source::Source};
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
