use std::{
    collections::HashSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use serde_json::Value;

use super::monitor::{Observe, Progress};
use crate::{
    checkpoint::{Checkpoint, OpenRequest, Position, Replay, Version},
    clock,
    cursor::{Cursor, to_json},
    error::{Error, ErrorKind},
    frontier::{Frontier, Plan, Shape, Ticket, Verdict},
    gauge::Gauge,
    page::Page,
    paginator::Paginator,
};

/// The state of a reading that its stream and its monitors share. The stream
/// takes the lock a few times a page, and for a record only counts.
pub(super) struct Ledger<C> {
    entries: Mutex<Entries<C>>,
    /// How many records of the page in hand are out.
    out: AtomicUsize,
    /// How many requests wait for a rate limiter.
    pub(super) throttled: Gauge,
}

pub(super) struct Entries<C> {
    pub(super) frontier: Frontier<C>,
    pub(super) identity: String,
    /// The counts up to the page in hand, which `out` and `in_hand` complete.
    pub(super) closed: Progress,
    pub(super) in_hand: Option<InHand>,
    pub(super) failed: Vec<String>,
    /// Errors that were set aside and not taken yet.
    pub(super) aside: Vec<Error>,
    /// Pages in a row without anything in them.
    pub(super) empty_pages: u64,
    /// The digest of the last page that was handed out whole.
    pub(super) digest: Option<u64>,
}

impl<C: Cursor> Entries<C> {
    /// The state at the start of a reading, or at a checkpoint. Where the
    /// checkpoint is refused, the start, and why.
    pub(super) fn open<P>(paginator: &P, checkpoint: Option<Checkpoint>) -> (Self, Option<Error>)
    where
        P: Paginator<Cursor = C> + ?Sized,
    {
        let start = |identity| Self {
            frontier: Frontier::new([paginator.start()]),
            identity,
            closed: Progress::default(),
            in_hand: None,
            failed: Vec::new(),
            aside: Vec::new(),
            empty_pages: 0,
            digest: None,
        };
        let identity = paginator.identity();
        match checkpoint.map(|checkpoint| Self::resume(paginator, &identity, checkpoint)) {
            None => (start(identity), None),
            Some(Ok(entries)) => (entries, None),
            Some(Err(refusal)) => (start(identity), Some(refusal)),
        }
    }

    fn resume<P>(paginator: &P, identity: &str, checkpoint: Checkpoint) -> Result<Self, Error>
    where
        P: Paginator<Cursor = C> + ?Sized,
    {
        if checkpoint.identity != identity {
            let message = format!(
                "the checkpoint is of a reading of {:?}, and this paginator reads {identity:?}: \
                 resume it with the paginator that made it, or read from the start",
                checkpoint.identity
            );
            return Err(Error::new(ErrorKind::Checkpoint, message));
        }
        let open = checkpoint.open.into_iter().map(|open| {
            let mut cursor = from_value(open.cursor)?;
            if let Some(units) = &open.units {
                cursor = paginator.narrow(&cursor, units);
            }
            Ok((cursor, open.replay))
        });
        let open = open.collect::<Result<Vec<_>, Error>>()?;
        let waiting = checkpoint.waiting.into_iter().map(from_value);
        Ok(Self {
            frontier: Frontier::resume(
                open,
                waiting.collect::<Result<Vec<_>, Error>>()?,
                checkpoint.trail,
            ),
            identity: checkpoint.identity,
            closed: Progress {
                pages: checkpoint.pages,
                records: checkpoint.records,
                failures: checkpoint.failures,
                skipped: checkpoint.skipped,
                ..Progress::default()
            },
            in_hand: None,
            failed: checkpoint.failed,
            aside: Vec::new(),
            empty_pages: 0,
            digest: checkpoint.digest,
        })
    }

    /// Says where an error happened: at the foremost page, and at what `part`
    /// leaves of its cursor.
    pub(super) fn locate(&self, error: Error, part: impl FnOnce(&C) -> C) -> Error {
        let cursor = self.frontier.foremost_cursor().map(part);
        let cursor = cursor.and_then(|cursor| serde_json::to_string(&cursor).ok());
        error.at(self.closed.pages.saturating_add(1), cursor)
    }

    /// Takes in a page that came.
    pub(super) fn take_in<R>(
        &mut self,
        ticket: Ticket,
        page: &mut Page<R, C>,
        plan: &impl Plan<C>,
    ) -> Result<(), Error> {
        if let Some(replay) = self.frontier.replay(ticket) {
            check_replay(page, replay);
        }
        let shape = shape(page)?;
        let next = std::mem::take(&mut page.next);
        self.frontier.heed_total(page.total());
        self.frontier.arrive(ticket, next, shape, clock::now, plan);
        Ok(())
    }

    /// Judges the failure of a request: its error, if it is to be kept, and else it
    /// is made again.
    pub(super) fn judge(
        &mut self,
        ticket: Ticket,
        error: Error,
        plan: &impl Plan<C>,
    ) -> Option<Error> {
        let now = clock::now();
        let (cursor, pages_before) = self.frontier.cursor(ticket);
        let page = self.closed.pages.saturating_add(pages_before as u64 + 1);
        let error = error.at(page, serde_json::to_string(cursor).ok());
        match self.frontier.fail(ticket, &error, now, plan) {
            Verdict::Fatal(attempts) => Some(error.with_attempts(attempts)),
            Verdict::Held => Some(error),
            verdict => {
                self.closed.retries += 1;
                report(&error, &verdict, now);
                None
            }
        }
    }

    /// Refuses a page that is the same as the one before, and one more empty page
    /// than there may be. A batch makes headway without a record, too.
    pub(super) fn check<R>(
        &mut self,
        page: &Page<R, C>,
        max_empty_pages: u64,
    ) -> Result<(), Error> {
        let details = page.details();
        let is_empty = page.records.is_empty()
            && details.is_none_or(|it| it.failures.is_empty() && it.units.is_empty());
        self.empty_pages = if is_empty { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > max_empty_pages {
            let message = format!(
                "the service gave {} empty pages in a row: raise `max_empty_pages` if it may",
                self.empty_pages
            );
            return Err(Error::new(ErrorKind::Loop, message));
        }
        let digest = details.and_then(|details| details.digest);
        if digest.is_some() && digest == self.digest && !page.records.is_empty() {
            return Err(Error::new(
                ErrorKind::Loop,
                "the service gave the same page again, as if it did not look at the cursor",
            ));
        }
        Ok(())
    }
}

/// The page being handed out.
#[derive(Clone, Copy, Default)]
pub(super) struct InHand {
    /// The records that an earlier stream had handed out.
    pub(super) passed_over: usize,
    pub(super) failures: usize,
    /// The positions that the service passed over behind it.
    pub(super) skipped: u64,
    pub(super) digest: Option<u64>,
}

impl<C: Cursor> Ledger<C> {
    pub(super) fn new(entries: Entries<C>) -> Self {
        Self { entries: Mutex::new(entries), out: AtomicUsize::new(0), throttled: Gauge::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Entries<C>> {
        // The state is whole between any two statements that could panic.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts records of the page in hand as out. Only the stream writes, and a
    /// page changes under the lock alone, so a plain load and store do.
    pub(super) fn count(&self, records: usize) {
        self.out.store(self.out.load(Ordering::Relaxed) + records, Ordering::Relaxed);
    }

    /// Begins to hand out the foremost page.
    pub(super) fn begin(&self, entries: &mut Entries<C>, in_hand: InHand) {
        self.out.store(in_hand.passed_over, Ordering::Relaxed);
        entries.in_hand = Some(in_hand);
    }

    /// Closes the page in hand, if there is one: it is out whole.
    pub(super) fn close(&self, entries: &mut Entries<C>) {
        if let Some(in_hand) = entries.in_hand.take() {
            let closed = &mut entries.closed;
            closed.pages = closed.pages.saturating_add(1);
            closed.records = closed.records.saturating_add(self.records_out(in_hand));
            closed.skipped = closed.skipped.saturating_add(in_hand.skipped);
            entries.digest = in_hand.digest;
            entries.frontier.close();
        }
    }

    fn records_out(&self, in_hand: InHand) -> u64 {
        (self.out.load(Ordering::Relaxed) - in_hand.passed_over) as u64
    }

    /// The checkpoint, under a lock that is held already.
    pub(super) fn checkpoint(&self, entries: &Entries<C>) -> Result<Checkpoint, Error> {
        let out = entries.in_hand.map(|in_hand| Position {
            records: self.out.load(Ordering::Relaxed),
            failures: in_hand.failures,
        });
        // A page that is out whole is not asked for again, so it counts as closed.
        let closed = entries.in_hand.filter(|_| entries.frontier.is_out(out));
        let open = entries.frontier.rest(out).into_iter().map(|rest| {
            let cursor = to_json(rest.cursor)?;
            Ok(OpenRequest { cursor, units: rest.units, replay: rest.replay })
        });
        Ok(Checkpoint {
            version: Version,
            identity: entries.identity.clone(),
            pages: entries.closed.pages.saturating_add(closed.is_some().into()),
            records: entries
                .closed
                .records
                .saturating_add(entries.in_hand.map_or(0, |in_hand| self.records_out(in_hand))),
            failures: entries.closed.failures,
            skipped: entries
                .closed
                .skipped
                .saturating_add(closed.map_or(0, |in_hand| in_hand.skipped)),
            open: open.collect::<Result<_, Error>>()?,
            waiting: entries.frontier.waiting().map(to_json).collect::<Result<_, Error>>()?,
            failed: entries.failed.clone(),
            trail: entries.frontier.trail(),
            digest: closed.map_or(entries.digest, |in_hand| in_hand.digest),
        })
    }
}

impl<C: Cursor> Observe for Ledger<C> {
    fn progress(&self) -> Progress {
        let entries = self.lock();
        let mut progress = entries.closed.clone();
        if progress.stop.is_none() {
            progress.in_flight = entries.frontier.in_flight();
            progress.delayed = entries.frontier.delayed();
            progress.throttled = self.throttled.count();
        }
        if let Some(in_hand) = entries.in_hand {
            progress.pages = progress.pages.saturating_add(1);
            progress.records = progress.records.saturating_add(self.records_out(in_hand));
            progress.skipped = progress.skipped.saturating_add(in_hand.skipped);
        }
        progress
    }

    fn checkpoint(&self) -> Result<Checkpoint, Error> {
        self.checkpoint(&self.lock())
    }

    fn failed_ids(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let entries = self.lock();
        entries.failed.iter().filter(|id| seen.insert(*id)).cloned().collect()
    }

    fn take_failures(&self) -> Vec<Error> {
        std::mem::take(&mut self.lock().aside)
    }
}

fn from_value<C: Cursor>(value: Value) -> Result<C, Error> {
    serde_json::from_value(value).map_err(|error| {
        Error::new(
            ErrorKind::Checkpoint,
            "the checkpoint holds a cursor that is none of this paginator: read from the start",
        )
        .with_source(error)
    })
}

/// Says so if a page that is read again has shrunk.
fn check_replay<R, C>(page: &mut Page<R, C>, replay: Replay) {
    let records = page.records.len();
    if records >= replay.of || page.failures().next().is_some() {
        return;
    }
    let message = format!(
        "a page that is read again holds {records} records and held {}: some may be missing, or \
         were deleted",
        replay.of
    );
    page.fail(None, Error::new(ErrorKind::Changed, message));
}

/// What the core needs to know of a page.
fn shape<R, C>(page: &Page<R, C>) -> Result<Shape, Error> {
    let records = page.records.len();
    let Some(details) = page.details() else {
        return Ok(Shape { records, parts: None });
    };
    let in_units = details.units.iter().sum::<usize>();
    if !details.units.is_empty() && in_units != records {
        let message = format!("a page's units hold {in_units} records, and the page {records}");
        return Err(Error::new(ErrorKind::Contract, message));
    }
    let failures = details.failures.iter().map(|failure| failure.unit).collect();
    Ok(Shape::of(records, details.units.clone(), failures))
}

/// Tells the log that a page is asked for again.
#[cfg(feature = "tracing")]
fn report(error: &Error, verdict: &Verdict, now: Instant) {
    let delay = match verdict {
        Verdict::Again(due) => due.saturating_duration_since(now),
        _ => std::time::Duration::ZERO,
    };
    let smaller = *verdict == Verdict::Smaller;
    tracing::warn!(
        %error,
        kind = ?error.kind(),
        status = error.status(),
        delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        smaller,
        "a page failed and is asked for again"
    );
}

#[cfg(not(feature = "tracing"))]
fn report(_: &Error, _: &Verdict, _: Instant) {}
