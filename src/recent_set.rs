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

/// A table of numbers with linear probing. The numbers are hashes, so they are spread well.
#[derive(Debug)]
struct Table {
    /// As many as a power of 2, or none; 0 where a slot is free.
    slots: Vec<u64>,
    len: usize,
}

impl Table {
    const fn new() -> Self {
        Self { slots: Vec::new(), len: 0 }
    }

    /// The slot of a number, or the free one where it would be.
    #[inline]
    fn slot(&self, number: u64) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        // The mask takes the low bits, on every machine.
        #[allow(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
        let mut slot = number as usize & mask;
        while self.slots[slot] != 0 && self.slots[slot] != number {
            slot = (slot + 1) & mask;
        }
        Some(slot)
    }

    #[inline]
    fn contains(&self, number: u64) -> bool {
        let number = number.max(1);
        self.slot(number).is_some_and(|slot| self.slots[slot] == number)
    }

    #[inline]
    fn insert(&mut self, number: u64) {
        if self.len * 2 >= self.slots.len() {
            self.grow();
        }
        let number = number.max(1);
        if let Some(slot) = self.slot(number)
            && self.slots[slot] == 0
        {
            self.slots[slot] = number;
            self.len += 1;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        let slots = mem::replace(&mut self.slots, vec![0; size]);
        for number in slots.into_iter().filter(|number| *number != 0) {
            if let Some(slot) = self.slot(number) {
                self.slots[slot] = number;
            }
        }
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
                // 0 and 1 are one.
                prop_assert!(!is_known || before.contains(number) || *number < 2);
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
        assert!(set.recent.slots.len() + set.before.slots.len() <= 2 * 2_048);
    }
}
