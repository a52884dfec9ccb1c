use serde::{Deserialize, Serialize};

use super::{
    answer::Answer,
    at::At,
    cursor_place::CursorPlace,
    end::{End, contradiction, end_setters, needed, without_end},
    interval::Interval,
    style::{Next, Style},
};
use crate::{error::Error, http::PageRequest};

/// Pages by their number.
///
/// **When your API looks like this:** `?page=3&per_page=50`.
///
/// You must choose how the end is told: [`pages_at`](Self::pages_at),
/// [`last_page_at`](Self::last_page_at), [`total_at`](Self::total_at),
/// [`more_at`](Self::more_at), [`done_at`](Self::done_at), [`until_empty`](Self::until_empty)
/// or [`until_short`](Self::until_short).
///
/// Page 3 with another limit has other records. So a checkpoint keeps the limit of its reading,
/// and a resumed reading goes on with it. For the same reason, a page that is too large for the
/// service is not asked for with a smaller limit: its error is fatal.
///
/// It reads ahead in a [window](crate::Read::window), and can be
/// [split](crate::PaginatorExt::split). Page numbers are counts, as offsets are. What is inserted
/// or deleted meanwhile moves all other records: see [`Offset`](super::Offset).
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, http::Client, rest::PageNumber, testing::{Script, script::get}};
/// use serde_json::json;
///
/// # futures::executor::block_on(async {
/// let service = Script::new()
///     .on(get("/users?per_page=2&page=1"))
///     .reply(json!({"users": ["Ada", "Grace"], "last_page": 2}))
///     .on(get("/users?per_page=2&page=2"))
///     .reply(json!({"users": ["Mary"], "last_page": 2}));
/// # let client = Client::builder("https://api.example.com").transport(service.clone()).build()?;
/// let users = client.get("/users").limit("per_page", 2);
/// let users = users.pages(PageNumber::query("page").last_page_at("/last_page"));
/// let users = users.records_at("/users").build::<String>()?;
/// let users: Vec<String> = users.records().try_collect().await?;
/// assert_eq!(users, ["Ada", "Grace", "Mary"]);
/// # service.verify();
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PageNumber {
    place: CursorPlace,
    first: u64,
    end: Option<End>,
}

/// A cursor of [`PageNumber`]: the pages that are left, and how many records came before them,
/// where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageInterval {
    pages: Interval,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
}

impl PageNumber {
    fn new(place: CursorPlace) -> Self {
        Self { place, first: 1, end: None }
    }

    /// The number is the value of this name in the query.
    pub fn query(name: impl Into<String>) -> Self {
        Self::new(CursorPlace::Query(name.into()))
    }

    /// The number is in the body, at a JSON pointer such as `/page/number`.
    pub fn body(pointer: impl Into<String>) -> Self {
        Self::new(CursorPlace::body(pointer))
    }

    /// The number of the first page: 1 by default.
    pub fn first(mut self, number: u64) -> Self {
        self.first = number;
        self
    }

    /// The number at this place says how many pages there are.
    pub fn pages_at(mut self, at: impl Into<At>) -> Self {
        self.end = Some(End::Pages(at.into()));
        self
    }

    /// The number at this place is that of the last page.
    pub fn last_page_at(mut self, at: impl Into<At>) -> Self {
        self.end = Some(End::LastPage(at.into()));
        self
    }

    end_setters!(
        total_at,
        more_at,
        done_at,
        /// This works for every service.
        until_empty,
        until_short,
    );

    fn is_last(&self, cursor: &PageInterval, answer: &Answer<'_>) -> Result<bool, Error> {
        let page = cursor.pages.start;
        match self.end.as_ref() {
            Some(End::Pages(at)) => {
                let pages = needed(at, answer.number(at)?)?;
                Ok(page.saturating_add(1) >= self.first.saturating_add(pages))
            }
            Some(End::LastPage(at)) => Ok(page >= needed(at, answer.number(at)?)?),
            Some(End::Total(at)) => {
                let total = needed(at, answer.number(at)?)?;
                let Some(before) = cursor.records else {
                    // A part in the middle. Only an empty page says that it is behind the end.
                    return Ok(answer.count() == 0);
                };
                let read = before.saturating_add(answer.count() as u64);
                if read < total && answer.count() == 0 {
                    return Err(contradiction(format!(
                        "page {page} has no records, and the service says that there are {total}, \
                         of which {read} came"
                    )));
                }
                Ok(read >= total)
            }
            Some(end) => end.is_told(answer),
            None => Ok(false),
        }
    }

    fn counts_records(&self) -> bool {
        matches!(self.end, Some(End::Total(_)))
    }
}

impl Style for PageNumber {
    type Cursor = PageInterval;

    fn start(&self) -> PageInterval {
        let records = self.counts_records().then_some(0);
        PageInterval { pages: Interval::from(self.first), records }
    }

    fn apply(&self, cursor: &PageInterval, request: &mut PageRequest<'_>) -> Result<(), Error> {
        self.place.set(&cursor.pages.start.into(), request)
    }

    fn next(
        &self,
        cursor: &PageInterval,
        answer: &Answer<'_>,
    ) -> Result<Next<PageInterval>, Error> {
        let total = match &self.end {
            Some(End::Total(at)) => answer.number(at)?,
            _ => None,
        };
        if self.is_last(cursor, answer)? {
            return Ok(Next::end().with_total(total));
        }
        let records = cursor.records.map(|it| it.saturating_add(answer.count() as u64));
        let pages = cursor.pages.after(cursor.pages.start.saturating_add(1));
        let next = pages.map(|pages| PageInterval { pages, records });
        Ok(next.map_or_else(Next::end, Next::at).with_total(total))
    }

    fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        self.place.check()?;
        let Some(end) = &self.end else {
            let methods = "`pages_at`, `last_page_at`, `total_at`, `more_at`, `done_at`, \
                           `until_empty` or `until_short`";
            return Err(without_end("PageNumber", methods));
        };
        end.check(limit)
    }

    fn has_offset_cursors(&self) -> bool {
        true
    }

    fn may_resize(&self) -> bool {
        false
    }

    fn predict(
        &self,
        before: &PageInterval,
        at: &PageInterval,
        total: Option<u64>,
    ) -> Option<PageInterval> {
        let records = match (before.records, at.records) {
            (Some(before), Some(at)) => {
                let next = at.checked_add(at.checked_sub(before)?)?;
                let total = total.filter(|total| at < *total);
                if total.is_some_and(|total| next >= total) {
                    return None;
                }
                Some(next)
            }
            _ => None,
        };
        let pages = at.pages.predicted(before.pages, None)?;
        Some(PageInterval { pages, records })
    }

    /// Into ranges of pages if the total and the limit are known. The last one is open.
    fn split(
        &self,
        cursor: &PageInterval,
        limit: Option<u64>,
        parts: usize,
        total: Option<u64>,
    ) -> Vec<PageInterval> {
        let pages = limit.zip(total).map(|(limit, total)| total.div_ceil(limit.max(1)));
        let end = pages.map(|pages| self.first.saturating_add(pages));
        let split = cursor.pages.split(1, parts, end).into_iter();
        let records =
            |pages: &Interval| cursor.records.filter(|_| pages.start == cursor.pages.start);
        split.map(|pages| PageInterval { records: records(&pages), pages }).collect()
    }
}
