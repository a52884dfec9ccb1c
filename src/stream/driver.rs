use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use super::{
    arrived::Arrived,
    delivery::Delivery,
    in_flight::InFlight,
    monitor::StopReason,
    on_end::Once,
    on_progress::OnProgress,
    options::Options,
    reading::Reading,
    repeated_page::keep_new,
    report::{report_restart, report_retry},
    resumed_page,
    shared::{Access, Shared},
    source::{Counter, Fetched, Source},
    spans::Spans,
};
use crate::{
    clock::{self, Sleep},
    error::{Error, ErrorKind},
    frontier::{Arrival, Effect, Effects, FailedAttempt, Next, RequestId},
    page::{Failure, Page, Unit},
    paginator::Paginator,
};

pub(super) type Record<S> = <<S as Source>::Paginator as Paginator>::Record;
pub(super) type Cursor<S> = <<S as Source>::Paginator as Paginator>::Cursor;
type PageOf<S> = Page<Record<S>, Cursor<S>>;

/// It makes the requests that the frontier asks for, and brings it their responses.
pub(super) struct Driver<S: Source> {
    source: S,
    options: Options,
    on_end: Once,
    on_progress: OnProgress,
    life: Life,
    /// A checkpoint that does not match is the first and last item.
    mismatch: Option<Error>,
    in_flight: InFlight<S::Fetch>,
    arrived: Arrived<S::Paginator>,
    pub(super) delivery: Delivery<Record<S>>,
    /// What wakes the stream at a time.
    timer: Option<(Instant, Sleep)>,
    /// It counts the requests that wait for a rate limiter.
    counter: Counter,
    /// Whether requests are spawned on the runtime, where they can be.
    spawns: bool,
    /// Whether a request has failed, so that the time counts until its page comes.
    has_failed: bool,
    /// Whether a page may be read again, or its cursor be asked for again.
    has_replays: bool,
    /// Since when nobody waits, while the time counts.
    busy_since: Option<Instant>,
    spans: Spans,
}

/// How far the life of a stream is.
#[derive(Clone, Copy)]
enum Life {
    /// Nothing was polled yet.
    New,
    /// It reads, until the deadline.
    Reading { deadline: Option<Instant> },
    /// The page being delivered is the last.
    Ending(StopReason),
    /// It is being polled. One that is polled again in this state had panicked.
    Polling,
    /// It has ended.
    Done,
}

/// What a poll comes to.
enum Step {
    /// A page begins to be delivered.
    Page,
    /// An error that concerns some ids alone.
    Failure(Error),
    /// An error that ends the stream.
    Fatal(Error),
    End(StopReason),
}

impl<S: Source> Driver<S> {
    pub(super) fn new(
        source: S,
        options: Options,
        (on_end, on_progress): (Once, OnProgress),
        has_replays: bool,
        mismatch: Option<Error>,
        counter: Counter,
        spawns: bool,
    ) -> Self {
        Self {
            spans: Spans::new::<S::Paginator>(),
            source,
            options,
            on_end,
            on_progress,
            life: Life::New,
            mismatch,
            in_flight: InFlight::new(),
            arrived: Arrived::new(),
            delivery: Delivery::none(),
            timer: None,
            counter,
            spawns,
            has_failed: false,
            has_replays,
            busy_since: None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.life, Life::Done)
    }

    /// How many failures will come behind the records of the page being delivered.
    pub(super) fn failures_left(&self) -> usize {
        if self.options.sets_failures_aside { 0 } else { self.delivery.failures_left() }
    }

