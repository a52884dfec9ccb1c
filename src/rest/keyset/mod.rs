mod bound;
mod records;

use std::cmp::Ordering;

pub use self::bound::Bound;
use self::bound::Mark;
pub(super) use self::records::Keyed;
use super::{
    answer::Answer,
    cursor_place::CursorPlace,
    end::{End, contradiction, end_setters, without_end},
    style::{Next, Style},
};
use crate::{
    error::{Error, ErrorKind},
    http::PageRequest,
    json::Pointer,
};

/// Pages by the key of the last record: the next request asks for what comes behind it.
///
/// **When your API looks like this:** `?starting_after=ch_17`, `?since_id=9`, or
/// `?updated_since=2026-01-01T00:00:00Z` with records sorted by that time.
///
/// The service must sort the records by the key, ascending or descending. If it wants to be told,
/// put that into the query. When records come and go, a key still means the same place. An offset
/// does not.
///
/// The bound is the key behind which the next page begins. By default it is exclusive, as in
/// `id > 17`. Then each record needs a key of its own. Two equal keys at the end of a page are an
/// error, since a third record with this key would be lost. A page that begins with the bound
/// itself is an error too. If records share a key, such as a time, use
/// [`inclusive`](Self::inclusive).
///
/// You must choose how the end is told: [`more_at`](Self::more_at),
/// [`done_at`](Self::done_at), [`until_empty`](Self::until_empty) or
/// [`until_short`](Self::until_short).
///
/// A key can't be predicted, so a [window](crate::Read::window) asks for one page ahead.
///
/// # What comes later
///
/// Say the order, and a reading that has ended leaves a place from which a later one gets what has
/// come since: [`Checkpoint::later`](crate::Checkpoint::later).
///
/// - If keys [ascend](Self::ascending), the later reading goes on behind the last key.
/// - If they [descend](Self::descending), the newest records come first. The later reading ends at
///   the first key of the reading before it.
/// - With an inclusive bound, some records at the border share its key. Those that were not there
///   before come.
///
/// A reading that was stopped before its end leaves nothing for later, so no record is missed.
///
/// ```
/// use pagestream::rest::Keyset;
///
/// let stripe = Keyset::query("starting_after").key("/id").more_at("/has_more");
/// let changes = Keyset::query("updated_since").key("/updated_at").inclusive().until_short();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Keyset {
    place: CursorPlace,
    key: String,
    tie: Option<String>,
    is_inclusive: bool,
    order: Option<Ordering>,
    end: Option<End>,
}

impl Keyset {
    fn new(place: CursorPlace) -> Self {
        Self {
            place,
            key: "/id".to_owned(),
            tie: None,
            is_inclusive: false,
            order: None,
            end: None,
        }
    }

    /// The key is the value of this name in the query.
    pub fn query(name: impl Into<String>) -> Self {
        Self::new(CursorPlace::Query(name.into()))
    }

    /// The key is in the body, at a JSON pointer such as `/filter/after`.
    pub fn body(pointer: impl Into<String>) -> Self {
        Self::new(CursorPlace::body(pointer))
    }

    /// Where a record has its key, as a JSON pointer into the record: `/id` by default.
    pub fn key(mut self, pointer: impl Into<String>) -> Self {
        self.key = pointer.into();
        self
    }

    /// The bound includes its key, as in `updated_at >= t`. So the records with this key come again
    /// with the next page. Those that came before are left out. They are known by their text, or by
    /// what [`tie_at`](Self::tie_at) says. If a page has no other records, and is not the end, that
    /// is an error. Then a larger limit helps.
    pub fn inclusive(mut self) -> Self {
        self.is_inclusive = true;
        self
    }

    /// What tells records with the same key apart, as a JSON pointer into a record, such as `/id`.
    /// Without it, they are compared by their text, so a record that has changed meanwhile comes
    /// again.
    pub fn tie_at(mut self, pointer: impl Into<String>) -> Self {
        self.tie = Some(pointer.into());
        self
    }

    /// The keys ascend, and each page is checked for that. They are numbers or texts. Numbers are
    /// compared as numbers, texts as texts.
    pub fn ascending(mut self) -> Self {
        self.order = Some(Ordering::Less);
        self
    }

    /// The keys descend, and each page is checked for that.
    pub fn descending(mut self) -> Self {
        self.order = Some(Ordering::Greater);
        self
    }

    end_setters!(
        more_at,
        done_at,
        /// With an inclusive bound, the request needs a limit. Otherwise a page that the service
        /// makes shorter may look like the end.
        until_empty,
        until_short,
    );
}

impl Style for Keyset {
    type Cursor = Bound;

    fn start(&self) -> Bound {
        Bound::default()
    }

    fn apply(&self, cursor: &Bound, request: &mut PageRequest<'_>) -> Result<(), Error> {
        cursor.key.as_ref().map_or(Ok(()), |key| self.place.set(key, request))
    }

