use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{
    answer::Answer,
    at::At,
    cursor_place::CursorPlace,
    end::{End, contradiction, without_end},
    style::{Next, Style},
};
use crate::{
    error::{Error, ErrorKind},
    http::PageRequest,
    json::{Pointer, find},
    keys::key,
    opaque_cursor::OpaqueCursor,
};

/// Pages by the key of the last record: the next request asks for what comes behind it.
///
/// **When your API looks like this:** `?starting_after=ch_17`, `?since_id=9`, or
/// `?updated_since=2026-01-01T00:00:00Z` with records sorted by that time.
///
/// The service sorts the records by the key, ascending or descending; the query says which. A
/// key means the same place when records come and go, which an offset does not.
///
/// By default the bound is exclusive, as in `id > 17`, and each record needs a key of its own:
/// two equal keys at the end of a page are an error, since a third one would be lost. With a
/// key that records share, such as a time, use a bound that includes it
/// ([`inclusive`](Self::inclusive)).
///
/// What says that the list is at its end must be chosen: [`more_at`](Self::more_at),
/// [`done_at`](Self::done_at), [`until_empty`](Self::until_empty) or
/// [`until_short`](Self::until_short).
///
/// A key can't be predicted, so a [window](crate::Read::window) asks for one page ahead.
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

/// A cursor of [`Keyset`]: the key behind which the page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<OpaqueCursor>,
    /// What was read of the records with this key, if the bound includes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seen: Vec<u64>,
    /// The most records that a page had, if the bound is inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    most: Option<u64>,
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
        Self::new(CursorPlace::Body(pointer.into()))
    }

    /// Where a record has its key, as a JSON pointer into the record: `/id` by default.
    pub fn key(mut self, pointer: impl Into<String>) -> Self {
        self.key = pointer.into();
        self
    }

    /// The bound includes its key, as in `updated_at >= t`. The records with the key of the
    /// bound come again with the next page, and those that were there before are left out. They
    /// are compared by their text, or by what [`tie_at`](Self::tie_at) says. A page with
    /// nothing else is an error, unless it is the end: a larger limit helps.
    pub fn inclusive(mut self) -> Self {
        self.is_inclusive = true;
        self
    }

    /// What tells records with the same key apart, as a JSON pointer into a record, such as
    /// `/id`. Without it, one that is changed meanwhile comes again.
    pub fn tie_at(mut self, pointer: impl Into<String>) -> Self {
        self.tie = Some(pointer.into());
        self
    }

    /// Checks that the keys of each page ascend. They are numbers or texts, compared as such.
    pub fn ascending(mut self) -> Self {
        self.order = Some(Ordering::Less);
        self
    }

    /// Checks that the keys of each page descend.
    pub fn descending(mut self) -> Self {
        self.order = Some(Ordering::Greater);
        self
    }

    /// There is more while the flag at this place is true.
    pub fn more_at(mut self, at: impl Into<At>) -> Self {
        self.end = Some(End::More(at.into()));
        self
    }

    /// The end is where the flag at this place is true.
    pub fn done_at(mut self, at: impl Into<At>) -> Self {
        self.end = Some(End::Done(at.into()));
        self
    }

    /// The end is a page without a new record. It is right for each service.
    pub fn until_empty(mut self) -> Self {
        self.end = Some(End::Empty);
        self
    }

    /// The end is a page with fewer records than asked for. Choose it only where the
    /// service promises full pages.
    pub fn until_short(mut self) -> Self {
        self.end = Some(End::Short);
        self
    }

    fn key_of(&self, record: &RawValue, index: usize) -> Result<OpaqueCursor, Error> {
        let found = Pointer::parse(&self.key).and_then(|it| find(record.get(), &it).ok().flatten());
        let cursor = found.and_then(|found| serde_json::from_str::<OpaqueCursor>(found.get()).ok());
        cursor.filter(|key| !key.is_empty()).ok_or_else(|| {
            contradiction(format!("missing key at {:?} of record {index} of the page", self.key))
        })
    }

    fn digest(&self, record: &RawValue) -> u64 {
        let tie = self.tie.as_deref().and_then(Pointer::parse);
        let found = tie.and_then(|tie| find(record.get(), &tie).ok().flatten());
        key(found.unwrap_or(record).get())
    }

    /// The indices of the records that were there before.
    fn seen(&self, cursor: &Bound, answer: &Answer<'_>) -> Vec<usize> {
        let mut seen = cursor.seen.clone();
        let records = answer.records().iter().enumerate();
        let is_seen = records.filter(|(_, record)| {
            let digest = self.digest(record);
            let found = seen.iter().position(|it| *it == digest);
            found.map(|at| seen.swap_remove(at)).is_some()
        });
        is_seen.map(|(index, _)| index).collect()
    }

    fn check_order(&self, keys: &[OpaqueCursor]) -> Result<(), Error> {
        let Some(order) = self.order else { return Ok(()) };
        for (index, pair) in keys.windows(2).enumerate() {
            let found = compared(&pair[0], &pair[1]);
            if !found.is_some_and(|found| found == order || found == Ordering::Equal) {
                let (name, method) = match order {
                    Ordering::Less => ("ascending", "descending"),
                    _ => ("descending", "ascending"),
                };
                return Err(contradiction(format!(
                    "the keys of records {index} and {} are not {name}: let the query sort by \
                     {:?}, or call `{method}`",
                    index + 1,
                    self.key
                )));
            }
        }
        Ok(())
    }
}