    /// Goes on to the next page, or to an error. The caller counts the records of a page as
    /// it delivers them, and asks again when all are delivered.
    pub(super) fn poll(
        &mut self,
        shared: &mut Arc<Shared<Cursor<S>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(), Error>>> {
        if self.is_done() {
            return Poll::Ready(None);
        }
        let mut access = match Access::new(shared) {
            Ok(access) => access,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        if self.has_failed {
            self.end_busy(&mut access);
        }
        let max_duration = self.options.max_duration;
        let (step, deadline) = match mem::replace(&mut self.life, Life::Polling) {
            Life::New => {
                if let Some(error) = self.mismatch.take() {
                    self.stop(&mut access, StopReason::Failed);
                    return Poll::Ready(Some(Err(error)));
                }
                let deadline = max_duration.map(|duration| clock::after(clock::now(), duration));
                (self.step(&mut access, deadline, cx), deadline)
            }
            Life::Reading { deadline } => (self.step(&mut access, deadline, cx), deadline),
            Life::Ending(reason) => (Poll::Ready(Step::End(reason)), None),
            Life::Polling | Life::Done => (Poll::Ready(Step::Fatal(panicked())), None),
        };
        let Poll::Ready(step) = step else {
            self.life = Life::Reading { deadline };
            return Poll::Pending;
        };
        if self.has_failed {
            self.begin_busy(&access);
        }
        let item = match step {
            Step::Page if self.delivery.is_cut() => {
                self.life = Life::Ending(StopReason::MaxRecords);
                Some(Ok(()))
            }
            Step::Page => {
                self.life = Life::Reading { deadline };
                Some(Ok(()))
            }
            Step::Failure(error) => {
                self.life = Life::Reading { deadline };
                Some(Err(error))
            }
            Step::Fatal(error) => Some(Err(self.fail(&mut access, error))),
            Step::End(reason) => {
                self.stop(&mut access, reason);
                None
            }
        };
        self.report_progress(&access);
        Poll::Ready(item)
    }

    /// Tells who wants to know how far the reading is. If that panics, an item is lost, so the
    /// stream ends with an error.
    #[inline]
    fn report_progress(&mut self, access: &Access<'_, Cursor<S>>) {
        if let Some(callback) = self.on_progress.callback() {
            let life = mem::replace(&mut self.life, Life::Polling);
            callback(&access.look(|reading, counts| reading.progress(counts.delivered())));
            self.life = life;
        }
    }

    /// The consumer waits again: the time that it was busy does not count.
    #[cold]
    fn end_busy(&mut self, access: &mut Access<'_, Cursor<S>>) {
        if let Some(since) = self.busy_since.take() {
            let busy = clock::now().saturating_duration_since(since);
            access.with(|reading, _| reading.frontier.consumer_was_busy(busy));
        }
    }

    /// From now on nobody waits.
    #[cold]
    fn begin_busy(&mut self, access: &Access<'_, Cursor<S>>) {
        self.has_failed = access.look(|reading, _| reading.frontier.has_failed());
        self.busy_since = self.has_failed.then(clock::now);
    }

    /// The one loop: it sends what may be sent, takes what arrives, and ends with the next
    /// thing to deliver.
    fn step(
        &mut self,
        access: &mut Access<'_, Cursor<S>>,
        deadline: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<Step> {
        while let Some(failure) = self.delivery.next_failure() {
            let error = self.deliver_failure(access, failure);
            if !self.options.sets_failures_aside {
                return Poll::Ready(Step::Failure(error));
            }
            access.set_aside(error);
        }
        let page = loop {
            let next = match self.next(access, deadline) {
                Ok(Next::Send(id, cursor)) => {
                    self.send(id, cursor);
                    continue;
                }
                Ok(Next::SendAndWait(id, cursor)) => {
                    self.send(id, cursor);
                    Next::Wait(None)
                }
                Ok(next) => next,
                Err(reason) => return Poll::Ready(Step::End(reason)),
            };
            if !self.in_flight.is_empty()
                && let Poll::Ready((id, fetched)) = self.counter.0.count(|| self.in_flight.poll(cx))
            {
                match self.receive(access, id, fetched) {
                    Some(page) if !is_past(deadline) => break page,
                    Some(page) => self.arrived.keep(id, Ok(page)),
                    None => {}
                }
                continue;
            }
            match next {
                Next::Deliver(id) | Next::Fail(id) => {
                    match self.arrived.take(id).expect("the frontier delivers what arrived") {
                        Ok(page) => break page,
                        Err(error) if self.restart(access, &error) => {}
                        Err(error) => return Poll::Ready(Step::Fatal(error)),
                    }
                }
                Next::Wait(wake_at) => ready!(self.poll_until(wake_at, deadline, cx)),
                Next::Cycle => {
                    let message = "the service leads back to a cursor that was asked for before";
                    return Poll::Ready(Step::Fatal(Error::new(ErrorKind::Loop, message)));
                }
                Next::RequestLimit => return Poll::Ready(Step::End(StopReason::MaxRequests)),
                Next::End => return Poll::Ready(self.end(access)),
                // They were sent above.
                Next::Send(..) | Next::SendAndWait(..) => {}
            }
        };
        Poll::Ready(self.begin_page(access, page))
    }

    /// All is read, unless the reading contradicts that.
    #[cold]
    fn end(&mut self, access: &mut Access<'_, Cursor<S>>) -> Step {
        let checks_total = std::mem::take(&mut self.options.checks_total);
        let (is_lost, error) = access
            .look(|reading, _| (reading.has_lost_its_place(), reading.end_error(checks_total)));
        if is_lost {
            return Step::Fatal(Error::new(ErrorKind::Changed, LOST));
        }
        let Some(error) = error else { return Step::End(StopReason::End) };
        let error = self.deliver_failure(access, Failure::of_page(error));
        if !self.options.sets_failures_aside {
            return Step::Failure(error);
        }
        access.set_aside(error);
        Step::End(StopReason::End)
    }

    /// Reads the list anew, where a cursor has expired, if that may be.
    #[cold]
    fn restart(&mut self, access: &mut Access<'_, Cursor<S>>, error: &Error) -> bool {
        if self.options.restarts == 0 || !error.is_expired() {
            return false;
        }
        let start = self.source.paginator().start();
        if !access.with(|reading, _| reading.restart(start)) {
            return false;
        }
        self.options.restarts -= 1;
        drop(self.in_flight.take());
        self.arrived = Arrived::new();
        self.spans.forget_all();
        self.spans.in_reading(|| report_restart(error));
        true
    }

    /// What is next; or why no other page is delivered.
    #[inline]
    fn next(
        &self,
        access: &mut Access<'_, Cursor<S>>,
        deadline: Option<Instant>,
    ) -> Result<Next<Cursor<S>>, StopReason> {
        let (hooks, options) = (self.source.paginator(), &self.options);
        access.with(|reading, counts| {
            // All of its records are delivered.
            reading.end_page(counts.delivered());
            match limit_reached(options, deadline, reading) {
                Some(reason) => Err(reason),
                None => Ok(reading.next(&hooks)),
            }
        })
    }

    #[inline]
    fn send(&mut self, id: RequestId, cursor: Cursor<S>) {
        let page = self.spans.page(id);
        let request = self.source.request(cursor, page, self.spawns.then_some(&self.counter));
        self.in_flight.push(id, request);
    }

    /// Takes what a request brought, and does what follows. Gives the page if it is to be
    /// delivered at once.
    #[inline]
    fn receive(
        &mut self,
        access: &mut Access<'_, Cursor<S>>,
        id: RequestId,
        fetched: Fetched<S::Paginator>,
    ) -> Option<PageOf<S>> {
        if let Ok(page) = &fetched {
            self.spans.page_came(id, page.records().len());
        }
        let hooks = self.source.paginator();
        let page = if self.has_replays {
            fetched.and_then(|page| self.resume_page(access, id, page))
        } else {
            fetched
        };
        let failed = match page {
            Ok(mut page) => match access.with(|reading, _| reading.page(id, &mut page, &hooks)) {
                Ok(Arrival::Deliver) => return Some(page),
                Ok(Arrival::Keep(effects)) => {
                    self.arrived.keep(id, Ok(page));
                    self.apply(access, effects);
                    return None;
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        self.receive_error(access, id, failed);
        None
    }

    /// Takes out of a page what is delivered already, if it is read again, or if its cursor
    /// was asked for before.
    #[cold]
    fn resume_page(
        &self,
        access: &Access<'_, Cursor<S>>,
        id: RequestId,
        page: PageOf<S>,
    ) -> Result<PageOf<S>, Error> {
        let again = access.look(|reading, _| {
            let replay = reading.frontier.replay(id)?;
            Some((replay.clone(), reading.frontier.cursor(id)?.0.clone()))
        });
        let Some((replay, cursor)) = again else { return Ok(page) };
        if let Some(before) = &replay.repeated {
            return keep_new(page, &cursor, before);
        }
        let paginator = self.source.paginator();
        let ids = |unit| paginator.ids(&cursor, unit);
        let narrow = |next: &Cursor<S>, units: &[usize]| paginator.narrow(next, units);
        resumed_page::trim(page, &replay, self.options.changed_page, ids, narrow)
    }

    /// Takes the error that a request brought, and does what follows.
    #[cold]
    fn receive_error(&mut self, access: &mut Access<'_, Cursor<S>>, id: RequestId, failed: Error) {
        let hooks = self.source.paginator();
        let located = access.look(|reading, _| {
            let location = reading.location(id)?;
            let frontier = &reading.frontier;
            Some((location, frontier.retry_policy().clone(), frontier.has_stateful_cursors()))
        });
        self.has_failed = true;
        let effects = match located {
            Some(((page, cursor), policy, has_state)) => {
                let error = failed.at(page, cursor);
                let mut attempt = FailedAttempt::new(&error, &policy);
                if has_state {
                    attempt = attempt.of_stateful_cursor();
                }
                self.arrived.keep(id, Err(error));
                access.with(|reading, _| reading.error(id, attempt, &hooks))
            }
            // It was discarded, and its error has no reader.
            None => access.with(|reading, _| reading.discarded_came(id)),
        };
        self.apply(access, effects);
    }

    /// Does what follows from a response. Records and errors are dropped here, and a
    /// subscriber hears of retries: this is the code of users, and nothing is locked.
    fn apply(&mut self, access: &mut Access<'_, Cursor<S>>, effects: Effects) {
        for effect in effects {
            match effect {
                Effect::Retry(id, due) => {
                    let delay = due.saturating_duration_since(clock::now());
                    if let Some(error) = self.arrived.take_error(id) {
                        self.spans.in_page(id, || report_retry(&error, delay, false));
                        self.report_progress(access);
                    }
                }
                Effect::Smaller(id) => {
                    if let Some(error) = self.arrived.take_error(id) {
                        let delay = std::time::Duration::ZERO;
                        self.spans.in_page(id, || report_retry(&error, delay, true));
                    }
                }
                Effect::FailAlone(id, attempts) => {
                    if let Some(error) = self.arrived.take_error(id) {
                        self.stand_in(access, id, error.with_attempts(attempts), false);
                    }
                }
                Effect::PassOver(id, attempts) => {
                    if let Some(error) = self.arrived.take_error(id) {
                        self.stand_in(access, id, error.with_attempts(attempts), true);
                    }
                }
                Effect::Fatal(id, attempts, why) => {
                    if let Some(error) = self.arrived.take_error(id) {
                        let error = error.with_attempts(attempts).with_bound(why.bound());
                        self.arrived.keep(id, Err(error));
                    }
                }
                Effect::Discard(id) | Effect::Ignore(id) => {
                    self.spans.forget(id);
                    drop(self.arrived.take(id));
                }
            }
        }
    }

    /// A page without records stands for the one of a request that failed, and has its error: that
    /// of the one unit, or of the one record that is passed over. Behind a record, it leads to what
    /// is left of the cursor.
    #[cold]
    fn stand_in(
        &mut self,
        access: &mut Access<'_, Cursor<S>>,
        id: RequestId,
        error: Error,
        passes_over: bool,
    ) {
        let cursor = access.look(|reading, _| Some(reading.frontier.cursor(id)?.0.clone()));
        let Some(cursor) = cursor else { return };
        let paginator = self.source.paginator();
        let ids = paginator.ids(&cursor, 0);
        let page = if passes_over && ids.is_empty() {
            let left = paginator.pass_over(&cursor).unwrap_or_default();
            Page::new(Vec::new(), left).with_failure(None, error)
        } else {
            let error = if error.ids().is_empty() { error.with_ids(ids) } else { error };
            Page::new(Vec::new(), None).with_units([Unit::last(0)]).with_failure(0, error)
        };
        if let Some(page) = self.receive(access, id, Ok(page)) {
            self.arrived.keep(id, Ok(page));
        }
    }

    /// Waits for a time or for the deadline, whichever is first.
    fn poll_until(
        &mut self,
        wake_at: Option<Instant>,
        deadline: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let Some(until) = [wake_at, deadline].into_iter().flatten().min() else {
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

    /// Begins to deliver a page.
    fn begin_page(&mut self, access: &mut Access<'_, Cursor<S>>, mut page: PageOf<S>) -> Step {
        let max_empty_pages = self.options.max_empty_pages;
        let begun = access.with(|reading, counts| {
            reading.begin_page(&mut page, max_empty_pages)?;
            counts.set_delivered(0);
            Ok(reading.rare.is_some())
        });
        let has_rare = match begun {
            Ok(has_rare) => has_rare,
            Err(error) => return Step::Fatal(error),
        };
        let (mut records, details) = page.into_parts();
        if has_rare {
            leave_out(&mut records, access);
        }
        self.delivery = Delivery::new(records, details, &mut self.options.max_records);
        Step::Page
    }

    /// Counts an error that concerns some ids alone, and says where it happened.
    fn deliver_failure(
        &self,
        access: &mut Access<'_, Cursor<S>>,
        Failure { unit, error, .. }: Failure,
    ) -> Error {
        let paginator = self.source.paginator();
        let error = access.look(|reading, _| {
            reading.locate_current(error, |cursor| match unit {
                Some(unit) => paginator.narrow(cursor, &[unit]),
                None => cursor.clone(),
            })
        });
        access.with(|reading, counts| {
            reading.failure_delivered();
            counts.ids_failed(error.ids());
        });
        error
    }

    /// Ends the stream with an error, which carries the checkpoint.
    fn fail(&mut self, access: &mut Access<'_, Cursor<S>>, error: Error) -> Error {
        let error = access.look(|reading, counts| {
            let error = reading.locate_current(error, Clone::clone);
            let checkpoint = reading.checkpoint(counts.delivered(), counts.failed_ids());
            error.with_checkpoint(checkpoint.ok())
        });
        self.stop(access, StopReason::Failed);
        error
    }

    /// Ends the stream. It is done at the very end, so that a record whose drop panics does
    /// not end it in silence.
    fn stop(&mut self, access: &mut Access<'_, Cursor<S>>, reason: StopReason) {
        access.with(|reading, _| reading.stop(reason));
        self.spans
            .end(reason, || access.look(|reading, counts| reading.progress(counts.delivered())));
        self.timer = None;
        let in_flight = self.in_flight.take();
        if reason == StopReason::End {
            // They were speculative, beyond the end.
            in_flight.for_each(S::detach);
        } else {
            drop(in_flight);
        }
        self.arrived = Arrived::new();
        self.life = Life::Done;
        self.on_end.call(Some(reason));
    }
}

/// The reason to deliver no other page, if there is one.
fn limit_reached<C: crate::cursor::Cursor>(
    options: &Options,
    deadline: Option<Instant>,
    reading: &Reading<C>,
) -> Option<StopReason> {
    let reason = if options.max_records == Some(0) {
        StopReason::MaxRecords
    } else if reading.frontier.is_at_page_limit() {
        StopReason::MaxPages
    } else if is_past(deadline) {
        StopReason::MaxDuration
    } else {
        return None;
    };
    Some(if reading.frontier.is_over() { StopReason::End } else { reason })
}

#[inline]
fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| clock::now() >= deadline)
}

/// Drops the records that are left out.
#[cold]
fn leave_out<R, C: crate::cursor::Cursor>(records: &mut Vec<R>, access: &Access<'_, C>) {
    let left_out = access.look(|reading, _| reading.left_out().map(|it| it.indices.clone()));
    let Some(left_out) = left_out else { return };
    let mut index = 0;
    records.retain(|_| {
        index += 1;
        left_out.binary_search(&(index - 1)).is_err()
    });
}

const LOST: &str = "a cursor had expired, so the list was read anew to its end, and no record \
                    came that was delivered lately: nobody can say what is new, so read from the \
                    start, or keep more keys with `deduplicate`";

fn panicked() -> Error {
    Error::new(
        ErrorKind::Contract,
        "the stream was polled again after a panic in the code that it runs: the paginator's, a \
         cursor's or a record's",
    )
}
