use std::{
    fmt::{self, Debug, Formatter},
    marker::PhantomData,
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    action::Action, error_response::error_response, parameter_position::ParameterPosition,
    without_pagination::WithoutPagination,
};
use crate::{
    error::{Error, ErrorKind},
    http::Client,
    rest::Offset,
    transport::{EndpointBuilder, ReadError, endpoint_setters, path_segment},
};

const BASE_URL: &str = "https://production.runalloy.com";
const API_VERSION: &str = "2025-09";

/// The largest number of records in a page (the pagination guide).
const MAX_LIMIT: u64 = 50;

/// Builds an [`Action`]: [`Action::builder`].
#[must_use = "call `build` to make a paginator of it"]
pub struct ActionBuilder<T> {
    connector: String,
    action: String,
    credential_id: Option<String>,
    user_id: Option<String>,
    api_version: String,
    limit: u64,
    inputs: Map<String, Value>,
    fields: Map<String, Value>,
    position: ParameterPosition,
    data: String,
    pagination: String,
    without_pagination: WithoutPagination,
    accepts_repeated_pages: bool,
    ignored_fields: Vec<String>,
    endpoint: EndpointBuilder,
    record: PhantomData<fn() -> T>,
}

impl<T> Action<T> {
    /// An action of a connector. Both are ids: `hubspot`, `listContacts`.
    pub fn builder(connector: impl Into<String>, action: impl Into<String>) -> ActionBuilder<T> {
        ActionBuilder::new(connector.into(), action.into())
    }
}

impl<T> ActionBuilder<T> {
    fn new(connector: String, action: String) -> Self {
        Self {
            connector,
            action,
            credential_id: None,
            user_id: None,
            api_version: API_VERSION.to_owned(),
            limit: MAX_LIMIT,
            inputs: Map::new(),
            fields: Map::new(),
            position: ParameterPosition::default(),
            data: "/data".to_owned(),
            pagination: "/pagination".to_owned(),
            without_pagination: WithoutPagination::default(),
            accepts_repeated_pages: false,
            ignored_fields: Vec::new(),
            endpoint: EndpointBuilder::new(BASE_URL, ReadError::Vendor(error_response)),
            record: PhantomData,
        }
    }

    /// The id of the credential that the connector uses: 24 hex digits. It is required.
    /// It is not a secret. It says which account is read.
    pub fn credential_id(mut self, credential_id: impl Into<String>) -> Self {
        self.credential_id = Some(credential_id.into());
        self
    }

