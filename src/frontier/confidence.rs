//! How far guesses may run ahead of what the service has said.

/// After this many pages alone a service that contradicts every guess is tried
/// again, at the latest.
const LONGEST_CAUTION: u32 = 64;

/// Guesses run ahead as far as the window allows, until one is contradicted. Then
/// one is tried, and twice as many with each that is confirmed. A service that
/// contradicts them one after the other is read without for a while.
#[derive(Debug)]
pub(super) struct Confidence {
    guesses: usize,
    /// Contradictions since the last guess that was right.
    misses: u32,
    /// How many pages are read before the next guess.
    caution: u32,
}

impl Default for Confidence {
    fn default() -> Self {
        Self { guesses: usize::MAX, misses: 0, caution: 0 }
    }
}

impl Confidence {
    /// Whether there may be one more guess beside so many.
    pub(super) fn allows(&self, guesses: usize) -> bool {
        self.caution == 0 && guesses < self.guesses
    }

    pub(super) fn confirmed(&mut self) {
        self.guesses = self.guesses.saturating_mul(2);
        self.misses = 0;
    }

    pub(super) fn contradicted(&mut self) {
        self.guesses = 1;
        self.caution = 1_u32
            .checked_shl(self.misses)
            .map_or(LONGEST_CAUTION, |pages| pages.min(LONGEST_CAUTION))
            - 1;
        self.misses = self.misses.saturating_add(1);
    }

    /// Takes in a page to which no guess led.
    pub(super) fn unguessed(&mut self) {
        self.caution = self.caution.saturating_sub(1);
    }
}
