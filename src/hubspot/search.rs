use std::fmt::{self, Debug, Formatter};

use serde::de::DeserializeOwned;
use serde_json::json;

use super::{
    account::{account_setters, check_size, client, endpoint},
    filter::Filter,
    object::Object,
    search_style::{SearchPosition, SearchStyle, Sort},
};
use crate::{
    error::{Error, ErrorKind},
    rest::{List, forward_to_list},
    transport::{EndpointBuilder, path_segment},
};

/// The largest number of objects in a page, from HubSpot's OpenAPI file.
const MAX_LIMIT: u64 = 200;

/// The objects of a type that a search finds: all of them, also beyond 10,000.
///
/// It calls `POST /crm/objects/2026-03/{type}/search`, with up to 200 objects in a page.
/// HubSpot gives 10,000 results of one search. So each page is a search of its own, for what is
/// above the last page: a filter is added to each group, and the objects are sorted by id
/// (`hs_object_id`). The record type `T` is your own, or [`Object`].
///
/// # While objects change
///
/// Each object that fulfils the filters all the time comes exactly once, whatever is created,
/// changed and archived meanwhile. With a [sort](SearchBuilder::sort) this holds for objects
/// whose sort property stays the same; one that gets a later value comes again with it.
///
/// HubSpot's search knows of a change some seconds after it was made.
///
/// A reading by id that has ended leaves a checkpoint from which a later one gets the objects
/// that were created since: [`Checkpoint::later`](crate::Checkpoint::later).
///
/// # Rate limit
///
/// All apps of an account together have 5 searches in a second. One reading asks for one page
/// at a time, and a 429 makes it wait. Several readings share
/// [`RateBudget::Search`](super::RateBudget::Search):
///
/// ```
/// # #[cfg(feature = "rate-limit")] {
/// use pagestream::hubspot::{Object, RateBudget, Search};
/// # let transport = pagestream::testing::HubSpot::new(7);
///
/// let app = RateBudget::Professional.limiter(); // for all requests of the app
/// let searches = RateBudget::Search.limiter(); // for the searches among them
/// let deals = Search::builder("deals")
///     .token("pat-na1-...")
///     .transport(searches.limit(app.limit(transport)))
///     .build::<Object>()?;
/// # }
/// # Ok::<(), pagestream::Error>(())
/// ```
///
/// # Errors
///
/// - Objects that come in another order than asked for, and a page without objects that is not
///   the last ([`Contradiction`](crate::ErrorKind::Contradiction)).
/// - An object that does not fit `T` is a [partial error](Error::is_partial) with its index.
///   All others of its page come.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, hubspot::{Filter, Object, Search}, testing::HubSpot};
///
/// # futures::executor::block_on(async {
/// let service = HubSpot::new(1).objects(500).properties(|index| {
///     [("amount", index.to_string()), ("dealname", format!("Deal {index}"))]
/// });
/// let deals = Search::builder("deals")
///     .any_group([Filter::at_least("amount", 300)])
///     .properties(["dealname"])
///     .token("pat-na1-...")
///     .transport(service) // without it, over HTTPS
///     .build::<Object>()?;
///
/// let deals: Vec<Object> = deals.records().try_collect().await?;
/// assert_eq!(deals.len(), 200);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[must_use = "a paginator does nothing until it is read"]
pub struct Search<T = Object> {
    list: List<T, SearchStyle>,
}

/// Builds a [`Search`]: [`Search::builder`].
#[derive(Clone)]
#[must_use = "call `build` to make a paginator of it"]
pub struct SearchBuilder {
    object_type: String,
    groups: Vec<Vec<Filter>>,
    query: Option<String>,
    sort: Option<Sort>,
    properties: Vec<String>,
    limit: u64,
    endpoint: EndpointBuilder,
}

impl Search {
    /// A search among the objects of a type. A type is a name or an id: `deals`, `0-3`,
    /// `p1234_pets`.
    pub fn builder(object_type: impl Into<String>) -> SearchBuilder {
        SearchBuilder {
            object_type: object_type.into(),
            groups: Vec::new(),
            query: None,
            sort: None,
            properties: Vec::new(),
            limit: MAX_LIMIT,
            endpoint: endpoint(),
        }
    }
}

