use std::fmt::{self, Debug, Formatter};

use serde::de::DeserializeOwned;

use super::{
    account::{account_setters, check_size, client, endpoint},
    after::After,
    object::Object,
};
use crate::{
    error::Error,
    opaque_cursor::OpaqueCursor,
    rest::{List, forward_to_list},
    transport::{EndpointBuilder, path_segment},
};

/// The largest number of objects in a page, from HubSpot's OpenAPI file.
const MAX_LIMIT: u64 = 100;

/// The same where values come with their history: above it, HubSpot answers with a 400.
const MAX_LIMIT_WITH_HISTORY: u64 = 50;

/// All objects of a type: deals, contacts, objects of your own.
///
/// It calls `GET /crm/objects/2026-03/{type}`, with up to 100 objects in a page, and goes on
/// at the `paging.next.after` of the response. The record type `T` is your own, or [`Object`].
///
/// An `after` can't be predicted, so a [window](crate::Read::window) asks for one page ahead.
///
/// # Errors
///
/// - A link to a next page without a cursor
///   ([`Contradiction`](crate::ErrorKind::Contradiction)), and a page that comes again
///   ([`Loop`](crate::ErrorKind::Loop)): a reading never ends early, and never is endless.
/// - An object that does not fit `T` is a [partial error](Error::is_partial) with its index.
///   All others of its page come.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, hubspot::{Object, Objects}, testing::HubSpot};
///
/// # futures::executor::block_on(async {
/// let service = HubSpot::new(1).objects(250);
/// let deals = Objects::builder("deals")
///     .properties(["dealname", "amount"])
///     .token("pat-na1-...")
///     .transport(service) // without it, over HTTPS
///     .build::<Object>()?;
///
/// let deals: Vec<Object> = deals.records().try_collect().await?;
/// assert_eq!(deals.len(), 250);
/// # assert!(deals[0].properties.contains_key("amount"));
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[must_use = "a paginator does nothing until it is read"]
pub struct Objects<T = Object> {
    list: List<T, After>,
}

/// Builds [`Objects`]: [`Objects::builder`].
#[derive(Clone)]
#[must_use = "call `build` to make a paginator of it"]
pub struct ObjectsBuilder {
    pub(super) object_type: String,
    properties: Vec<String>,
    properties_with_history: Vec<String>,
    associations: Vec<String>,
    archived: bool,
    limit: Option<u64>,
    pub(super) endpoint: EndpointBuilder,
}

impl Objects {
    /// The objects of a type. A type is a name or an id: `deals`, `0-3`, `p1234_pets`.
    pub fn builder(object_type: impl Into<String>) -> ObjectsBuilder {
        ObjectsBuilder {
            object_type: object_type.into(),
            properties: Vec::new(),
            properties_with_history: Vec::new(),
            associations: Vec::new(),
            archived: false,
            limit: None,
            endpoint: endpoint(),
        }
    }
}

impl ObjectsBuilder {
    /// Adds properties that each object comes with. By default HubSpot chooses a few. They
    /// stand in the address, which may have some 16,000 characters: hundreds of properties
    /// are too many.
    pub fn properties(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.properties.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds properties that come with all values that they had. Pages are smaller then: 50
    /// objects at most.
    pub fn properties_with_history(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.properties_with_history.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds types of objects. Each object comes with the ids of those that it is associated
    /// with, up to the first page of them:
    /// [`AssociatedObjects::has_more`](super::AssociatedObjects::has_more) says whether there
    /// are more. [`build_with_all_associations`](Self::build_with_all_associations) reads them
    /// all.
    pub fn associations(
        mut self,
        object_types: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.associations.extend(object_types.into_iter().map(Into::into));
        self
    }

    /// Whether the archived objects are listed instead of the others: no by default.
    pub fn archived(mut self, archived: bool) -> Self {
        self.archived = archived;
        self
    }

    /// The largest number of objects in a page: 1 to 100, and 100 by default. With
    /// [`properties_with_history`](Self::properties_with_history) it is 50.
    pub fn limit(mut self, objects_per_page: u64) -> Self {
        self.limit = Some(objects_per_page);
        self
    }

    account_setters!();

    /// Builds the paginator. `T` is a record: [`Object`], or a type of your own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration):
    ///
    /// - if the token is missing, or a header can't carry it,
    /// - if the limit is not from 1 to 100, or to 50 with history,
    /// - if the object type can't be part of a path,
    /// - if the base URL is invalid, or would send the token unencrypted,
    /// - if no transport is given, and the feature `reqwest` is off or the base URL is
    ///   `https` and no TLS feature is on.
    pub fn build<T: DeserializeOwned + Send + 'static>(self) -> Result<Objects<T>, Error> {
        let has_history = !self.properties_with_history.is_empty();
        let most = if has_history { MAX_LIMIT_WITH_HISTORY } else { MAX_LIMIT };
        let limit = self.limit.unwrap_or(most);
        check_size("limit", limit, most)?;
        let object_type = path_segment("object type", &self.object_type)?;
        let client = client(self.endpoint)?;
        let mut request =
            client.get(format!("/crm/objects/2026-03/{object_type}")).limit("limit", limit);
        let lists = [
            ("properties", &self.properties),
            ("propertiesWithHistory", &self.properties_with_history),
            ("associations", &self.associations),
        ];
        for (name, values) in lists {
            if !values.is_empty() {
                request = request.query(name, values.join(","));
            }
        }
        if self.archived {
            request = request.query("archived", true);
        }
        let list = request.pages(After::new()).records_at("/results").key_at("/id").build()?;
        Ok(Objects { list })
    }
}

forward_to_list!(Objects, Vec<Option<OpaqueCursor>>);

impl Debug for ObjectsBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectsBuilder")
            .field("object_type", &self.object_type)
            .field("archived", &self.archived)
            .field("limit", &self.limit)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
