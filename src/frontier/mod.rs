//! The pure core: what to fetch next and when, what is in flight, whose turn it is
//! to be handed out, and when the reading is over. It knows no records, no
//! futures, no clock and no paginator, so a property test can run it by itself.

mod company;
mod confidence;
mod failing;
mod guesses;
mod open;
mod plan;
mod retries;
mod sending;
mod size;
mod width;

use std::{collections::VecDeque, hash::Hash, time::Instant};

use self::{
    company::Company,
    confidence::Confidence,
    open::{Open, Request, State},
    retries::Retries,
    size::Size,
    width::Width,
};
pub(crate) use self::{
    open::{Rest, Shape},
    plan::Plan,
};
use crate::{
    checkpoint::{Position, Replay},
    cycle_detector::{CycleDetector, fingerprint},
    page::Next,
    retry::Retry,
};

/// The number of a request, in the order in which they are sent.
pub(crate) type Ticket = u64;

/// The cursors of a reading, from the one that waits to the page being handed out.
#[derive(Debug)]
pub(crate) struct Frontier<C> {
    /// A checkpoint's requests: they go out as they stood, before what waits.
    resumed: VecDeque<Request<C>>,
    waiting: VecDeque<C>,
    /// The request that led to the cursor that waits, if it is one and all there is.
    led_by: Option<Ticket>,
    /// Requests whose pages are not handed out whole, in the order of handing out.
    /// A guess stands behind the request that it follows.
    open: Vec<Open<C>>,
    /// The request whose page was handed out last.
    closed: Option<(Ticket, C)>,
    next_ticket: Ticket,
    /// Guesses that were thrown away, and not taken note of.
    discarded: Vec<Ticket>,
    /// Those of them that are still on their way.
    draining: Vec<Ticket>,
    /// Guesses that turned out right after they had failed.
    confirmed_failures: Vec<Ticket>,
    /// The way of all cursors that were sent. A cursor is sent once, so one that
    /// comes again closes a circle.
    trail: CycleDetector,
    /// Whether the trail closed, so that the reading goes in a circle.
    circle: bool,
    /// Whether the reading began at a checkpoint, so that pages may be read again.
    is_resumed: bool,
    /// Whether a request failed for good, so that no new one is sent.
    failed: bool,
    order: Order,
    /// How many pages are still to be handed out, at most.
    pages_left: usize,
    /// How many records the service says there are.
    total: Option<u64>,
    retries: Retries,
    size: Size,
    width: Width,
    confidence: Confidence,
    company: Company,
}

/// In what order pages are handed out.
#[derive(Debug, Default, PartialEq, Eq)]
enum Order {
    #[default]
    OfRequests,
    AsTheyCome,
}

/// What the driver does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Wait for a page in flight.
    Wait,
    /// Hand out the page of this request.
    HandOut(Ticket),
    /// Give out the error of this request.
    Fail(Ticket),
    /// The foremost cursor that waits was sent before.
    Cycle,
    /// Nothing is left to read.
    Over,
}

/// What becomes of a request that failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is made again at this time.
    Again(Instant),
    /// It is made again in smaller parts, at once.
    Smaller,
    /// It was a guess: nobody knows yet whether its error matters.
    Held,
    /// Its error is given out, after so many attempts.
    Fatal(u32),
}

impl<C: Clone + Eq + Hash> Frontier<C> {
    pub(crate) fn new(waiting: impl IntoIterator<Item = C>) -> Self {
        Self {
            resumed: VecDeque::new(),
            waiting: waiting.into_iter().collect(),
            led_by: None,
            open: Vec::new(),
            closed: None,
            next_ticket: 0,
            discarded: Vec::new(),
            draining: Vec::new(),
            confirmed_failures: Vec::new(),
            trail: CycleDetector::default(),
            circle: false,
            is_resumed: false,
            failed: false,
            order: Order::default(),
            pages_left: usize::MAX,
            total: None,
            retries: Retries::new(Retry::default()),
            size: Size::default(),
            width: Width::default(),
            confidence: Confidence::default(),
            company: Company::default(),
        }
    }

    /// A frontier as [`rest`](Frontier::rest) and [`waiting`](Frontier::waiting)
    /// found it.
    pub(crate) fn resume(
        rest: impl IntoIterator<Item = (C, Option<Replay>)>,
        waiting: impl IntoIterator<Item = C>,
        trail: CycleDetector,
    ) -> Self {
        let rest = rest.into_iter();
        let resumed = rest.map(|(cursor, replay)| Request { cursor, replay: replay.map(Box::new) });
        Self { resumed: resumed.collect(), is_resumed: true, trail, ..Self::new(waiting) }
    }

    pub(crate) fn retry(&mut self, policy: Retry) {
        self.retries = Retries::new(policy);
    }

    /// Hands out pages as they come, and not in the order of their requests.
    pub(crate) fn unordered(&mut self) {
        self.order = Order::AsTheyCome;
    }

    /// Asks for no more pages than are to be handed out.
    pub(crate) fn limit_pages(&mut self, left: u64) {
        self.pages_left = usize::try_from(left).unwrap_or(usize::MAX);
    }

    /// Takes in how many records the service says there are.
    pub(crate) fn heed_total(&mut self, total: Option<u64>) {
        self.total = total.or(self.total);
    }

