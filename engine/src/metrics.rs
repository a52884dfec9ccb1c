use std::time::Instant;

use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, Time,
};
use pagestream::Progress;

/// What `EXPLAIN ANALYZE` shows of a partition.
pub(crate) struct PartitionMetrics {
    pub(crate) baseline: BaselineMetrics,
    requests: Count,
    retries: Count,
    /// How long the partition waited for the service.
    waiting: Time,
    /// What is counted of the part in hand.
    counted: (u64, u64),
    pending_since: Option<Instant>,
}

impl PartitionMetrics {
    pub(crate) fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        Self {
            baseline: BaselineMetrics::new(metrics, partition),
            requests: MetricBuilder::new(metrics).counter("requests", partition),
            retries: MetricBuilder::new(metrics).counter("retries", partition),
            waiting: MetricBuilder::new(metrics).subset_time("waiting", partition),
            counted: (0, 0),
            pending_since: None,
        }
    }

    /// Another part begins.
    pub(crate) fn begin(&mut self) {
        self.counted = (0, 0);
    }

    /// Counts what the reading has done since the last time.
    pub(crate) fn count(&mut self, progress: &Progress) {
        let (requests, retries) = self.counted;
        let new = |all: u64, counted: u64| {
            usize::try_from(all.saturating_sub(counted)).unwrap_or(usize::MAX)
        };
        self.requests.add(new(progress.requests, requests));
        self.retries.add(new(progress.retries, retries));
        self.counted = (progress.requests, progress.retries);
    }

    /// The service has not answered.
    pub(crate) fn pending(&mut self) {
        self.pending_since.get_or_insert_with(Instant::now);
    }

    /// It has, or nobody waits any more.
    pub(crate) fn ready(&mut self) {
        if let Some(since) = self.pending_since.take() {
            self.waiting.add_elapsed(since);
        }
    }
}
