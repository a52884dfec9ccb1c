#[cfg(feature = "reqwest")]
use std::time::Duration;
use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Response, header::ACCEPT};

use super::{
    client::Client,
    link::{Links, Origin},
    template::header_name,
};
#[cfg(feature = "rate-limit")]
use crate::transport::RateLimiter;
use crate::{
    error::{Error, ErrorKind},
    transport::{CredentialPlace, EndpointBuilder, ReadError, Secret, endpoint_setters},
};

/// Builds a [`Client`]: [`Client::builder`].
#[must_use = "call `build` to make a client of it"]
pub struct ClientBuilder {
    endpoint: EndpointBuilder,
    headers: Vec<(String, String)>,
    /// The name of the header of the secret, where it is in one.
    secret_header: Option<String>,
    origins: Vec<String>,
    ignores_link_hosts: bool,
    #[cfg(feature = "reqwest")]
    deadline: Option<Duration>,
    #[cfg(feature = "reqwest")]
    max_body: Option<usize>,
}

impl Client {
    /// A client of the service at this address, such as `https://api.example.com/v2`. It sends no
    /// credentials, unless you give some to the builder.
    pub fn builder(base_url: impl AsRef<str>) -> ClientBuilder {
        ClientBuilder::new(base_url.as_ref())
    }
}

impl ClientBuilder {
    fn new(base_url: &str) -> Self {
        let mut endpoint = EndpointBuilder::new(base_url, ReadError::Common);
        endpoint.needs_credentials = false;
        Self {
            endpoint,
            headers: Vec::new(),
            secret_header: None,
            origins: Vec::new(),
            ignores_link_hosts: false,
            #[cfg(feature = "reqwest")]
            deadline: None,
            #[cfg(feature = "reqwest")]
            max_body: None,
        }
    }

    /// Sends a token in the header `Authorization: Bearer`.
    pub fn bearer(self, token: impl Into<String>) -> Self {
        self.secret(token.into(), CredentialPlace::Authorization("Bearer"))
    }

    /// Sends a user and a password in the header `Authorization: Basic`.
    pub fn basic(self, user: &str, password: &str) -> Self {
        let secret = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.secret(secret, CredentialPlace::Authorization("Basic"))
    }

    /// Sends a key in a header of this name, such as `x-api-key`.
    pub fn key_in_header(mut self, name: &str, key: impl Into<String>) -> Self {
        self.secret_header = Some(name.to_owned());
        self.endpoint.credentials = Some(Secret::fixed(key.into()));
        self
    }

    /// Sends a key in the query, as the value of this name.
    pub fn key_in_query(self, name: &str, key: impl Into<String>) -> Self {
        self.secret(key.into(), CredentialPlace::Query(name.to_owned()))
    }

    fn secret(mut self, secret: String, place: CredentialPlace) -> Self {
        self.endpoint.credentials = Some(Secret::fixed(secret));
        self.endpoint.place = place;
        self.secret_header = None;
        self
    }

    endpoint_setters! {
        /// Asks a provider for the token, such as [`OAuth`](super::OAuth), and for another one
        /// after a 401. The token is sent as `Authorization: Bearer`.
        credentials;
    }

    /// A header of each request. `Accept` is `application/json` by default.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Follows links to this origin too, such as `https://uploads.example.com`, and sends the
    /// credentials there. By default a link to another origin is an error.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Uses only the path and the query of a link, and sends the request to the base URL, whatever
    /// host the link names. Use it behind a proxy, if the service writes links to its own inner
    /// address.
    pub fn ignore_link_hosts(mut self) -> Self {
        self.ignores_link_hosts = true;
        self
    }

    /// Limits the requests of this client: so many in a time. Clients that get clones of one limiter
    /// share its budget.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pagestream::{RateLimiter, http::Client};
    ///
    /// # fn main() -> Result<(), pagestream::Error> {
    /// let limiter = RateLimiter::new(100, Duration::from_secs(60))?;
    /// let client = Client::builder("https://api.example.com").rate_limiter(limiter.clone());
    /// # let _ = client;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "rate-limit")]
    pub fn rate_limiter(mut self, limiter: RateLimiter) -> Self {
        self.endpoint.rate_limiter = Some(limiter);
        self
    }

    /// How long a request may take: [`Reqwest::deadline`](crate::Reqwest::deadline). It has no
    /// effect on a [`transport`](Self::transport) of your own.
    #[cfg(feature = "reqwest")]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The largest body of a response, in bytes:
    /// [`Reqwest::max_body`](crate::Reqwest::max_body). It has no effect on a
    /// [`transport`](Self::transport) of your own.
    #[cfg(feature = "reqwest")]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// Gives a closure that finds the errors of this service. Use it if a service answers an error
    /// with a 200, or if a status means something else at this service. If the closure gives `None`,
    /// the status decides.
    ///
    /// Secrets are removed from the errors that it gives.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use pagestream::{Error, ErrorKind, http::Client};
    ///
    /// fn slack(response: &http::Response<Bytes>) -> Option<Error> {
    ///     let body: serde_json::Value = serde_json::from_slice(response.body()).ok()?;
    ///     let code = body["error"].as_str().filter(|_| body["ok"] == false)?;
    ///     let error = Error::new(ErrorKind::Status, format!("Slack says {code:?}"));
    ///     Some(if code == "ratelimited" { error.with_throttled() } else { error })
    /// }
    ///
    /// let slack = Client::builder("https://slack.com/api").bearer("xoxb-...").error(slack);
    /// ```
    pub fn error(
        mut self,
        read: impl Fn(&Response<Bytes>) -> Option<Error> + Send + Sync + 'static,
    ) -> Self {
        self.endpoint.read_error = ReadError::Author(Arc::new(read));
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`Configuration`](ErrorKind::Configuration) for a base URL, an origin, a header or a
    /// secret that can't be used, and for a missing transport or TLS.
    pub fn build(mut self) -> Result<Client, Error> {
        if let Some(name) = &self.secret_header {
            self.endpoint.place = CredentialPlace::Header(header_name(name)?);
        }
        #[cfg(feature = "reqwest")]
        if self.endpoint.transport.is_none() && (self.deadline.is_some() || self.max_body.is_some())
        {
            let mut transport = crate::transport::Reqwest::new()?;
            if let Some(deadline) = self.deadline {
                transport = transport.deadline(deadline);
            }
            if let Some(bytes) = self.max_body {
                transport = transport.max_body(bytes);
            }
            self.endpoint.transport = Some(Arc::new(transport));
        }
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(ACCEPT.as_str())) {
            self.headers.push((ACCEPT.to_string(), "application/json".to_owned()));
        }
        let endpoint = self.endpoint.build("", "secret", self.headers)?;
        let mut origins = vec![Origin::of(endpoint.uri()).ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "invalid base URL: it has no host")
        })?];
        for origin in &self.origins {
            let found = origin.parse().ok().filter(|_| !origin.contains('@'));
            origins.push(found.as_ref().and_then(Origin::of).ok_or_else(|| {
                let message = "invalid origin: expected one like https://host, without a user";
                Error::new(ErrorKind::Configuration, message)
            })?);
        }
        let links = Links { origins, ignores_hosts: self.ignores_link_hosts };
        Ok(Client::new(endpoint, links))
    }
}

impl Debug for ClientBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
