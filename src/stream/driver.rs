use std::{
    pin::Pin,
    sync::MutexGuard,
    task::{Context, Poll, ready},
    time::Instant,
    vec,
};

use super::{
    arrived::Arrived,
    in_flight::InFlight,
    ledger::{Entries, InHand, Ledger},
    limits::{Limits, RepeatedCursor},
    monitor::StopReason,
    plan::PlanOf,
    source::{Fetched, Source},
};
use crate::{
    clock::{self, Sleep},
    error::{Error, ErrorKind},
    frontier::{Ticket, Turn},
    page::Failure,
    paginator::Paginator,
};

pub(super) type Record<S> = <<S as Source>::Paginator as Paginator>::Record;
pub(super) type Cursor<S> = <<S as Source>::Paginator as Paginator>::Cursor;

/// The requests and pages of a stream, apart from the state that monitors see.
pub(super) struct Driver<S: Source> {
    source: S,
    limits: Limits,
    in_flight: InFlight<S::Fetch>,
    arrived: Arrived<S::Paginator>,
    /// What comes behind the records of the page in hand.
    failures: vec::IntoIter<Failure>,
    /// Whether the limit on records cut the page in hand short.
    is_cut: bool,
    /// When the time is over; set by the first poll.
    deadline: Option<Instant>,
    /// What wakes the stream at a time.
    timer: Option<(Instant, Sleep)>,
    /// Why the reading can't begin.
    refusal: Option<Error>,
    is_done: bool,
}

