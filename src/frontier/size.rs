//! How large the pages are that are asked for.

/// How many pages come through before a larger one is tried.
const PROBATION: u32 = 8;
const LONGEST_PROBATION: u32 = 1_024;

/// How often the full size is halved, because larger pages did not come through.
#[derive(Debug)]
pub(super) struct Size {
    pub(super) halvings: u32,
    /// Pages that came through since the size changed.
    steady: u32,
    probation: u32,
    /// Whether the size has grown since it last shrank.
    grown: bool,
}

impl Default for Size {
    fn default() -> Self {
        Self { halvings: 0, steady: 0, probation: PROBATION, grown: false }
    }
}

impl Size {
    /// Takes in that pages must be this much smaller.
    pub(super) fn shrink(&mut self, halvings: u32) {
        if halvings <= self.halvings {
            return; // it was larger than what is asked for by now
        }
        self.halvings = halvings;
        self.steady = 0;
        if std::mem::take(&mut self.grown) {
            // To grow was in vain, so the next time takes longer.
            self.probation = self.probation.saturating_mul(2).min(LONGEST_PROBATION);
        }
    }

    /// Takes in that a page came through.
    #[inline]
    pub(super) fn succeed(&mut self) {
        if self.halvings == 0 {
            return;
        }
        self.steady += 1;
        if self.steady >= self.probation {
            self.steady = 0;
            self.halvings -= 1;
            self.grown = true;
        }
    }
}
