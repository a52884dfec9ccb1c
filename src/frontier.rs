//! The pure core: what to fetch next and when, what is in flight, whose turn it is
//! to be handed out, and when the reading is over. It knows no records, no
//! futures, no clock and no paginator, so a property test can run it by itself.

mod retries;
mod size;

use std::{collections::VecDeque, hash::Hash, sync::Arc, time::Instant};

use self::{
    retries::{Failures, Retries},
    size::Size,
};
use crate::{
    checkpoint::{Position, Replay},
    error::Error,
    retry::Retry,
    trail::{Trail, fingerprint},
};

/// The number of a request, in the order in which they are sent.
pub(crate) type Ticket = u64;

/// The cursors of a reading, from the one that waits to the page being handed out.
#[derive(Debug)]
pub(crate) struct Frontier<C> {
    /// A checkpoint's requests: they go out as they stood, before what waits.
    resumed: VecDeque<Request<C>>,
    waiting: VecDeque<C>,
    /// Requests whose pages are not handed out whole, in the order of handing out.
    open: VecDeque<Open<C>>,
    next_ticket: Ticket,
    /// The way of all cursors that were sent. A cursor is sent once, so one that
    /// comes again closes a circle.
    trail: Trail,
    /// Whether the trail closed, so that the reading goes in a circle.
    circle: bool,
    /// Whether a request failed for good, so that no new one is sent.
    failed: bool,
    retries: Retries,
    size: Size,
}

#[derive(Debug)]
struct Open<C> {
    ticket: Ticket,
    request: Request<C>,
    state: State,
    failures: Failures,
    /// How often the full size was halved for it.
    halvings: u32,
}

#[derive(Clone, Debug)]
struct Request<C> {
    cursor: Arc<C>,
    /// Where the page goes on if it is read for its records alone.
    replay: Option<Replay>,
}

#[derive(Debug)]
enum State {
    /// It is to be sent at this time, again or as a part of one that was sent.
    Due(Instant),
    InFlight,
    /// The page is here; its next cursors have joined what waits.
    Arrived(Shape),
    Failed,
}

/// What the core knows of a page that arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) records: usize,
    /// How many of them belong to each unit; empty where there are no units.
    pub(crate) units: Vec<usize>,
    /// The unit of each failure, in the order in which they are handed out.
    pub(crate) failures: Vec<Option<usize>>,
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
    /// Its error is given out, after so many attempts.
    Fatal(u32),
}

/// A request that a resumed reading makes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rest<'a, C> {
    pub(crate) cursor: &'a C,
    pub(crate) units: Option<Vec<usize>>,
    pub(crate) replay: Option<Replay>,
}

