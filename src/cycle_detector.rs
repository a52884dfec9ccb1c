use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

/// A number that stands for a cursor in a [`CycleDetector`].
///
/// It may change with a version of the hasher. A cycle is then found later, and
/// nothing else is lost.
pub(crate) fn fingerprint(cursor: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    cursor.hash(&mut hasher);
    hasher.finish()
}

/// Finds a cycle in a chain of cursors, in constant memory (Brent's algorithm). A
/// cycle of any length is found within three times its length.
///
/// It remembers one cursor of the chain, the mark. The chain has a cycle when the
/// mark comes again. The mark moves forward at growing distances, so that it gets
/// into every cycle, and stays there long enough.
///
/// It is a value that goes into a checkpoint. So a resumed reading finds a cycle
/// that it entered before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CycleDetector {
    /// The fingerprint of the marked cursor.
    mark: u64,
    /// How many cursors were visited after the mark.
    steps: u32,
    /// After how many cursors the mark moves; 0 before the first cursor.
    reach: u32,
}

impl CycleDetector {
    /// Goes on past the cursor with this fingerprint.
    #[inline]
    pub(crate) fn visit(self, fingerprint: u64) -> Self {
        let steps = self.steps.saturating_add(1);
        if steps < self.reach {
            Self { steps, ..self }
        } else {
            Self { mark: fingerprint, steps: 0, reach: self.reach.saturating_mul(2).max(1) }
        }
    }

    /// Moves the mark to the cursor with this fingerprint. It is a cycle if that
    /// cursor comes next.
    pub(crate) fn move_mark(self, fingerprint: u64) -> Self {
        Self { mark: fingerprint, steps: 0, reach: self.reach.max(1) }
    }

    /// Whether no cursor was visited.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether going on to the cursor with this fingerprint closes a cycle.
    pub(crate) fn is_cycle(self, fingerprint: u64) -> bool {
        self.reach > 0 && fingerprint == self.mark
    }
}

#[cfg(test)]
mod tests {
    use super::CycleDetector;

    /// After how many steps a cycle is found in a chain.
    fn found_after(chain: impl Iterator<Item = u64>) -> Option<usize> {
        let mut cycles = CycleDetector::default();
        for (steps, cursor) in chain.enumerate() {
            if cycles.is_cycle(cursor) {
                return Some(steps);
            }
            cycles = cycles.visit(cursor);
        }
        None
    }

    #[test]
    fn a_cycle_of_any_length_is_found_within_three_times_its_length() {
        for length in [1, 2, 3, 7, 64, 65, 1_000] {
            let steps = found_after((0..length).cycle()).expect("it is a cycle");
            assert!(steps as u64 <= 3 * length, "{steps} steps for a length of {length}");
        }
    }

    #[test]
    fn a_cycle_behind_a_chain_that_enters_it_is_found() {
        let chain = (0..100).chain((100..110).cycle());
        assert!(found_after(chain).expect("it is a cycle") <= 3 * 110);
    }

    #[test]
    fn a_cursor_to_which_the_mark_is_moved_is_a_cycle_at_once() {
        let visited = (0..10).fold(CycleDetector::default(), CycleDetector::visit);
        for detector in [visited, CycleDetector::default()] {
            let moved = detector.move_mark(77);
            assert!(moved.is_cycle(77) && !moved.is_cycle(9));
            assert!(moved.reach >= 1 && moved.reach == detector.reach.max(1));
        }
    }

    #[test]
    fn it_is_empty_until_a_cursor_is_visited() {
        assert!(CycleDetector::default().is_empty());
        assert!(!CycleDetector::default().is_cycle(0));
        assert!(!CycleDetector::default().visit(0).is_empty());
    }

    #[test]
    fn a_chain_without_a_cycle_is_not_taken_for_one() {
        assert_eq!(found_after(0..100_000), None);
    }
}
