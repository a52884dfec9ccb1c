use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use http::Method;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    limit::{Limit, LimitPlace},
    service::Service,
};

/// One request to a service, whose parts are set one by one: [`Client::get`](super::Client::get).
///
/// [`send`](Self::send) sends it alone. [`pages`](Self::pages) makes a paginator of it.
#[must_use = "send it, or make a paginator of it"]
pub struct RequestBuilder {
    pub(super) service: Arc<Service>,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Result<Value, Arc<serde_json::Error>>>,
    pub(super) limit: Option<Limit>,
    pub(super) is_graphql: bool,
}

impl RequestBuilder {
    pub(super) fn new(service: Arc<Service>, method: Method, path: String) -> Self {
        Self {
            service,
            method,
            path,
            parameters: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            limit: None,
            is_graphql: false,
        }
    }

    /// The value of a parameter of the path: the name in braces. It is percent-encoded.
    #[allow(clippy::needless_pass_by_value, reason = "a call reads better without a &")]
    pub fn path(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.parameters.push((name.into(), value.to_string()));
        self
    }

    /// A name and a value of the query. Both are percent-encoded. The same name may come
    /// several times.
    #[allow(clippy::needless_pass_by_value, reason = "a call reads better without a &")]
    pub fn query(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// A header of this request.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The body, as JSON.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = Some(serde_json::to_value(body).map_err(Arc::new));
        self
    }

    /// A variable of a GraphQL query, in the object `variables` of the body.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let body = self.body.get_or_insert_with(|| Ok(Map::new().into()));
        if let Ok(Value::Object(body)) = body {
            let variables = body.entry("variables").or_insert_with(|| Map::new().into());
            if let Value::Object(variables) = variables {
                variables.insert(name.into(), value.into());
            }
        }
        self
    }

    /// How many records a page has at most, as the value of this name in the query. Services have a
    /// largest number. What they do above it differs, so do not ask for more.
    ///
    /// If a page is too large for the service, most styles ask for it with a smaller limit
    /// ([`Retry`](crate::Retry)).
    pub fn limit(mut self, name: impl Into<String>, records: u64) -> Self {
        self.limit = Some(Limit { place: LimitPlace::Query(name.into()), records });
        self
    }

    /// As [`limit`](Self::limit), but in the body, at a JSON pointer such as `/page/size`.
    pub fn limit_in_body(mut self, pointer: impl Into<String>, records: u64) -> Self {
        self.limit = Some(Limit { place: LimitPlace::Body(pointer.into()), records });
        self
    }

    pub(super) fn graphql(mut self) -> Self {
        self.is_graphql = true;
        self
    }
}

impl Debug for RequestBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        let names = |pairs: &[(String, String)]| {
            pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        f.debug_struct("RequestBuilder")
            .field("service", &self.service.endpoint)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &names(&self.query))
            .field("headers", &names(&self.headers))
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