    fn next(&self, cursor: &Bound, answer: &Answer<'_>) -> Result<Next<Bound>, Error> {
        let page = self.keyed(answer)?;
        self.check_bound(cursor, &page)?;
        let mut left_out = page.seen(&cursor.seen);
        let (behind, is_behind) = page.read_before(cursor.until.as_deref(), self.is_inclusive)?;
        let newest = self.newest(cursor, &page);
        let is_end = is_behind || self.is_last(cursor, &page, &left_out, answer)?;
        left_out.extend(behind);
        if is_end {
            let later = self.later(cursor, newest, &page);
            return Ok(Next::end().leaving_out(left_out).with_later(later));
        }
        let Some((last, ties)) = page.last() else {
            return Err(contradiction(
                "the page has no records, and the service says that it is not the end",
            ));
        };
        let next = Bound { newest, until: cursor.until.clone(), ..Bound::default() };
        if !self.is_inclusive {
            if ties > 1 {
                return Err(contradiction(format!(
                    "the last records of the page share the key {last}, so the next page may \
                     leave out others with it: sort by a key that is unique, or call `inclusive` \
                     if the service includes the key that it is asked for"
                )));
            }
            return Ok(Next::at(Bound { key: Some(last.clone()), ..next }));
        }
        if ties == page.len() && (ties > 1 || cursor.key.as_ref() == Some(last)) {
            return Err(contradiction(format!(
                "all {} records of the page have the key {last}, so the next page would have the \
                 same: raise the limit, or sort by a finer key; or call `until_short` if the \
                 service gives as many records as it is asked for",
                page.len()
            )));
        }
        let seen = page.last_digests(ties);
        let most = cursor.most.unwrap_or(0).max(page.len() as u64);
        let next = Bound { key: Some(last.clone()), seen, most: Some(most), ..next };
        Ok(Next::at(next).leaving_out(left_out))
    }

    fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        self.check_keys()?;
        let Some(end) = &self.end else {
            let methods = "`more_at`, `done_at`, `until_empty` or `until_short`";
            return Err(without_end("Keyset", methods));
        };
        end.check(limit)
    }
}

impl Keyset {
    /// Checks all but the end.
    pub(super) fn check_keys(&self) -> Result<(), Error> {
        self.place.check()?;
        for pointer in [Some(&self.key), self.tie.as_ref()].into_iter().flatten() {
            if Pointer::parse(pointer).is_none() {
                let message = format!("invalid JSON pointer {pointer:?} into a record");
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        }
        Ok(())
    }

    /// Checks that an exclusive bound excludes its key. Otherwise its record comes again.
    pub(super) fn check_bound(&self, bound: &Bound, page: &Keyed<'_>) -> Result<(), Error> {
        match (&bound.key, page.keys.first()) {
            (Some(key), Some(first)) if !self.is_inclusive && key == first => {
                Err(contradiction(format!(
                    "the page behind the key {key} begins with it again: call `inclusive`, if the \
                     service includes the key that it is asked for"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Whether records share keys, and the bound includes its key.
    pub(super) fn is_inclusive(&self) -> bool {
        self.is_inclusive
    }

    fn is_last(
        &self,
        cursor: &Bound,
        page: &Keyed<'_>,
        seen: &[usize],
        answer: &Answer<'_>,
    ) -> Result<bool, Error> {
        match &self.end {
            Some(End::Empty) => {
                let has_new = page.len() > seen.len();
                // A page with the key of the bound alone, and with room for more, is the last.
                let is_behind = page.keys.iter().all(|key| cursor.key.as_ref() == Some(key));
                let is_end = !has_new || is_behind && self.is_inclusive;
                Ok(is_end && !self.may_hide_ties(cursor, page.len(), answer))
            }
            Some(end) => end.is_told(answer),
            None => Ok(false),
        }
    }

    /// Whether a page with the key of the bound alone may have been cut, so that more records
    /// with its key are hidden behind it.
    fn may_hide_ties(&self, cursor: &Bound, records: usize, answer: &Answer<'_>) -> bool {
        let count = records as u64;
        let is_full = answer.limit().is_some_and(|limit| count >= limit);
        let is_longest = cursor.most.is_some_and(|most| count >= most);
        // A service that has one record in all gives no more, whatever its page may hold.
        self.is_inclusive && (is_full || is_longest && records > 1)
    }

    /// The first key of a reading whose keys descend: a later one ends there.
    fn newest(&self, cursor: &Bound, page: &Keyed<'_>) -> Option<Box<Mark>> {
        if self.order != Some(Ordering::Greater) {
            return None;
        }
        let (first, digests) = page.first()?;
        match cursor.newest.clone() {
            None => Some(Box::new(Mark { key: first.clone(), seen: digests })),
            Some(mut newest) => {
                if newest.key == *first {
                    newest.add(digests);
                }
                Some(newest)
            }
        }
    }

    /// Where a later reading begins, when this page is the last.
    fn later(&self, cursor: &Bound, newest: Option<Box<Mark>>, page: &Keyed<'_>) -> Option<Bound> {
        match self.order? {
            Ordering::Greater => {
                let until = newest.or_else(|| cursor.newest.clone()).or(cursor.until.clone());
                Some(Bound { until, ..Bound::default() })
            }
            _ => Some(match page.last() {
                Some((last, ties)) => {
                    let mut seen = page.last_digests(ties);
                    if cursor.key.as_ref() == Some(last) {
                        let missing = cursor.seen.iter().filter(|it| !seen.contains(it)).copied();
                        seen.extend(missing.collect::<Vec<_>>());
                    }
                    let seen = if self.is_inclusive { seen } else { Vec::new() };
                    Bound { key: Some(last.clone()), seen, ..Bound::default() }
                }
                None => Bound { most: None, ..cursor.clone() },
            }),
        }
    }
}
