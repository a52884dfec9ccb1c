use std::fmt::{self, Debug, Formatter};

use async_trait::async_trait;

use super::{
    account::{account_setters, check_size, client, endpoint},
    after::After,
    associations::Association,
    builder::ApiVersion,
    wire::{Associated, ObjectId},
};
use crate::{
    error::Error,
    opaque_cursor::OpaqueCursor,
    page::Page,
    paginator::{Paginator, forward_to},
    rest::{List, Position},
    transport::{EndpointBuilder, path_segment},
};

/// The largest number of associations in a page (HubSpot's OpenAPI file).
const MAX_LIMIT: u64 = 500;

/// The associations of one object to all objects of a type.
///
/// It calls `GET /crm/objects/2026-03/{type}/{id}/associations/{to}`, with up to 500
/// associations in a page, and goes on at the `paging.next.after` of the response.
///
/// The records are those that [`Associations`](super::Associations) has for the same object, and
/// in the same order. `Associations` reads up to 1000 objects in a request, so it is the one for
/// many objects. This one has no request body, and pages of a size of your choice.
///
/// HubSpot says no total. An `after` can't be predicted, so a [window](crate::Read::window) asks
/// for one page ahead.
///
/// # Errors
///
/// - An object that does not exist: [`Status`](crate::ErrorKind::Status), with a 404. It ends the
///   reading. An object without associations is no error.
/// - A link to a next page without a cursor
///   ([`Contradiction`](crate::ErrorKind::Contradiction)), and a page that comes again
///   ([`Loop`](crate::ErrorKind::Loop)): a reading never ends early, and never is endless.
/// - An association that can't be read is a [partial error](Error::is_partial) with its index.
///   All others of its page come.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, hubspot::AssociationsOfOne, testing::HubSpot};
///
/// # futures::executor::block_on(async {
/// // Each deal has 1,200 companies.
/// let service = HubSpot::new(1).objects(3).page_size(1_200);
/// let deal = service.ids().next().unwrap();
/// let companies = AssociationsOfOne::builder("deals", deal, "companies")
///     .token("pat-na1-...")
///     .transport(service.clone()) // without it, over HTTPS
///     .build()?;
///
/// let companies: Vec<_> = companies.records().try_collect().await?;
/// assert_eq!(companies.len(), 1_200);
/// assert!(companies.iter().all(|association| association.from == deal.into()));
/// # assert_eq!(service.requests(), 3);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use = "a paginator does nothing until it is read"]
pub struct AssociationsOfOne {
    from: ObjectId,
    list: List<Associated, After>,
}

/// Builds [`AssociationsOfOne`]: [`AssociationsOfOne::builder`].
#[derive(Clone)]
#[must_use = "call `build` to make a paginator of it"]
pub struct AssociationsOfOneBuilder {
    from_type: String,
    from: ObjectId,
    to_type: String,
    limit: u64,
    version: ApiVersion,
    endpoint: EndpointBuilder,
}

impl AssociationsOfOne {
    /// The associations of the object with this id to all objects of another type. A type is a
    /// name or an id: `deals`, `0-3`, `p1234_pets`.
    pub fn builder(
        from_object_type: impl Into<String>,
        id: impl Into<ObjectId>,
        to_object_type: impl Into<String>,
    ) -> AssociationsOfOneBuilder {
        AssociationsOfOneBuilder {
            from_type: from_object_type.into(),
            from: id.into(),
            to_type: to_object_type.into(),
            limit: MAX_LIMIT,
            version: ApiVersion::default(),
            endpoint: endpoint(),
        }
    }
}

impl AssociationsOfOneBuilder {
    /// The largest number of associations in a page: 1 to 500, and 500 by default.
    pub fn limit(mut self, associations_per_page: u64) -> Self {
        self.limit = associations_per_page;
        self
    }

    /// The path to read from: [`ApiVersion::V2026_03`] by default.
    pub fn version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    account_setters!();

    /// Builds the paginator.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration):
    ///
    /// - if the token is missing, or a header can't carry it,
    /// - if the limit is not from 1 to 500,
    /// - if an object type or the id can't be part of a path,
    /// - if the base URL is invalid, or would send the token unencrypted,
    /// - if no transport is given, and the feature `reqwest` is off or the base URL is
    ///   `https` and no TLS feature is on.
    pub fn build(self) -> Result<AssociationsOfOne, Error> {
        check_size("limit", self.limit, MAX_LIMIT)?;
        let id = self.from.to_string();
        let from_type = path_segment("object type", &self.from_type)?;
        let id = path_segment("object id", &id)?;
        let to_type = path_segment("object type", &self.to_type)?;
        let objects = self.version.objects();
        let path = format!("{objects}/{from_type}/{id}/associations/{to_type}");
        let client = client(self.endpoint)?;
        let request = client.get(path).limit("limit", self.limit);
        let list = request.pages(After::new()).records_at("/results").key_at("/toObjectId");
        Ok(AssociationsOfOne { from: self.from, list: list.build()? })
    }
}

#[async_trait]
impl Paginator for AssociationsOfOne {
    type Record = Association;
    /// A position, and how many records to ask for.
    type Cursor = Position<Vec<Option<OpaqueCursor>>>;

    fn start(&self) -> Self::Cursor {
        self.list.start()
    }

    async fn fetch(&self, cursor: Self::Cursor) -> Result<Page<Association, Self::Cursor>, Error> {
        let page = self.list.fetch(cursor).await?;
        Ok(page.map(|Associated { to, types }| Association { from: self.from.clone(), to, types }))
    }

    forward_to!(Self, self => self.list);
}

impl Debug for AssociationsOfOne {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AssociationsOfOne").field(&self.list).finish()
    }
}

impl Debug for AssociationsOfOneBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssociationsOfOneBuilder")
            .field("from_type", &self.from_type)
            .field("from", &self.from)
            .field("to_type", &self.to_type)
            .field("limit", &self.limit)
            .field("version", &self.version)
            .field("endpoint", &self.endpoint)
            .finish()
    }
}
