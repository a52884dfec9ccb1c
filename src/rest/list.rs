use std::{
    cell::{OnceCell, RefCell},
    collections::VecDeque,
    fmt::{self, Debug, Formatter},
    marker::PhantomData,
    sync::Arc,
};

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use super::{
    answer::Answer,
    at::At,
    decoded::{Decoded, Layout, decode},
    position::Position,
    style::{Next, Style},
};
use crate::{
    error::Error,
    http::{PageRequest, Template, graphql_errors},
    json,
    keys::{Keys, key},
    page::Page,
    paginator::Paginator,
    transport::{Endpoint, retry_after},
};

/// A list of a service, read in a [style](Style). [`RequestBuilder::pages`] makes it.
///
/// [`RequestBuilder::pages`]: crate::http::RequestBuilder::pages
///
/// # Errors
///
/// - A service that contradicts itself is an error, and never ends a reading early:
///   [`Contradiction`](crate::ErrorKind::Contradiction), [`Loop`](crate::ErrorKind::Loop).
/// - A record that does not fit `T` is a partial error with its index. All others of its page
///   come ([`ListBuilder::bad_records_are_fatal`](super::ListBuilder::bad_records_are_fatal)).
/// - A page with the same text as one before it is a [`Loop`](crate::ErrorKind::Loop)
///   ([`ListBuilder::accept_repeated_pages`](super::ListBuilder::accept_repeated_pages)).
#[must_use = "a paginator does nothing until it is read"]
pub struct List<T, S> {
    reader: Arc<Reader<S>>,
    record: PhantomData<fn() -> T>,
}

/// The part of a list that does not depend on the record type.
pub(super) struct Reader<S> {
    pub(super) template: Template,
    pub(super) style: S,
    pub(super) layout: Arc<Layout>,
    pub(super) total: Option<At>,
    /// Where a record has its key. Without one, the record is its key.
    pub(super) record_key: Arc<json::RecordKey>,
    pub(super) identity: String,
}

impl<T, S> List<T, S> {
    pub(super) fn new(reader: Reader<S>) -> Self {
        Self { reader: Arc::new(reader), record: PhantomData }
    }
}

impl<S: Style> Reader<S> {
    fn endpoint(&self) -> &Endpoint {
        &self.template.service.endpoint
    }

    fn limit(&self) -> Option<u64> {
        self.template.limit.as_ref().map(|limit| limit.records)
    }

    /// What the service says there are in all. A wrong one decides nothing.
    fn total(&self, answer: &Answer<'_>) -> Option<u64> {
        answer.number(self.total.as_ref()?).ok().flatten()
    }
}

