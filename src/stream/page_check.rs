use crate::{
    checkpoint::Replay,
    error::{Error, ErrorKind},
    frontier::PageShape,
    page::Page,
};

/// Checks each page against the ones that were delivered before it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PageCheck {
    /// Empty pages in a row.
    empty_pages: u64,
    /// The digest of the last page that was delivered whole.
    pub(super) last_digest: Option<u64>,
}

impl PageCheck {
    /// Checks the page that is delivered next.
    ///
    /// # Errors
    ///
    /// A page that is the same as the one before, and one more empty page than there may
    /// be. A batch makes headway without a record, too.
    pub(super) fn check<R, C>(
        &mut self,
        page: &Page<R, C>,
        max_empty_pages: u64,
    ) -> Result<(), Error> {
        let details = page.details();
        let is_empty = page.records.is_empty()
            && details.is_none_or(|it| it.failures.is_empty() && it.units.is_empty());
        self.empty_pages = if is_empty { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > max_empty_pages {
            let message = format!(
                "the service gave {} empty pages in a row: raise `max_empty_pages` if it may",
                self.empty_pages
            );
            return Err(Error::new(ErrorKind::Loop, message));
        }
        let digest = details.and_then(|details| details.digest);
        if digest.is_some() && digest == self.last_digest && !page.records.is_empty() {
            return Err(Error::new(
                ErrorKind::Loop,
                "the service gave the same page again, as if it did not look at the cursor",
            ));
        }
        Ok(())
    }
}

/// Says so if a page that is read again has shrunk.
pub(super) fn check_replay<R, C>(page: &mut Page<R, C>, replay: Replay) {
    let records = page.records.len();
    if records >= replay.expected || page.failures().next().is_some() {
        return;
    }
    let message = format!(
        "a page that is read again holds {records} records and held {}: some may be missing, or \
         were deleted",
        replay.expected
    );
    page.fail(None, Error::new(ErrorKind::Changed, message));
}

/// What the frontier needs to know of a page.
pub(super) fn shape<R, C>(page: &Page<R, C>) -> Result<PageShape, Error> {
    let records = page.records.len();
    let Some(details) = page.details() else {
        return Ok(PageShape { records, parts: None });
    };
    let in_units = details.units.iter().sum::<usize>();
    if !details.units.is_empty() && in_units != records {
        let message = format!("a page's units hold {in_units} records, and the page {records}");
        return Err(Error::new(ErrorKind::Contract, message));
    }
    let failures = details.failures.iter().map(|failure| failure.unit).collect();
    Ok(PageShape::new(records, details.units.clone(), failures))
}
