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
    arrived::Arrived,
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
    page::Failure,
    paginator::Paginator,
    retry::Retry,
};

type Record<S> = <<S as Source>::Paginator as Paginator>::Record;
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
    arrived: Arrived<S::Paginator>,
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
            arrived: Arrived::new(),
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
    // Not a part of the loop over the records, which is the faster the smaller it is.
    #[inline(never)]
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
        if let Some(item) = this.finish_page() {
            return Poll::Ready(item);
        }
        if let Some(reason) = this.limit_reached() {
            return this.end(reason);
        }
        let mut fetched = None;
        loop {
            let turn = this.turn(fetched.take());
            if !this.in_flight.is_empty()
                && let Poll::Ready(output) =
                    this.ledger.throttled.observe(|| this.in_flight.poll(cx))
            {
                fetched = Some(output);
                continue;
            }
            return match turn {
                Turn::Wait => match ready!(this.wait(cx)) {
                    Some(reason) => this.end(reason),
                    None => continue,
                },
                Turn::HandOut(ticket) | Turn::Fail(ticket) => {
                    let brought = this.arrived.take(ticket);
                    let brought = brought.expect("the frontier turns to what arrived");
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
    /// What is left of the page in hand when its records are out: its failures, or the
    /// end where a limit cut it. `None` when it is out whole.
    fn finish_page(&mut self) -> Option<Option<Result<Vec<Record<S>>, Error>>> {
        while let Some(left) = self.in_hand {
            if left.cut {
                self.stop(StopReason::MaxRecords);
                return Some(None);
            }
            let Some(failure) = left.failures.next() else {
                *self.in_hand = None;
                break;
            };
            let error = self.failure(failure);
            if !self.limits.failures_aside {
                return Some(Some(Err(error)));
            }
            self.ledger.lock().aside.push(error);
        }
        None
    }

    /// Closes the page that is out, takes in what a request brought, sends what may be
    /// sent, and says what is next.
    fn turn(&mut self, fetched: Option<(Ticket, Fetched<S::Paginator>)>) -> Turn {
        let ledger = &**self.ledger;
        let plan = PlanOf(self.source.paginator());
        let window = self.limits.window;
        let mut entries = ledger.lock();
        ledger.close(&mut entries);
        if let Some(fetched) = fetched {
            self.arrived.take_in(&mut entries, fetched, &plan);
        }
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
            let request = ledger.throttled.observe(|| self.source.request(cursor, window > 1));
            self.in_flight.push(ticket, request);
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

    /// Begins to hand out the foremost page, or gives out its error.
    fn begin(
        &mut self,
        ticket: Ticket,
        page: Fetched<S::Paginator>,
    ) -> Result<Vec<Record<S>>, Error> {
        let mut entries = self.ledger.lock();
        let checked = page.and_then(|page| {
            entries.check(&page, self.limits.empty_pages)?;
            Ok(page)
        });
        let page = match checked {
            Ok(page) => page,
            Err(error) => {
                drop(entries);
                return Err(self.fail(error));
            }
        };
        let out = entries.frontier.replay(ticket).unwrap_or_default().out;
        let (mut records, details) = page.into_parts();
        let mut in_hand =
            InHand { passed_over: out.records.min(records.len()), ..InHand::default() };
        if in_hand.passed_over > 0 {
            records.drain(..in_hand.passed_over);
        }
        let mut failures = Vec::new();
        if let Some(details) = details {
            failures = details.failures;
            in_hand.failures = out.failures.min(failures.len());
            failures.drain(..in_hand.failures);
            in_hand.skipped = details.skipped;
            in_hand.digest = details.digest;
            entries.closed.total = details.total.or(entries.closed.total);
        }
        self.ledger.begin(&mut entries, in_hand);
        if let Some(pages) = &mut self.limits.pages {
            *pages -= 1;
        }
        let mut cut = false;
        if let Some(left) = &mut self.limits.records {
            let most = usize::try_from(*left).unwrap_or(usize::MAX);
            cut = records.len() > most;
            records.truncate(most);
            *left -= records.len() as u64;
        }
        if cut || !failures.is_empty() {
            *self.in_hand = Some(Left { failures: failures.into_iter(), cut });
        }
        Ok(records)
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
        let mut entries = self.ledger.lock();
        self.ledger.close(&mut entries);
        let over = entries.frontier.is_over();
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