impl SearchBuilder {
    /// Adds a group of filters. An object is found if it fulfils all filters of any group.
    /// Without groups, all objects are found.
    ///
    /// HubSpot takes 5 groups, 10 filters in each, and 25 in all (its changelog of May 2024).
    /// The reading adds one or two to each group, and they count.
    pub fn any_group(mut self, filters: impl IntoIterator<Item = Filter>) -> Self {
        self.groups.push(filters.into_iter().collect());
        self
    }

    /// Finds the objects that have this text in some property. HubSpot chooses which
    /// properties count. At most 3,000 characters.
    pub fn query(mut self, text: impl Into<String>) -> Self {
        self.query = Some(text.into());
        self
    }

    /// Sorts by a property, ascending: one whose values are numbers, or dates or times from 1970
    /// on. An earlier one ends the reading with a [`Contradiction`](ErrorKind::Contradiction). By
    /// default objects are sorted by id, which is cheaper: each page costs one request, and
    /// nothing is read twice.
    ///
    /// The property may have the same value in any number of objects. Objects without a value
    /// come last. The property is read with the others.
    pub fn sort(mut self, property: impl Into<String>) -> Self {
        self.sort = Some(Sort { property: property.into(), descends: false });
        self
    }

    /// Sorts by a property, descending, and else as [`sort`](Self::sort).
    pub fn sort_descending(mut self, property: impl Into<String>) -> Self {
        self.sort = Some(Sort { property: property.into(), descends: true });
        self
    }

    /// Adds properties that each object comes with. By default HubSpot chooses a few.
    pub fn properties(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.properties.extend(names.into_iter().map(Into::into));
        self
    }

    /// The largest number of objects in a page: 1 to 200, and 200 by default.
    pub fn limit(mut self, objects_per_page: u64) -> Self {
        self.limit = objects_per_page;
        self
    }

    account_setters!();

    /// Builds the paginator. `T` is a record: [`Object`], or a type of your own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`]:
    ///
    /// - if the token is missing, or a header can't carry it,
    /// - if the limit is not from 1 to 200,
    /// - if a group has no filter,
    /// - if the object type can't be part of a path,
    /// - if the base URL is invalid, or would send the token unencrypted,
    /// - if no transport is given, and the feature `reqwest` is off or the base URL is
    ///   `https` and no TLS feature is on.
    pub fn build<T: DeserializeOwned + Send + 'static>(mut self) -> Result<Search<T>, Error> {
        check_size("limit", self.limit, MAX_LIMIT)?;
        if self.groups.iter().any(Vec::is_empty) {
            let message = "a group has no filter: without groups, all objects are found";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        if let Some(Sort { property, .. }) = &self.sort
            && !self.properties.contains(property)
        {
            self.properties.push(property.clone());
        }
        let object_type = path_segment("object type", &self.object_type)?;
        let client = client(self.endpoint)?;
        // The style puts the groups and the sort into each request. Here they are a part of the
        // identity.
        let mut body = json!({
            "filterGroups": self.groups.iter().map(|it| json!({"filters": it})).collect::<Vec<_>>(),
            "sorts": self.sort.iter().map(Sort::written).collect::<Vec<_>>(),
            "properties": self.properties,
        });
        if let Some(query) = &self.query {
            body["query"] = json!(query);
        }
        let request = client
            .post(format!("/crm/objects/2026-03/{object_type}/search"))
            .json(&body)
            .limit_in_body("/limit", self.limit);
        let style = SearchStyle { groups: self.groups, sort: self.sort };
        // Objects with one key come again by id. The style checks that each page is behind the
        // one before it.
        let list = request.pages(style).records_at("/results").accept_repeated_pages();
        Ok(Search { list: list.key_at("/id").build()? })
    }
}

forward_to_list!(Search, SearchPosition);

impl Debug for SearchBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchBuilder")
            .field("object_type", &self.object_type)
            .field("groups", &self.groups)
            .field("sort", &self.sort)
            .field("limit", &self.limit)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
