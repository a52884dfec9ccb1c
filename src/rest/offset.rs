use super::{
    answer::Answer,
    at::At,
    cursor_place::CursorPlace,
    end::{End, contradiction, end_setters, needed, without_end},
    interval::Interval,
    style::{Next, Style},
};
use crate::{
    error::{Error, ErrorKind},
    http::PageRequest,
};

/// Pages by offset: a request says how many records to skip.
///
/// **When your API looks like this:** `?offset=200&limit=100`, or `startAt`, `skip`,
/// `$skip` and `$top`.
///
/// The next offset is the number of records up to here. So no record is lost if the service gives
/// fewer than it was asked for. If the service says the next offset itself, use
/// [`next_at`](Self::next_at).
///
/// You must choose how the end is told: [`total_at`](Self::total_at),
/// [`more_at`](Self::more_at), [`done_at`](Self::done_at), [`until_empty`](Self::until_empty)
/// or [`until_short`](Self::until_short).
///
/// It reads ahead in a [window](crate::Read::window), and can be
/// [split](crate::PaginatorExt::split).
///
/// Offsets are counts. If a record is inserted or deleted before the position, all records behind
/// it move. Nobody can see that from outside. So after an insertion one record comes twice, and
/// after a deletion one is missed. If you can, sort so that new records come last, or read by
/// [`Keyset`](super::Keyset).
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, http::Client, rest::Offset, testing::{Script, script::get}};
/// use serde_json::json;
///
/// # futures::executor::block_on(async {
/// let service = Script::new()
///     .on(get("/users?limit=2&offset=0"))
///     .reply(json!({"users": ["Ada", "Grace"], "total": 3}))
///     .on(get("/users?limit=2&offset=2"))
///     .reply(json!({"users": ["Mary"], "total": 3}));
/// # let client = Client::builder("https://api.example.com").transport(service.clone()).build()?;
/// let users = client.get("/users").limit("limit", 2);
/// let users = users.pages(Offset::query("offset").total_at("/total"));
/// let users = users.records_at("/users").build::<String>()?;
/// let users: Vec<String> = users.records().try_collect().await?;
/// assert_eq!(users, ["Ada", "Grace", "Mary"]);
/// # service.verify();
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Offset {
    place: CursorPlace,
    end: Option<End>,
    next: Option<At>,
    is_single_without: Option<At>,
}

impl Offset {
    fn new(place: CursorPlace) -> Self {
        Self { place, end: None, next: None, is_single_without: None }
    }

    /// The offset is the value of this name in the query.
    pub fn query(name: impl Into<String>) -> Self {
        Self::new(CursorPlace::Query(name.into()))
    }

    /// The offset is in the body, at a JSON pointer such as `/page/offset`.
    pub fn body(pointer: impl Into<String>) -> Self {
        Self::new(CursorPlace::body(pointer))
    }

    end_setters!(
        total_at,
        more_at,
        done_at,
        /// This works for every service.
        until_empty,
        until_short,
    );

    /// The next offset is the number at this place of the answer.
    pub fn next_at(mut self, at: impl Into<At>) -> Self {
        self.next = Some(at.into());
        self
    }

    /// An answer without the object at this place is the only page.
    #[cfg(feature = "alloy")]
    pub(crate) fn single_page_without(mut self, at: impl Into<At>) -> Self {
        self.is_single_without = Some(at.into());
        self
    }

    /// The offset behind a page that is not the last one.
    fn following(&self, offset: u64, answer: &Answer<'_>) -> Result<(u64, u64), Error> {
        let covered = offset.saturating_add(answer.count() as u64);
        let Some(at) = &self.next else {
            if covered == offset {
                return Err(contradiction(format!(
                    "the page at offset {offset} has no records, and the service says that it is \
                     not the end"
                )));
            }
            return Ok((covered, 0));
        };
        let next = answer.number(at)?.ok_or_else(|| {
            contradiction(format!(
                "missing next offset at {at}: expected one, since the service says that there \
                 is more"
            ))
        })?;
        if next <= offset {
            let message =
                format!("invalid next offset {next} at {at}: expected one above {offset}");
            return Err(Error::new(ErrorKind::Loop, message));
        }
        if next < covered {
            return Err(contradiction(format!(
                "invalid next offset {next} at {at}: expected at least {covered}, since the page \
                 at offset {offset} has {} records, and some of them would come twice",
                answer.count()
            )));
        }
        Ok((next, next - covered))
    }

    fn is_last(&self, offset: u64, answer: &Answer<'_>) -> Result<bool, Error> {
        match self.end.as_ref() {
            Some(End::Total(at)) => {
                let total = needed(at, answer.number(at)?)?;
                Ok(offset.saturating_add(answer.count() as u64) >= total)
            }
            Some(end) => end.is_told(answer),
            None => Ok(false),
        }
    }
}

impl Offset {
    /// Whether nothing follows this page. An answer without the object of the paging is the only
    /// page; where the end is told, that object is there.
    fn is_single_or_last(&self, offset: u64, answer: &Answer<'_>) -> Result<bool, Error> {
        let is_last = self.is_last(offset, answer);
        if is_last.is_err()
            && let Some(at) = &self.is_single_without
            && answer.decode::<serde::de::IgnoredAny>(at)?.is_none()
        {
            return Ok(true);
        }
        is_last
    }
}

impl Style for Offset {
    type Cursor = Interval;

    fn start(&self) -> Interval {
        Interval::from(0)
    }

    fn apply(&self, cursor: &Interval, request: &mut PageRequest<'_>) -> Result<(), Error> {
        let remaining = cursor.end.map(|end| end.saturating_sub(cursor.start));
        if let (Some(limit), Some(remaining)) = (request.limit(), remaining) {
            request.set_limit(limit.min(remaining));
        }
        self.place.set(&cursor.start.into(), request)
    }

    fn next(&self, cursor: &Interval, answer: &Answer<'_>) -> Result<Next<Interval>, Error> {
        let offset = cursor.start;
        let total = match &self.end {
            Some(End::Total(at)) => answer.number(at)?,
            _ => None,
        };
        let next = if self.is_single_or_last(offset, answer)? {
            Next::end()
        } else {
            let (following, skipped) = self.following(offset, answer)?;
            cursor.after(following).map_or_else(Next::end, Next::at).with_skipped(skipped)
        };
        // What a service sends beyond the end belongs to another part.
        let end = cursor.end.and_then(|end| usize::try_from(end.saturating_sub(offset)).ok());
        let beyond = end.unwrap_or(usize::MAX).min(answer.count())..answer.count();
        Ok(next.with_total(total).leaving_out(beyond))
    }

    fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        self.place.check()?;
        for at in [&self.next, &self.is_single_without].into_iter().flatten() {
            at.check()?;
        }
        let Some(end) = &self.end else {
            let methods = "`total_at`, `more_at`, `done_at`, `until_empty` or `until_short`";
            return Err(without_end("Offset", methods));
        };
        end.check(limit)
    }

    fn has_offset_cursors(&self) -> bool {
        true
    }

    fn pass_over(&self, cursor: &Interval) -> Option<Vec<Interval>> {
        Some(cursor.behind_first().into_iter().collect())
    }

    fn predict(&self, before: &Interval, at: &Interval, total: Option<u64>) -> Option<Interval> {
        at.predicted(*before, total)
    }

    /// Into ranges of offsets if the total is known. The last one is open.
    fn split(
        &self,
        cursor: &Interval,
        limit: Option<u64>,
        parts: usize,
        total: Option<u64>,
    ) -> Vec<Interval> {
        cursor.split(limit.unwrap_or(1), parts, total)
    }
}
