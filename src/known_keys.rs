use std::collections::{HashSet, VecDeque};

use serde::{Deserialize, Serialize};

/// The keys of the records that were delivered lately, so that none of these comes again.
#[derive(Clone, Debug)]
pub(crate) struct KnownKeys {
    /// How many are kept.
    most: usize,
    /// The oldest first. None is here twice.
    in_order: VecDeque<u64>,
    set: HashSet<u64>,
    state: KeyState,
}

/// What a checkpoint holds of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedKeys {
    pub(crate) keys: Vec<u64>,
    pub(crate) state: KeyState,
}

/// What is known of the keys besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(crate) struct KeyState {
    /// Whether others were known before that are forgotten.
    pub(crate) has_forgotten: bool,
    /// Whether the list is read anew, and none of the known keys has come yet.
    pub(crate) passes_over: bool,
    /// Whether a page led to several others, so that pages have no fixed order.
    pub(crate) has_branched: bool,
    /// Whether the list is read anew, and all keys were known when that began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) leaves_out_known: bool,
}

impl KnownKeys {
    /// None is known. `is_new` is whether nothing was delivered before.
    pub(crate) fn new(most: usize, is_new: bool) -> Self {
        let state = KeyState { has_forgotten: !is_new, ..KeyState::default() };
        Self { most, in_order: VecDeque::new(), set: HashSet::new(), state }
    }

    /// The ones that a checkpoint holds.
    pub(crate) fn restore(most: usize, saved: &SavedKeys) -> Self {
        let mut known = Self { state: saved.state, ..Self::new(most, true) };
        known.insert(&saved.keys);
        known
    }

    /// What a checkpoint holds, where these are delivered, too.
    pub(crate) fn saved(&self, delivered: &[u64]) -> SavedKeys {
        let mut known = self.clone();
        known.insert(delivered);
        SavedKeys { keys: known.in_order.into(), state: known.state }
    }

    /// These are delivered.
    pub(crate) fn insert(&mut self, keys: &[u64]) {
        for key in keys {
            if !self.set.insert(*key) {
                continue;
            }
            self.in_order.push_back(*key);
            if self.in_order.len() > self.most
                && let Some(oldest) = self.in_order.pop_front()
            {
                self.set.remove(&oldest);
                self.state.has_forgotten = true;
            }
        }
    }

    /// Which records of a page with these keys are not to be delivered: their indices,
    /// ascending.
    pub(crate) fn left_out(&mut self, keys: &[u64]) -> Vec<usize> {
        if self.state.passes_over {
            self.state.passes_over = !keys.iter().any(|key| self.set.contains(key));
            if self.state.passes_over {
                return (0..keys.len()).collect();
            }
            // What stands before the first one that is known was delivered before it.
            let first = keys.iter().position(|key| self.set.contains(key)).unwrap_or(keys.len());
            let behind = (first..keys.len()).filter(|index| self.set.contains(&keys[*index]));
            return (0..first).chain(behind).collect();
        }
        let mut in_page = HashSet::new();
        let is_repeated = |key: &u64| self.set.contains(key) || !in_page.insert(*key);
        let repeated = keys.iter().map(is_repeated).enumerate();
        repeated.filter(|(_, is_repeated)| *is_repeated).map(|(index, _)| index).collect()
    }

    /// A page led to several others.
    pub(crate) fn branched(&mut self) {
        self.state.has_branched = true;
    }

    /// Begins the list anew, if it can be told then what was delivered.
    pub(crate) fn restart(&mut self) -> bool {
        let is_known = !self.state.has_forgotten || !self.state.has_branched;
        if is_known {
            // Where all keys are known, what is unknown is new.
            self.state.passes_over = self.state.has_forgotten;
            self.state.leaves_out_known = !self.state.has_forgotten;
        }
        is_known
    }

    /// Whether the list is read anew, and none of the known keys has come yet.
    pub(crate) fn passes_over(&self) -> bool {
        self.state.passes_over
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::KnownKeys;

    proptest! {
        #[test]
        fn what_was_delivered_lately_is_left_out_and_nothing_else(
            pages in vec(vec(0..40_u64, 0..8), 0..20), most in 1..30_usize,
        ) {
            let mut known = KnownKeys::new(most, true);
            let mut delivered = Vec::<u64>::new();
            for page in pages {
                let left_out = known.left_out(&page);
                for (index, key) in page.iter().enumerate() {
                    let is_left_out = left_out.contains(&index);
                    let lately = &delivered[delivered.len().saturating_sub(most)..];
                    prop_assert!(is_left_out || !lately.contains(key));
                    let in_page = page[..index].contains(key);
                    prop_assert!(!is_left_out || delivered.contains(key) || in_page);
                }
                let kept = page.iter().enumerate().filter(|(index, _)| !left_out.contains(index));
                let kept = kept.map(|(_, key)| *key).collect::<Vec<_>>();
                known.insert(&kept);
                delivered.extend(kept);
            }
        }

        #[test]
        fn a_list_that_begins_anew_goes_on_behind_what_was_delivered(
            records in 1..60_usize, read in 1..60_usize, size in 1..9_usize, most in 1..70_usize,
        ) {
            let records = (0..records as u64).collect::<Vec<_>>();
            let read = read.min(records.len());
            let mut known = KnownKeys::new(most, true);
            known.insert(&records[..read]);
            prop_assert!(known.restart());
            let mut rest = Vec::new();
            for page in records.chunks(size) {
                let left_out = known.left_out(page);
                let kept = page.iter().enumerate().filter(|(index, _)| !left_out.contains(index));
                rest.extend(kept.map(|(_, key)| *key));
                known.insert(&rest);
            }
            prop_assert_eq!(rest, &records[read..]);
            prop_assert!(!known.passes_over());
        }
    }

    #[test]
    fn pages_without_a_fixed_order_begin_anew_only_while_all_keys_are_known() {
        let restarts = |most| {
            let mut known = KnownKeys::new(most, true);
            known.branched();
            known.insert(&[1, 2, 3]);
            known.restart()
        };
        assert!(restarts(3));
        assert!(!restarts(2));
    }
}