    /// The user to read for, sent as `x-alloy-userid`: the user of the API key by
    /// default.
    pub fn user_id(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    /// The version of the API, sent as `x-api-version`: `2025-09` by default.
    pub fn api_version(mut self, api_version: impl Into<String>) -> Self {
        self.api_version = api_version.into();
        self
    }

    /// The largest number of records in a page: 1 to 50, and 50 by default.
    /// [`Read::max_records`](crate::Read::max_records) limits the records of the whole
    /// reading.
    pub fn limit(mut self, records_per_page: u64) -> Self {
        self.limit = records_per_page;
        self
    }

    /// Another input of the action. It is sent with every request, next to `limit` and
    /// `offset`.
    pub fn input(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.inputs.insert(name.into(), value.into());
        self
    }

    /// Another field of the body, such as `pathParams` or `additionalHeaders`. It is
    /// sent with every request.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// The field of the body that contains the inputs: [`ParameterPosition::Input`] by
    /// default.
    pub fn parameters_in(mut self, position: ParameterPosition) -> Self {
        self.position = position;
        self
    }

    /// Where the records are in the response, as a JSON pointer: `/data` by default.
    pub fn data_at(mut self, pointer: impl Into<String>) -> Self {
        self.data = pointer.into();
        self
    }

    /// Where the paging object is in the response, as a JSON pointer: `/pagination` by
    /// default.
    pub fn pagination_at(mut self, pointer: impl Into<String>) -> Self {
        self.pagination = pointer.into();
        self
    }

    /// What a response without a paging object means: an error by default.
    pub fn without_pagination(mut self, meaning: WithoutPagination) -> Self {
        self.without_pagination = meaning;
        self
    }

    /// Accepts a page with the data of one before it. By default that is an error, since a
    /// service that ignores the offset, or begins anew, sends such pages. Call this if
    /// different pages may look the same.
    pub fn accept_repeated_pages(mut self) -> Self {
        self.accepts_repeated_pages = true;
        self
    }

    /// Fields that are left out when records are compared, wherever they are in a record:
    /// what changes at each request, such as the time of it. None by default.
    ///
    /// Records are compared to find the place in a page that is read again, and to notice a
    /// service that gives the same page again.
    pub fn ignore_fields(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.ignored_fields.extend(names.into_iter().map(Into::into));
        self
    }

    endpoint_setters! {
        /// The API key. It goes into the `Authorization` header, and nowhere else.
        /// Either this or [`credentials`](Self::credentials) is required.
        api_key;
        /// Where the API key comes from, if it changes. It is requested again when the
        /// service answers 401.
        credentials;
        /// The address of the service: `https://production.runalloy.com` by default.
        base_url;
    }

    /// Builds the paginator.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`]:
    ///
    /// - if the API key or the credential id is missing,
    /// - if the user id is empty,
    /// - if the limit is not from 1 to 50,
    /// - if the connector or the action can't be part of a path,
    /// - if a header can't carry its value,
    /// - if an input or a field is one that the paginator sets itself,
    /// - if a JSON pointer is invalid,
    /// - if the base URL is invalid, or would send the key unencrypted,
    /// - if no transport is given, and the feature `reqwest` is off or the base URL is
    ///   `https` and no TLS feature is on.
    pub fn build(self) -> Result<Action<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        if !(1..=MAX_LIMIT).contains(&self.limit) {
            return invalid(format!("invalid limit {}: expected 1 to {MAX_LIMIT}", self.limit));
        }
        for name in ["limit", "offset"] {
            if self.inputs.contains_key(name) {
                return invalid(format!(
                    "invalid input {name:?}: the paginator sets it, so remove it"
                ));
            }
        }
        for name in ["credentialId", "actionId", self.position.field()] {
            if self.fields.contains_key(name) {
                return invalid(format!(
                    "invalid field {name:?}: the builder sets it, so remove it"
                ));
            }
        }
        let Some(credential_id) = self.credential_id.filter(|id| !id.is_empty()) else {
            return invalid("missing credential id: call `credential_id`");
        };
        if self.user_id.as_deref() == Some("") {
            return invalid(
                "invalid user id \"\": give one, or don't call `user_id` to read for the user of \
                 the API key",
            );
        }
        let connector = path_segment("connector", &self.connector)?;
        let action = path_segment("action", &self.action)?;
        let path = format!("/connectors/{connector}/actions/{action}/execute");

        let mut body = self.fields;
        body.insert("credentialId".to_owned(), credential_id.into());
        body.insert("actionId".to_owned(), action.into());
        let position = self.position.field();
        body.insert(position.to_owned(), self.inputs.into());

        let endpoint = self.endpoint.build("", "API key", [("x-api-version", self.api_version)])?;
        let mut request = Client::of(endpoint)
            .post(path)
            .json(&body)
            .limit_in_body(format!("/{position}/limit"), self.limit);
        if let Some(user_id) = self.user_id {
            request = request.header("x-alloy-userid", user_id);
        }
        let pagination = self.pagination;
        let mut style = Offset::body(format!("/{position}/offset"))
            .more_at(format!("{pagination}/hasMore"))
            .next_at(format!("{pagination}/nextOffset"));
        if self.without_pagination == WithoutPagination::SinglePage {
            style = style.single_page_without(&*pagination);
        }
        let mut list = request
            .pages(style)
            .records_at(self.data)
            .total_at(format!("{pagination}/total"))
            .ignore_fields(self.ignored_fields);
        if self.without_pagination == WithoutPagination::SinglePage {
            list = list.null_is_missing();
        }
        if self.accepts_repeated_pages {
            list = list.accept_repeated_pages();
        }
        Ok(Action::new(list.build()?))
    }
}

fn invalid<T>(message: impl Into<std::borrow::Cow<'static, str>>) -> Result<T, Error> {
    Err(Error::new(ErrorKind::Configuration, message))
}

impl<T> Debug for ActionBuilder<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionBuilder")
            .field("connector", &self.connector)
            .field("action", &self.action)
            .field("limit", &self.limit)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
