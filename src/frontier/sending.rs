//! The next request, and when there is one.

use std::{hash::Hash, time::Instant};

use super::{
    Frontier,
    cursor_queue::Front,
    hooks::Hooks,
    request::{Request, RequestId, RequestState, SpeculativeNext},
};

/// How many pages are held for one that is late, for each request of the window.
const HELD_PAGES: usize = 4;

/// What there is to send.
pub(super) enum Sent<C> {
    Request(RequestId, C),
    /// Nothing, since the next cursor was sent before.
    Cycle,
    Nothing,
}

impl<C: Clone + Eq + Hash> Frontier<C> {
    /// Makes the next request, if there is room in the window. `now` is asked only where
    /// something depends on the time.
    pub(super) fn send(&mut self, now: &impl Fn() -> Instant, hooks: &impl Hooks<C>) -> Sent<C> {
        if !self.may_send() || self.retrying.is_paused(now) {
            return Sent::Nothing;
        }
        let window = self.concurrency_limit.of(self.config.window);
        let sent = (window > 1).then(now);
        if let Some(first) = self.requests.first() {
            if window == 1 && !first.is_delayed() {
                // One request at a time, and it is in flight or next to be delivered.
                return Sent::Nothing;
            }
            if self.in_flight() >= window {
                return Sent::Nothing;
            }
            if let Some(request) = self.requests.due_mut(now) {
                request.state = RequestState::InFlight;
                request.sent = sent;
                let (id, cursor) = (request.id, request.cursor.clone());
                self.request_sent();
                return Sent::Request(id, cursor);
            }
        }
        if !self.has_room(window) {
            self.linger.end();
            return Sent::Nothing;
        }
        let request = match self.new_request(window, sent, hooks) {
            Ok(request) => request,
            Err(nothing) => return nothing,
        };
        request.sent = sent;
        let (id, cursor) = (request.id, request.cursor.clone());
        self.request_sent();
        Sent::Request(id, cursor)
    }

    /// Whether the limit on requests allows one more.
    #[inline]
    pub(super) fn may_send(&self) -> bool {
        self.config.max_requests != Some(0)
    }

    fn request_sent(&mut self) {
        if let Some(requests) = &mut self.config.max_requests {
            *requests -= 1;
        }
    }

    /// Whether one more page can be held. The page being delivered counts, so a window of 1
    /// asks for a page only when the one before is delivered. Where the first page is late,
    /// some more are held, so that the others need not stop. Behind a request that failed
    /// for good, nothing is needed any more.
    fn has_room(&self, window: usize) -> bool {
        let is_late = self.requests.first().is_some_and(|first| !first.is_ready());
        let most = if is_late && window > 1 { window.saturating_mul(HELD_PAGES) } else { window };
        let pages_left = self
            .config
            .max_pages
            .map_or(usize::MAX, |pages| usize::try_from(pages).unwrap_or(usize::MAX));
        let arrived = self.requests.iter().filter(|request| request.is_arrived()).count();
        let held = self.requests.len() + usize::from(self.delivering.is_some());
        held < most
            && self.requests.len() < pages_left
            && self.requests.len() - arrived + self.requests.discarded_in_flight() < window
            && !self.requests.iter().any(Request::is_failed)
    }

    /// The next request: of a checkpoint, of what waits, or a speculative one.
    fn new_request(
        &mut self,
        window: usize,
        now: Option<Instant>,
        hooks: &impl Hooks<C>,
    ) -> Result<&mut Request<C>, Sent<C>> {
        let halvings = self.page_size.halvings();
        if let Some((cursor, replay)) = self.cursors.pop_resumed(hooks, halvings) {
            return Ok(self.requests.push(cursor, replay, halvings));
        }
        if self.cursors.waiting().is_empty() {
            return self.speculative_request(window, halvings, hooks).ok_or(Sent::Nothing);
        }
        let fingerprint = match self.cursors.front(hooks, halvings) {
            Front::Ready { cursor, fingerprint } => {
                let in_flight = self.requests.iter().filter(|request| request.is_in_flight());
                if let Some(now) = now
                    && !hooks.is_full(cursor, halvings)
                    && self.linger.lingers(in_flight.filter_map(|request| request.sent), now)
                {
                    return Err(Sent::Nothing);
                }
                fingerprint
            }
            Front::Cycle => {
                self.linger.end();
                return Err(Sent::Cycle);
            }
            Front::Empty => {
                self.linger.end();
                return Err(Sent::Nothing);
            }
        };
        self.linger.end();
        let (cursor, led_by) = self.cursors.pop(fingerprint).ok_or(Sent::Nothing)?;
        let request = self.requests.push(cursor, None, halvings);
        request.led_by = led_by;
        Ok(request)
    }

    fn speculative_request(
        &mut self,
        window: usize,
        halvings: u32,
        hooks: &impl Hooks<C>,
    ) -> Option<&mut Request<C>> {
        let (requests, total) = (&self.requests, self.total);
        let cursor = self.speculation.predict(requests, total, halvings, window, hooks)?;
        let led_by = self.requests.last().map(|last| last.id);
        let request = self.requests.push(cursor, None, halvings);
        request.led_by = led_by;
        request.speculative = Some(SpeculativeNext::Unknown);
        Some(request)
    }

    /// When there is something to send, if it waits for its time alone.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        if self.in_flight() >= self.concurrency_limit.of(self.config.window) {
            return None;
        }
        let due = self.requests.wanted().filter_map(|request| match request.state {
            RequestState::Due(due) => Some(due),
            _ => None,
        });
        due.chain(self.linger.until()).min().max(self.retrying.paused_until())
    }
}
