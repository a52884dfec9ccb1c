use std::{ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

/// How many keys of delivered records are kept, the last ones.
pub(crate) const KEPT_KEYS: usize = 8;

/// How many keys are kept of the records at the end of a page that leads on.
const KEPT_AT_END: usize = 2;

/// What is known of a page that is read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    /// The failures that are delivered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) failures: usize,
    /// How many positions it has, where the page that it goes on to begins at one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) positions: Option<usize>,
    /// The units that are read again, in their order. A page without units is one. Where
    /// there are none, no record is wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) units: Vec<UnitReplay>,
    /// Present where it is no page that is read again, but the one behind it, with the same
    /// cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeated: Option<Repeated>,
}

/// The page that led to its own cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repeated {
    /// How many records it had.
    pub(crate) records: usize,
    /// The keys of all of them, where they have some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<Vec<u64>>,
}

/// What is known of a unit that is read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnitReplay {
    /// How many of its records are delivered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) delivered: usize,
    /// How many records it had.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) records: usize,
    /// The keys of the last records that are delivered, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys: Vec<u64>,
    /// The key of the first record that is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
    /// Whether the checkpoint holds the cursor that it goes on to. Then that cursor does not
    /// count when it is read again, and it ends where that cursor begins.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) goes_on: bool,
    /// The keys of its last records, where it goes on behind them. Without them it ends
    /// after as many records as it had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) end: Vec<u64>,
}

impl Replay {
    /// For the page behind one that led to its own cursor.
    pub(crate) fn repeated(keys: Option<Arc<[u64]>>, records: usize) -> Self {
        let keys = keys.map(|keys| keys.to_vec());
        Self { repeated: Some(Repeated { records, keys }), ..Self::default() }
    }
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A unit as it is read again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now<'a> {
    pub(crate) records: usize,
    pub(crate) goes_on: bool,
    /// The keys of its records. Without them, records are counted.
    pub(crate) keys: Option<&'a [u64]>,
}

/// What of a unit is still to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remainder {
    pub(crate) records: Range<usize>,
    /// Whether others may belong to it that are no longer in it, and that its next page does
    /// not have.
    pub(crate) may_lack: bool,
}

impl UnitReplay {
    /// Whether nothing of it is delivered.
    pub(crate) fn is_fresh(&self) -> bool {
        self.delivered == 0 && self.keys.is_empty()
    }

    /// Keeps the keys of more records that are delivered.
    pub(crate) fn add_delivered(&mut self, keys: &[u64]) {
        self.keys.extend_from_slice(keys);
        let surplus = self.keys.len().saturating_sub(KEPT_KEYS);
        self.keys.drain(..surplus);
    }

    /// Keeps the keys of the records that were passed over when it was read again.
    pub(crate) fn pass_over(&mut self, keys: &[u64]) {
        if !keys.is_empty() {
            self.keys.clear();
            self.add_delivered(keys);
        }
    }

    /// Keeps the keys of the last records.
    pub(crate) fn set_end(&mut self, keys: &[u64]) {
        self.end = keys[keys.len().saturating_sub(KEPT_AT_END)..].to_vec();
    }

    /// Which records of the unit, as it is read again, are still to be delivered. `None`
    /// where it has changed so that this can't be known.
    ///
    /// `most` is where it ends at the latest, if it went on.
    pub(crate) fn remaining(&self, now: Now<'_>, most: Option<usize>) -> Option<Remainder> {
        let (end, may_lack) = match (most, now.keys) {
            (None, _) => (now.records, false),
            (Some(_), Some(keys)) if !self.end.is_empty() => self.end_of(keys, now.goes_on)?,
            (Some(most), _) => (now.records.min(most), false),
        };
        let (begin, is_here) = match now.keys {
            Some(keys) if !self.keys.is_empty() => {
                let mut known = self.keys.last().into_iter().chain(&self.next);
                let is_here = known.any(|key| keys.contains(key));
                (self.begin_of(&keys[..end])?, is_here)
            }
            _ => (self.delivered.min(end), self.delivered <= now.records),
        };
        // Where it goes on for the first time, the place may be in the page behind it.
        let is_known = is_here || self.goes_on || !now.goes_on || self.delivered == usize::MAX;
        is_known.then_some(Remainder { records: begin..end, may_lack })
    }

