use std::{
    fmt::{self, Debug, Formatter},
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::stream::{FusedStream, Stream};

use super::{driver::Record, monitor::Monitor, pages::Pages, source::Source};
use crate::{checkpoint::Checkpoint, error::Error};

/// Records, and the checkpoint behind the last of them: an item of [`Batches`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch<R> {
    /// The records, at least one.
    pub records: Vec<R>,
    /// Where the reading stood behind the last of the records. Who stores it after the records
    /// are written loses none of them.
    pub checkpoint: Checkpoint,
}

/// A stream of records in batches, each with its checkpoint:
/// [`Records::batches`](crate::Records::batches).
///
/// # Errors
///
/// The records that came before an error are a batch of their own, and come first. So an error
/// hides none of them, as it does with `try_collect` or `try_chunks`.
///
/// # Cancel safety
///
/// Dropping the future of `next()` loses nothing: the records of a batch that is not full live
/// in this stream. Dropping the stream drops them, and no checkpoint is behind them.
#[must_use = "streams do nothing unless polled"]
pub struct Batches<S: Source> {
    pages: Pages<S>,
    size: usize,
    batch: Vec<Record<S>>,
    /// Where the reading stands behind the batch, where errors come next.
    checkpoint: Option<Checkpoint>,
    /// What comes behind the batch.
    error: Option<Error>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was polled, and nobody knows whether there are checkpoints.
    New,
    Reading,
    /// Nothing comes any more.
    Done,
}

type Item<S> = Result<Batch<Record<S>>, Error>;

impl<S: Source> Batches<S> {
    pub(super) fn new(pages: Pages<S>, size: usize) -> Self {
        let (batch, checkpoint, error) = (Vec::new(), None, None);
        Self { pages, size: size.max(1), batch, checkpoint, error, state: State::New }
    }

    /// A view of this stream that can be kept outside of it. Its checkpoint may be ahead of the
    /// batches, so store theirs.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        self.pages.monitor()
    }

    /// The batch as it is, with the checkpoint behind it.
    fn flush(&mut self, checkpoint: Result<Checkpoint, Error>) -> Item<S> {
        let records = mem::take(&mut self.batch);
        match checkpoint {
            Ok(checkpoint) => Ok(Batch { records, checkpoint }),
            Err(error) => {
                self.state = State::Done;
                Err(error)
            }
        }
    }

    /// Errors come next, if there are some on this page: keeps where the reading stands before
    /// them.
    fn keep_checkpoint(&mut self) -> Result<(), Error> {
        let is_before_errors = !self.pages.has_records() && self.pages.has_failures();
        if is_before_errors && !self.batch.is_empty() {
            self.checkpoint = Some(self.pages.checkpoint()?);
        }
        Ok(())
    }
}

/// Nothing in it is pinned: a request in flight is a box.
impl<S: Source> Unpin for Batches<S> {}

impl<S: Source> Stream for Batches<S> {
    type Item = Item<S>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.state == State::New {
            this.state = State::Reading;
            if let Err(error) = this.pages.checkpoint() {
                this.state = State::Done;
                return Poll::Ready(Some(Err(error)));
            }
        }
        if let Some(error) = this.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        while this.state == State::Reading {
            while this.batch.len() < this.size
                && let Some(record) = this.pages.next_record()
            {
                this.batch.push(record);
            }
            if this.batch.len() == this.size {
                let checkpoint = this.pages.checkpoint();
                return Poll::Ready(Some(this.flush(checkpoint)));
            }
            if let Err(error) = this.keep_checkpoint() {
                return Poll::Ready(Some(this.flush(Err(error))));
            }
            match ready!(this.pages.poll_page(cx)) {
                Some(Ok(())) => {}
                Some(Err(error)) if this.batch.is_empty() => return Poll::Ready(Some(Err(error))),
                Some(Err(error)) => {
                    // Behind an error, the reading stands behind that error.
                    let before = error.checkpoint().cloned().or(this.checkpoint.take());
                    this.error = Some(error);
                    let checkpoint = before.map_or_else(|| this.pages.checkpoint(), Ok);
                    return Poll::Ready(Some(this.flush(checkpoint)));
                }
                None if this.batch.is_empty() => this.state = State::Done,
                None => {
                    let checkpoint = this.pages.checkpoint();
                    return Poll::Ready(Some(this.flush(checkpoint)));
                }
            }
        }
        Poll::Ready(None)
    }
}

impl<S: Source> FusedStream for Batches<S> {
    fn is_terminated(&self) -> bool {
        self.state == State::Done && self.error.is_none()
    }
}

impl<S: Source> Debug for Batches<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("size", &self.size)
            .field("waiting", &self.batch.len())
            .field("progress", &self.monitor().progress())
            .finish_non_exhaustive()
    }
}
