use std::{
    collections::BTreeSet,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::{
    future::FutureExt,
    stream::{FusedStream, StreamExt},
};
use futures_timer::Delay;

use super::{
    probe::Panicked,
    violation::{Rule, Violation, ensure},
};
use crate::{
    checkpoint::Checkpoint,
    error::Error,
    stream::{Monitor, Progress, StopReason},
};

/// How a stream is driven.
#[derive(Clone, Debug, Default)]
pub(super) struct Drive {
    /// When it is dropped: at the end by default.
    pub(super) until: Until,
    /// After how many items checkpoints are taken.
    pub(super) marks: BTreeSet<usize>,
    /// Whether each `next()` that waits is dropped after one poll by another task.
    pub(super) drops_next: bool,
    /// How long the next item may take, in real time.
    pub(super) timeout: Duration,
    /// The number of records at which the reading counts as endless.
    pub(super) most_records: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Until {
    #[default]
    End,
    /// After so many items.
    Items(usize),
    /// Where it would wait the next time after this many waits.
    Waits(usize),
}

/// What a stream delivered.
#[derive(Debug)]
pub(super) struct Reading<R> {
    pub(super) records: Vec<R>,
    /// How many records each piece has. A piece is a page, or one record.
    pub(super) pieces: Vec<usize>,
    /// The errors of single ids.
    pub(super) failures: Vec<String>,
    /// The fatal error.
    pub(super) error: Option<Error>,
    pub(super) marks: Vec<Mark>,
    /// The checkpoint at the end.
    pub(super) checkpoint: Checkpoint,
    pub(super) progress: Progress,
    /// How often it waited.
    pub(super) waits: usize,
    /// Whether it was stopped, since too many records came.
    pub(super) is_endless: bool,
    /// How many pages were requested of its paginator.
    pub(super) fetches: usize,
    /// Whether the fault happened.
    pub(super) has_met_fault: bool,
    /// Whether the check panicked in it.
    pub(super) has_panicked: bool,
}

/// A position of a reading, with its checkpoint.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) records: usize,
    pub(super) failures: usize,
    pub(super) checkpoint: Checkpoint,
}

impl<R> Reading<R> {
    pub(super) fn items(&self) -> usize {
        self.pieces.len() + self.failures.len()
    }

    /// The position at the end.
    pub(super) fn end(&self) -> Mark {
        let (records, failures) = (self.records.len(), self.failures.len());
        Mark { records, failures, checkpoint: self.checkpoint.clone() }
    }
}

/// The result of waiting for an item.
enum Next<T> {
    Item(Option<T>),
    Dropped,
    Stalled,
    /// The check panicked.
    Panicked,
}

/// Reads a stream whose items are pieces: pages, or single records. `fetches` returns
/// how many pages were requested.
pub(super) async fn drive<R, I, S>(
    stream: S,
    monitor: &Monitor,
    fetches: impl Fn() -> usize,
    Drive { until, marks, drops_next, timeout, most_records }: &Drive,
) -> Result<Reading<R>, Violation>
where
    I: IntoIterator<Item = R>,
    S: FusedStream<Item = Result<I, Error>>,
{
    let begun_at = checkpoint(monitor)?.records();
    let mut reading = Reading {
        records: Vec::new(),
        pieces: Vec::new(),
        failures: Vec::new(),
        error: None,
        marks: Vec::new(),
        checkpoint: checkpoint(monitor)?,
        progress: Progress::default(),
        waits: 0,
        is_endless: false,
        fetches: 0,
        has_met_fault: false,
        has_panicked: false,
    };
    // What the hints say about the number of all items.
    let (mut at_least, mut at_most) = (0, usize::MAX);
    let mut is_over = false;
    {
        let mut stream = pin!(stream);
        loop {
            let items = reading.items() + usize::from(reading.error.is_some());
            let (lower, upper) = stream.size_hint();
            at_least = at_least.max(items.saturating_add(lower));
            at_most = at_most.min(items.saturating_add(upper.unwrap_or(usize::MAX)));
            if reading.error.is_none() && marks.contains(&items) {
                reading.mark(monitor, begun_at)?;
            }
            reading.is_endless = reading.records.len() >= *most_records;
            if reading.is_endless || *until == Until::Items(items) {
                break;
            }
            let was_over = stream.is_terminated();
            let most_waits = if let Until::Waits(waits) = until { *waits } else { usize::MAX };
            let next = next(&mut stream, *drops_next, *timeout, most_waits, &mut reading.waits);
            let item = match next.await {
                Next::Dropped => break,
                // It goes on, or ends with an error.
                Next::Panicked => {
                    reading.has_panicked = true;
                    continue;
                }
                Next::Stalled => {
                    let records = reading.records.len();
                    let what = format!("after {records} records nothing came for {timeout:?}");
                    return Err(Violation::new(Rule::Stalled, what));
                }
                Next::Item(None) => {
                    is_over = true;
                    check_end(&mut stream, &fetches)?;
                    break;
                }
                Next::Item(Some(item)) => item,
            };
            ensure(!was_over && reading.error.is_none(), Rule::Ended, || {
                let end = if was_over { "it reported its end" } else { "a fatal error" };
                format!("something came after {end}, after {} records", reading.records.len())
            })?;
            reading.push(item);
            let counted = monitor.progress().records;
            let records = reading.records.len();
            ensure(counted == begun_at + records as u64, Rule::Count, || {
                format!("{records} records came after {begun_at}, and {counted} are counted")
            })?;
        }
    }
    let items = reading.items() + usize::from(reading.error.is_some());
    ensure(!is_over || items >= at_least, Rule::SizeHint, || {
        format!("{items} items came, and the hints promised at least {at_least}")
    })?;
    ensure(!is_over || items <= at_most, Rule::SizeHint, || {
        format!("{items} items came, and the hints promised at most {at_most}")
    })?;
    reading.progress = monitor.progress();
    reading.checkpoint = checkpoint(monitor)?;
    let stop = reading.progress.stop;
    let is_right = match reading.error {
        Some(_) => stop == Some(StopReason::Failed),
        None => stop.is_some() == is_over && stop != Some(StopReason::Failed),
    };
    ensure(is_right || reading.is_endless, Rule::Ended, || {
        let ended = if is_over { "it ended" } else { "it was dropped" };
        format!("{ended}, and the reason given is {stop:?}")
    })?;
    Ok(reading)
}

impl<R> Reading<R> {
    fn push<I: IntoIterator<Item = R>>(&mut self, item: Result<I, Error>) {
        match item {
            Ok(piece) => {
                let before = self.records.len();
                self.records.extend(piece);
                self.pieces.push(self.records.len() - before);
            }
            Err(error) if error.is_partial() => {
                self.failures.push(format!("{:?} of {:?}", error.kind(), error.ids()));
            }
            Err(error) => self.error = Some(error),
        }
    }

    fn mark(&mut self, monitor: &Monitor, begun_at: u64) -> Result<(), Violation> {
        let (records, failures) = (self.records.len(), self.failures.len());
        let checkpoint = checkpoint(monitor)?;
        let noted = checkpoint.records();
        ensure(noted == begun_at + records as u64, Rule::Checkpoint, || {
            format!("{records} records came after {begun_at}, and its checkpoint says {noted}")
        })?;
        self.marks.push(Mark { records, failures, checkpoint });
        Ok(())
    }
}

fn checkpoint(monitor: &Monitor) -> Result<Checkpoint, Violation> {
    monitor.checkpoint().map_err(|error| {
        Violation::new(Rule::Cursor, format!("there is no checkpoint: {}", Violation::by(&error)))
    })
}

/// Waits for the next item. Each poll has a `next()` of its own, which is dropped.
async fn next<S: FusedStream>(
    stream: &mut Pin<&mut S>,
    drops_next: bool,
    timeout: Duration,
    most_waits: usize,
    waits: &mut usize,
) -> Next<S::Item> {
    // Not tokio's time: if that is paused, it jumps while the network is waited for.
    let mut timer = None::<Delay>;
    poll_fn(|cx| {
        // Before the stream: an item that woke nobody did not come.
        if timer.as_mut().is_some_and(|timer| timer.poll_unpin(cx).is_ready()) {
            return Poll::Ready(Next::Stalled);
        }
        if drops_next {
            // This waker wakes nobody, so the one below has to replace it.
            let mut elsewhere = Context::from_waker(Waker::noop());
            if let Poll::Ready(item) = poll(stream, &mut elsewhere) {
                return Poll::Ready(item);
            }
        }
        if let Poll::Ready(item) = poll(stream, cx) {
            return Poll::Ready(item);
        }
        if *waits >= most_waits {
            return Poll::Ready(Next::Dropped);
        }
        *waits += 1;
        timer.get_or_insert_with(|| Delay::new(timeout)).poll_unpin(cx).map(|()| Next::Stalled)
    })
    .await
}

/// Polls a stream, and catches a panic of the check.
fn poll<S: FusedStream>(stream: &mut Pin<&mut S>, cx: &mut Context<'_>) -> Poll<Next<S::Item>> {
    let poll = AssertUnwindSafe(|| stream.next().poll_unpin(cx));
    match catch_unwind(poll) {
        Ok(poll) => poll.map(Next::Item),
        Err(panic) if panic.is::<Panicked>() => Poll::Ready(Next::Panicked),
        Err(panic) => resume_unwind(panic),
    }
}

/// Polls a stream that ended a few times more.
fn check_end<S: FusedStream>(
    stream: &mut Pin<&mut S>,
    fetches: impl Fn() -> usize,
) -> Result<(), Violation> {
    let before = fetches();
    for _ in 0..3 {
        ensure(stream.is_terminated(), Rule::Ended, || {
            "it gave `None`, and does not say that it is terminated".to_owned()
        })?;
        let again = stream.next().poll_unpin(&mut Context::from_waker(Waker::noop()));
        ensure(matches!(again, Poll::Ready(None)), Rule::Ended, || {
            "it gave `None`, and then no `None`".to_owned()
        })?;
    }
    let more = fetches() - before;
    ensure(more == 0, Rule::Ended, || format!("it gave `None`, and then made {more} requests"))
}
