//! What is sent next, and when.

use std::{collections::VecDeque, hash::Hash, time::Instant};

use super::{
    Frontier, Ticket,
    open::{LeadsTo, Open, Request, State},
    plan::Plan,
};
use crate::cycle_detector::fingerprint;

/// How many pages are held for one that is late, for each request of the window.
const REORDERED: usize = 4;

impl<C: Clone + Eq + Hash> Frontier<C> {
    /// The next request to send, if there is room in the window. `now` is asked only
    /// where something depends on the time.
    pub(crate) fn send(
        &mut self,
        window: usize,
        now: impl Fn() -> Instant,
        plan: &impl Plan<C>,
    ) -> Option<(Ticket, C)> {
        if self.retries.pause.is_some_and(|pause| now() < pause) {
            return None;
        }
        self.retries.pause = None;
        let window = self.width.of(window);
        let sent = (window > 1).then(&now);
        if let Some(foremost) = self.open.first() {
            if window == 1 && !foremost.is_due_at_some_time() {
                // One request at a time, and it is on its way or being handed out.
                return None;
            }
            if self.in_flight() >= window {
                return None;
            }
            if let Some(open) = self.wanted_mut().find(|open| open.is_due(&now)) {
                open.state = State::InFlight;
                open.sent = sent;
                return Some((open.ticket, open.request.cursor.clone()));
            }
        }
        if self.failed || !self.has_room(window) {
            self.company.left();
            return None;
        }
        let halvings = self.size.halvings;
        let mut open = if let Some(request) = self.next_resumed(plan, halvings) {
            self.open(request, halvings)
        } else if self.waiting.is_empty() {
            let cursor = self.guess(plan, halvings, window)?;
            let before = self.open.last().map(|open| open.ticket);
            let guess = Some(LeadsTo::Unknown);
            Open { before, guess, ..self.open(Request::new(cursor), halvings) }
        } else {
            let request = self.next_waiting(plan, halvings, sent)?;
            let before = self.led_by.take();
            Open { before, ..self.open(request, halvings) }
        };
        open.sent = sent;
        let sent = (open.ticket, open.request.cursor.clone());
        self.open.push(open);
        Some(sent)
    }

    /// Whether one more page can be held. The page being handed out counts, so a
    /// window of 1 asks for a page only when the one before is used up. Where the
    /// foremost page is late, some more are held, so that the others need not stop;
    /// a request that failed keeps its place.
    fn has_room(&self, window: usize) -> bool {
        let is_late = self.open.first().is_some_and(|open| !open.is_ready());
        let most = if is_late && window > 1 { window.saturating_mul(REORDERED) } else { window };
        let arrived = self.open.iter().filter(|open| matches!(open.state, State::Arrived(_)));
        self.open.len() < most.min(self.pages_left)
            && self.open.len() - arrived.count() + self.draining.len() < window
    }

    pub(super) fn open(&mut self, request: Request<C>, halvings: u32) -> Open<C> {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        Open {
            ticket,
            request,
            state: State::InFlight,
            failures: None,
            halvings,
            before: None,
            guess: None,
            sent: None,
        }
    }

    /// When to call [`send`](Frontier::send) again, if something waits for its time
    /// alone.
    pub(crate) fn wake_at(&self, window: usize) -> Option<Instant> {
        if self.in_flight() >= self.width.of(window) {
            return None;
        }
        let wanted = self.open.iter().take_while(|open| !open.is_failed());
        let due = wanted.filter_map(|open| match open.state {
            State::Due(due) => Some(due),
            _ => None,
        });
        due.chain(self.company.until).min().max(self.retries.pause)
    }

    /// The next of a checkpoint's requests. One that had not arrived is packed by
    /// itself, since a request may carry less than when it was made.
    fn next_resumed(&mut self, plan: &impl Plan<C>, halvings: u32) -> Option<Request<C>> {
        loop {
            let request = self.resumed.pop_front()?;
            if request.replay.is_some() {
                return Some(request);
            }
            let mut parts = VecDeque::from([request.cursor]);
            plan.pack(&mut parts, halvings);
            let first = parts.pop_front();
            for cursor in parts.into_iter().rev() {
                self.resumed.push_front(Request::new(cursor));
            }
            if let Some(cursor) = first {
                return Some(Request::new(cursor));
            }
        }
    }

    /// The next of what waits, unless it was sent before, or waits for company.
    fn next_waiting(
        &mut self,
        plan: &impl Plan<C>,
        halvings: u32,
        now: Option<Instant>,
    ) -> Option<Request<C>> {
        plan.pack(&mut self.waiting, halvings);
        let foremost = self.waiting.front();
        let fingerprint = foremost.map(fingerprint);
        self.circle = fingerprint.is_some_and(|it| self.trail.is_cycle(it));
        let (Some(foremost), Some(fingerprint), false) = (foremost, fingerprint, self.circle)
        else {
            // Nothing waits for company.
            self.company.left();
            return None;
        };
        let on_their_way = self.open.iter().filter(|open| open.is_in_flight());
        if let Some(now) = now
            && !plan.is_full(foremost, halvings)
            && self.company.is_awaited(on_their_way.filter_map(|open| open.sent), now)
        {
            return None;
        }
        self.company.left();
        self.trail = self.trail.visit(fingerprint);
        self.waiting.pop_front().map(Request::new)
    }

    /// The open requests but for those behind one that failed for good: theirs is no
    /// turn that ever comes.
    fn wanted_mut(&mut self) -> impl Iterator<Item = &mut Open<C>> {
        self.open.iter_mut().take_while(|open| !open.is_failed())
    }
}
