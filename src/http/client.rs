use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use http::Method;
use serde_json::json;

use super::{link::Links, request::RequestBuilder, service::Service};
use crate::transport::Endpoint;

/// A service that is reached by HTTP: its address, its credentials and its headers. Clones of a
/// client share all of these.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use futures::executor::block_on;
/// use pagestream::http::Client;
///
/// let hello = |request: http::Request<bytes::Bytes>| async move {
///     assert_eq!(request.uri().path(), "/greetings/J%C3%BCrg");
///     Ok::<_, pagestream::Error>(http::Response::new("\"hello\"".into()))
/// };
/// let client = Client::builder("https://example.com").transport(hello).build()?;
/// let response = block_on(client.get("/greetings/{name}").path("name", "Jürg").send())?;
/// assert_eq!(response.body(), "\"hello\"");
/// # }
/// # Ok::<(), pagestream::Error>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Service>);

impl Client {
    pub(super) fn new(endpoint: Endpoint, links: Links) -> Self {
        Self(Arc::new(Service { endpoint, links }))
    }

    /// A client of an endpoint, whose links lead to its own origin.
    #[cfg(any(feature = "alloy", feature = "hubspot"))]
    pub(crate) fn of(endpoint: Endpoint) -> Self {
        let links = Links::of(endpoint.uri());
        Self::new(endpoint, links)
    }

    /// A GET request. The path begins with a slash, and is added to the base URL. Names in braces
    /// are parameters, such as `{owner}`: [`RequestBuilder::path`] gives their values.
    pub fn get(&self, path: impl Into<String>) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// A POST request. The path is as for [`get`](Self::get).
    pub fn post(&self, path: impl Into<String>) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// A request of any method. The path is as for [`get`](Self::get).
    pub fn request(&self, method: Method, path: impl Into<String>) -> RequestBuilder {
        RequestBuilder::new(Arc::clone(&self.0), method, path.into())
    }

    /// A GraphQL query. [`RequestBuilder::variable`] sets its variables. If an answer has `errors`,
    /// that is an error. If it has data too, the errors are partial.
    pub fn graphql(&self, path: impl Into<String>, query: impl Into<String>) -> RequestBuilder {
        let request = self.post(path).json(&json!({"query": query.into(), "variables": {}}));
        request.graphql()
    }
}

impl Debug for Client {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.endpoint).finish()
    }
}
