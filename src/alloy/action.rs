use std::{
    collections::VecDeque,
    fmt::{self, Debug, Formatter},
    marker::PhantomData,
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    digest,
    paging::{WithoutPagination, next_step},
    wire::{
        Body, Data, Envelope, Layout, ParameterPosition, Parameters, Partial, decode_each_record,
    },
};
use crate::{
    error::Error,
    keys::{Keys, key},
    page::Page,
    paginator::Paginator,
    transport::{Endpoint, retry_after},
};

/// An action that lists records, read with limit and offset.
///
/// It posts to `/connectors/{connector}/actions/{action}/execute`. While `hasMore` is
/// true, it goes on at the `nextOffset` of the response. The record type `T` is your
/// own. Its `Deserialize` decides about unknown fields.
///
/// # Errors
///
/// A service that contradicts itself is an error. It never ends a reading early, and
/// never makes it endless. These are errors:
///
/// - `hasMore` without a `nextOffset`, or a paging object without `hasMore`
///   ([`Contradiction`](crate::ErrorKind::Contradiction)).
/// - A `nextOffset` that is not above the requested offset, or a page with the same
///   data as the page before ([`Loop`](crate::ErrorKind::Loop)).
/// - A `nextOffset` before the end of its page, so that records would come twice
///   ([`Contradiction`](crate::ErrorKind::Contradiction)).
/// - A response without a paging object, unless the builder says that this is
///   [a single page](WithoutPagination::SinglePage).
///
/// These are no errors: pages with fewer records than requested, pages of different
/// lengths, and empty pages. A `nextOffset` beyond the end of its page is followed.
/// [`Progress::skipped`](crate::Progress::skipped) counts the offsets between them.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, alloy::Action, testing::Alloy};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Contact {
///     id: u64,
///     email: String,
/// }
///
/// # futures::executor::block_on(async {
/// let service = Alloy::new(1).records(120);
/// let contacts = Action::<Contact>::builder("hubspot", "listContacts")
///     .api_key("sk-...")
///     .credential_id("68d9876543210fedcba98765")
///     .transport(service) // without it, over HTTPS
///     .build()?;
///
/// let contacts: Vec<Contact> = contacts.records().try_collect().await?;
/// assert_eq!(contacts.len(), 120);
/// # assert!(contacts.iter().all(|contact| contact.id < 120 && contact.email.contains('@')));
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[must_use = "a paginator does nothing until it is read"]
pub struct Action<T> {
    reader: Arc<Reader>,
    record: PhantomData<fn() -> T>,
}

/// The part of an action that does not depend on the record type.
pub(super) struct Reader {
    pub(super) endpoint: Endpoint,
    /// The other fields of a request's body.
    pub(super) fields: Map<String, Value>,
    /// The parameters other than limit and offset.
    pub(super) inputs: Map<String, Value>,
    /// The field that contains the parameters.
    pub(super) position: ParameterPosition,
    pub(super) limit: u64,
    pub(super) layout: Layout,
    pub(super) without_pagination: WithoutPagination,
    pub(super) accepts_repeated_pages: bool,
    /// What is left out when records are compared.
    pub(super) ignored_fields: Arc<[String]>,
    pub(super) identity: String,
}

/// A cursor of an action: how many records to skip, and how many to request. With
/// both, a resumed reading requests the same page, even if its limit has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    clippy::struct_field_names,
    reason = "offset and limit are the names that the service uses"
)]
pub struct Offset {
    pub(super) offset: u64,
    pub(super) limit: u64,
    /// The offset at which a part of a split reading ends. The last part has none, and
    /// ends with the service's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<u64>,
}

impl Offset {
    /// The largest number of records in the page.
    fn most(self) -> u64 {
        self.end.map_or(self.limit, |end| self.limit.min(end.saturating_sub(self.offset)))
    }
}

impl<T> Action<T> {
    pub(super) fn new(reader: Reader) -> Self {
        Self { reader: Arc::new(reader), record: PhantomData }
    }
}

impl Reader {
    fn request(&self, cursor: Offset) -> Body<'_> {
        let Self { fields, inputs, position, .. } = self;
        let parameters = Parameters { inputs, limit: cursor.most(), offset: cursor.offset };
        Body { fields, position: *position, parameters }
    }

    async fn decode<T: DeserializeOwned + Send + 'static>(
        self: &Arc<Self>,
        response: &Response<Bytes>,
    ) -> Result<Partial<T>, Error> {
        let what = "the response is not what the action documents";
        let reader = Arc::clone(self);
        self.endpoint
            .decode(what, response, move |text| decode_each_record(text, &reader.layout))
            .await
    }
}

