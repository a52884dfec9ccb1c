use std::{
    fmt::{self, Debug, Formatter},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
    vec,
};

use futures::stream::{FusedStream, Stream};
use pin_project::pin_project;

use super::{
    in_flight::InFlight,
    ledger::{Entries, InHand, Ledger},
    monitor::{Monitor, StopReason},
    plan::PlanOf,
    source::{Fetched, Source},
};
use crate::{
    checkpoint::Checkpoint,
    clock::{self, Sleep},
    error::{Error, ErrorKind},
    frontier::{Ticket, Turn},
    page::{Failure, Page},
    paginator::Paginator,
    retry::Retry,
};

type Record<S> = <<S as Source>::Paginator as Paginator>::Record;
type Brought<S> = Result<Page<Record<S>, Cursor<S>>, Error>;
type Cursor<S> = <<S as Source>::Paginator as Paginator>::Cursor;

/// A stream of pages, each the `Vec` of its records.
///
/// It is made by [`PaginatorExt::pages`](crate::PaginatorExt::pages) and
/// [`Read::pages`](crate::Read::pages). Every page is an item, an empty one too.
/// Where some ids of a page failed, their errors follow it.
///
/// # After an error, after the end
///
/// An error that [concerns some ids alone](Error::is_partial) is yielded and the
/// stream goes on. Any other error is yielded once and ends the stream. After
/// that, as after the end, it yields `None` for ever and asks nothing of the
/// service.
///
/// # Cancel safety
///
/// Dropping the future of `next()` loses nothing: the requests in flight and the
/// pages that arrived live in this stream, not in that future. Dropping the
/// stream drops its requests.
#[pin_project(project = PagesProjection)]
#[must_use = "streams do nothing unless polled"]
pub struct Pages<S: Source> {
    source: S,
    in_flight: InFlight<S::Fetch>,
    /// What came back and waits for its turn, as many as the window at most.
    arrived: Vec<(Ticket, Brought<S>)>,
    /// What is left of the page being handed out.
    in_hand: Option<Left>,
    ledger: Arc<Ledger<Cursor<S>>>,
    limits: Limits,
    /// When the time is over; set by the first poll.
    deadline: Option<Instant>,
    /// What wakes the stream at a time.
    timer: Option<(Instant, Sleep)>,
    /// Why the reading can't begin.
    refusal: Option<Error>,
    done: bool,
}

/// How much this stream may still ask for and give out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) window: usize,
    pub(super) unordered: bool,
    pub(super) records: Option<u64>,
    pub(super) pages: Option<u64>,
    pub(super) requests: Option<u64>,
    pub(super) duration: Option<Duration>,
    pub(super) failures_aside: bool,
    pub(super) empty_pages: u64,
    pub(super) repeated_cursor: RepeatedCursor,
}

/// What it means that a service leads to a cursor that was asked for before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RepeatedCursor {
    /// An error of kind [`Loop`](ErrorKind::Loop): it leads in a circle.
    #[default]
    Error,
    /// The end, as with services that give the last cursor again when they have
    /// no more.
    End,
}

/// What is left of a page when its records are out.
struct Left {
    failures: vec::IntoIter<Failure>,
    /// Whether the limit on records cut the page short.
    cut: bool,
}

impl<S: Source> Pages<S> {
    pub(super) fn new(
        source: S,
        limits: Limits,
        retry: Retry,
        checkpoint: Option<Checkpoint>,
    ) -> Self {
        let (mut entries, refusal) = Entries::open(source.paginator(), checkpoint);
        entries.frontier.retry(retry);
        if limits.unordered {
            entries.frontier.unordered();
        }
        Self {
            source,
            in_flight: InFlight::new(),
            arrived: Vec::new(),
            in_hand: None,
            ledger: Arc::new(Ledger::new(entries)),
            limits,
            deadline: None,
            timer: None,
            refusal,
            done: false,
        }
    }

