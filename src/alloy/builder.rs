use std::{
    fmt::{self, Debug, Formatter},
    hash::Hasher,
    marker::PhantomData,
    sync::Arc,
};

use secrecy::SecretString;
use serde_json::{Map, Value};
use twox_hash::XxHash3_64;

use super::{
    action::{Action, Reader},
    paging::WithoutPagination,
    refusal::refusal,
    wire::{Layout, ParameterPosition, Pointer},
};
use crate::{
    error::{Error, ErrorKind},
    transport::{Credentials, EndpointBuilder, Secret, Transport, path_segment},
};

const BASE_URL: &str = "https://production.runalloy.com";
const API_VERSION: &str = "2025-09";

/// The most records that one page may hold (the pagination guide).
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
    place: ParameterPosition,
    data: String,
    pagination: String,
    without_pagination: WithoutPagination,
    accepts_repeated_pages: bool,
    endpoint: EndpointBuilder,
    record: PhantomData<fn() -> T>,
}

impl<T> Action<T> {
    /// An action of a connector, both by their ids: `hubspot`, `listContacts`.
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
            place: ParameterPosition::default(),
            data: "/data".to_owned(),
            pagination: "/pagination".to_owned(),
            without_pagination: WithoutPagination::default(),
            accepts_repeated_pages: false,
            endpoint: EndpointBuilder::new(BASE_URL, refusal),
            record: PhantomData,
        }
    }

    /// The API key. It goes into the `Authorization` header, and nowhere else.
    /// Either this or [`credentials`](Self::credentials) is required.
    pub fn api_key(mut self, api_key: impl Into<String>) -> Self {
        self.endpoint.credentials = Some(Secret::Fixed(SecretString::from(api_key.into())));
        self
    }

    /// Where the API key comes from, if it changes. It is asked again when the
    /// service answers 401.
    pub fn credentials(mut self, provider: impl Credentials + 'static) -> Self {
        self.endpoint.credentials = Some(Secret::Provided(Arc::new(provider)));
        self
    }

    /// The id of the credential under which the connector reads, 24 hex digits.
    /// Required. It is no secret: it says which account is read.
    pub fn credential_id(mut self, credential_id: impl Into<String>) -> Self {
        self.credential_id = Some(credential_id.into());
        self
    }

    /// The user to read for, sent as `x-alloy-userid`: the API key's own user by
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

    /// How many records one page may hold: 1 to 50, and 50 by default. How many
    /// records are read in all is [`Read::max_records`](crate::Read::max_records).
    pub fn limit(mut self, records_per_page: u64) -> Self {
        self.limit = records_per_page;
        self
    }

    /// Another input of the action. It stands beside `limit` and `offset` and is
    /// sent with every page.
    pub fn input(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.inputs.insert(name.into(), value.into());
        self
    }

    /// Another field of the body, such as `pathParams` or `additionalHeaders`. It
    /// is sent with every page.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// Where the inputs stand: [`ParameterPosition::Input`] by default.
    pub fn parameters_in(mut self, place: ParameterPosition) -> Self {
        self.place = place;
        self
    }

    /// Where the records lie in the response, as a JSON pointer: `/data` by
    /// default.
    pub fn data_at(mut self, pointer: impl Into<String>) -> Self {
        self.data = pointer.into();
        self
    }

    /// Where the paging object lies in the response, as a JSON pointer:
    /// `/pagination` by default.
    pub fn pagination_at(mut self, pointer: impl Into<String>) -> Self {
        self.pagination = pointer.into();
        self
    }

    /// What a response without a paging object means: an error by default.
    pub fn without_pagination(mut self, meaning: WithoutPagination) -> Self {
        self.without_pagination = meaning;
        self
    }

    /// Takes two pages in a row with the same data for what they are. By default
    /// they are an error, the mark of a service that ignores the offset. Call
    /// this for records that can't be told apart.
    pub fn accept_repeated_pages(mut self) -> Self {
        self.accepts_repeated_pages = true;
        self
    }

    /// Where the service is: `https://production.runalloy.com` by default.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.endpoint.base_url = base_url.into();
        self
    }

    /// Allows a base URL with plain http to another host than this machine, where
    /// everybody on the way can read the credentials. By default it is refused.
    pub fn allow_plain_http(mut self) -> Self {
        self.endpoint.allows_plain_http = true;
        self
    }

    /// What carries the requests: a new `Reqwest` by default, which needs a TLS feature
    /// of this crate for an `https` address, the default one too. Several paginators
    /// share connections if they are given clones of one.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.endpoint.transport = Some(Arc::new(transport));
        self
    }

    /// The paginator.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if there is no API key or no credential id,
    /// if the user id is empty, if the limit is not from 1 to 50, if the connector or the action can't
    /// stand in a path, if a header can't carry what it is given, if an input or
    /// a field is one that is set by itself, if a place is no JSON pointer, if
    /// the base URL is none or would send the key in the clear, if there is no
    /// transport, or if the base URL is `https`, no transport is given and no TLS
    /// feature is on.
    pub fn build(self) -> Result<Action<T>, Error> {
        if !(1..=MAX_LIMIT).contains(&self.limit) {
            return refuse(format!(
                "a limit of {} can't be asked for: give a number from 1 to {MAX_LIMIT}",
                self.limit
            ));
        }
        for name in ["limit", "offset"] {
            if self.inputs.contains_key(name) {
                return refuse(format!("the input {name:?} is set by the paginator"));
            }
        }
        for name in ["credentialId", "actionId", self.place.field()] {
            if self.fields.contains_key(name) {
                return refuse(format!("the field {name:?} is set by the builder"));
            }
        }
        let Some(credential_id) = self.credential_id.filter(|id| !id.is_empty()) else {
            return refuse("there is no credential id: give one to the builder");
        };
        if self.user_id.as_deref() == Some("") {
            return refuse("the user id is empty: give one, or none for the key's own user");
        }
        let (Some(data), Some(pagination)) =
            (Pointer::parse(&self.data), Pointer::parse(&self.pagination))
        else {
            return refuse("a place in the response is no JSON pointer: one begins with a slash");
        };
        let connector = path_segment("connector", &self.connector)?;
        let action = path_segment("action", &self.action)?;
        let path = format!("/connectors/{connector}/actions/{action}/execute");

        let mut fields = self.fields;
        fields.insert("credentialId".to_owned(), credential_id.into());
        fields.insert("actionId".to_owned(), action.into());
        let user_id = self.user_id;
        let mut body = fields.clone();
        body.insert(self.place.field().to_owned(), self.inputs.clone().into());
        let mut digest = XxHash3_64::new();
        digest_value(&mut digest, &body.into());
        digest_value(&mut digest, &user_id.clone().into());
        let identity = format!("alloy {path} with {:016x}", digest.finish());

        let mut headers = vec![("x-api-version", self.api_version)];
        headers.extend(user_id.map(|user_id| ("x-alloy-userid", user_id)));
        Ok(Action::new(Reader {
            endpoint: self.endpoint.build(&path, "API key", headers)?,
            fields,
            inputs: self.inputs,
            place: self.place,
            limit: self.limit,
            layout: Layout { data, pagination },
            without_pagination: self.without_pagination,
            accepts_repeated_pages: self.accepts_repeated_pages,
            identity,
        }))
    }
}

/// Tells what is read apart; it stays the same on every machine and in whatever
/// order a map keeps its keys, since checkpoints hold it.
fn digest_value(digest: &mut XxHash3_64, value: &Value) {
    match value {
        Value::Object(map) => {
            let mut entries = map.iter().collect::<Vec<_>>();
            entries.sort_unstable_by_key(|(key, _)| *key);
            digest.write(b"{");
            for (key, value) in entries {
                digest_value(digest, &Value::String(key.clone()));
                digest_value(digest, value);
            }
            digest.write(b"}");
        }
        Value::Array(values) => {
            digest.write(b"[");
            for value in values {
                digest_value(digest, value);
            }
            digest.write(b"]");
        }
        plain => {
            digest.write(plain.to_string().as_bytes());
            digest.write(b",");
        }
    }
}

fn refuse<T>(message: impl Into<std::borrow::Cow<'static, str>>) -> Result<T, Error> {
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
