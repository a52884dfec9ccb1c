use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

/// What tells a cursor from others on a trail.
///
/// It may change with a version of the hasher. A circle is then found later, and
/// nothing else is lost.
pub(crate) fn fingerprint(cursor: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    cursor.hash(&mut hasher);
    hasher.finish()
}

/// The way that a chain of cursors has come, in constant memory. It finds a
/// circle of any length, within three times its length (Brent's algorithm).
///
/// It is a value, so that it goes into a checkpoint and finds a circle that was
/// entered before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CycleDetector {
    /// The fingerprint of the cursor that is waited for.
    mark: u64,
    /// How many steps ago it was passed.
    steps: u32,
    /// After how many steps the mark is moved; 0 before the first.
    reach: u32,
}

impl CycleDetector {
    /// Passes a cursor with this fingerprint.
    #[inline]
    pub(crate) fn visit(self, fingerprint: u64) -> Self {
        let steps = self.steps.saturating_add(1);
        if steps < self.reach {
            Self { steps, ..self }
        } else {
            Self { mark: fingerprint, steps: 0, reach: self.reach.saturating_mul(2).max(1) }
        }
    }

    /// Marks a cursor with this fingerprint, so that the trail is closed when it
    /// comes next.
    pub(crate) fn move_mark(self, fingerprint: u64) -> Self {
        Self { mark: fingerprint, steps: 0, reach: self.reach.max(1) }
    }

    /// Whether this is a trail without a step.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether going to a cursor with this fingerprint closes a circle.
    pub(crate) fn is_cycle(self, fingerprint: u64) -> bool {
        self.reach > 0 && fingerprint == self.mark
    }
}

#[cfg(test)]
mod tests {
    use super::CycleDetector;

    /// After how many steps a chain is found to go in a circle.
    fn found_after(chain: impl Iterator<Item = u64>) -> Option<usize> {
        let mut trail = CycleDetector::default();
        for (steps, cursor) in chain.enumerate() {
            if trail.is_cycle(cursor) {
                return Some(steps);
            }
            trail = trail.visit(cursor);
        }
        None
    }

    #[test]
    fn a_circle_of_any_length_is_found_within_three_times_its_length() {
        for length in [1, 2, 3, 7, 64, 65, 1_000] {
            let steps = found_after((0..length).cycle()).expect("it is a circle");
            assert!(steps as u64 <= 3 * length, "{steps} steps for a length of {length}");
        }
    }

    #[test]
    fn a_circle_behind_a_way_into_it_is_found() {
        let chain = (0..100).chain((100..110).cycle());
        assert!(found_after(chain).expect("it is a circle") <= 3 * 110);
    }

    #[test]
    fn a_way_without_a_circle_is_not_taken_for_one() {
        assert_eq!(found_after(0..100_000), None);
    }
}