/// The order of two keys, if both are numbers or both are texts.
fn compared(left: &OpaqueCursor, right: &OpaqueCursor) -> Option<Ordering> {
    let value = |key: &OpaqueCursor| serde_json::to_value(key).ok();
    match (value(left)?, value(right)?) {
        (Value::Number(left), Value::Number(right)) => {
            let whole = |it: &serde_json::Number| it.as_i128();
            match (whole(&left), whole(&right)) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
            }
        }
        (Value::String(left), Value::String(right)) => Some(left.cmp(&right)),
        _ => None,
    }
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
        let left_out = self.seen(cursor, answer);
        let records = answer.records();
        let keys = records.iter().enumerate().map(|(index, record)| self.key_of(record, index));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        self.check_order(&keys)?;
        let has_new = records.len() > left_out.len();
        let is_end = match &self.end {
            Some(End::Empty) => {
                // A page with the key of the bound alone, and with room for more, is the last.
                let is_behind = keys.iter().all(|key| cursor.key.as_ref() == Some(key));
                (!has_new || is_behind && self.is_inclusive)
                    && !self.may_hide_ties(cursor, &keys, answer)
            }
            Some(end) => end.is_told(answer)?,
            None => false,
        };
        if is_end {
            return Ok(Next::end().leaving_out(left_out));
        }
        let Some((last, before)) = keys.split_last() else {
            return Err(contradiction(
                "the page has no records, and the service says that it is not the end",
            ));
        };
        let ties = before.iter().rev().take_while(|key| *key == last).count();
        if !self.is_inclusive {
            if ties > 0 {
                return Err(contradiction(format!(
                    "the last records of the page share the key {last}, so the next page may \
                     leave out others with it: sort by a key that is unique, or call `inclusive` \
                     if the service includes the key that it is asked for"
                )));
            }
            return Ok(Next::at(Bound { key: Some(last.clone()), ..Bound::default() }));
        }
        if ties == before.len() && (ties > 0 || cursor.key.as_ref() == Some(last)) {
            return Err(contradiction(format!(
                "all {} records of the page have the key {last}, so the next page would have the \
                 same: raise the limit, or sort by a finer key; or call `until_short` if the \
                 service gives as many records as it is asked for",
                keys.len()
            )));
        }
        let seen = records[keys.len() - 1 - ties..].iter().map(|it| self.digest(it)).collect();
        let most = cursor.most.unwrap_or(0).max(records.len() as u64);
        let next = Bound { key: Some(last.clone()), seen, most: Some(most) };
        Ok(Next::at(next).leaving_out(left_out))
    }

    fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        self.place.check()?;
        for pointer in [Some(&self.key), self.tie.as_ref()].into_iter().flatten() {
            if Pointer::parse(pointer).is_none() {
                let message = format!("invalid JSON pointer {pointer:?} into a record");
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        }
        let Some(end) = &self.end else {
            let methods = "`more_at`, `done_at`, `until_empty` or `until_short`";
            return Err(without_end("Keyset", methods));
        };
        end.check(limit)
    }
}

impl Keyset {
    /// Whether a page with the key of the bound alone may have been cut, so that more records with its key
    /// are hidden behind it.
    fn may_hide_ties(&self, cursor: &Bound, keys: &[OpaqueCursor], answer: &Answer<'_>) -> bool {
        let count = keys.len() as u64;
        let is_full = answer.limit().is_some_and(|limit| count >= limit);
        let is_longest = cursor.most.is_some_and(|most| count >= most);
        self.is_inclusive && count > 1 && (is_full || is_longest)
    }
}
