use std::sync::Arc;

use crate::{
    keys::Keys,
    page::Unit,
    replay::{Replay, UnitReplay},
};

/// What the core knows of a page that came.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageShape {
    pub(crate) records: usize,
    /// Whether it leads to other pages.
    pub(crate) goes_on: bool,
    /// What is known of the pages of paginators that tell more.
    pub(crate) parts: Option<Box<Parts>>,
}

/// What most pages do not have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    /// The units and their records; empty where there are none.
    pub(crate) units: Vec<Unit>,
    /// The unit of each failure, in the order in which they are delivered.
    pub(crate) failures: Vec<Option<usize>>,
    pub(crate) keys: Option<Keys>,
    /// How many positions the page has, where its next cursor is one.
    pub(crate) positions: Option<usize>,
    /// What was known of the units before, where the page is read again.
    pub(crate) resumed: Vec<UnitReplay>,
}

/// A request that a resumed reading makes before it turns to the cursors that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remaining<'a, C> {
    pub(crate) cursor: &'a C,
    /// The units of the request that remain; all of them where absent.
    pub(crate) units: Option<Vec<usize>>,
    /// Present where something of it counts already.
    pub(crate) replay: Option<Replay>,
}

/// How much of a page is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) records: usize,
    pub(crate) failures: usize,
}

impl PageShape {
    fn failures(&self) -> &[Option<usize>] {
        self.parts.as_ref().map_or(&[], |parts| &parts.failures)
    }

    /// Whether all of the page is delivered.
    pub(super) fn is_delivered(&self, position: Position) -> bool {
        position.records >= self.records && position.failures >= self.failures().len()
    }

    /// Adds what remains of a page, of which this much is delivered; `before` is what was
    /// known of it when it was read again.
    ///
    /// With units, only those units are read again of which something remains, so that what
    /// changes in a finished unit can't shift the others. A unit that went on is read for
    /// its records alone, since the cursors that it led to are in the checkpoint. One that
    /// ended, or failed, may go on when it is read again, and then its next cursor counts.
    pub(super) fn remaining<'a, C>(
        &self,
        cursor: &'a C,
        delivered: Position,
        before: Option<&Replay>,
        remaining: &mut Vec<Remaining<'a, C>>,
    ) {
        if self.is_delivered(delivered) {
            return;
        }
        let parts = self.parts.as_deref().cloned().unwrap_or_default();
        let failed = Failed::new(&parts, delivered.failures);
        let failures = before.map_or(0, |before| before.failures) + delivered.failures;
        let keys = parts.keys.as_ref().map(Keys::get);
        let goes_on_already = before.is_some_and(|before| before.goes_on);
        let positions = before.map_or(parts.positions, |before| before.positions);
        let state = |index, begin, unit: Unit| UnitState {
            begin,
            unit,
            failed: failed.any,
            delivered: delivered.records.saturating_sub(begin).min(unit.records),
            before: parts.resumed.get(index),
            goes_on_already,
        };
        if parts.units.is_empty() {
            let state = state(0, 0, Unit { records: self.records, goes_on: self.goes_on });
            let goes_on = goes_on_already || self.goes_on;
            let known = state.replay(keys.as_ref(), goes_on && positions.is_none());
            let is_fresh = !goes_on && known.is_fresh() && failures == 0;
            let replay = Replay { goes_on, failures, positions, units: vec![known] };
            let replay = (!is_fresh).then_some(replay);
            remaining.push(Remaining { cursor, units: None, replay });
            return;
        }
        let (mut fresh, mut ended, mut going_on) = (Vec::new(), Group::default(), Group::default());
        let mut begin = 0;
        for (index, unit) in parts.units.iter().enumerate() {
            let state = UnitState { failed: failed.is(index), ..state(index, begin, *unit) };
            begin += unit.records;
            if state.delivered == unit.records && !state.failed {
                continue;
            }
            let goes_on = goes_on_already || (unit.goes_on && !state.failed);
            let known = state.replay(keys.as_ref(), goes_on);
            if goes_on {
                going_on.push(index, known);
            } else if known.is_fresh() {
                fresh.push(index);
            } else {
                ended.push(index, known);
            }
        }
        let is_nothing = fresh.is_empty() && ended.is_empty() && going_on.is_empty();
        for (goes_on, group) in [(true, going_on), (false, ended)] {
            if !group.is_empty() {
                let replay = Replay { goes_on, units: group.replays, ..Replay::default() };
                let (units, replay) = (Some(group.units), Some(replay));
                remaining.push(Remaining { cursor, units, replay });
            }
        }
        if !fresh.is_empty() {
            remaining.push(Remaining { cursor, units: Some(fresh), replay: None });
        }
        if is_nothing {
            // The failures that remain are of no unit.
            let replay = Replay { goes_on: true, failures, ..Replay::default() };
            remaining.push(Remaining { cursor, units: None, replay: Some(replay) });
        }
    }
}

/// Which units have a failure that is not delivered.
struct Failed {
    units: Vec<bool>,
    any: bool,
}

impl Failed {
    fn new(parts: &Parts, delivered: usize) -> Self {
        let pending = parts.failures.get(delivered..).unwrap_or_default();
        let mut units = vec![false; parts.units.len()];
        for unit in pending.iter().flatten() {
            if let Some(failed) = units.get_mut(*unit) {
                *failed = true;
            }
        }
        Self { units, any: !pending.is_empty() }
    }

    fn is(&self, unit: usize) -> bool {
        self.units.get(unit).copied().unwrap_or_default()
    }
}

/// Units that are read again by one request.
#[derive(Default)]
struct Group {
    units: Vec<usize>,
    replays: Vec<UnitReplay>,
}

impl Group {
    fn push(&mut self, unit: usize, replay: UnitReplay) {
        self.units.push(unit);
        self.replays.push(replay);
    }

    fn is_empty(&self) -> bool {
        self.units.is_empty()
    }
}

/// How far a unit is.
struct UnitState<'a> {
    /// Where its records begin in the page.
    begin: usize,
    unit: Unit,
    /// Whether it has a failure that is not delivered.
    failed: bool,
    /// How many of its records in this page are delivered.
    delivered: usize,
    /// What was known of it before.
    before: Option<&'a UnitReplay>,
    /// Whether the cursor that it goes on to was known before.
    goes_on_already: bool,
}

impl UnitState<'_> {
    /// What is known of it, to read it again; with where it ends, if that is wanted.
    fn replay(&self, keys: Option<&Arc<[u64]>>, ends: bool) -> UnitReplay {
        let mut known = self.before.cloned().unwrap_or_default();
        let here = self.unit.records - self.delivered;
        // As long as it is not said that it has changed, it is known how it was.
        let expected = if self.failed { known.records } else { 0 };
        known.delivered += self.delivered;
        known.records = expected.max(known.delivered + here);
        let records = self.begin..self.begin + self.unit.records;
        let Some(keys) = keys.and_then(|keys| keys.get(records)) else { return known };
        if ends && !self.goes_on_already {
            let all = [&known.keys[..], keys].concat();
            known.set_end(&all);
        }
        if !keys.is_empty() {
            known.next = keys.get(self.delivered).copied();
        }
        known.add_delivered(&keys[..self.delivered]);
        known
    }
}
