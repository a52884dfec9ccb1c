use std::task::{Context, Poll};

use datafusion::{arrow::array::RecordBatch, common::Result};
use futures::{Stream, StreamExt};
use pagestream::{Error, Monitor, Paginator, Records, Source};
use serde::Serialize;

use crate::{batch_builder::BatchBuilder, error::engine_error};

/// The batches of a part, one after the other.
pub(crate) trait PartBatches: Send {
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>>;

    /// What sees the reading, also after it is gone.
    fn monitor(&self) -> Monitor;

    /// Whether something was read that nobody has: records, since one of them does not fit the
    /// columns, or ids that failed, whose error is still to come behind a batch.
    fn has_lost_rows(&self) -> bool;
}

/// A part that is read.
///
/// A batch has the rows of one page, and no more than a batch may have. So no row waits for a
/// page behind its own, and the next page is not asked for before the rows of this one are
/// handed on.
pub(crate) struct PartStream<S: Source> {
    records: Records<S>,
    builder: BatchBuilder,
    batch_size: usize,
    /// What comes behind the batch.
    error: Option<Error>,
    has_lost_rows: bool,
}

impl<S: Source> PartStream<S> {
    pub(crate) fn new(records: Records<S>, builder: BatchBuilder, batch_size: usize) -> Self {
        Self { records, builder, batch_size: batch_size.max(1), error: None, has_lost_rows: false }
    }

    /// Whether nothing is left of the page.
    fn is_at_border(&self) -> bool {
        self.records.size_hint().0 == 0
    }
}

impl<S> PartBatches for PartStream<S>
where
    S: Source + Send,
    Records<S>: Send,
    <S::Paginator as Paginator>::Record: Serialize,
{
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        loop {
            if let Some(error) = self.error.take() {
                return Poll::Ready(Some(Err(engine_error(error))));
            }
            let is_over = match self.records.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(record))) => {
                    if let Err(error) = self.builder.push(&record) {
                        self.has_lost_rows = true;
                        return Poll::Ready(Some(Err(error)));
                    }
                    self.builder.rows() >= self.batch_size || self.is_at_border()
                }
                Poll::Ready(Some(Err(error))) => {
                    self.error = Some(error);
                    self.builder.rows() > 0
                }
                // Failures may stand behind the last record of a page.
                _ if self.builder.rows() > 0 => true,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            };
            if is_over {
                let batch = self.builder.finish();
                self.has_lost_rows |= batch.is_err();
                return Poll::Ready(Some(batch));
            }
        }
    }

    fn monitor(&self) -> Monitor {
        self.records.monitor()
    }

    fn has_lost_rows(&self) -> bool {
        self.has_lost_rows || self.error.as_ref().is_some_and(Error::is_partial)
    }
}
