use crate::checkpoint::{Position, Replay};

/// A request that a resumed reading makes before it turns to the cursors that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remaining<'a, C> {
    pub(crate) cursor: &'a C,
    /// The units of the request that remain; all of them where absent.
    pub(crate) units: Option<Vec<usize>>,
    pub(crate) replay: Option<Replay>,
}

/// What the core knows of a page that came.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageShape {
    pub(crate) records: usize,
    /// What most pages do not have.
    pub(crate) parts: Option<Box<Parts>>,
}

/// The parts of a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    /// How many records belong to each unit; empty where there are no units.
    pub(crate) units: Vec<usize>,
    /// The unit of each failure, in the order in which they are delivered.
    pub(crate) failures: Vec<Option<usize>>,
}

impl PageShape {
    pub(crate) fn new(records: usize, units: Vec<usize>, failures: Vec<Option<usize>>) -> Self {
        let has_parts = !units.is_empty() || !failures.is_empty();
        Self { records, parts: has_parts.then(|| Box::new(Parts { units, failures })) }
    }

    fn failures(&self) -> &[Option<usize>] {
        self.parts.as_ref().map_or(&[], |parts| &parts.failures)
    }

    /// Whether all of the page is delivered.
    pub(super) fn is_delivered(&self, position: Position) -> bool {
        position.records >= self.records && position.failures >= self.failures().len()
    }

    /// A position within the page, where it is read again and may have shrunk.
    pub(super) fn clamp(&self, position: Position) -> Position {
        Position {
            records: position.records.min(self.records),
            failures: position.failures.min(self.failures().len()),
        }
    }

    /// Adds what remains of a page, of which this much is delivered.
    ///
    /// A page without units is read again for its records, and those that were delivered
    /// are passed over. With units, only those units are read again of which something
    /// remains, so that what changes in a finished unit can't shift the others. A unit
    /// that failed before it gave a record is read anew: it went on to nothing, so if it
    /// succeeds now, its next cursor counts; unless it went on when it was read `before`,
    /// and fails only now.
    pub(super) fn remaining<'a, C>(
        &self,
        cursor: &'a C,
        delivered: Position,
        before: Option<Replay>,
        remaining: &mut Vec<Remaining<'a, C>>,
    ) {
        if self.is_delivered(delivered) {
            return;
        }
        let units = self.parts.as_ref().map_or(&[][..], |parts| &parts.units);
        let pending = self.failures().get(delivered.failures..).unwrap_or_default();
        let has_failed = |unit: usize| pending.contains(&Some(unit));
        let (mut anew, mut again) = (Vec::new(), Vec::new());
        let mut replay = Replay::default();
        let mut begin = 0;
        for (unit, &records) in units.iter().enumerate() {
            if has_failed(unit) && records == 0 && before.is_none() {
                anew.push(unit);
            } else if (records > 0 && begin + records > delivered.records) || has_failed(unit) {
                again.push(unit);
                replay.delivered.records += delivered.records.saturating_sub(begin).min(records);
                replay.expected += records;
            }
            begin += records;
        }
        if anew.is_empty() && again.is_empty() {
            let before = before.map_or(0, |before| before.expected);
            let replay = Some(Replay { delivered, expected: before.max(self.records) });
            remaining.push(Remaining { cursor, units: None, replay });
            return;
        }
        if !again.is_empty() {
            remaining.push(Remaining { cursor, units: Some(again), replay: Some(replay) });
        }
        if !anew.is_empty() {
            remaining.push(Remaining { cursor, units: Some(anew), replay: None });
        }
    }
}