#[async_trait]
impl<T: DeserializeOwned + Send + 'static, S: Style> Paginator for List<T, S> {
    type Record = T;
    type Cursor = Position<S::Cursor>;

    fn start(&self) -> Self::Cursor {
        Position { at: self.reader.style.start(), limit: self.reader.limit() }
    }

    async fn fetch(&self, cursor: Self::Cursor) -> Result<Page<T, Self::Cursor>, Error> {
        let reader = &*self.reader;
        let mut request = PageRequest::new(&reader.template, cursor.limit);
        reader.style.apply(&cursor.at, &mut request)?;
        let limit = request.limit();
        let (response, address) = request.send().await?;
        let layout = Arc::clone(&reader.layout);
        let what = "the answer is no list of records";
        let decode = move |text: &str| decode::<T>(text, &layout);
        let decoded = reader.endpoint().decode(what, &response, decode).await?;
        let Some(Decoded { mut records, bad, count, text, digest, document }) = decoded else {
            let message = format!(
                "the answer has no records at {:?}: call `records_at`, or `missing_is_empty` if \
                 an empty list may be missing",
                reader.layout.text
            );
            return Err(reader.endpoint().unexpected(&message, &response));
        };
        if reader.layout.options.bad_records_are_fatal
            && let Some(bad) = bad.first()
        {
            return Err(reader.endpoint().bad_record(&of_page(bad.index), bad));
        }
        let (parts, body) = response.into_parts();
        let answer = Answer {
            service: &reader.template.service,
            address: &address,
            headers: &parts.headers,
            document: &document,
            records_text: body.get(text.clone()).unwrap_or_default(),
            records: OnceCell::new(),
            fields: RefCell::new(None),
            count,
            limit,
        };
        let next = reader.style.next(&cursor.at, &answer)?;
        let total = next.total.or_else(|| reader.total(&answer));
        let Next { cursor: following, left_out, skipped, later, makes_headway, .. } = next;
        let is_left_out = |index: usize| left_out.binary_search(&index).is_ok();
        if !left_out.is_empty() {
            let mut indices = (0..count).filter(|index| bad.iter().all(|bad| bad.index != *index));
            records.retain(|_| indices.next().is_some_and(|index| !is_left_out(index)));
        }
        let following =
            following.map(|at| Position { at, limit: kept_limit(reader, cursor.limit) });
        // The body is kept as long as the page is not delivered.
        let text = body.slice(text);
        let digest = match &*reader.record_key {
            record_key if record_key.is_whole() => digest,
            record_key => key(&record_key.keys(&text)),
        };
        let record_key = Arc::clone(&reader.record_key);
        let mut without =
            bad.iter().map(|bad| bad.index).chain(left_out.clone()).collect::<Vec<_>>();
        without.sort_unstable();
        let keys = move || {
            let keys = record_key.keys(&text).into_iter().take(count).enumerate();
            let kept = keys.filter(|(index, _)| without.binary_search(index).is_err());
            kept.map(|(_, key)| key).collect()
        };
        let later = later.map(|at| Position { at, limit: kept_limit(reader, cursor.limit) });
        let mut page = Page::new(records, following)
            .with_later(later)
            .with_raw_keys(Keys::OnDemand(Arc::new(keys)))
            .with_skipped(skipped)
            .with_retry_after(retry_after(&parts.headers))
            .with_total(total)
            .with_digest((!reader.layout.options.accepts_repeated_pages).then_some(digest));
        if reader.style.has_offset_cursors() {
            page = page.with_offset_cursors();
        }
        if makes_headway {
            page = page.making_headway();
        }
        for bad in bad.iter().filter(|bad| !is_left_out(bad.index)) {
            page.fail_record(None, reader.endpoint().bad_record(&of_page(bad.index), bad));
        }
        if reader.template.is_graphql {
            for error in graphql_errors(&document) {
                page.fail(None, reader.endpoint().clean(error));
            }
        }
        Ok(page)
    }

    fn identity(&self) -> String {
        self.reader.identity.clone()
    }

    /// A cursor from a checkpoint gets the limit of this reading, where it means the same
    /// place with another one.
    fn pack(&self, waiting: &mut VecDeque<Self::Cursor>, halvings: u32) {
        let Some(limit) = self.reader.limit().filter(|_| self.reader.style.may_resize()) else {
            return;
        };
        if let Some(next) = waiting.front_mut() {
            next.limit = Some(limit.checked_shr(halvings).unwrap_or(0).max(1));
        }
    }

    fn pass_over(&self, cursor: &Self::Cursor) -> Option<Vec<Self::Cursor>> {
        let reader = &*self.reader;
        if cursor.limit != Some(1) {
            return None;
        }
        let left = reader.style.pass_over(&cursor.at)?;
        let limit = kept_limit(reader, cursor.limit);
        Some(left.into_iter().map(|at| Position { at, limit }).collect())
    }

    fn predict(
        &self,
        before: &Self::Cursor,
        at: &Self::Cursor,
        total: Option<u64>,
    ) -> Option<Self::Cursor> {
        let predicted = self.reader.style.predict(&before.at, &at.at, total)?;
        Some(Position { at: predicted, limit: at.limit })
    }

    fn split_cursor(
        &self,
        cursor: &Self::Cursor,
        parts: usize,
        total: Option<u64>,
    ) -> Vec<Self::Cursor> {
        let split = self.reader.style.split(&cursor.at, cursor.limit, parts, total);
        split.into_iter().map(|at| Position { at, limit: cursor.limit }).collect()
    }
}

/// The limit of the next page.
fn kept_limit<S: Style>(reader: &Reader<S>, of_this_page: Option<u64>) -> Option<u64> {
    if reader.style.may_resize() { reader.limit() } else { of_this_page }
}

/// A record in a message.
fn of_page(index: usize) -> String {
    format!("the record at index {index} of the page")
}

impl<T, S> Clone for List<T, S> {
    fn clone(&self) -> Self {
        Self { reader: Arc::clone(&self.reader), record: PhantomData }
    }
}

impl<T, S: Debug> Debug for List<T, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("identity", &self.reader.identity)
            .field("style", &self.reader.style)
            .finish_non_exhaustive()
    }
}
