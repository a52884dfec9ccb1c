use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
    time::Instant,
};

use crate::{checkpoint::Checkpoint, error::Error};

/// How far a reading has come. The counts go on where a checkpoint left off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Pages delivered, the one being delivered among them.
    pub pages: u64,
    /// Records delivered.
    pub records: u64,
    /// Requests made by this stream. One that a client sends again by itself, as the
    /// vendors' do with a new token after a 401, counts once.
    pub requests: u64,
    /// Requests on their way.
    pub in_flight: usize,
    /// Requests that failed and were made again, whole or in parts.
    pub retries: u64,
    /// Speculative requests that the service contradicted, and whose pages were discarded.
    pub discarded: u64,
    /// Requests that wait for the time to be made again.
    pub delayed: usize,
    /// Requests among those in flight that wait for a rate limiter.
    pub throttled: usize,
    /// Until when no request is made, and why; `None` if nothing holds the reading back. The
    /// time may have passed, if nobody polled the stream since.
    pub wait: Option<Wait>,
    /// Errors that concerned some ids alone.
    pub failures: u64,
    /// Positions that the service passed over from one page to the next.
    pub skipped: u64,
    /// Records left out, since they had come before:
    /// [`Read::deduplicate`](crate::Read::deduplicate).
    pub repeated: u64,
    /// How often this stream began anew, since a cursor had expired:
    /// [`Read::restarts`](crate::Read::restarts).
    pub restarts: u32,
    /// How many records there are in all, where the service says so: its last
    /// word, and a hint only.
    pub total: Option<u64>,
    /// Why the stream ended; `None` while it goes on.
    pub stop: Option<StopReason>,
}

/// Until when a reading waits, and why: [`Progress::wait`].
///
/// ```
/// use pagestream::{Progress, WaitReason};
///
/// /// What a progress bar says.
/// fn line(progress: &Progress) -> String {
///     match progress.wait {
///         Some(wait) if wait.reason == WaitReason::Throttled => {
///             format!("the service wants a pause until {:?}", wait.until)
///         }
///         Some(_) => "waiting".to_owned(),
///         None => format!("{} records", progress.records),
///     }
/// }
///
/// assert_eq!(line(&Progress::default()), "0 records");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// When the next request is made.
    pub until: Instant,
    /// Why not before.
    pub reason: WaitReason,
}

/// Why a reading waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitReason {
    /// The service had too many requests: a 429, for example.
    Throttled,
    /// The service asked to wait in an answer that brought a page.
    Asked,
    /// A request failed, and nothing else can be asked for until it is made again.
    Retry,
}

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// Everything was read.
    End,
    /// [`Read::max_records`](crate::Read::max_records) was reached, and more may follow.
    MaxRecords,
    /// [`Read::max_pages`](crate::Read::max_pages) was reached, and more may follow.
    MaxPages,
    /// [`Read::max_requests`](crate::Read::max_requests) was reached, and more may follow.
    MaxRequests,
    /// [`Read::max_duration`](crate::Read::max_duration) was over, and more may follow.
    MaxDuration,
    /// A fatal error was delivered.
    Failed,
}

/// Tells how a stream is doing from outside of it: while it is inside of
/// combinators or another task, and after it is gone.
///
/// A record counts as delivered when the stream has yielded it. A combinator such as `buffered` or
/// `chunks` may still hold records that the stream has yielded. A checkpoint taken at that moment
/// does not read them again: use [`Records::batches`](crate::Records::batches).
///
/// ```
/// use futures::{StreamExt, TryStreamExt};
/// use pagestream::{Page, PaginatorExt, StopReason, from_fn};
///
/// # futures::executor::block_on(async {
/// let pages = from_fn(0, |at: u64| async move {
///     Ok(Page::new(vec![at, at + 1], (at < 8).then_some(at + 2)))
/// });
/// let records = pages.records();
/// let monitor = records.monitor();
/// let even: Vec<u64> = records.try_filter(|n| std::future::ready(n % 2 == 0)).try_collect().await?;
///
/// assert_eq!(even, [0, 2, 4, 6, 8]);
/// assert_eq!(monitor.progress().records, 10);
/// assert_eq!(monitor.progress().stop, Some(StopReason::End));
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Monitor(Arc<dyn Observe>);

/// What a monitor sees, whatever the type of the cursors.
pub(super) trait Observe: Send + Sync {
    fn progress(&self) -> Progress;
    fn checkpoint(&self) -> Result<Checkpoint, Error>;
    fn failed_ids(&self) -> Vec<String>;
    fn take_failures(&self) -> Vec<Error>;
}

impl Monitor {
    pub(super) fn new(observed: Arc<dyn Observe>) -> Self {
        Self(observed)
    }

    /// How far the reading has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.0.progress()
    }

    /// Where the reading stands.
    ///
    /// This takes as long as writing down the cursors that wait.
    ///
    /// # Errors
    ///
    /// [`Contract`](crate::ErrorKind::Contract) if the paginator has no
    /// [identity](crate::Paginator::identity); if a cursor can't be written as JSON, such as a
    /// map whose keys are no strings; if waiting for it deadlocks, because code that the
    /// reading runs asks for it ([`Paginator`](crate::Paginator#contract)); and after a panic
    /// of such code, if a cursor may be missing.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        self.0.checkpoint()
    }

    /// Each of the [ids](Error::ids) of the errors that concerned some ids alone, from
    /// the start of the reading, over all of its checkpoints.
    ///
    /// Once [`Progress::stop`] is [`StopReason::End`], every id that was asked
    /// for and is not among these was read whole.
    #[must_use]
    pub fn failed_ids(&self) -> Vec<String> {
        self.0.failed_ids()
    }

    /// Takes the errors that were [set aside](crate::Read::set_failures_aside)
    /// since the last call.
    #[must_use]
    pub fn take_failures(&self) -> Vec<Error> {
        self.0.take_failures()
    }
}

impl Debug for Monitor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Monitor").field(&self.progress()).finish()
    }
}
