use std::{
    collections::HashSet,
    fmt::{self, Debug, Formatter},
    marker::PhantomData,
    sync::Arc,
};

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use super::{
    account::{account_setters, endpoint},
    batch::Batch,
    inputs::{Inputs, forward_to_inputs},
    object::Object,
    object_reader::{Fields, ObjectReader},
    wire::ObjectId,
};
use crate::{
    error::{Error, ErrorKind},
    page::Page,
    paginator::Paginator,
    transport::{EndpointBuilder, path_segment},
};

/// The largest number of inputs in one request that HubSpot accepts (its docs).
const MAX_BATCH_SIZE: usize = 100;

/// The same where values come with their history.
const MAX_BATCH_SIZE_WITH_HISTORY: usize = 50;

/// Given objects of a type: by their ids, or by the values of a unique property.
///
/// It calls `POST /crm/objects/2026-03/{type}/batch/read` with up to 100 inputs in a request.
/// The record type `T` is your own, or [`Object`]. The objects come in the order of the inputs.
/// A [window](crate::Read::window) reads several batches at once.
///
/// # Errors
///
/// An error about single inputs is yielded as an `Err` that [names them](Error::ids), and the
/// stream goes on:
///
/// - An object that does not exist ([`Rejected`](crate::ErrorKind::Rejected)).
/// - An object that does not fit `T` ([`Decode`](crate::ErrorKind::Decode)).
/// - An input that is neither in `results` nor in `errors`, an object that comes back twice,
///   and one that was not requested ([`Contradiction`](crate::ErrorKind::Contradiction)).
///
/// HubSpot refuses a whole request because of one malformed id. The request is split until
/// that one is alone.
///
/// ```
/// use futures::StreamExt;
/// use pagestream::{PaginatorExt, hubspot::{BatchRead, Object}, testing::HubSpot};
///
/// # futures::executor::block_on(async {
/// let service = HubSpot::new(1).objects(250);
/// let deals = BatchRead::builder("deals")
///     .ids(service.ids().chain([17]))
///     .properties(["amount"])
///     .token("pat-na1-...")
///     .transport(service) // without it, over HTTPS
///     .build::<Object>()?;
///
/// let items: Vec<_> = deals.records().collect().await;
/// let (found, errors): (Vec<_>, Vec<_>) = items.into_iter().partition(Result::is_ok);
/// assert_eq!((found.len(), errors.len()), (250, 1));
/// let error = errors.into_iter().find_map(Result::err).unwrap();
/// assert_eq!(error.ids(), ["17"]);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[must_use = "a paginator does nothing until it is read"]
pub struct BatchRead<T = Object> {
    reader: Arc<ObjectReader>,
    record: PhantomData<fn() -> T>,
}

/// Builds a [`BatchRead`]: [`BatchRead::builder`].
#[derive(Clone)]
#[must_use = "call `build` to make a paginator of it"]
pub struct BatchReadBuilder {
    object_type: String,
    ids: Vec<ObjectId>,
    values: Vec<ObjectId>,
    fields: (Vec<String>, Vec<String>),
    id_property: Option<String>,
    archived: bool,
    batch_size: Option<usize>,
    endpoint: EndpointBuilder,
}

impl BatchRead {
    /// Objects of a type. A type is a name or an id: `deals`, `0-3`, `p1234_pets`.
    pub fn builder(object_type: impl Into<String>) -> BatchReadBuilder {
        BatchReadBuilder {
            object_type: object_type.into(),
            ids: Vec::new(),
            values: Vec::new(),
            fields: (Vec::new(), Vec::new()),
            id_property: None,
            archived: false,
            batch_size: None,
            endpoint: endpoint(),
        }
    }
}

