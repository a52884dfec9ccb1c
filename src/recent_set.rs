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
        if self.recent.len() == self.most {
            self.before = mem::replace(&mut self.recent, Table::new());
        }
        self.recent.insert(number);
    }
}

/// Numbers in their order, and a filter that mostly knows at once that one is new. The
/// numbers are hashes, so their bits are spread well.
#[derive(Debug)]
struct Table {
    numbers: Vec<u64>,
    /// As many words as a power of 2, or none. Three bits stand for each number.
    filter: Vec<u64>,
    /// So many numbers may be in it before the filter grows.
    room: usize,
}

/// How many bits of the filter there are for each number. So one of a thousand new numbers
/// is looked for in vain.
const BITS: usize = 32;

impl Table {
    const fn new() -> Self {
        Self { numbers: Vec::new(), filter: Vec::new(), room: 0 }
    }

    fn len(&self) -> usize {
        self.numbers.len()
    }

    #[inline]
    fn contains(&self, number: u64) -> bool {
        let Some(mask) = self.filter.len().checked_sub(1) else { return false };
        let may_be = bits(number, mask).all(|(word, bit)| self.filter[word] & bit != 0);
        may_be && self.is_in_list(number)
    }

    #[cold]
    fn is_in_list(&self, number: u64) -> bool {
        self.numbers.contains(&number)
    }

    #[inline]
    fn insert(&mut self, number: u64) {
        if self.numbers.len() >= self.room {
            self.grow();
        }
        self.numbers.push(number);
        self.set(number);
    }

    #[inline]
    fn set(&mut self, number: u64) {
        let mask = self.filter.len() - 1;
        for (word, bit) in bits(number, mask) {
            self.filter[word] |= bit;
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.room = (self.room * 32).max(64);
        self.filter = vec![0; (self.room * BITS / 64).next_power_of_two()];
        for index in 0..self.numbers.len() {
            self.set(self.numbers[index]);
        }
    }
}

/// The words and bits that stand for a number.
#[inline]
fn bits(number: u64, mask: usize) -> impl Iterator<Item = (usize, u64)> {
    [0, 21, 42].into_iter().map(move |shift| {
        let part = number.rotate_right(shift);
        // The mask takes the low bits, on every machine.
        #[allow(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
        let word = (part >> 6) as usize & mask;
        (word, 1 << (part & 63))
    })
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
        assert!(set.recent.len() + set.before.len() <= 2_000);
        assert!(set.recent.filter.len() + set.before.filter.len() <= 2 * 1_024);
    }
}
