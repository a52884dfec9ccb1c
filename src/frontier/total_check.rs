/// What the totals of a service say when the reading has ended.
#[derive(Debug, Default)]
pub(super) struct TotalCheck {
    last: Option<u64>,
    largest: u64,
    /// By how much it shrank from page to page, where pages are read by offset.
    shrunk: u64,
}

impl TotalCheck {
    /// A page came with a total.
    pub(super) fn add(&mut self, total: u64, is_by_offset: bool) {
        if is_by_offset && let Some(last) = self.last {
            self.shrunk = self.shrunk.saturating_add(last.saturating_sub(total));
        }
        self.last = Some(total);
        self.largest = self.largest.max(total);
    }

    /// What contradicts an end after so many records.
    pub(super) fn mismatch(&self, records: u64) -> Option<String> {
        let last = self.last?;
        // A total that falls to 0 is the mark of a service that forgot the list.
        let expected = if last == 0 { self.largest } else { last };
        if records < expected {
            return Some(format!(
                "the service says that there are {expected} records, and the list ended after \
                 {records}: some may be missing"
            ));
        }
        (self.shrunk > 0).then(|| {
            format!(
                "the total of the service fell by {} while pages were read by offset: as many \
                 records may be missing, since those behind a deleted one move forward",
                self.shrunk
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TotalCheck;

    fn mismatch(totals: &[u64], is_by_offset: bool, records: u64) -> Option<String> {
        let mut check = TotalCheck::default();
        for total in totals {
            check.add(*total, is_by_offset);
        }
        check.mismatch(records)
    }

    #[test]
    fn an_end_before_the_last_total_is_a_mismatch_and_so_is_a_total_that_fell() {
        let cases = [
            (&[100, 100][..], false, 100, None),
            (&[100, 90], false, 90, None),
            (&[], false, 0, None),
            (&[100, 90], true, 90, Some("fell by 10")),
            (&[100, 110, 105], true, 105, Some("fell by 5")),
            (&[100, 100], true, 99, Some("100 records, and the list ended after 99")),
            (&[100, 0], false, 60, Some("100 records, and the list ended after 60")),
            (&[100, 0], false, 100, None),
        ];
        for (totals, is_by_offset, records, expected) in cases {
            let found = mismatch(totals, is_by_offset, records);
            let is_right = match (&found, expected) {
                (Some(found), Some(expected)) => found.contains(expected),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(is_right, "{totals:?}, {records}: {found:?}");
        }
    }
}
