//! The pure core: what is read next and when, what is in flight, which page is delivered
//! next, and when the reading is over. It knows no records, no futures, no clock and no
//! paginator, so a property test can run it by itself.
//!
//! The driver asks [`Frontier::next`] what to do, and tells it what came:
//! [`Frontier::page`] or [`Frontier::error`] for a response, [`Frontier::begin_delivery`]
//! and [`Frontier::end_delivery`] for a page. The answer lists all that follows.

mod answer;
mod concurrency_limit;
mod config;
mod cursor_queue;
mod delivering;
mod hooks;
mod isolation;
mod linger;
mod page_shape;
mod page_size;
mod remaining;
mod request;
mod requests;
mod response;
mod retrying;
mod sending;
mod speculation;
mod total_check;

use std::{
    hash::Hash,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) use self::{
    answer::{Arrival, Effect, Effects, Next},
    config::{Config, Order},
    hooks::Hooks,
    page_shape::{PageShape, Parts},
    request::RequestId,
    retrying::FailedAttempt,
};
use self::{
    concurrency_limit::ConcurrencyLimit,
    cursor_queue::CursorQueue,
    delivering::Delivering,
    isolation::Isolation,
    linger::Linger,
    page_size::PageSize,
    request::{Request, RequestState},
    requests::Requests,
    retrying::Retrying,
    speculation::Speculation,
    total_check::TotalCheck,
};
use crate::{
    cycle_detector::CycleDetector, repeated_cursor::RepeatedCursor, replay::Replay, retry::Retry,
};

/// The cursors of a reading, from the ones that wait to the page being delivered.
#[derive(Debug)]
pub(crate) struct Frontier<C> {
    config: Config,
    cursors: CursorQueue<C>,
    requests: Requests<C>,
    delivering: Option<Delivering<C>>,
    /// How many records the service says there are.
    total: Option<u64>,
    total_check: TotalCheck,
    speculation: Speculation<C>,
    retrying: Retrying,
    page_size: PageSize,
    isolation: Isolation,
    concurrency_limit: ConcurrencyLimit,
    linger: Linger,
}

impl<C: Clone + Eq + Hash> Frontier<C> {
    /// A reading that begins at a cursor.
    pub(crate) fn new(config: Config, start: impl IntoIterator<Item = C>) -> Self {
        Self::with_cursors(config, CursorQueue::new(start.into_iter().collect()))
    }

    /// A reading that goes on from what a checkpoint holds: [`remaining`](Self::remaining)
    /// and [`waiting`](Self::waiting).
    pub(crate) fn resume(
        config: Config,
        remaining: impl IntoIterator<Item = (C, Option<Replay>)>,
        waiting: impl IntoIterator<Item = C>,
        detector: CycleDetector,
    ) -> Self {
        let waiting = waiting.into_iter().collect();
        Self::with_cursors(config, CursorQueue::resume(remaining, waiting, detector))
    }

    fn with_cursors(config: Config, cursors: CursorQueue<C>) -> Self {
        Self {
            retrying: Retrying::new(config.retry.clone()),
            cursors: cursors.with_repeated_cursor(config.repeated_cursor),
            config,
            requests: Requests::new(),
            delivering: None,
            total: None,
            total_check: TotalCheck::default(),
            speculation: Speculation::new(),
            page_size: PageSize::default(),
            isolation: Isolation::default(),
            concurrency_limit: ConcurrencyLimit::default(),
            linger: Linger::default(),
        }
    }

    /// What the driver does next.
    #[inline]
    pub(crate) fn next(&mut self, now: impl Fn() -> Instant, hooks: &impl Hooks<C>) -> Next<C> {
        let is_alone = self.config.window == 1;
        if is_alone && let Some(first) = self.requests.first() {
            // Nothing else is sent before its page is delivered.
            match first.state {
                RequestState::Arrived(_) => return Next::Deliver(first.id),
                RequestState::InFlight => return Next::Wait(None),
                _ => {}
            }
        }
        let is_cycle = match self.send(&now, hooks) {
            sending::Sent::Request(id, cursor) if is_alone => return Next::SendAndWait(id, cursor),
            sending::Sent::Request(id, cursor) => return Next::Send(id, cursor),
            sending::Sent::Cycle => true,
            sending::Sent::Nothing => false,
        };
        self.when_sent(is_cycle)
    }

    /// What the driver does next, when all is sent that may be.
    fn when_sent(&mut self, is_cycle: bool) -> Next<C> {
        if self.config.order == Order::AsTheyArrive {
            self.requests.bring_ready_forward();
        }
        match self.requests.first().map(|first| (&first.state, first.id)) {
            Some((RequestState::Arrived(_), id)) => Next::Deliver(id),
            Some((RequestState::Failed, id)) => Next::Fail(id),
            None if self.is_over() => Next::End,
            None if is_cycle => Next::Cycle,
            _ if self.may_send() => Next::Wait(self.wake_at()),
            _ if self.requests.in_flight() == 0 => Next::RequestLimit,
            _ => Next::Wait(None),
        }
    }

