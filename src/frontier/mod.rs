//! The pure core: what to fetch next and when, what is in flight, whose turn it is
//! to be handed out, and when the reading is over. It knows no records, no
//! futures, no clock and no paginator, so a property test can run it by itself.

mod company;
mod confidence;
mod guesses;
mod open;
mod plan;
mod retries;
mod size;
mod width;

use std::{collections::VecDeque, hash::Hash, time::Instant};

use self::{
    company::Company,
    confidence::Confidence,
    open::{LeadsTo, Open, Request, State},
    retries::{Failures, Retries},
    size::Size,
    width::Width,
};
pub(crate) use self::{
    open::{Rest, Shape},
    plan::Plan,
};
use crate::{
    checkpoint::{Position, Replay},
    error::Error,
    page::Next,
    retry::Retry,
    trail::{Trail, fingerprint},
};

/// The number of a request, in the order in which they are sent.
pub(crate) type Ticket = u64;

/// How many pages are held for one that is late, for each request of the window.
const REORDERED: usize = 4;

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
    open: VecDeque<Open<C>>,
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
    trail: Trail,
    /// Whether the trail closed, so that the reading goes in a circle.
    circle: bool,
    /// Whether a request failed for good, so that no new one is sent.
    failed: bool,
    /// Whether pages are handed out as they come.
    unordered: bool,
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
    Circle,
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
            open: VecDeque::new(),
            closed: None,
            next_ticket: 0,
            discarded: Vec::new(),
            draining: Vec::new(),
            confirmed_failures: Vec::new(),
            trail: Trail::default(),
            circle: false,
            failed: false,
            unordered: false,
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
        trail: Trail,
    ) -> Self {
        let rest = rest.into_iter();
        let resumed = rest.map(|(cursor, replay)| Request { replay, ..Request::new(cursor) });
        Self { resumed: resumed.collect(), trail, ..Self::new(waiting) }
    }

    pub(crate) fn retry(&mut self, policy: Retry) {
        self.retries = Retries::new(policy);
    }

    /// Hands out pages as they come, and not in the order of their requests.
    pub(crate) fn unordered(&mut self) {
        self.unordered = true;
    }

    /// Asks for no more pages than are to be handed out.
    pub(crate) fn limit_pages(&mut self, left: u64) {
        self.pages_left = usize::try_from(left).unwrap_or(usize::MAX);
    }

    /// Takes in how many records the service says there are.
    pub(crate) fn heed_total(&mut self, total: Option<u64>) {
        self.total = total.or(self.total);
    }

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
        if let Some(foremost) = self.open.front() {
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
            let before = self.open.back().map(|open| open.ticket);
            let guess = Some(LeadsTo::Unknown);
            Open { before, guess, ..self.open(Request::new(cursor), halvings) }
        } else {
            let request = self.next_waiting(plan, halvings, sent)?;
            let before = self.led_by.take();
            Open { before, ..self.open(request, halvings) }
        };
        open.sent = sent;
        let sent = (open.ticket, open.request.cursor.clone());
        self.open.push_back(open);
        Some(sent)
    }

    /// Whether one more page can be held. The page being handed out counts, so a
    /// window of 1 asks for a page only when the one before is used up. Where the
    /// foremost page is late, some more are held, so that the others need not stop;
    /// a request that failed keeps its place.
    fn has_room(&self, window: usize) -> bool {
        if self.open.is_empty() {
            return self.draining.len() < window && self.pages_left > 0;
        }
        let is_late = self.open.front().is_some_and(|open| !open.is_ready());
        let most = if is_late && window > 1 { window.saturating_mul(REORDERED) } else { window };
        let arrived = self.open.iter().filter(|open| matches!(open.state, State::Arrived(_)));
        self.open.len() < most.min(self.pages_left)
            && self.open.len() - arrived.count() + self.draining.len() < window
    }

    fn open(&mut self, request: Request<C>, halvings: u32) -> Open<C> {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        Open {
            ticket,
            request,
            state: State::InFlight,
            failures: Failures::default(),
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
        self.circle = fingerprint.is_some_and(|it| self.trail.is_closed_by(it));
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
        self.trail = self.trail.pass(fingerprint);
        self.waiting.pop_front().map(Request::new)
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
            self.company.took(now().saturating_duration_since(sent));
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
            self.trail = self.trail.mark(fingerprint(&open.request.cursor));
        }
        let is_all = self.waiting.is_empty() && self.resumed.is_empty() && next.len() == 1;
        self.led_by = is_all.then_some(open.ticket);
        for cursor in next.into_iter().rev() {
            self.waiting.push_front(cursor);
        }
    }

    /// How the page of an open request is read again, if it is.
    #[inline]
    pub(crate) fn replay(&self, ticket: Ticket) -> Option<Replay> {
        self.open[self.place(ticket)].request.replay
    }

    /// Takes in the failure of a request. Where it is fatal, it is given out when
    /// its turn comes, and nothing new is sent any more.
    pub(crate) fn fail(
        &mut self,
        ticket: Ticket,
        error: &Error,
        now: Instant,
        plan: &impl Plan<C>,
    ) -> Verdict {
        let in_flight = self.in_flight();
        if error.is_rate_limited() && self.retries.pause.is_none() {
            self.width.shrink(in_flight);
        }
        let open = self.at(ticket);
        if open.is_guess() {
            open.state = State::Held;
            self.retries.hold(error, now);
            return Verdict::Held;
        }
        open.failures.add(error, now);
        let failures = open.failures;
        if self.retries.ask_for_less(&failures, error)
            && let Some((parts, halvings)) = self.halve(ticket, plan)
            && self.retries.spend()
        {
            self.size.shrink(halvings);
            self.replace(ticket, parts, now, failures.of_part(), halvings);
            return Verdict::Smaller;
        }
        let Some(due) = self.retries.again(&failures, error, now) else {
            self.at(ticket).state = State::Failed;
            self.failed = true;
            return Verdict::Fatal(failures.count);
        };
        self.at(ticket).state = State::Due(due);
        Verdict::Again(due)
    }

    /// What a request falls into if its size is halved, as often as it takes for
    /// it to fall. A page that is read again for its records falls into nothing,
    /// since what it leads to has joined what waits.
    fn halve(&self, ticket: Ticket, plan: &impl Plan<C>) -> Option<(VecDeque<C>, u32)> {
        let open = &self.open[self.place(ticket)];
        let cursor = &open.request.cursor;
        if open.request.replay.is_some() {
            return None;
        }
        (open.halvings + 1..u64::BITS).find_map(|halvings| {
            let mut parts = VecDeque::from([cursor.clone()]);
            plan.pack(&mut parts, halvings);
            (!parts.is_empty() && parts != [cursor.clone()]).then_some((parts, halvings))
        })
    }

    /// Puts parts in the place of an open request.
    fn replace(
        &mut self,
        ticket: Ticket,
        parts: VecDeque<C>,
        due: Instant,
        failures: Failures,
        halvings: u32,
    ) {
        let place = self.place(ticket);
        self.open.remove(place);
        for cursor in parts.into_iter().rev() {
            let open = self.open(Request::new(cursor), halvings);
            self.open.insert(place, Open { state: State::Due(due), failures, ..open });
        }
    }

    /// What the driver does next, when it has sent what it may.
    pub(crate) fn turn(&mut self) -> Turn {
        if self.unordered
            && let Some(place) = self.open.iter().position(Open::is_ready)
            && let Some(open) = self.open.remove(place)
        {
            self.open.push_front(open);
        }
        match self.open.front() {
            Some(Open { state: State::Arrived(_), ticket, .. }) => Turn::HandOut(*ticket),
            Some(Open { state: State::Failed, ticket, .. }) => Turn::Fail(*ticket),
            None if self.is_over() => Turn::Over,
            None if self.circle => Turn::Circle,
            Some(_) | None => Turn::Wait,
        }
    }

    /// Closes the foremost open request: its page is handed out whole.
    pub(crate) fn close(&mut self) {
        self.closed = self.open.pop_front().map(|open| (open.ticket, open.request.cursor));
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

    pub(crate) fn trail(&self) -> Trail {
        self.trail
    }

    /// The cursor of the foremost open request, or else the first that waits.
    pub(crate) fn foremost_cursor(&self) -> Option<&C> {
        let open = self.open.front().map(|open| &open.request.cursor);
        open.or_else(|| self.waiting.front())
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = &C> {
        self.waiting.iter()
    }

    /// Whether all of the foremost page is out.
    pub(crate) fn is_out(&self, out: Option<Position>) -> bool {
        match (self.open.front(), out) {
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
            replay: request.replay,
        }));
        rest
    }

    /// The open requests but for those behind one that failed for good: theirs is no
    /// turn that ever comes.
    fn wanted_mut(&mut self) -> impl Iterator<Item = &mut Open<C>> {
        self.open.iter_mut().take_while(|open| !open.is_failed())
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
        if self.open.front().is_some_and(|open| open.ticket == ticket) {
            return 0;
        }
        let place = self.open.iter().position(|open| open.ticket == ticket);
        place.expect("only open requests have tickets that are still in use")
    }
}

#[cfg(test)]
mod tests;