impl<C: Clone + Eq + Hash> Frontier<C> {
    pub(crate) fn new(waiting: impl IntoIterator<Item = C>) -> Self {
        Self {
            resumed: VecDeque::new(),
            waiting: waiting.into_iter().collect(),
            open: VecDeque::new(),
            next_ticket: 0,
            trail: Trail::default(),
            circle: false,
            failed: false,
            retries: Retries::new(Retry::default()),
            size: Size::default(),
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
        let resumed = rest.map(|(cursor, replay)| Request { cursor: Arc::new(cursor), replay });
        Self { resumed: resumed.collect(), trail, ..Self::new(waiting) }
    }

    pub(crate) fn retry(&mut self, policy: Retry) {
        self.retries = Retries::new(policy);
    }

    /// The next request to send, if fewer than `window` are open. The page being
    /// handed out takes a place in the window, so a window of 1 asks for a page
    /// only when the one before is used up. `now` is asked only where something
    /// waits for its time.
    pub(crate) fn send(
        &mut self,
        window: usize,
        now: impl Fn() -> Instant,
        pack: impl Fn(&mut VecDeque<C>, u32),
    ) -> Option<(Ticket, Arc<C>)> {
        if self.retries.pause.is_some_and(|pause| now() < pause) {
            return None;
        }
        self.retries.pause = None;
        if self.in_flight() < window
            && let Some(open) = self.open.iter_mut().find(|open| open.is_due(&now))
        {
            open.state = State::InFlight;
            return Some((open.ticket, Arc::clone(&open.request.cursor)));
        }
        if self.failed || self.open.len() >= window {
            return None;
        }
        let halvings = self.size.halvings;
        let pack = |waiting: &mut _| pack(waiting, halvings);
        let request = self.next_resumed(pack).or_else(|| self.next_waiting(pack))?;
        let open = self.open(request, State::InFlight, Failures::default(), halvings);
        let sent = (open.ticket, Arc::clone(&open.request.cursor));
        self.open.push_back(open);
        Some(sent)
    }

    fn open(
        &mut self,
        request: Request<C>,
        state: State,
        failures: Failures,
        halvings: u32,
    ) -> Open<C> {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        Open { ticket, request, state, failures, halvings }
    }

    /// When to call [`send`](Frontier::send) again, if something waits for its time
    /// alone.
    pub(crate) fn wake_at(&self, window: usize) -> Option<Instant> {
        if self.in_flight() >= window {
            return None;
        }
        let due = self.open.iter().filter_map(|open| match open.state {
            State::Due(due) => Some(due),
            _ => None,
        });
        due.min().max(self.retries.pause)
    }

    /// The next of a checkpoint's requests. One that had not arrived is packed by
    /// itself, since a request may carry less than when it was made.
    fn next_resumed(&mut self, pack: impl Fn(&mut VecDeque<C>)) -> Option<Request<C>> {
        loop {
            let request = self.resumed.pop_front()?;
            if request.replay.is_some() {
                return Some(request);
            }
            let mut parts = VecDeque::from([(*request.cursor).clone()]);
            pack(&mut parts);
            let request = |cursor| Request { cursor: Arc::new(cursor), replay: None };
            let first = parts.pop_front();
            for cursor in parts.into_iter().rev() {
                self.resumed.push_front(request(cursor));
            }
            if let Some(cursor) = first {
                return Some(request(cursor));
            }
        }
    }

    /// The next of what waits, unless it was sent before.
    fn next_waiting(&mut self, pack: impl Fn(&mut VecDeque<C>)) -> Option<Request<C>> {
        pack(&mut self.waiting);
        let fingerprint = fingerprint(self.waiting.front()?);
        if self.trail.is_closed_by(fingerprint) {
            self.circle = true;
            return None;
        }
        self.trail = self.trail.pass(fingerprint);
        let cursor = Arc::new(self.waiting.pop_front()?);
        Some(Request { cursor, replay: None })
    }

    /// Takes in a page. What it leads to is read before all else that waits: it
    /// finishes what has begun, and the longest chain decides how long a
    /// reading takes.
    pub(crate) fn arrive(&mut self, ticket: Ticket, next: Vec<C>, shape: Shape) {
        self.retries.succeed();
        self.size.succeed();
        let open = self.at(ticket);
        open.state = State::Arrived(shape);
        if open.request.replay.is_some() {
            return;
        }
        let cursor = Arc::clone(&open.request.cursor);
        if next.contains(&cursor) {
            // The shortest circle is noticed at once.
            self.trail = self.trail.mark(fingerprint(&cursor));
        }
        for cursor in next.into_iter().rev() {
            self.waiting.push_front(cursor);
        }
    }

    /// How the page of an open request is read again, if it is.
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
        pack: impl Fn(&mut VecDeque<C>, u32),
    ) -> Verdict {
        let open = self.at(ticket);
        open.failures.add(error, now);
        let failures = open.failures;
        if self.retries.ask_for_less(&failures, error)
            && let Some((parts, halvings)) = self.halve(ticket, pack)
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
    fn halve(
        &self,
        ticket: Ticket,
        pack: impl Fn(&mut VecDeque<C>, u32),
    ) -> Option<(VecDeque<C>, u32)> {
        let open = &self.open[self.place(ticket)];
        let cursor = &*open.request.cursor;
        if open.request.replay.is_some() {
            return None;
        }
        (open.halvings + 1..u64::BITS).find_map(|halvings| {
            let mut parts = VecDeque::from([cursor.clone()]);
            pack(&mut parts, halvings);
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
            let request = Request { cursor: Arc::new(cursor), replay: None };
            let open = self.open(request, State::Due(due), failures, halvings);
            self.open.insert(place, open);
        }
    }

    /// What the driver does next, when it has sent what it may.
    pub(crate) fn turn(&self) -> Turn {
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
        self.open.pop_front();
    }

    /// Whether nothing is left to read.
    pub(crate) fn is_over(&self) -> bool {
        self.open.is_empty() && self.resumed.is_empty() && self.waiting.is_empty()
    }

    /// How many requests are on their way.
    pub(crate) fn in_flight(&self) -> usize {
        self.open.iter().filter(|open| matches!(open.state, State::InFlight)).count()
    }

    /// How many requests wait to be made again.
    pub(crate) fn delayed(&self) -> usize {
        self.open.iter().filter(|open| matches!(open.state, State::Due(_))).count()
    }

    pub(crate) fn trail(&self) -> Trail {
        self.trail
    }

    /// The cursor of the foremost open request, or else the first that waits.
    pub(crate) fn foremost_cursor(&self) -> Option<&C> {
        let open = self.open.front().map(|open| &*open.request.cursor);
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
        for Open { request, state, .. } in &self.open {
            let cursor = &*request.cursor;
            let out = out.take().or(request.replay.map(|replay| replay.out));
            match state {
                State::Due(_) | State::InFlight | State::Failed => {
                    rest.push(Rest { cursor, units: None, replay: request.replay });
                }
                State::Arrived(shape) => {
                    shape.rest(cursor, out.unwrap_or_default(), request.replay, &mut rest);
                }
            }
        }
        rest.extend(self.resumed.iter().map(|request| Rest {
            cursor: &*request.cursor,
            units: None,
            replay: request.replay,
        }));
        rest
    }

    fn at(&mut self, ticket: Ticket) -> &mut Open<C> {
        let place = self.place(ticket);
        &mut self.open[place]
    }

    fn place(&self, ticket: Ticket) -> usize {
        let place = self.open.iter().position(|open| open.ticket == ticket);
        place.expect("only open requests have tickets that are still in use")
    }
}

impl<C> Open<C> {
    fn is_due(&self, now: impl Fn() -> Instant) -> bool {
        matches!(self.state, State::Due(due) if due <= now())
    }
}

impl Shape {
    fn is_out(&self, out: Position) -> bool {
        out.records >= self.records && out.failures >= self.failures.len()
    }

    /// What is left of a page of which `out` is out.
    ///
    /// A page without units is read again for its records, and those that are
    /// out are passed over. With units, only those units are read again of
    /// which something is left, so that what changes in a finished unit cannot
    /// shift the rest. A unit that failed before it gave a record is asked for
    /// anew: it led nowhere, so should it succeed now, its next cursor counts;
    /// unless it led on when it was read `before`, and fails only now.
    fn rest<'a, C>(
        &self,
        cursor: &'a C,
        out: Position,
        before: Option<Replay>,
        rest: &mut Vec<Rest<'a, C>>,
    ) {
        if self.is_out(out) {
            return;
        }
        let pending = self.failures.get(out.failures..).unwrap_or_default();
        let failed = |unit: usize| pending.contains(&Some(unit));
        let (mut anew, mut again) = (Vec::new(), Vec::new());
        let mut replay = Replay::default();
        let mut begin = 0;
        for (unit, &records) in self.units.iter().enumerate() {
            if failed(unit) && records == 0 && before.is_none() {
                anew.push(unit);
            } else if (records > 0 && begin + records > out.records) || failed(unit) {
                again.push(unit);
                replay.out.records += out.records.saturating_sub(begin).min(records);
                replay.of += records;
            }
            begin += records;
        }
        if anew.is_empty() && again.is_empty() {
            let of = before.map_or(self.records, |before| before.of.max(self.records));
            let replay = Some(Replay { out, of });
            rest.push(Rest { cursor, units: None, replay });
            return;
        }
        if !again.is_empty() {
            rest.push(Rest { cursor, units: Some(again), replay: Some(replay) });
        }
        if !anew.is_empty() {
            rest.push(Rest { cursor, units: Some(anew), replay: None });
        }
    }
}

#[cfg(test)]
mod tests;
