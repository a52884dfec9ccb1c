use std::collections::HashSet;

use crate::{
    error::{Error, ErrorKind},
    keys::Keys,
    page::Page,
    replay::{Repeated, UnitReplay},
};

/// Keeps what is new in the page behind one that led to its own cursor. Where nothing is, it
/// does not lead there again.
///
/// It drops records, which is the code of a user, so nothing is locked meanwhile.
///
/// # Errors
///
/// Records that have no keys, so that nobody can say which are new.
pub(super) fn keep_new<R, C: PartialEq>(
    mut page: Page<R, C>,
    cursor: &C,
    before: &Repeated,
) -> Result<Page<R, C>, Error> {
    let records = page.records.len();
    let details = page.details_mut();
    let is_new = if records == 0 || before.records == 0 {
        vec![true; records]
    } else {
        let keys = details.keys.as_ref().map(Keys::get).filter(|keys| keys.len() == records);
        let (Some(keys), Some(before), true) = (&keys, &before.keys, details.units.is_empty())
        else {
            return Err(Error::new(ErrorKind::Contract, WITHOUT_KEYS));
        };
        let before = before.iter().collect::<HashSet<_>>();
        let is_new = keys.iter().map(|key| !before.contains(key)).collect::<Vec<_>>();
        let mut known = UnitReplay::default();
        let (new, old): (Vec<u64>, Vec<u64>) = keys.iter().partition(|key| !before.contains(key));
        known.delivered = old.len();
        known.records = records;
        known.add_delivered(&old);
        details.passed_over += old.len();
        details.resumed = vec![known];
        details.all_keys = Some(keys.clone());
        details.keys = Some(new.into_iter().collect());
        is_new
    };
    if is_new.contains(&true) {
        let mut is_new = is_new.into_iter();
        page.records.retain(|_| is_new.next().unwrap_or_default());
    } else {
        page.records.clear();
        page.next.retain(|next| *next != *cursor);
    }
    Ok(page)
}

const WITHOUT_KEYS: &str = "the page led to its own cursor, and the page behind it has records, \
                            of which nobody can say whether they are new: say with `keyed` what \
                            tells them apart";
