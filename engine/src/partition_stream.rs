use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    common::Result,
    execution::{RecordBatchStream, SendableRecordBatchStream},
};
use futures::{Stream, StreamExt};
use pagestream::Error;

use crate::{
    error::engine_error, metrics::PartitionMetrics, part::Part, part_stream::PartBatches, parts,
    positions::PartitionPosition, reader::Scan, source::Source,
};

/// A partition of a scan: the parts that it is handed, one after the other.
pub(crate) struct PartitionStream {
    /// Gives the parts.
    input: SendableRecordBatchStream,
    waiting: VecDeque<Part>,
    current: Option<Box<dyn PartBatches>>,
    source: Arc<Source>,
    scan: Scan,
    metrics: PartitionMetrics,
    position: PartitionPosition,
    is_done: bool,
}

impl PartitionStream {
    pub(crate) fn new(
        input: SendableRecordBatchStream,
        source: Arc<Source>,
        scan: Scan,
        metrics: PartitionMetrics,
        position: PartitionPosition,
    ) -> Self {
        let waiting = VecDeque::new();
        Self { input, waiting, current: None, source, scan, metrics, position, is_done: false }
    }

    fn begin(&mut self, part: Part) -> Result<()> {
        let reader = self.source.reader(&part.request)?;
        let part_stream = reader.read(part.checkpoint, &self.scan)?;
        self.metrics.begin();
        self.position.begin_part(part.request, part_stream.monitor());
        self.current = Some(part_stream);
        Ok(())
    }

    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        while self.scan.limit != Some(0) {
            if let Some(part) = &mut self.current {
                let polled = part.poll_batch(cx);
                let has_lost_rows = part.has_lost_rows();
                if let Some(error) = self.after_poll(polled.is_pending()) {
                    // A batch may be here, and goes with it.
                    self.position.lose_rows();
                    return Poll::Ready(Some(Err(engine_error(error))));
                }
                match ready!(polled) {
                    Some(Ok(batch)) => {
                        if let Some(limit) = &mut self.scan.limit {
                            *limit = limit.saturating_sub(batch.num_rows());
                        }
                        return Poll::Ready(Some(Ok(batch)));
                    }
                    Some(Err(error)) => {
                        if has_lost_rows {
                            self.position.lose_rows();
                        }
                        return Poll::Ready(Some(Err(error)));
                    }
                    None => self.current = None,
                }
            } else if let Some(part) = self.waiting.pop_front() {
                self.begin(part)?;
            } else {
                match ready!(self.input.poll_next_unpin(cx)) {
                    Some(batch) => self.waiting.extend(parts::of_batch(&batch?)?),
                    None => break,
                }
            }
        }
        Poll::Ready(None)
    }

    /// Counts what a poll has done. What failed meanwhile and can't become a row comes back.
    fn after_poll(&mut self, is_pending: bool) -> Option<Error> {
        if is_pending {
            self.metrics.pending();
        } else {
            self.metrics.ready();
        }
        let monitor = self.current.as_ref()?.monitor();
        self.metrics.count(&monitor.progress());
        self.source.take_failures(&monitor)
    }
}

impl Stream for PartitionStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let polled = self.poll_batch(cx);
        self.is_done = matches!(polled, Poll::Ready(None | Some(Err(_))));
        if self.is_done {
            // Dropping it drops its requests.
            self.current = None;
        }
        self.metrics.baseline.record_poll(polled)
    }
}

impl RecordBatchStream for PartitionStream {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.scan.schema)
    }
}

impl Drop for PartitionStream {
    fn drop(&mut self) {
        self.after_poll(false);
        if self.current.as_ref().is_some_and(|part| part.has_lost_rows()) {
            self.position.lose_rows();
        }
    }
}
