//! The pure core: what to fetch next, what is in flight, whose turn it is to be
//! handed out, and when the reading is over. It knows no records, no futures
//! and no paginator, so a property test can run it by itself.

use std::{collections::VecDeque, hash::Hash, sync::Arc};

use crate::{
    checkpoint::{Position, Replay},
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
    /// Requests whose pages are not handed out whole, in the order of sending.
    open: VecDeque<(Request<C>, State)>,
    /// The ticket of the foremost open request.
    first: Ticket,
    /// The way of all cursors that were sent. A cursor is sent once, so one that
    /// comes again closes a circle.
    trail: Trail,
    /// Whether a request failed, so that no other is sent.
    failed: bool,
}

#[derive(Debug)]
struct Request<C> {
    cursor: Arc<C>,
    /// Where the page goes on if it is read for its records alone.
    replay: Option<Replay>,
}

#[derive(Debug)]
enum State {
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
            first: 0,
            trail: Trail::default(),
            failed: false,
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

    /// The next request to send, if fewer than `window` are open. The page being
    /// handed out takes a place in the window, so a window of 1 asks for a page
    /// only when the one before is used up.
    pub(crate) fn send(
        &mut self,
        window: usize,
        pack: impl Fn(&mut VecDeque<C>),
    ) -> Option<(Ticket, Arc<C>)> {
        if self.failed || self.open.len() >= window {
            return None;
        }
        let request = self.next_resumed(&pack).or_else(|| self.next_waiting(&pack))?;
        let ticket = self.first + self.open.len() as Ticket;
        let cursor = Arc::clone(&request.cursor);
        self.open.push_back((request, State::InFlight));
        Some((ticket, cursor))
    }

    /// The next of a checkpoint's requests. One that had not arrived is packed by
    /// itself, since a request may carry less than when it was made.
    fn next_resumed(&mut self, pack: impl Fn(&mut VecDeque<C>)) -> Option<Request<C>> {
        let request = self.resumed.pop_front()?;
        if request.replay.is_some() {
            return Some(request);
        }
        let mut parts = VecDeque::from([(*request.cursor).clone()]);
        pack(&mut parts);
        for cursor in parts.into_iter().rev() {
            self.resumed.push_front(Request { cursor: Arc::new(cursor), replay: None });
        }
        self.resumed.pop_front()
    }

    /// The next of what waits, unless it was sent before.
    fn next_waiting(&mut self, pack: impl Fn(&mut VecDeque<C>)) -> Option<Request<C>> {
        pack(&mut self.waiting);
        let fingerprint = fingerprint(self.waiting.front()?);
        if self.trail.is_closed_by(fingerprint) {
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
        let (request, state) = self.at(ticket);
        *state = State::Arrived(shape);
        if request.replay.is_some() {
            return;
        }
        if next.iter().any(|next| *next == *request.cursor) {
            // The shortest circle is noticed at once.
            let own = fingerprint(&request.cursor);
            self.trail = self.trail.mark(own);
        }
        for cursor in next.into_iter().rev() {
            self.waiting.push_front(cursor);
        }
    }

    /// How the page of an open request is read again, if it is.
    pub(crate) fn replay(&self, ticket: Ticket) -> Option<Replay> {
        self.open[self.place(ticket)].0.replay
    }

    /// Takes in the failure of a request. It is given out when its turn comes,
    /// and nothing is sent any more.
    pub(crate) fn fail(&mut self, ticket: Ticket) {
        self.at(ticket).1 = State::Failed;
        self.failed = true;
    }

    /// What the driver does next, when it has sent what it may.
    pub(crate) fn turn(&self) -> Turn {
        match self.open.front() {
            Some((_, State::InFlight)) => Turn::Wait,
            Some((_, State::Arrived(_))) => Turn::HandOut(self.first),
            Some((_, State::Failed)) => Turn::Fail(self.first),
            None if self.is_over() => Turn::Over,
            None => Turn::Circle,
        }
    }

    /// Closes the foremost open request: its page is handed out whole.
    pub(crate) fn close(&mut self) {
        if self.open.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// Whether nothing is left to read.
    pub(crate) fn is_over(&self) -> bool {
        self.open.is_empty() && self.resumed.is_empty() && self.waiting.is_empty()
    }

    /// How many requests are on their way.
    pub(crate) fn in_flight(&self) -> usize {
        self.open.iter().filter(|(_, state)| matches!(state, State::InFlight)).count()
    }

    pub(crate) fn trail(&self) -> Trail {
        self.trail
    }

    /// The cursor of the foremost open request, or else the first that waits.
    pub(crate) fn foremost_cursor(&self) -> Option<&C> {
        let open = self.open.front().map(|(request, _)| &*request.cursor);
        open.or_else(|| self.waiting.front())
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = &C> {
        self.waiting.iter()
    }

    /// Whether all of the foremost page is out.
    pub(crate) fn is_out(&self, out: Option<Position>) -> bool {
        match (self.open.front(), out) {
            (Some((_, State::Arrived(shape))), Some(out)) => shape.is_out(out),
            _ => false,
        }
    }

    /// The requests that a resumed reading makes again before it turns to what
    /// waits. `out` is how much of the foremost page is out.
    pub(crate) fn rest(&self, out: Option<Position>) -> Vec<Rest<'_, C>> {
        let mut rest = Vec::new();
        let mut out = out;
        for (request, state) in &self.open {
            let cursor = &*request.cursor;
            let out = out.take().or(request.replay.map(|replay| replay.out));
            match state {
                State::InFlight | State::Failed => {
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

    fn at(&mut self, ticket: Ticket) -> &mut (Request<C>, State) {
        let place = self.place(ticket);
        &mut self.open[place]
    }

    fn place(&self, ticket: Ticket) -> usize {
        usize::try_from(ticket - self.first).unwrap_or(usize::MAX)
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