    /// A view of this stream that can be kept outside of it.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor::new(Arc::clone(&self.ledger) as _)
    }

    /// Where the reading stands: [`Monitor::checkpoint`].
    ///
    /// # Errors
    ///
    /// As [`Monitor::checkpoint`].
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        self.monitor().checkpoint()
    }

    /// Counts records of the last piece as handed out.
    pub(super) fn count(&self, records: usize) {
        self.ledger.count(records);
    }

    /// The number of items that are here already, and whether others may come.
    pub(super) fn items_left(&self) -> (usize, bool) {
        if self.done {
            return (0, false);
        }
        let failures = self.in_hand.as_ref().filter(|left| !left.cut);
        let failures = failures.filter(|_| !self.limits.failures_aside);
        (failures.map_or(0, |left| left.failures.len()), true)
    }

    /// The one poll loop: the records of the next page, or an error. The caller
    /// counts the records as it hands them out, and asks again when all are out.
    pub(super) fn poll_piece(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Vec<Record<S>>, Error>>> {
        let mut this = self.project();
        if let Some(refusal) = this.refusal.take() {
            this.stop(StopReason::Failed);
            return Poll::Ready(Some(Err(refusal)));
        }
        if *this.done {
            return Poll::Ready(None);
        }
        if let Some(duration) = this.limits.duration {
            this.deadline.get_or_insert_with(|| clock::after(clock::now(), duration));
        }
        while let Some(left) = this.in_hand {
            if left.cut {
                return this.end(StopReason::MaxRecords);
            }
            let Some(failure) = left.failures.next() else {
                *this.in_hand = None;
                this.ledger.close();
                break;
            };
            let error = this.failure(failure);
            if !this.limits.failures_aside {
                return Poll::Ready(Some(Err(error)));
            }
            this.ledger.lock().aside.push(error);
        }
        if let Some(reason) = this.limit_reached() {
            return this.end(reason);
        }
        loop {
            let turn = this.send();
            if !this.in_flight.is_empty()
                && let Poll::Ready(fetched) =
                    this.ledger.throttled.observe(|| this.in_flight.poll(cx))
            {
                this.arrive(fetched);
                continue;
            }
            return match turn {
                Turn::Wait => match ready!(this.wait(cx)) {
                    Some(reason) => this.end(reason),
                    None => continue,
                },
                Turn::HandOut(ticket) | Turn::Fail(ticket) => {
                    let place = this.arrived.iter().position(|(arrived, _)| *arrived == ticket);
                    let place = place.expect("the frontier turns to what arrived");
                    let brought = this.arrived.swap_remove(place).1;
                    Poll::Ready(Some(this.begin(ticket, brought)))
                }
                Turn::Circle if this.limits.repeated_cursor == RepeatedCursor::Error => {
                    let message = "the service leads back to a cursor that was asked for before";
                    Poll::Ready(Some(Err(this.fail(Error::new(ErrorKind::Loop, message)))))
                }
                Turn::Over | Turn::Circle => this.end(StopReason::End),
            };
        }
    }
}