    /// Where the unit ends that goes on behind these keys: behind the last of its records
    /// that is still there. And whether the ones behind may have been pushed out of it.
    fn end_of(&self, keys: &[u64], goes_on: bool) -> Option<(usize, bool)> {
        if keys.len() == self.records && keys.last() == self.end.last() {
            return Some((keys.len(), false));
        }
        let last = self.end.last();
        self.end.iter().rev().find_map(|end| match positions(keys, *end)[..] {
            [position] => Some((position + 1, goes_on && Some(end) != last)),
            _ => None,
        })
    }

    /// Where the records begin that are not delivered: behind the last delivered one that
    /// is still there.
    fn begin_of(&self, keys: &[u64]) -> Option<usize> {
        let kept = self.keys.len();
        let is_behind = |begin: &usize| keys[..*begin].ends_with(&self.keys);
        if self.delivered <= keys.len() && is_behind(&self.delivered) {
            return Some(self.delivered);
        }
        // All of them are together, and elsewhere.
        let begins = (kept..=keys.len()).filter(is_behind).collect::<Vec<_>>();
        if let [begin] = begins[..] {
            return Some(begin);
        }
        // Some were deleted, or others were inserted between them.
        let found = self.keys.iter().rev().map(|key| positions(keys, *key));
        let begin = match found.into_iter().find(|found| !found.is_empty()).as_deref() {
            Some([position]) => position + 1,
            Some(_) => return None,
            // All of them were deleted. What came next tells the place.
            None => match positions(keys, self.next?)[..] {
                [next] => return Some(next),
                _ => return None,
            },
        };
        // In another order, what is delivered may stand behind.
        let is_moved = self.keys.iter().any(|key| keys[begin..].contains(key));
        (!is_moved).then_some(begin)
    }
}

