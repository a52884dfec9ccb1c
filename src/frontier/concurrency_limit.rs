/// How many requests may be in flight, as far as the service allows: half as many
/// when it asks for fewer requests, and one more each time that as many pages came
/// (additive increase, multiplicative decrease).
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    limit: usize,
    /// Pages that came since the limit changed.
    pages: usize,
}

impl Default for ConcurrencyLimit {
    fn default() -> Self {
        Self { limit: usize::MAX, pages: 0 }
    }
}

impl ConcurrencyLimit {
    /// How many of a window's requests may be in flight.
    #[inline]
    pub(super) fn of(&self, window: usize) -> usize {
        window.min(self.limit)
    }

    /// So many requests in flight were too many.
    pub(super) fn decrease(&mut self, in_flight: usize) {
        self.limit = (self.limit.min(in_flight) / 2).max(1);
        self.pages = 0;
    }

    /// A page came.
    #[inline]
    pub(super) fn page_came(&mut self) {
        if self.limit == usize::MAX {
            return;
        }
        self.pages += 1;
        if self.pages >= self.limit {
            self.limit += 1;
            self.pages = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ConcurrencyLimit;

    #[test]
    fn it_is_halved_and_grows_by_one_for_as_many_pages() {
        let mut limit = ConcurrencyLimit::default();
        assert_eq!(limit.of(8), 8);
        limit.decrease(8);
        assert_eq!(limit.of(8), 4);
        (0..4).for_each(|_| limit.page_came());
        assert_eq!(limit.of(8), 5);
        (0..5).for_each(|_| limit.page_came());
        assert_eq!(limit.of(8), 6);
    }

    #[test]
    fn one_request_may_always_be_in_flight() {
        let mut limit = ConcurrencyLimit::default();
        (0..10).for_each(|_| limit.decrease(1));
        assert_eq!(limit.of(8), 1);
    }
}
