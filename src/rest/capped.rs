use serde::{Deserialize, Serialize};

use super::{
    answer::Answer,
    end::contradiction,
    keyset::{Bound, Keyed, Keyset},
    style::{Next, Style, forward_to_style},
};
use crate::{
    error::{Error, ErrorKind},
    http::PageRequest,
};

/// A style whose list ends at a cap, and begins again above the last key.
///
/// **When your API looks like this:** a search gives at most 10,000 results, by offset or by
/// cursor, and can be filtered by a key and sorted by it, ascending.
///
/// The list is read in the inner style. Before a page would go beyond the cap, the list begins
/// again, filtered by the [`Keyset`]: only what comes behind the last key. The same happens if the
/// list ends at the cap.
///
/// If the key is unique, the filter excludes it, as in `id > 17`. If records share a key, say
/// [`inclusive`](Keyset::inclusive). Then the records with the last key come again, and those that
/// came already are left out. If more records share one key than the cap allows, that is an error.
/// The inner style tells the end, so the keyset does not need to.
///
/// Neither the total nor the next page is known beyond the cap, so a
/// [window](crate::Read::window) asks for one page ahead.
///
/// ```
/// use pagestream::rest::{Capped, Keyset, Offset};
///
/// let search = Capped::new(
///     Offset::query("from").total_at("/total"),
///     10_000,
///     Keyset::query("id_above").key("/id").ascending(),
/// );
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Capped<S> {
    style: S,
    cap: u64,
    keyset: Keyset,
}

/// A cursor of [`Capped`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CappedPosition<C> {
    /// Where the page is in the list above the bound.
    at: C,
    /// The key above which this list begins.
    #[serde(default, skip_serializing_if = "is_default")]
    above: Bound,
    /// The last key so far, above which the next list begins.
    #[serde(default, skip_serializing_if = "is_default")]
    last: Bound,
    /// How many records of this list came before this page.
    #[serde(default, skip_serializing_if = "is_default")]
    count: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl<S> Capped<S> {
    /// The list in this style ends after `cap` records, and begins again with this keyset.
    pub fn new(style: S, cap: u64, keyset: Keyset) -> Self {
        Self { style, cap, keyset }
    }

    /// The last key up to this page, with the records that share it.
    fn last(before: &Bound, page: &Keyed<'_>) -> Bound {
        let Some((key, ties)) = page.last() else { return before.clone() };
        let mut seen = page.last_digests(ties);
        if ties == page.len() && before.key.as_ref() == Some(key) {
            seen.splice(0..0, before.seen.iter().copied());
        }
        Bound { key: Some(key.clone()), seen, ..Bound::default() }
    }
}

impl<S: Style> Style for Capped<S> {
    type Cursor = CappedPosition<S::Cursor>;

    fn start(&self) -> Self::Cursor {
        let (above, last) = (Bound::default(), Bound::default());
        CappedPosition { at: self.style.start(), above, last, count: 0 }
    }

    fn apply(&self, cursor: &Self::Cursor, request: &mut PageRequest<'_>) -> Result<(), Error> {
        self.keyset.apply(&cursor.above, request)?;
        self.style.apply(&cursor.at, request)
    }

    fn next(
        &self,
        cursor: &Self::Cursor,
        answer: &Answer<'_>,
    ) -> Result<Next<Self::Cursor>, Error> {
        let next = self.style.next(&cursor.at, answer)?;
        let page = self.keyset.keyed(answer)?;
        self.keyset.check_bound(&cursor.above, &page)?;
        let last = Self::last(&cursor.last, &page);
        if !self.keyset.is_inclusive()
            && let Some(key) = page.first_tie()
        {
            return Err(contradiction(format!(
                "two records of the page share the key {key}, so at the cap others with a key may \
                 be lost: sort by a key that is unique, or call `inclusive` on the keyset if the \
                 service includes the key that it is asked for"
            )));
        }
        let mut left_out = page.seen(&cursor.above.seen);
        left_out.extend(next.left_out);
        let count = cursor.count.saturating_add(answer.count() as u64);
        let page = answer.limit().unwrap_or(0).max(answer.count() as u64).max(1);
        let is_at_cap = count.saturating_add(page) > self.cap;
        let following = match next.cursor {
            Some(at) if !is_at_cap => {
                Some(CappedPosition { at, above: cursor.above.clone(), last, count })
            }
            None if !is_at_cap || count == 0 => None,
            // Nothing but the records at the border came, and there was room for more.
            None if count < self.cap && last.key == cursor.above.key => None,
            _ => Some(self.above(cursor, last)?),
        };
        let next = following.map_or_else(Next::end, Next::at).with_skipped(next.skipped);
        Ok(next.leaving_out(left_out))
    }

    fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        self.style.check(limit)?;
        self.keyset.check_keys()?;
        if limit.unwrap_or(1) > self.cap {
            let message = "the limit of a page is larger than the cap";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(())
    }

    forward_to_style!();
}

impl<S: Style> Capped<S> {
    /// The beginning of the list above the last key.
    fn above(
        &self,
        cursor: &CappedPosition<S::Cursor>,
        last: Bound,
    ) -> Result<CappedPosition<S::Cursor>, Error> {
        let Some(key) = &last.key else {
            return Err(contradiction("the list is at its cap, and has no records"));
        };
        if cursor.above.key.as_ref() == Some(key) {
            return Err(contradiction(format!(
                "the list is at its cap of {} records, and all of them have the key {key}: sort \
                 by a finer key",
                self.cap
            )));
        }
        if self.keyset.is_inclusive() {
            return Ok(CappedPosition { above: last, ..self.start() });
        }
        Ok(CappedPosition { above: Bound { seen: Vec::new(), ..last }, ..self.start() })
    }
}
