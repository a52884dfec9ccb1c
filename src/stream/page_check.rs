use std::mem;

use crate::{
    error::{Error, ErrorKind},
    frontier::{PageShape, Parts},
    keys::Keys,
    page::Page,
    recent_set::RecentSet,
};

/// Checks each page against the ones that were delivered before it.
#[derive(Debug)]
pub(super) struct PageCheck {
    /// Empty pages in a row.
    empty_pages: u64,
    /// The digest of the last page that was delivered whole.
    last_digest: Option<u64>,
    /// The digests of the pages before it.
    digests: RecentSet,
}

/// Whether a page has records that did not come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Novelty {
    /// It has some; or nobody knows.
    New,
    /// All of them came before.
    Nothing,
    /// It was delivered before, and the list is read anew up to what was not.
    PassedOver,
}

/// How many of the last pages are compared with each page.
const COMPARED: usize = 2_048;

impl PageCheck {
    pub(super) fn new(last_digest: Option<u64>) -> Self {
        Self { empty_pages: 0, last_digest, digests: RecentSet::new(COMPARED) }
    }

    pub(super) fn last_digest(&self) -> Option<u64> {
        self.last_digest
    }

    /// A page with this digest is delivered whole.
    #[inline]
    pub(super) fn delivered(&mut self, digest: Option<u64>) {
        if let Some(last) = self.last_digest {
            self.digests.insert(last);
        }
        self.last_digest = digest;
    }

    /// Checks the page that is delivered next.
    ///
    /// # Errors
    ///
    /// A page that is the same as one before, and one more empty page than there may
    /// be. A batch makes headway without a record, too.
    pub(super) fn check<R, C>(
        &mut self,
        page: &Page<R, C>,
        novelty: Novelty,
        max_empty_pages: u64,
    ) -> Result<(), Error> {
        let details = page.details();
        let is_empty = page.records.is_empty()
            && details.is_none_or(|it| {
                it.failures.is_empty() && it.units.is_empty() && !it.makes_headway
            });
        self.empty_pages = match novelty {
            Novelty::PassedOver => self.empty_pages,
            Novelty::New if !is_empty => 0,
            Novelty::New | Novelty::Nothing => self.empty_pages + 1,
        };
        if self.empty_pages > max_empty_pages {
            let message = format!(
                "the service gave {} pages in a row without a new record: raise \
                 `max_empty_pages` if it may",
                self.empty_pages
            );
            return Err(Error::new(ErrorKind::Loop, message));
        }
        let Some(digest) = details.and_then(|details| details.digest) else { return Ok(()) };
        // One record alone may look like another one that was far away.
        let came_before = match page.records.len() {
            0 => false,
            1 => self.last_digest == Some(digest),
            _ => self.last_digest == Some(digest) || self.digests.contains(digest),
        };
        if !came_before {
            return Ok(());
        }
        let message = if self.last_digest == Some(digest) {
            "the service gave the same page again, as if it did not look at the cursor"
        } else {
            "the service gave a page again that it gave some pages before, as if it began anew"
        };
        Err(Error::new(ErrorKind::Loop, message))
    }
}

/// What the frontier needs to know of a page. Its keys are taken out of it.
pub(super) fn shape<R, C>(page: &mut Page<R, C>) -> Result<PageShape, Error> {
    let records = page.records.len();
    if page.details().is_none() {
        return Ok(PageShape { records, ..PageShape::default() });
    }
    let leads_on = !page.next.is_empty();
    let details = page.details_mut();
    let in_units = details.units.iter().map(|unit| unit.records).sum::<usize>();
    if !details.units.is_empty() && in_units != records {
        let message = format!("a page's units hold {in_units} records, and the page {records}");
        return Err(Error::new(ErrorKind::Contract, message));
    }
    let goes_on = details.units.is_empty() || details.units.iter().any(|unit| unit.goes_on);
    if leads_on && !goes_on {
        let message = "a page leads on, and none of its units goes on: give the ones that do as \
                       `Unit::going_on`";
        return Err(Error::new(ErrorKind::Contract, message));
    }
    if let Some(keys) = details.keys.as_ref().and_then(Keys::known)
        && keys != records
    {
        let message = format!("a page has {keys} keys, and {records} records");
        return Err(Error::new(ErrorKind::Contract, message));
    }
    let passed_over = details.passed_over + usize::try_from(details.skipped).unwrap_or(usize::MAX);
    let parts = Parts {
        units: details.units.clone(),
        failures: details.failures.iter().map(|failure| failure.unit).collect(),
        keys: details.keys.take(),
        all_keys: details.all_keys.take(),
        positions: details.by_offset.then(|| records.saturating_add(passed_over)),
        resumed: mem::take(&mut details.resumed),
    };
    Ok(PageShape { records, goes_on: false, parts: Some(Box::new(parts)) })
}
