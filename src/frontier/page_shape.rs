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
    /// The keys of all records that came, where some are not delivered.
    pub(crate) all_keys: Option<Arc<[u64]>>,
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

    /// The keys of all records that came, where they have some.
    pub(super) fn all_keys(&self) -> Option<Arc<[u64]>> {
        let parts = self.parts.as_ref()?;
        parts.all_keys.clone().or_else(|| parts.keys.as_ref().map(Keys::get))
    }

    /// The keys of its records, where they are those of all of them and not of units.
    pub(super) fn keys(&self) -> Option<Arc<[u64]>> {
        let parts = self.parts.as_ref()?;
        let keys = parts.keys.as_ref().filter(|_| parts.units.is_empty())?.get();
        (keys.len() == self.records).then_some(keys)
    }

    /// Whether all of the page is delivered.
    pub(super) fn is_delivered(&self, position: Position) -> bool {
        position.records >= self.records && position.failures >= self.failures().len()
    }

    /// Adds what remains of a page, of which this much is delivered; `before` is what was
    /// known of it when it was read again.
    ///
    /// With units, only those units are read again of which something remains, so that what
    /// changes in a finished unit can't shift the others. A unit that failed before it gave a
    /// record is read anew.
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
        let failures =
            before.map_or(0, |before| before.failures).saturating_add(delivered.failures);
        let keys = parts.keys.as_ref().map(Keys::get);
        let positions = before.map_or(parts.positions, |before| before.positions);
        let state = |index, begin, unit: Unit| UnitState {
            begin,
            unit,
            failed: failed.any,
            delivered: delivered.records.saturating_sub(begin).min(unit.records),
            before: parts.resumed.get(index),
        };
        if parts.units.is_empty() {
            let state = state(0, 0, Unit { records: self.records, goes_on: self.goes_on });
            let known = state.replay(keys.as_ref(), positions.is_none());
            let is_fresh = !known.goes_on && known.is_fresh() && failures == 0;
            let replay = Replay { failures, positions, units: vec![known], repeated: None };
            let replay = (!is_fresh).then_some(replay);
            remaining.push(Remaining { cursor, units: None, replay });
            return;
        }
        let (mut anew, mut again, mut replays) = (Vec::new(), Vec::new(), Vec::new());
        let mut begin = 0;
        for (index, unit) in parts.units.iter().enumerate() {
            let state = UnitState { failed: failed.is(index), ..state(index, begin, *unit) };
            begin += unit.records;
            if state.failed && unit.records == 0 && state.before.is_none() {
                anew.push(index);
            } else if state.failed || state.delivered < unit.records {
                again.push(index);
                replays.push(state.replay(keys.as_ref(), true));
            }
        }
        if anew.is_empty() && again.is_empty() {
            // The failures that remain are of no unit.
            let replay = Replay { failures, ..Replay::default() };
            remaining.push(Remaining { cursor, units: None, replay: Some(replay) });
        }
        if !again.is_empty() {
            let replay = Replay { units: replays, ..Replay::default() };
            remaining.push(Remaining { cursor, units: Some(again), replay: Some(replay) });
        }
        if !anew.is_empty() {
            remaining.push(Remaining { cursor, units: Some(anew), replay: None });
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
}

impl UnitState<'_> {
    /// What is known of it, to read it again; with where it ends, if its keys tell.
    fn replay(&self, keys: Option<&Arc<[u64]>>, keys_tell: bool) -> UnitReplay {
        let mut known = self.before.cloned().unwrap_or_default();
        let went_on = known.goes_on;
        known.goes_on |= self.unit.goes_on;
        let here = self.unit.records - self.delivered;
        // As long as it is not said that it has changed, it is known how it was.
        let expected = if self.failed { known.records } else { 0 };
        known.delivered = known.delivered.saturating_add(self.delivered);
        known.records = expected.max(known.delivered.saturating_add(here));
        if known.is_fresh() && !known.goes_on {
            return UnitReplay::default();
        }
        let records = self.begin..self.begin + self.unit.records;
        let Some(keys) = keys.and_then(|keys| keys.get(records)) else { return known };
        if keys_tell && known.goes_on && !went_on {
            let all = [&known.keys[..], keys].concat();
            known.set_end(&all);
        }
        if !keys.is_empty() && known.delivered > 0 {
            known.next = keys.get(self.delivered).copied();
        }
        known.add_delivered(&keys[..self.delivered]);
        known
    }
}
