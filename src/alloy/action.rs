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
    paging::{WithoutPagination, judge},
    wire::{Body, Data, Envelope, Layout, ParameterPosition, Parameters, decode},
};
use crate::{error::Error, page::Page, paginator::Paginator, transport::Endpoint};

/// An action that lists records, read with limit and offset.
///
/// It posts to `/connectors/{connector}/actions/{action}/execute` and follows
/// the `nextOffset` of each response while `hasMore` says that there is more.
/// The record type `T` is yours; unknown fields are up to its `Deserialize`.
///
/// # Errors
///
/// A service that contradicts itself is an error, and never an end or an endless
/// reading:
///
/// - more without a `nextOffset`, or a paging object that does not say whether
///   there is more ([`Contradiction`](crate::ErrorKind::Contradiction));
/// - a `nextOffset` at or below the offset that was asked for, or a page with
///   the same data as the one before ([`Loop`](crate::ErrorKind::Loop));
/// - a `nextOffset` below the last record of its page, so that records would
///   come twice ([`Contradiction`](crate::ErrorKind::Contradiction));
/// - no paging object, unless the caller takes it for
///   [a single page](WithoutPagination::SinglePage).
///
/// A service that gives fewer records than were asked for, none at all, or
/// another number of them on each page, is read on. One that leaps beyond its
/// records is followed, and the leap is counted in
/// [`Progress::skipped`](crate::Progress::skipped).
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
///     .transport(service) // without this line, over HTTPS
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

/// What does not depend on the record type.
pub(super) struct Reader {
    pub(super) endpoint: Endpoint,
    /// The fields of a request's body beside its parameters.
    pub(super) fields: Map<String, Value>,
    /// The parameters but for limit and offset, and the field that holds them.
    pub(super) inputs: Map<String, Value>,
    pub(super) place: ParameterPosition,
    pub(super) limit: u64,
    pub(super) layout: Layout,
    pub(super) without_pagination: WithoutPagination,
    pub(super) accepts_repeated_pages: bool,
    pub(super) identity: String,
}

/// A cursor of an action: how many records to skip, and how many to ask for. With
/// both it reads the same page again, also if the limit is another by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "offset and limit are the service's words")]
pub struct Offset {
    pub(super) offset: u64,
    pub(super) limit: u64,
    /// Where a part of the reading ends, before this offset; the last part ends
    /// where the service says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<u64>,
}

impl Offset {
    /// How many records the page may hold.
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
        let Self { fields, inputs, place, .. } = self;
        let parameters = Parameters { inputs, limit: cursor.most(), offset: cursor.offset };
        Body { fields, place: *place, parameters }
    }

    async fn decode<T: DeserializeOwned + Send + 'static>(
        self: &Arc<Self>,
        response: &Response<Bytes>,
    ) -> Result<Envelope<T>, Error> {
        let what = "the response is not what the action documents";
        let reader = Arc::clone(self);
        self.endpoint.decode(what, response, move |text| decode(text, &reader.layout)).await
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
        let Envelope { data, pagination, digest } = reader.decode::<T>(&response).await?;
        let mut records = match data {
            Data::List(records) => records,
            // Some services write an empty list as null; without a paging object
            // beside it, it is no list at all.
            Data::Null if pagination.is_some() => Vec::new(),
            Data::Null | Data::Missing => {
                return Err(reader.endpoint.unexpected("the response has no data", &response));
            }
        };
        let count = records.len() as u64;
        let step = judge(cursor.offset, count, pagination.as_ref(), reader.without_pagination)?;
        let next = step.next.filter(|next| cursor.end.is_none_or(|end| *next < end));
        let next = next.map(|offset| Offset { offset, limit: reader.limit, ..cursor });
        if let Some(end) = cursor.end {
            // A service that gives more than it is asked for gives what is another part's.
            let left = end.saturating_sub(cursor.offset);
            records.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        Ok(Page::new(records, next)
            .with_skipped(step.skipped)
            .with_total(pagination.and_then(|pagination| pagination.total()))
            .with_digest((!reader.accepts_repeated_pages).then_some(digest)))
    }

    fn identity(&self) -> String {
        self.reader.identity.clone()
    }

    /// What a checkpoint brought along is asked for with the limit of today.
    fn pack(&self, waiting: &mut VecDeque<Offset>, halvings: u32) {
        if let Some(next) = waiting.front_mut() {
            next.limit = self.reader.limit.checked_shr(halvings).unwrap_or(0).max(1);
        }
    }

    /// Services mostly go on evenly, whatever they make of the limit.
    fn predict(&self, before: &Offset, at: &Offset, total: Option<u64>) -> Option<Offset> {
        let step = at.offset.checked_sub(before.offset)?;
        let offset = at.offset.checked_add(step)?;
        let is_there = [total, at.end].into_iter().flatten().all(|end| offset < end);
        is_there.then_some(Offset { offset, ..*at })
    }

    /// By ranges of offsets, where the total is known; the last is open.
    fn split_cursor(&self, cursor: &Offset, parts: usize, total: Option<u64>) -> Vec<Offset> {
        let Some(end) = cursor.end.or(total).filter(|end| *end > cursor.offset) else {
            return vec![*cursor];
        };
        let parts = u64::try_from(parts).unwrap_or(u64::MAX).max(1);
        let length = (end - cursor.offset).div_ceil(parts);
        let length = length.checked_next_multiple_of(cursor.limit.max(1)).unwrap_or(u64::MAX);
        let mut rest = *cursor;
        let mut split = Vec::new();
        while let Some(begin) = rest.offset.checked_add(length).filter(|begin| *begin < end) {
            split.push(Offset { end: Some(begin), ..rest });
            rest.offset = begin;
        }
        split.push(rest);
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