impl BatchReadBuilder {
    /// Adds the ids of objects. There may be any number of them, as numbers or strings. An id
    /// that is given more than once is read once. Without ids there is no request.
    pub fn ids(mut self, ids: impl IntoIterator<Item = impl Into<ObjectId>>) -> Self {
        self.ids.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Reads the objects with these values of a property, such as `email`, instead of ids. Its
    /// values are unique in the account. The property is read with the others.
    ///
    /// Objects are joined to the values by that property, whatever their case. One that HubSpot
    /// found by another value, such as a further address of a contact, is taken for the first
    /// value that nothing else is said about.
    pub fn by_property(
        mut self,
        property: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.id_property = Some(property.into());
        self.values = values.into_iter().map(|value| ObjectId::from(value.into())).collect();
        self
    }

    /// Adds properties that each object comes with. By default HubSpot chooses a few.
    pub fn properties(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.fields.0.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds properties that come with all values that they had. Batches are smaller then: 50
    /// objects at most.
    pub fn properties_with_history(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.fields.1.extend(names.into_iter().map(Into::into));
        self
    }

    /// Whether archived objects are read instead of the others: no by default.
    pub fn archived(mut self, archived: bool) -> Self {
        self.archived = archived;
        self
    }

    /// The largest number of objects in a request: 1 to 100, and 100 by default. With
    /// [`properties_with_history`](Self::properties_with_history) it is 50.
    pub fn batch_size(mut self, objects: usize) -> Self {
        self.batch_size = Some(objects);
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
    /// - if the batch size is not from 1 to 100, or to 50 with history,
    /// - if there are both ids and values of a property,
    /// - if the object type can't be part of a path,
    /// - if an id or a value is empty,
    /// - if the base URL is invalid, or would send the token unencrypted,
    /// - if no transport is given, and the feature `reqwest` is off or the base URL is
    ///   `https` and no TLS feature is on.
    pub fn build<T: DeserializeOwned + Send + 'static>(self) -> Result<BatchRead<T>, Error> {
        let (mut properties, properties_with_history) = self.fields;
        let has_history = !properties_with_history.is_empty();
        let most = if has_history { MAX_BATCH_SIZE_WITH_HISTORY } else { MAX_BATCH_SIZE };
        let mut name = String::new();
        if let Some(property) = &self.id_property {
            if !self.ids.is_empty() {
                let message = "both ids and values of a property: make a paginator of each";
                return Err(Error::new(ErrorKind::Configuration, message));
            }
            if !properties.contains(property) {
                properties.push(property.clone());
            }
            name = format!(" by {property}");
        }
        let inputs = if self.id_property.is_some() { self.values } else { self.ids };
        let inputs = Inputs::new(inputs, HashSet::new(), self.batch_size.unwrap_or(most), most)?;
        let object_type = path_segment("object type", &self.object_type)?;
        let query = if self.archived { "?archived=true" } else { "" };
        let path = format!("/crm/objects/2026-03/{object_type}/batch/read{query}");
        let identity = format!("{}{name}", inputs.identity(&path));
        let endpoint = self.endpoint.build(&path, "token", None::<(&str, String)>)?;
        let fields = Fields { properties, properties_with_history, id_property: self.id_property };
        let reader = Arc::new(ObjectReader { endpoint, inputs, fields, identity });
        Ok(BatchRead { reader, record: PhantomData })
    }
}

#[async_trait]
impl<T: DeserializeOwned + Send + 'static> Paginator for BatchRead<T> {
    type Record = T;
    type Cursor = Batch;

    async fn fetch(&self, batch: Batch) -> Result<Page<T, Batch>, Error> {
        self.reader.page(&batch).await
    }

    fn identity(&self) -> String {
        self.reader.identity.clone()
    }

    forward_to_inputs!(self => self.reader.inputs);
}

impl<T> Clone for BatchRead<T> {
    fn clone(&self) -> Self {
        Self { reader: Arc::clone(&self.reader), record: PhantomData }
    }
}

impl<T> Debug for BatchRead<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BatchRead").field(&self.reader).finish()
    }
}

impl Debug for BatchReadBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchReadBuilder")
            .field("object_type", &self.object_type)
            .field("inputs", &(self.ids.len() + self.values.len()))
            .field("id_property", &self.id_property)
            .field("archived", &self.archived)
            .field("batch_size", &self.batch_size)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
