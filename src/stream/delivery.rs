use std::vec;

use crate::page::{Details, Failure};

/// What is left of the page being delivered. How far it is delivered is shared with
/// monitors, by a count alone: [`Shared::count`](super::shared::Shared::count).
pub(super) struct Delivery<R> {
    records: vec::IntoIter<R>,
    /// They come behind the records. Few pages have some, so this is a box.
    failures: Option<Box<vec::IntoIter<Failure>>>,
    /// Whether the limit on records cut the page, so that it is the last.
    is_cut: bool,
}

impl<R> Delivery<R> {
    /// No page.
    pub(super) fn none() -> Self {
        Self { records: Vec::new().into_iter(), failures: None, is_cut: false }
    }

    /// A page. `max_records` is how many records may still be delivered, and is counted
    /// down.
    #[inline]
    pub(super) fn new(
        mut records: Vec<R>,
        details: Option<Box<Details>>,
        max_records: &mut Option<u64>,
    ) -> Self {
        let mut is_cut = false;
        if let Some(left) = max_records {
            let most = usize::try_from(*left).unwrap_or(usize::MAX);
            is_cut = records.len() > most;
            records.truncate(most);
            *left -= records.len() as u64;
        }
        let failures = details.and_then(|details| failures(*details));
        Self { records: records.into_iter(), failures, is_cut }
    }

    #[inline]
    pub(super) fn next_record(&mut self) -> Option<R> {
        self.records.next()
    }

    /// All records that are left.
    pub(super) fn take_records(&mut self) -> Vec<R> {
        std::mem::take(&mut self.records).collect()
    }

    pub(super) fn next_failure(&mut self) -> Option<Failure> {
        self.failures.as_mut()?.next()
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub(super) fn records_left(&self) -> usize {
        self.records.len()
    }

    /// How many failures will be delivered.
    pub(super) fn failures_left(&self) -> usize {
        if self.is_cut { 0 } else { self.failures.as_ref().map_or(0, ExactSizeIterator::len) }
    }
}

fn failures(details: Details) -> Option<Box<vec::IntoIter<Failure>>> {
    let has_some = !details.failures.is_empty();
    has_some.then(|| Box::new(details.failures.into_iter()))
}