    /// Takes in a page. What it leads to is read before all else that waits: it
    /// finishes what has begun, and the longest chain decides how long a
    /// reading takes.
    pub(crate) fn arrive(
        &mut self,
        ticket: Ticket,
        next: Next<C>,
        shape: Shape,
        now: impl Fn() -> Instant,
        plan: &impl Plan<C>,
    ) {
        self.retries.succeed();
        self.size.succeed();
        self.width.succeed();
        let place = self.place(ticket);
        let open = &mut self.open[place];
        open.state = State::Arrived(shape);
        if let Some(sent) = open.sent {
            self.company.came(sent, now());
        }
        if open.request.replay.is_none() {
            self.lead_on(place, next, plan);
        }
    }

    /// Puts what a page leads to in front of what waits.
    fn wait_for(&mut self, place: usize, next: Next<C>) {
        let open = &self.open[place];
        if next.contains(&open.request.cursor) {
            // The shortest circle is noticed at once.
            self.trail = self.trail.move_mark(fingerprint(&open.request.cursor));
        }
        let is_all = self.waiting.is_empty() && self.resumed.is_empty() && next.len() == 1;
        self.led_by = is_all.then_some(open.ticket);
        if is_all {
            // As below, and cheaper: it is so at nearly every page.
            self.waiting.extend(next);
            return;
        }
        for cursor in next.into_iter().rev() {
            self.waiting.push_front(cursor);
        }
    }

    /// How the page of an open request is read again, if it is.
    #[inline]
    pub(crate) fn replay(&self, ticket: Ticket) -> Option<Replay> {
        if !self.is_resumed {
            return None;
        }
        self.open[self.place(ticket)].request.replay()
    }

    /// What the driver does next, when it has sent what it may.
    pub(crate) fn turn(&mut self) -> Turn {
        if self.order == Order::AsTheyCome
            && let Some(place) = self.open.iter().position(Open::is_ready)
        {
            self.open[..=place].rotate_right(1);
        }
        match self.open.first() {
            Some(Open { state: State::Arrived(_), ticket, .. }) => Turn::HandOut(*ticket),
            Some(Open { state: State::Failed, ticket, .. }) => Turn::Fail(*ticket),
            None if self.is_over() => Turn::Over,
            None if self.circle => Turn::Cycle,
            Some(_) | None => Turn::Wait,
        }
    }

    /// Closes the foremost open request: its page is handed out whole.
    pub(crate) fn close(&mut self) {
        // Mostly it is alone, and nothing behind it is to be moved.
        let closed = if self.open.len() > 1 { Some(self.open.remove(0)) } else { self.open.pop() };
        self.closed = closed.map(|open| (open.ticket, open.request.cursor));
    }

    /// Whether nothing is left to read.
    pub(crate) fn is_over(&self) -> bool {
        self.open.is_empty() && self.resumed.is_empty() && self.waiting.is_empty()
    }

    /// How many requests are on their way.
    pub(crate) fn in_flight(&self) -> usize {
        let open = self.open.iter().filter(|open| open.is_in_flight()).count();
        open + self.draining.len()
    }

    /// How many requests wait to be made again.
    pub(crate) fn delayed(&self) -> usize {
        self.open.iter().filter(|open| open.is_due_at_some_time()).count()
    }

    pub(crate) fn trail(&self) -> CycleDetector {
        self.trail
    }

    /// The cursor of the foremost open request, or else the first that waits.
    pub(crate) fn foremost_cursor(&self) -> Option<&C> {
        let open = self.open.first().map(|open| &open.request.cursor);
        open.or_else(|| self.waiting.front())
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = &C> {
        self.waiting.iter()
    }

    /// Whether all of the foremost page is out.
    pub(crate) fn is_out(&self, out: Option<Position>) -> bool {
        match (self.open.first(), out) {
            (Some(Open { state: State::Arrived(shape), .. }), Some(out)) => shape.is_out(out),
            _ => false,
        }
    }

    /// The requests that a resumed reading makes again before it turns to what
    /// waits. `out` is how much of the foremost page is out.
    pub(crate) fn rest(&self, out: Option<Position>) -> Vec<Rest<'_, C>> {
        let mut rest = Vec::new();
        let mut out = out;
        for open in &self.open {
            open.rest(out.take(), &mut rest);
        }
        rest.extend(self.resumed.iter().map(|request| Rest {
            cursor: &request.cursor,
            units: None,
            replay: request.replay(),
        }));
        rest
    }

    /// The cursor of an open request, and how many pages are handed out before it.
    pub(crate) fn cursor(&self, ticket: Ticket) -> (&C, usize) {
        let place = self.place(ticket);
        (&self.open[place].request.cursor, place)
    }

    fn at(&mut self, ticket: Ticket) -> &mut Open<C> {
        let place = self.place(ticket);
        &mut self.open[place]
    }

    #[inline]
    fn place(&self, ticket: Ticket) -> usize {
        // Mostly it is the foremost.
        if self.open.first().is_some_and(|open| open.ticket == ticket) {
            return 0;
        }
        let place = self.open.iter().position(|open| open.ticket == ticket);
        place.expect("only open requests have tickets that are still in use")
    }
}

#[cfg(test)]
mod tests;
