use std::mem;

/// The numbers that were seen lately: the last `most` of them for certain, and up to twice
/// as many. It takes a few instructions for each, and memory for those that it holds.
#[derive(Debug)]
pub(crate) struct RecentSet {
    most: usize,
    recent: Table,
    /// The ones before them.
    before: Table,
}

impl RecentSet {
    pub(crate) const fn new(most: usize) -> Self {
        Self { most, recent: Table::new(), before: Table::new() }
    }

    #[inline]
    pub(crate) fn contains(&self, number: u64) -> bool {
        self.recent.contains(number) || self.before.contains(number)
    }

    #[inline]
    pub(crate) fn insert(&mut self, number: u64) {
        if self.recent.len == self.most {
            self.before = mem::replace(&mut self.recent, Table::new());
        }
        self.recent.insert(number);
    }
}

/// Numbers in a table with open addressing. They are hashes, so their bits are spread well.
#[derive(Debug)]
struct Table {
    /// As many as a power of 2, or none: 0, or a number and 1. So the number whose sum with
    /// 1 is 0 is never known.
    slots: Vec<u64>,
    /// How many numbers there are.
    len: usize,
}

/// How many slots there are at least for each number.
const SLOTS: usize = 2;

/// How many slots the first table has.
const FIRST: usize = 64;

/// How many times more slots the next table has.
const GROWTH: usize = 16;

impl Table {
    const fn new() -> Self {
        Self { slots: Vec::new(), len: 0 }
    }

    #[inline]
    fn contains(&self, number: u64) -> bool {
        let kept = number.wrapping_add(1);
        let mut index = self.first(number);
        loop {
            match self.slots.get(index) {
                None | Some(0) => return false,
                Some(slot) if *slot == kept => return true,
                Some(_) => index = self.behind(index),
            }
        }
    }

    #[inline]
    fn insert(&mut self, number: u64) {
        if self.len * SLOTS >= self.slots.len() {
            self.grow();
        }
        self.len += 1;
        let mut index = self.first(number);
        while self.slots[index] != 0 {
            index = self.behind(index);
        }
        self.slots[index] = number.wrapping_add(1);
    }

    #[cold]
    fn grow(&mut self) {
        let slots = vec![0; (self.slots.len() * GROWTH).max(FIRST)];
        let before = mem::replace(self, Self { slots, len: 0 });
        for slot in before.slots.into_iter().filter(|slot| *slot != 0) {
            self.insert(slot.wrapping_sub(1));
        }
    }

    /// The slot at which a number is looked for first.
    #[inline]
    fn first(&self, number: u64) -> usize {
        // The mask takes the low bits, on every machine.
        #[allow(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
        let low = number as usize;
        low & self.slots.len().wrapping_sub(1)
    }

    /// The slot at which it is looked for then.
    #[inline]
    fn behind(&self, index: usize) -> usize {
        (index + 1) & self.slots.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::RecentSet;

    proptest! {
        #[test]
        fn the_last_numbers_are_known_and_no_others(
            numbers in vec(prop_oneof![0..200_u64, any::<u64>()], 0..500), most in 1..64_usize,
        ) {
            let mut set = RecentSet::new(most);
            for (index, number) in numbers.iter().enumerate() {
                let before = &numbers[..index];
                let lately = &before[index.saturating_sub(most)..];
                let is_known = set.contains(*number);
                prop_assert!(is_known || !lately.contains(number));
                prop_assert!(!is_known || before.contains(number));
                set.insert(*number);
            }
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut set = RecentSet::new(1_000);
        for number in 0..100_000_u64 {
            set.insert(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        }
        assert!(set.recent.len + set.before.len <= 2_000);
        assert!(set.recent.slots.len() + set.before.slots.len() <= 2 * 16_384);
    }
}
