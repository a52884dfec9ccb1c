use std::time::Instant;

use super::{Ticket, retries::Failures};
use crate::{
    checkpoint::{Position, Replay},
    page::Next,
};

/// A request whose page is not handed out whole.
#[derive(Debug)]
pub(super) struct Open<C> {
    pub(super) ticket: Ticket,
    pub(super) request: Request<C>,
    pub(super) state: State,
    /// What few requests have; so a request takes little space.
    pub(super) failures: Option<Box<Failures>>,
    /// How often the full size was halved for it.
    pub(super) halvings: u32,
    /// The request that led here, and to nothing else.
    pub(super) before: Option<Ticket>,
    /// Where it leads, while nobody knows whether it is needed. Only a guess has
    /// this; the service has said of all others that they are next.
    pub(super) guess: Option<LeadsTo<C>>,
    /// When it was sent, where somebody wants to know.
    pub(super) sent: Option<Instant>,
}

/// Where a guess leads.
#[derive(Debug)]
pub(super) enum LeadsTo<C> {
    /// The page is not here.
    Unknown,
    /// It is here, and says this.
    Pages(Next<C>),
}

#[derive(Clone, Debug)]
pub(super) struct Request<C> {
    pub(super) cursor: C,
    /// Where the page goes on if it is read for its records alone.
    pub(super) replay: Option<Box<Replay>>,
}

#[derive(Debug)]
pub(super) enum State {
    /// It is to be sent at this time, again or as a part of one that was sent.
    Due(Instant),
    InFlight,
    /// The page is here. Unless it is a guess, its next cursors have joined what
    /// waits.
    Arrived(Shape),
    /// A guess failed. If it was right, it is judged like all others.
    Held,
    Failed,
}

/// What the core knows of a page that arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) records: usize,
    /// What most pages do not have.
    pub(crate) parts: Option<Box<Parts>>,
}

/// The parts of a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    /// How many records belong to each unit; empty where there are no units.
    pub(crate) units: Vec<usize>,
    /// The unit of each failure, in the order in which they are handed out.
    pub(crate) failures: Vec<Option<usize>>,
}

/// A request that a resumed reading makes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rest<'a, C> {
    pub(crate) cursor: &'a C,
    pub(crate) units: Option<Vec<usize>>,
    pub(crate) replay: Option<Replay>,
}

impl<C> Request<C> {
    pub(super) fn new(cursor: C) -> Self {
        Self { cursor, replay: None }
    }

    pub(super) fn replay(&self) -> Option<Replay> {
        self.replay.as_deref().copied()
    }
}

impl<C> Open<C> {
    pub(super) fn is_due(&self, now: impl Fn() -> Instant) -> bool {
        matches!(self.state, State::Due(due) if due <= now())
    }

    pub(super) fn is_due_at_some_time(&self) -> bool {
        matches!(self.state, State::Due(_))
    }

    pub(super) fn is_guess(&self) -> bool {
        self.guess.is_some()
    }

    pub(super) fn is_in_flight(&self) -> bool {
        matches!(self.state, State::InFlight)
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self.state, State::Failed)
    }

    /// Whether it can be handed out, or its error given out.
    pub(super) fn is_ready(&self) -> bool {
        !self.is_guess() && matches!(self.state, State::Arrived(_) | State::Failed)
    }

    /// Adds what a checkpoint holds of this request, of whose page `out` is out. A
    /// guess is nothing that must be read.
    pub(super) fn rest<'a>(&'a self, out: Option<Position>, rest: &mut Vec<Rest<'a, C>>) {
        let Self { request, state, .. } = self;
        let cursor = &request.cursor;
        if self.is_guess() {
            return;
        }
        let State::Arrived(shape) = state else {
            return rest.push(Rest { cursor, units: None, replay: request.replay() });
        };
        let out = out.or(request.replay().map(|replay| replay.out));
        shape.rest(cursor, out.unwrap_or_default(), request.replay(), rest);
    }
}

impl Shape {
    pub(crate) fn of(records: usize, units: Vec<usize>, failures: Vec<Option<usize>>) -> Self {
        let has_parts = !units.is_empty() || !failures.is_empty();
        Self { records, parts: has_parts.then(|| Box::new(Parts { units, failures })) }
    }

    pub(super) fn is_out(&self, out: Position) -> bool {
        let failures = self.parts.as_ref().map_or(0, |parts| parts.failures.len());
        out.records >= self.records && out.failures >= failures
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
        let (units, failures) = match &self.parts {
            Some(parts) => (&parts.units[..], &parts.failures[..]),
            None => (&[][..], &[][..]),
        };
        let pending = failures.get(out.failures..).unwrap_or_default();
        let failed = |unit: usize| pending.contains(&Some(unit));
        let (mut anew, mut again) = (Vec::new(), Vec::new());
        let mut replay = Replay::default();
        let mut begin = 0;
        for (unit, &records) in units.iter().enumerate() {
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