impl<S: Source> PagesProjection<'_, S> {
    /// Sends what may be sent, and says what is next.
    fn send(&mut self) -> Turn {
        let plan = PlanOf(self.source.paginator());
        let window = self.limits.window;
        let mut entries = self.ledger.lock();
        if let Some(pages) = self.limits.pages {
            entries.frontier.limit_pages(pages);
        }
        while self.limits.requests != Some(0)
            && let Some((ticket, cursor)) = entries.frontier.send(window, clock::now, &plan)
        {
            if let Some(requests) = &mut self.limits.requests {
                *requests -= 1;
            }
            entries.closed.requests += 1;
            // A request that runs apart counts where it was made.
            let gauge = &self.ledger.throttled;
            let request = gauge.observe(|| self.source.request(ticket, cursor, window > 1));
            self.in_flight.push(request);
        }
        entries.frontier.turn()
    }

    /// Waits until something is due. Gives the reason to stop, if there is one.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<StopReason>> {
        let entries = self.ledger.lock();
        let wake_at = match self.limits.requests {
            Some(0) if entries.frontier.in_flight() == 0 => {
                return Poll::Ready(Some(StopReason::MaxRequests));
            }
            // What is due is not sent any more.
            Some(0) => None,
            _ => entries.frontier.wake_at(self.limits.window),
        };
        drop(entries);
        let Some(until) = [wake_at, *self.deadline].into_iter().flatten().min() else {
            *self.timer = None;
            return Poll::Pending;
        };
        if self.timer.as_ref().is_none_or(|(at, _)| *at != until) {
            *self.timer = Some((until, clock::sleep_until(until)));
        }
        if let Some((_, sleep)) = self.timer {
            ready!(Pin::new(sleep).poll(cx));
        }
        *self.timer = None;
        Poll::Ready(self.is_late().then_some(StopReason::MaxDuration))
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| clock::now() >= deadline)
    }

    /// Takes in what a request brought.
    fn arrive(&mut self, (ticket, fetched): Fetched<S::Paginator>) {
        let plan = PlanOf(self.source.paginator());
        let mut entries = self.ledger.lock();
        if entries.frontier.is_drained(ticket) {
            return;
        }
        let mut brought = fetched;
        if let Ok(page) = &mut brought
            && let Err(error) = entries.take_in(ticket, page, &plan)
        {
            brought = Err(error);
        }
        if let Err(error) = brought {
            let Some(error) = entries.judge(ticket, error, &plan) else { return };
            brought = Err(error);
        }
        self.arrived.push((ticket, brought));
        // What is here may have told right guesses from wrong ones.
        let discarded = entries.frontier.take_discarded();
        if !discarded.is_empty() {
            entries.closed.discarded += discarded.len() as u64;
            self.arrived.retain(|(ticket, _)| !discarded.contains(ticket));
        }
        while let Some(ticket) = entries.frontier.take_confirmed_failure() {
            let place = self.arrived.iter().position(|(arrived, _)| *arrived == ticket);
            if let Some((_, Err(error))) = place.map(|place| self.arrived.swap_remove(place)) {
                let error = entries.judge(ticket, error, &plan);
                self.arrived.extend(error.map(|error| (ticket, Err(error))));
            }
        }
    }

    /// Begins to hand out the foremost page, or gives out its error.
    fn begin(&mut self, ticket: Ticket, page: Brought<S>) -> Result<Vec<Record<S>>, Error> {
        let mut entries = self.ledger.lock();
        let checked = page.and_then(|page| {
            entries.check(&page, self.limits.empty_pages)?;
            Ok(page)
        });
        let mut page = match checked {
            Ok(page) => page,
            Err(error) => {
                drop(entries);
                return Err(self.fail(error));
            }
        };
        let replay = entries.frontier.replay(ticket).unwrap_or_default();
        let passed_over = replay.out.records.min(page.records.len());
        let mut failures = page.failures.into_iter();
        let failures_passed_over = replay.out.failures.min(failures.len());
        failures.by_ref().take(failures_passed_over).for_each(drop);
        if passed_over > 0 {
            page.records.drain(..passed_over);
        }

        entries.closed.total = page.total.or(entries.closed.total);
        let in_hand = InHand {
            passed_over,
            failures: failures_passed_over,
            skipped: page.skipped,
            digest: page.digest,
        };
        self.ledger.begin(&mut entries, in_hand);
        if let Some(pages) = &mut self.limits.pages {
            *pages -= 1;
        }
        let mut cut = false;
        if let Some(left) = &mut self.limits.records {
            let most = usize::try_from(*left).unwrap_or(usize::MAX);
            cut = page.records.len() > most;
            page.records.truncate(most);
            *left -= page.records.len() as u64;
        }
        *self.in_hand = Some(Left { failures, cut });
        Ok(page.records)
    }

    /// Gives out a fatal error.
    fn fail(&mut self, error: Error) -> Error {
        let entries = self.ledger.lock();
        let error = entries
            .locate(error, Clone::clone)
            .with_checkpoint(self.ledger.checkpoint(&entries).ok());
        drop(entries);
        self.stop(StopReason::Failed);
        error
    }

    /// Gives out an error that concerns some ids alone.
    fn failure(&mut self, Failure { unit, error }: Failure) -> Error {
        let mut entries = self.ledger.lock();
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

    /// The reason to stop before the next page, if there is one.
    fn limit_reached(&self) -> Option<StopReason> {
        let reason = match *self.limits {
            Limits { records: Some(0), .. } => StopReason::MaxRecords,
            Limits { pages: Some(0), .. } => StopReason::MaxPages,
            _ if self.is_late() => StopReason::MaxDuration,
            _ => return None,
        };
        let over = self.ledger.lock().frontier.is_over();
        Some(if over { StopReason::End } else { reason })
    }

    fn end<T>(&mut self, reason: StopReason) -> Poll<Option<T>> {
        self.stop(reason);
        Poll::Ready(None)
    }

    fn stop(&mut self, reason: StopReason) {
        *self.done = true;
        let in_flight = self.in_flight.take();
        if reason == StopReason::End {
            // They were guesses beyond the end.
            in_flight.for_each(S::leave);
        }
        self.arrived.clear();
        *self.in_hand = None;
        *self.timer = None;
        self.ledger.lock().closed.stop = Some(reason);
    }
}

impl<S: Source> Stream for Pages<S> {
    type Item = Result<Vec<Record<S>>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = ready!(self.as_mut().poll_piece(cx));
        if let Some(Ok(records)) = &piece {
            self.count(records.len());
        }
        Poll::Ready(piece)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (items, more) = self.items_left();
        (items, (!more).then_some(items))
    }
}

impl<S: Source> FusedStream for Pages<S> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<S: Source> Debug for Pages<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("progress", &self.monitor().progress())
            .finish_non_exhaustive()
    }
}