impl<S: Source> Driver<S> {
    pub(super) fn new(source: S, limits: Limits, refusal: Option<Error>) -> Self {
        Self {
            source,
            limits,
            in_flight: InFlight::new(),
            arrived: Arrived::new(),
            failures: Vec::new().into_iter(),
            is_cut: false,
            deadline: None,
            timer: None,
            refusal,
            is_done: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// How many errors come behind the records of the page in hand.
    pub(super) fn failures_left(&self) -> usize {
        if self.is_cut || self.limits.failures_aside { 0 } else { self.failures.len() }
    }

    /// The one poll loop: the records of the next page, or an error. The caller
    /// counts the records as it hands them out, and asks again when all are out.
    // Not a part of the loop over the records, which is the faster the smaller it is.
    #[inline(never)]
    pub(super) fn poll(
        &mut self,
        ledger: &Ledger<Cursor<S>>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Vec<Record<S>>, Error>>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let mut entries = ledger.lock();
        if let Some(refusal) = self.refusal.take() {
            self.stop(entries, StopReason::Failed);
            return Poll::Ready(Some(Err(refusal)));
        }
        if let Some(duration) = self.limits.duration {
            self.deadline.get_or_insert_with(|| clock::after(clock::now(), duration));
        }
        if self.is_cut {
            return self.end(entries, StopReason::MaxRecords);
        }
        while let Some(failure) = self.failures.next() {
            let error = self.locate(&mut entries, failure);
            if !self.limits.failures_aside {
                return Poll::Ready(Some(Err(error)));
            }
            entries.aside.push(error);
        }
        ledger.close(&mut entries);
        loop {
            if let Some(reason) = self.limit_reached(&entries) {
                return self.end(entries, reason);
            }
            let turn = self.send(ledger, &mut entries);
            if !self.in_flight.is_empty() {
                drop(entries);
                let polled = ledger.throttled.observe(|| self.in_flight.poll(cx));
                entries = ledger.lock();
                if let Poll::Ready(fetched) = polled {
                    let plan = PlanOf(self.source.paginator());
                    self.arrived.take_in(&mut entries, fetched, &plan);
                    continue;
                }
            }
            match turn {
                Turn::HandOut(ticket) | Turn::Fail(ticket) => {
                    let brought = self.arrived.take(ticket);
                    let brought = brought.expect("the frontier turns to what arrived");
                    return Poll::Ready(Some(self.begin(ledger, entries, ticket, brought)));
                }
                Turn::Wait if !self.may_request() && self.in_flight.is_empty() => {
                    return self.end(entries, StopReason::MaxRequests);
                }
                Turn::Wait => {
                    // What is due matters only if it may still be sent.
                    let wake_at = entries.frontier.wake_at(self.limits.window);
                    let wake_at = wake_at.filter(|_| self.may_request());
                    drop(entries);
                    ready!(self.poll_until(wake_at, cx));
                    entries = ledger.lock();
                }
                Turn::Cycle if self.limits.repeated_cursor == RepeatedCursor::Error => {
                    let message = "the service leads back to a cursor that was asked for before";
                    let error = Error::new(ErrorKind::Loop, message);
                    return Poll::Ready(Some(Err(self.fail(ledger, entries, error))));
                }
                Turn::Over | Turn::Cycle => return self.end(entries, StopReason::End),
            }
        }
    }

    /// Sends what may be sent, and says what is next.
    fn send(&mut self, ledger: &Ledger<Cursor<S>>, entries: &mut Entries<Cursor<S>>) -> Turn {
        let plan = PlanOf(self.source.paginator());
        let window = self.limits.window;
        if let Some(pages) = self.limits.pages {
            entries.frontier.limit_pages(pages);
        }
        while self.may_request()
            && let Some((ticket, cursor)) = entries.frontier.send(window, clock::now, &plan)
        {
            if let Some(requests) = &mut self.limits.requests {
                *requests -= 1;
            }
            entries.closed.requests += 1;
            // A request that runs apart counts where it was made.
            let request = ledger.throttled.observe(|| self.source.request(cursor, window > 1));
            self.in_flight.push(ticket, request);
        }
        entries.frontier.turn()
    }

    /// Whether the limit on requests leaves one.
    fn may_request(&self) -> bool {
        self.limits.requests != Some(0)
    }

    /// Waits for a time or for the deadline, whichever is first.
    fn poll_until(&mut self, wake_at: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(until) = [wake_at, self.deadline].into_iter().flatten().min() else {
            self.timer = None;
            return Poll::Pending;
        };
        if self.timer.as_ref().is_none_or(|(at, _)| *at != until) {
            self.timer = Some((until, clock::sleep_until(until)));
        }
        if let Some((_, sleep)) = &mut self.timer {
            ready!(Pin::new(sleep).poll(cx));
        }
        self.timer = None;
        Poll::Ready(())
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| clock::now() >= deadline)
    }

    /// Begins to hand out the foremost page, or gives out its error.
    fn begin(
        &mut self,
        ledger: &Ledger<Cursor<S>>,
        mut entries: MutexGuard<'_, Entries<Cursor<S>>>,
        ticket: Ticket,
        fetched: Fetched<S::Paginator>,
    ) -> Result<Vec<Record<S>>, Error> {
        let page = match fetched {
            Ok(page) => page,
            Err(error) => return Err(self.fail(ledger, entries, error)),
        };
        if let Err(error) = entries.check(&page, self.limits.empty_pages) {
            return Err(self.fail(ledger, entries, error));
        }
        let out = entries.frontier.replay(ticket).unwrap_or_default().out;
        let (mut records, details) = page.into_parts();
        let mut in_hand =
            InHand { passed_over: out.records.min(records.len()), ..InHand::default() };
        if in_hand.passed_over > 0 {
            records.drain(..in_hand.passed_over);
        }
        if let Some(details) = details {
            self.failures = details.failures.into_iter();
            in_hand.failures = out.failures.min(self.failures.len());
            self.failures.by_ref().take(in_hand.failures).for_each(drop);
            in_hand.skipped = details.skipped;
            in_hand.digest = details.digest;
            entries.closed.total = details.total.or(entries.closed.total);
        }
        ledger.begin(&mut entries, in_hand);
        if let Some(pages) = &mut self.limits.pages {
            *pages -= 1;
        }
        if let Some(left) = &mut self.limits.records {
            let most = usize::try_from(*left).unwrap_or(usize::MAX);
            self.is_cut = records.len() > most;
            records.truncate(most);
            *left -= records.len() as u64;
        }
        Ok(records)
    }

    /// Gives out a fatal error.
    fn fail(
        &mut self,
        ledger: &Ledger<Cursor<S>>,
        entries: MutexGuard<'_, Entries<Cursor<S>>>,
        error: Error,
    ) -> Error {
        let error = entries.locate(error, Clone::clone);
        let error = error.with_checkpoint(ledger.checkpoint(&entries).ok());
        self.stop(entries, StopReason::Failed);
        error
    }

    /// Gives out an error that concerns some ids alone.
    fn locate(&self, entries: &mut Entries<Cursor<S>>, Failure { unit, error }: Failure) -> Error {
        if let Some(in_hand) = &mut entries.in_hand {
            in_hand.failures += 1;
        }
        entries.closed.failures = entries.closed.failures.saturating_add(1);
        entries.failed.extend_from_slice(error.ids());
        let paginator = self.source.paginator();
        entries.locate(error, |cursor| match unit {
            Some(unit) => paginator.narrow(cursor, &[unit]),
            None => cursor.clone(),
        })
    }

    /// The reason to give out no other page, if there is one.
    fn limit_reached(&self, entries: &Entries<Cursor<S>>) -> Option<StopReason> {
        let reason = match self.limits {
            Limits { records: Some(0), .. } => StopReason::MaxRecords,
            Limits { pages: Some(0), .. } => StopReason::MaxPages,
            _ if self.is_late() => StopReason::MaxDuration,
            _ => return None,
        };
        Some(if entries.frontier.is_over() { StopReason::End } else { reason })
    }

    fn end<T>(
        &mut self,
        entries: MutexGuard<'_, Entries<Cursor<S>>>,
        reason: StopReason,
    ) -> Poll<Option<T>> {
        self.stop(entries, reason);
        Poll::Ready(None)
    }

    fn stop(&mut self, mut entries: MutexGuard<'_, Entries<Cursor<S>>>, reason: StopReason) {
        entries.closed.stop = Some(reason);
        // What a request does when it is dropped may want the lock.
        drop(entries);
        self.is_done = true;
        let in_flight = self.in_flight.take();
        if reason == StopReason::End {
            // They were guesses beyond the end.
            in_flight.for_each(S::leave);
        }
        self.arrived.clear();
        self.timer = None;
    }
}
