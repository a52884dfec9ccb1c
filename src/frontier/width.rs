//! How many requests may be on their way, when the service asks for fewer.

/// The window, as far as the service bears it: it is halved when the service asks
/// for fewer requests, and grows by one each time that as many pages came through.
#[derive(Debug)]
pub(super) struct Width {
    most: usize,
    steady: usize,
}

impl Default for Width {
    fn default() -> Self {
        Self { most: usize::MAX, steady: 0 }
    }
}

impl Width {
    #[inline]
    pub(super) fn of(&self, window: usize) -> usize {
        window.min(self.most)
    }

    /// Takes in that so many requests at once were too many.
    pub(super) fn shrink(&mut self, in_flight: usize) {
        self.most = (self.most.min(in_flight) / 2).max(1);
        self.steady = 0;
    }

    /// Takes in that a page came through.
    #[inline]
    pub(super) fn succeed(&mut self) {
        if self.most == usize::MAX {
            return;
        }
        self.steady += 1;
        if self.steady >= self.most {
            self.most += 1;
            self.steady = 0;
        }
    }
}