    /// How the page of a request is read again, if it is.
    #[inline]
    pub(crate) fn replay(&self, id: RequestId) -> Option<&Replay> {
        self.requests.get(self.requests.index(id)?).replay.as_deref()
    }

    /// Begins to deliver the page of the first request.
    #[inline]
    pub(crate) fn begin_delivery(&mut self) {
        if !self.requests.first().is_some_and(Request::is_arrived) {
            return;
        }
        let Request { id, cursor, replay, state, .. } = self.requests.take_first();
        let RequestState::Arrived(shape) = state else { return };
        if let Some(pages) = &mut self.config.max_pages {
            *pages = pages.saturating_sub(1);
        }
        self.delivering = Some(Delivering { id, cursor, replay, shape, failures: 0 });
    }

    /// A failure of the page being delivered is delivered.
    pub(crate) fn failure_delivered(&mut self) {
        if let Some(page) = &mut self.delivering {
            page.failures += 1;
        }
    }

    /// The page being delivered is delivered whole.
    #[inline]
    pub(crate) fn end_delivery(&mut self) {
        if let Some(page) = self.delivering.take() {
            self.speculation.delivered(page.id, page.cursor);
        }
    }

    /// Whether all of the page being delivered is, where so many of its records are.
    pub(crate) fn is_delivered(&self, records: usize) -> bool {
        self.delivering.as_ref().is_some_and(|it| it.shape.is_delivered(it.position(records)))
    }

    /// Whether nothing remains to be read.
    pub(crate) fn is_over(&self) -> bool {
        self.delivering.is_none() && self.requests.is_empty() && self.cursors.is_empty()
    }

    /// Whether as many pages are delivered as may be.
    #[inline]
    pub(crate) fn is_at_page_limit(&self) -> bool {
        self.config.max_pages == Some(0)
    }

    /// How many requests are in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.requests.in_flight() + self.requests.discarded_in_flight()
    }

    /// How many requests wait to be made again.
    pub(crate) fn delayed(&self) -> usize {
        self.requests.iter().filter(|request| request.is_delayed()).count()
    }

    /// How many records the service says there are.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }

    /// The cursor of the page being delivered, or of the one that is next.
    pub(crate) fn current_cursor(&self) -> Option<&C> {
        let delivering = self.delivering.as_ref().map(|page| &page.cursor);
        let first = || self.requests.first().map(|request| &request.cursor);
        delivering.or_else(first).or_else(|| self.cursors.waiting().front())
    }

    /// The cursor of a request, and how many pages are delivered before it.
    pub(crate) fn cursor(&self, id: RequestId) -> Option<(&C, usize)> {
        let index = self.requests.index(id)?;
        let before = index + usize::from(self.delivering.is_some());
        Some((&self.requests.get(index).cursor, before))
    }

    /// Whether a cursor leads to another page each time that it is asked for.
    pub(crate) fn has_stateful_cursors(&self) -> bool {
        self.config.repeated_cursor == RepeatedCursor::Continue
    }

    /// Whether a request has failed, so that the time counts until its page comes.
    pub(crate) fn has_failed(&self) -> bool {
        self.retrying.has_failed()
    }

    /// Nobody waited for the stream for so long.
    pub(crate) fn consumer_was_busy(&mut self, duration: Duration) {
        self.retrying.consumer_was_busy(duration);
    }

    /// Nothing is sent until then, since the service asks to wait.
    pub(crate) fn pause_until(&mut self, until: Instant) {
        self.retrying.pause_until(until);
    }

    /// Until when nothing is sent, since the service asks to wait; and whether it asked in an
    /// answer that brought a page.
    pub(crate) fn paused_until(&self) -> Option<(Instant, bool)> {
        Some((self.retrying.paused_until()?, self.retrying.is_pause_asked()))
    }

    /// When a request that failed is made again, while nothing else is in flight.
    pub(crate) fn retry_due(&self) -> Option<Instant> {
        let is_alone = self.in_flight() == 0;
        self.wake_at().filter(|_| is_alone && self.delayed() > 0)
    }

    /// The keys of the records of the page that is delivered next, if they have some; `None`
    /// too for a page with units, whose keys tell records of one unit apart.
    pub(crate) fn first_keys(&self) -> Option<Arc<[u64]>> {
        let RequestState::Arrived(shape) = &self.requests.first()?.state else { return None };
        shape.keys()
    }

    /// Reads the list anew from its start. What is in flight is forgotten; what was learned of
    /// the service stays.
    pub(crate) fn restart(&mut self, start: C) {
        let anew = Self::new(self.config.clone(), [start]);
        let before = mem::replace(self, anew);
        self.retrying = before.retrying;
        self.total = before.total;
        self.page_size = before.page_size;
        self.concurrency_limit = before.concurrency_limit;
    }

    /// What the totals of the service contradict, if the reading ended after so many records.
    pub(crate) fn total_mismatch(&self, records: u64) -> Option<String> {
        self.total_check.mismatch(records)
    }

    /// When a request that failed is made again.
    pub(crate) fn retry_policy(&self) -> &Retry {
        &self.config.retry
    }
}

#[cfg(test)]
mod tests;
