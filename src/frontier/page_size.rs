/// After how many pages a larger one is tried, at first and at most.
const PAGES_BEFORE_GROWTH: u32 = 8;
const MOST_PAGES_BEFORE_GROWTH: u32 = 1_024;

/// How often the full page size is halved, since larger pages failed.
#[derive(Debug)]
pub(super) struct PageSize {
    halvings: u32,
    /// Pages that came since the size changed.
    pages: u32,
    pages_before_growth: u32,
    /// Whether the size has grown since it last shrank.
    has_grown: bool,
}

impl Default for PageSize {
    fn default() -> Self {
        Self { halvings: 0, pages: 0, pages_before_growth: PAGES_BEFORE_GROWTH, has_grown: false }
    }
}

impl PageSize {
    pub(super) fn halvings(&self) -> u32 {
        self.halvings
    }

    /// A page failed that would have to be this much smaller.
    pub(super) fn shrink(&mut self, halvings: u32) {
        if halvings <= self.halvings {
            return; // it was larger than what is asked for by now
        }
        self.halvings = halvings;
        self.pages = 0;
        if std::mem::take(&mut self.has_grown) {
            // Growth failed, so the next one takes longer.
            self.pages_before_growth =
                self.pages_before_growth.saturating_mul(2).min(MOST_PAGES_BEFORE_GROWTH);
        }
    }

    /// A page came.
    #[inline]
    pub(super) fn page_came(&mut self) {
        if self.halvings == 0 {
            return;
        }
        self.pages += 1;
        if self.pages >= self.pages_before_growth {
            self.pages = 0;
            self.halvings -= 1;
            self.has_grown = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PageSize;

    /// After how many pages the size grows.
    fn pages_until_growth(size: &mut PageSize) -> u32 {
        let before = size.halvings();
        (1..10_000)
            .find(|_| {
                size.page_came();
                size.halvings() < before
            })
            .expect("it grows")
    }

    #[test]
    fn it_grows_after_eight_pages_and_after_twice_as_many_where_growth_failed() {
        let mut size = PageSize::default();
        size.shrink(2);
        assert_eq!(pages_until_growth(&mut size), 8);
        size.shrink(2);
        assert_eq!(pages_until_growth(&mut size), 16);
        assert_eq!(pages_until_growth(&mut size), 16);
        assert_eq!(size.halvings(), 0);
    }

    #[test]
    fn a_request_that_was_larger_than_what_is_asked_for_shrinks_nothing() {
        let mut size = PageSize::default();
        size.shrink(3);
        size.shrink(1);
        assert_eq!(size.halvings(), 3);
    }
}