#[async_trait]
impl<T: DeserializeOwned + Send + 'static> Paginator for Action<T> {
    type Record = T;
    type Cursor = Offset;

    fn start(&self) -> Offset {
        Offset { offset: 0, limit: self.reader.limit, end: None }
    }

    async fn fetch(&self, cursor: Offset) -> Result<Page<T, Offset>, Error> {
        let reader = &self.reader;
        let most = cursor.most();
        if most == 0 {
            return Ok(Page::last(Vec::new()));
        }
        let response = reader.endpoint.post(&reader.request(cursor)).await?;
        let Partial { envelope, mut bad } = reader.decode::<T>(&response).await?;
        let Envelope { data, pagination, text, digest } = envelope;
        let mut records = match data {
            Data::List(records) => records,
            // Some services write an empty list as null. Without a paging object, null
            // is not a list.
            Data::Null if pagination.is_some() => Vec::new(),
            Data::Null | Data::Missing => {
                return Err(reader.endpoint.unexpected("the response has no data", &response));
            }
        };
        let mut count = records.len() + bad.len();
        let step =
            next_step(cursor.offset, count as u64, pagination.as_ref(), reader.without_pagination)?;
        let next = step.next.filter(|next| cursor.end.is_none_or(|end| *next < end));
        let next = next.map(|offset| Offset { offset, limit: reader.limit, ..cursor });
        if let Some(end) = cursor.end {
            // What a service sends beyond the end belongs to another part.
            let remaining = end.saturating_sub(cursor.offset);
            count = count.min(usize::try_from(remaining).unwrap_or(usize::MAX));
            bad.retain(|bad| bad.index < count);
            records.truncate(count - bad.len());
        }
        let wait = retry_after(response.headers());
        // The body is kept as long as the page is not delivered.
        let text = response.into_body().slice(text);
        let ignored = Arc::clone(&reader.ignored_fields);
        let digest = match &ignored[..] {
            [] => digest,
            ignored => key(&digest::keys(&text, ignored)),
        };
        let left_out = bad.iter().map(|bad| bad.index).collect::<Vec<_>>();
        let keys = move || {
            let keys = digest::keys(&text, &ignored).into_iter().take(count).enumerate();
            keys.filter(|(at, _)| !left_out.contains(at)).map(|(_, key)| key).collect()
        };
        let page = Page::new(records, next)
            .with_offset_cursors()
            .with_raw_keys(Keys::OnDemand(Arc::new(keys)))
            .with_skipped(step.skipped)
            .with_retry_after(wait)
            .with_total(pagination.and_then(|pagination| pagination.total()))
            .with_digest((!reader.accepts_repeated_pages).then_some(digest));
        Ok(bad.into_iter().fold(page, |mut page, bad| {
            let at = cursor.offset.saturating_add(bad.index as u64);
            let error = bad.error(&format!("the record at offset {at}"), &reader.endpoint);
            page.fail_record(None, error);
            page
        }))
    }

    fn identity(&self) -> String {
        self.reader.identity.clone()
    }

    /// A cursor from a checkpoint gets the limit of this reading.
    fn pack(&self, waiting: &mut VecDeque<Offset>, halvings: u32) {
        if let Some(next) = waiting.front_mut() {
            next.limit = self.reader.limit.checked_shr(halvings).unwrap_or(0).max(1);
        }
    }

    /// Most services advance by the same step each time, even if it is not the limit.
    fn predict(&self, before: &Offset, at: &Offset, total: Option<u64>) -> Option<Offset> {
        let step = at.offset.checked_sub(before.offset)?;
        let offset = at.offset.checked_add(step)?;
        // A service that leads to the total or beyond it has a wrong one.
        let total = total.filter(|total| at.offset < *total);
        let is_there = [total, at.end].into_iter().flatten().all(|end| offset < end);
        is_there.then_some(Offset { offset, ..*at })
    }

    /// Splits into ranges of offsets if the total is known. The last range is open.
    fn split_cursor(&self, cursor: &Offset, parts: usize, total: Option<u64>) -> Vec<Offset> {
        let Some(end) = cursor.end.or(total).filter(|end| *end > cursor.offset) else {
            return vec![*cursor];
        };
        let parts = u64::try_from(parts).unwrap_or(u64::MAX).max(1);
        let length = (end - cursor.offset).div_ceil(parts);
        let length = length.checked_next_multiple_of(cursor.limit.max(1)).unwrap_or(u64::MAX);
        let mut remaining = *cursor;
        let mut split = Vec::new();
        while let Some(begin) = remaining.offset.checked_add(length).filter(|begin| *begin < end) {
            split.push(Offset { end: Some(begin), ..remaining });
            remaining.offset = begin;
        }
        split.push(remaining);
        split
    }
}

impl<T> Clone for Action<T> {
    fn clone(&self) -> Self {
        Self { reader: Arc::clone(&self.reader), record: PhantomData }
    }
}

impl<T> Debug for Action<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action")
            .field("identity", &self.reader.identity)
            .field("limit", &self.reader.limit)
            .finish_non_exhaustive()
    }
}