fn positions(keys: &[u64], key: u64) -> Vec<usize> {
    keys.iter().enumerate().filter(|(_, it)| **it == key).map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::{Now, UnitReplay};

    /// A unit of these records, so many of which are delivered. Each letter is one.
    fn unit(records: &str, delivered: usize, goes_on: bool) -> UnitReplay {
        let keys = keys(records);
        let mut unit = UnitReplay {
            delivered,
            records: keys.len(),
            next: keys.get(delivered).copied(),
            ..UnitReplay::default()
        };
        unit.add_delivered(&keys[..delivered]);
        if goes_on {
            unit.set_end(&keys);
        }
        unit
    }

    fn keys(records: &str) -> Vec<u64> {
        records.bytes().map(u64::from).collect()
    }

    /// What remains of it, where it has these records now, and whether it may lack some.
    fn remaining(unit: &UnitReplay, now: &str, goes_on: bool) -> Option<(String, bool)> {
        let most = (!unit.end.is_empty()).then_some(unit.records);
        let keys = keys(now);
        let found = unit.remaining(Now { records: now.len(), goes_on, keys: Some(&keys) }, most)?;
        Some((now[found.records].to_owned(), found.may_lack))
    }

    /// The same of one that does not go on now.
    fn rest(unit: &UnitReplay, now: &str) -> Option<String> {
        remaining(unit, now, false).map(|(records, _)| records)
    }

    #[test]
    fn what_remains_of_a_page_that_has_changed_is_found_by_its_records() {
        let cases = [
            ("abcde", 3, "abcde", Some("de")),
            // Inserted before the place, in the middle of it, behind it.
            ("abcde", 3, "xabcde", Some("de")),
            ("abcde", 3, "abxcde", Some("de")),
            ("abcde", 3, "abcxde", Some("xde")),
            ("abcde", 3, "abcdex", Some("dex")),
            // Deleted: one that is delivered, all of them, one that is not.
            ("abcde", 3, "acde", Some("de")),
            ("abcde", 3, "abde", Some("de")),
            ("abcde", 3, "de", Some("de")),
            ("abcde", 3, "abce", Some("e")),
            ("abcde", 3, "abc", Some("")),
            // Nothing is left to go by.
            ("abcde", 3, "e", None),
            ("abcde", 3, "xyz", None),
            ("abcde", 3, "", None),
            // In another order, what is delivered would come again.
            ("abcde", 3, "cabde", None),
            ("abcde", 3, "bcade", None),
            // Records that are the same.
            ("aaaa", 2, "aaaa", Some("aa")),
            ("aaaa", 2, "aaaaa", Some("aaa")),
            ("baaa", 2, "xbaaa", Some("aa")),
            ("aaab", 2, "xaaab", None),
            // Nothing is delivered yet.
            ("abcde", 0, "xbc", Some("xbc")),
        ];
        for (before, delivered, now, expected) in cases {
            let found = rest(&unit(before, delivered, false), now);
            assert_eq!(found.as_deref(), expected, "{before} after {delivered}: {now}");
        }
    }

    #[test]
    fn a_page_that_goes_on_ends_where_its_next_page_begins() {
        let cases = [
            ("abcde", 3, "abcdefgh", Some("de")),
            ("abcde", 3, "xabcde", Some("de")),
            ("abcde", 0, "abcdefgh", Some("abcde")),
            // Its last record was deleted: the next page begins behind it all the same.
            ("abcde", 3, "abcdfg", Some("d")),
            // Nothing tells where the next page begins.
            ("abcde", 3, "abcfgh", None),
            ("abcde", 0, "xabc", None),
        ];
        for (before, delivered, now, expected) in cases {
            let found = rest(&unit(before, delivered, true), now);
            assert_eq!(found.as_deref(), expected, "{before} after {delivered}: {now}");
        }
    }

    #[test]
    fn records_without_keys_are_counted() {
        let unit = UnitReplay { delivered: 3, records: 5, ..UnitReplay::default() };
        let remaining = |records, most| {
            let now = Now { records, goes_on: false, keys: None };
            unit.remaining(now, most).map(|found| found.records)
        };
        assert_eq!(remaining(5, None), Some(3..5));
        assert_eq!(remaining(9, None), Some(3..9));
        assert_eq!(remaining(9, Some(5)), Some(3..5));
        assert_eq!(remaining(2, Some(5)), Some(2..2));
    }

    #[test]
    fn the_place_is_unknown_where_it_may_be_in_a_page_that_was_not_there() {
        let rest = |unit: UnitReplay, now: &str| remaining(&unit, now, true).map(|(rest, _)| rest);
        assert_eq!(rest(unit("abcdef", 4, false), "a"), None);
        assert_eq!(rest(unit("abcdef", 4, false), "abcd").as_deref(), Some(""));
        assert_eq!(rest(unit("abcdef", 4, false), "abcde").as_deref(), Some("e"));
        assert_eq!(rest(unit("abcdef", 4, false), "abcx"), None);
        assert_eq!(rest(unit("abcdef", 4, false), "abcef").as_deref(), Some("ef"));
        let counted = UnitReplay { delivered: 3, records: 5, ..UnitReplay::default() };
        let counted = |records| counted.remaining(Now { records, goes_on: true, keys: None }, None);
        assert_eq!(counted(2), None);
        assert_eq!(counted(3).map(|found| found.records), Some(3..3));
    }

    #[test]
    fn a_page_that_goes_on_may_lack_what_was_pushed_out_of_it() {
        let may_lack = |now, goes_on| remaining(&unit("abcde", 1, true), now, goes_on);
        let expected = |rest: &str, may_lack| Some((rest.to_owned(), may_lack));
        assert_eq!(may_lack("abxcd", true), expected("bxcd", true));
        assert_eq!(may_lack("abcde", true), expected("bcde", false));
        // It was deleted.
        assert_eq!(may_lack("abcd", false), expected("bcd", false));
        assert_eq!(may_lack("abcdfg", false), expected("bcd", false));
        // So it was here, or another one was inserted before it.
        assert_eq!(may_lack("abcdfg", true), expected("bcd", true));
    }

    #[test]
    fn a_few_keys_are_kept_and_no_more() {
        let letters = ('a'..='z').collect::<String>();
        let unit = unit(&letters, 20, true);
        assert_eq!((unit.keys.len(), unit.end.len()), (8, 2));
        assert_eq!(rest(&unit, &letters).as_deref(), Some("uvwxyz"));
    }
}
