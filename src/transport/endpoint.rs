use std::{
    borrow::Cow,
    fmt::{self, Debug, Formatter},
    net::IpAddr,
    sync::Arc,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;

use super::{
    Transport, decoding,
    error_response::{EXCERPT, ErrorResponse, QUOTED, after_a_colon, of_status},
    keyring::{Key, Keyring, Refusals},
    shared_credentials::SharedCredentials,
};
use crate::error::{Error, ErrorKind, ServiceError};

/// One address of a service, with all of a request but its body.
pub(crate) struct Endpoint {
    transport: Arc<dyn Transport>,
    uri: Uri,
    headers: HeaderMap,
    keyring: Arc<Keyring>,
    read_error: ReadErrorResponse,
}

/// The settings of an [`Endpoint`], which a vendor's builder collects with
/// [`endpoint_setters!`].
#[derive(Clone)]
pub(crate) struct EndpointBuilder {
    pub(crate) base_url: String,
    pub(crate) credentials: Option<Secret>,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) allows_plain_http: bool,
    read_error: ReadErrorResponse,
}

/// The source of the secret.
#[derive(Clone)]
pub(crate) enum Secret {
    Fixed(SecretString),
    Provided(SharedCredentials),
}

/// Reads the body of an error response in a vendor's format.
pub(crate) type ReadErrorResponse = fn(StatusCode, &Value) -> ErrorResponse;

/// The setters that all vendors' builders share. A vendor adds its own docs, and the name
/// of the setter of a fixed secret.
macro_rules! endpoint_setters {
    (
        $(#[$secret_doc:meta])+ $secret:ident;
        $(#[$credentials_doc:meta])+ credentials;
        $(#[$base_url_doc:meta])+ base_url;
    ) => {
        $(#[$secret_doc])+
        pub fn $secret(mut self, $secret: impl Into<String>) -> Self {
            self.endpoint.credentials = Some($crate::transport::Secret::fixed($secret.into()));
            self
        }

        $(#[$credentials_doc])+
        pub fn credentials(
            mut self,
            provider: impl $crate::transport::Credentials + 'static,
        ) -> Self {
            let shared = $crate::transport::SharedCredentials::new(provider);
            self.endpoint.credentials = Some($crate::transport::Secret::Provided(shared));
            self
        }

        $(#[$base_url_doc])+
        pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
            self.endpoint.base_url = base_url.into();
            self
        }

        /// Allows a base URL with plain http to another machine. By default it is an
        /// error, since others in the network can read the credentials.
        pub fn allow_plain_http(mut self) -> Self {
            self.endpoint.allows_plain_http = true;
            self
        }

        /// What sends the requests: a new `Reqwest` by default. Paginators share
        /// connections if they have clones of one.
        pub fn transport(
            mut self,
            transport: impl $crate::transport::Transport + 'static,
        ) -> Self {
            self.endpoint.transport = Some(std::sync::Arc::new(transport));
            self
        }
    };
}
pub(crate) use endpoint_setters;

impl Secret {
    pub(crate) fn fixed(secret: String) -> Self {
        Self::Fixed(SecretString::from(secret))
    }
}

impl EndpointBuilder {
    pub(crate) fn new(base_url: &str, read_error: ReadErrorResponse) -> Self {
        Self {
            base_url: base_url.to_owned(),
            credentials: None,
            transport: None,
            allows_plain_http: false,
            read_error,
        }
    }

    /// Builds the endpoint. `secret` is the name of the secret in messages.
    pub(crate) fn build(
        self,
        path: &str,
        secret: &str,
        headers: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Endpoint, Error> {
        let uri = self.uri(path)?;
        // A secret that a header can't carry is an error now, not at the first page.
        let keyring = match self.credentials {
            Some(Secret::Fixed(secret)) if !secret.expose_secret().trim().is_empty() => {
                Arc::new(Keyring::fixed(&secret)?)
            }
            Some(Secret::Provided(shared)) => shared.keyring(),
            _ => return Err(invalid(format!("missing {secret}: give one to the builder"))),
        };
        let mut map = HeaderMap::new();
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        map.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).map_err(|error| {
                invalid(format!("invalid value for the header {name}: expected visible ASCII"))
                    .with_source(error)
            })?;
            map.insert(HeaderName::from_static(name), value);
        }
        let transport = self.transport.map_or_else(|| default_transport(&uri), Ok)?;
        Ok(Endpoint { transport, uri, headers: map, keyring, read_error: self.read_error })
    }

    fn uri(&self, path: &str) -> Result<Uri, Error> {
        let base_url = &self.base_url;
        let shown = shown(base_url);
        if base_url.contains('@') {
            let message =
                "invalid base URL: it has a user; give credentials to the builder instead";
            return Err(invalid(message));
        }
        let uri = format!("{}{path}", base_url.trim_end_matches('/'));
        let uri = uri.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some()
                && !base_url.contains(['?', '#'])
        });
        let uri = uri.ok_or_else(|| {
            invalid(format!(
                "invalid base URL {shown:?}: expected one like https://host, without a query"
            ))
        })?;
        let is_plain = uri.scheme_str() == Some("http") && !uri.host().is_some_and(is_loopback);
        if is_plain && !self.allows_plain_http {
            return Err(invalid(format!(
                "invalid base URL {shown:?}: it would send the credentials unencrypted; use https, \
                 or call `allow_plain_http`"
            )));
        }
        Ok(uri)
    }
}

impl Endpoint {
    /// Posts a body as JSON, and returns the response if it is a success.
    pub(crate) async fn post(&self, body: &impl Serialize) -> Result<Response<Bytes>, Error> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::new(ErrorKind::Contract, "a request can't be written as JSON").with_source(error)
        })?;
        let body = Bytes::from(body);
        let mut key = self.keyring.key().await?;
        let mut refusals = Refusals::default();
        let response = loop {
            let response = self.send(body.clone(), &key).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                key.accepted();
                break response;
            }
            match self.keyring.after(&key, &mut refusals).await {
                Some(other) => key = other?,
                None => break response,
            }
        };
        let is_ready = response.status().is_success() && !is_not_ready(&response);
        if is_ready { Ok(response) } else { Err(self.failed(&response)) }
    }

    async fn send(&self, body: Bytes, key: &Key) -> Result<Response<Bytes>, Error> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(AUTHORIZATION, key.bearer.clone());
        self.transport.send(request).await
    }

    /// The error of an error response.
    fn failed(&self, response: &Response<Bytes>) -> Error {
        of_status(response.status(), response.headers(), self.error_response(response))
    }

    /// What the body says about an error, bounded and without secrets.
    fn error_response(&self, response: &Response<Bytes>) -> ErrorResponse {
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        let read = (self.read_error)(response.status(), &body);
        ErrorResponse { service_error: self.redact_service_error(read.service_error), ..read }
    }

    /// The same service error, bounded and without secrets.
    pub(crate) fn redact_service_error(&self, error: ServiceError) -> ServiceError {
        let redact = |text: Option<String>, most| text.map(|text| self.redact(&text, most));
        ServiceError {
            category: redact(error.category, EXCERPT),
            sub_category: redact(error.sub_category, EXCERPT),
            message: redact(error.message, QUOTED),
            correlation_id: redact(error.correlation_id, EXCERPT),
        }
    }

    /// Whether a service's text has a secret in it.
    #[cfg(feature = "hubspot")]
    pub(crate) fn has_secret(&self, text: &str) -> bool {
        self.keyring.redact(text) != text
    }

    /// At most so many characters of a service's text, without secrets.
    pub(crate) fn redact(&self, text: &str, most: usize) -> String {
        self.keyring.redact(text).chars().take(most).collect()
    }

    /// The error of a success whose body is not what the service documents. The message
    /// contains the error that the body may tell, its content type and its beginning.
    pub(crate) fn unexpected(&self, what: &str, response: &Response<Bytes>) -> Error {
        let service_error = self.error_response(response).service_error;
        let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let content_type = content_type.map(String::from_utf8_lossy);
        let content_type = content_type.map_or_else(
            || "of no content type".to_owned(),
            |it| format!("of content type {}", self.redact(&it, EXCERPT)),
        );
        // Long enough for a whole secret that begins in the excerpt.
        let begin = &response.body()[..response.body().len().min(64 * 1024)];
        let begin = match self.redact(&String::from_utf8_lossy(begin), EXCERPT) {
            begin if begin.is_empty() => "is empty".to_owned(),
            begin => format!("begins with {begin:?}"),
        };
        let told = after_a_colon(&service_error);
        let message = format!("{what}{told}; it is {content_type} and {begin}");
        Error::new(ErrorKind::Decode, message)
            .with_status(response.status().as_u16())
            .with_service_error(service_error)
    }

    /// Decodes the body of a success. `what` is the message if it can't be decoded.
    pub(crate) async fn decode<T: Send + 'static>(
        &self,
        what: &str,
        response: &Response<Bytes>,
        decode: impl FnOnce(&str) -> serde_json::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        match decoding::decode(response.body(), decode).await {
            Ok(Ok(decoded)) => Ok(decoded),
            Ok(Err(source)) => Err(self.undecoded(what, response, source)),
            Err(source) => Err(self
                .unexpected("the response is not valid UTF-8", response)
                // A body that was cut within a character may come complete the next time.
                .with_retryable(source.error_len().is_none())
                .with_source(source)),
        }
    }

    /// The error of a body that can't be decoded. A body that ends too early was cut, so
    /// a retry may help. One that says that it is empty was not cut.
    fn undecoded(
        &self,
        what: &str,
        response: &Response<Bytes>,
        source: serde_json::Error,
    ) -> Error {
        let is_cut = source.is_eof() && !is_empty(response);
        let error = self.unexpected(what, response).with_retryable(is_cut);
        // The source may quote the body, and the body may contain a secret.
        let text = source.to_string();
        let redacted = self.redact(&text, QUOTED);
        if redacted == text { error.with_source(source) } else { error.with_source(redacted) }
    }
}

impl Debug for Endpoint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("uri", &self.uri).finish_non_exhaustive()
    }
}

impl Debug for EndpointBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let base_url = shown(&self.base_url);
        f.debug_struct("EndpointBuilder").field("base_url", &base_url).finish_non_exhaustive()
    }
}

/// The part of a base URL that messages may contain. Somebody may have put a secret
/// into its user or its query.
fn shown(base_url: &str) -> &str {
    if base_url.contains('@') {
        return "[with a user]";
    }
    base_url.split(['?', '#']).next().unwrap_or_default()
}

/// Whether a response says that the answer is not there yet.
fn is_not_ready(response: &Response<Bytes>) -> bool {
    let is_empty = || matches!(response.body().trim_ascii(), b"" | b"{}");
    response.status() == StatusCode::ACCEPTED
        && (response.headers().contains_key(RETRY_AFTER) || is_empty())
}

/// Whether a response has no body and says so.
fn is_empty(response: &Response<Bytes>) -> bool {
    let (status, length) = (response.status(), response.headers().get(CONTENT_LENGTH));
    let says_so = matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT)
        || length.is_some_and(|length| length == "0");
    response.body().is_empty() && says_so
}

/// Whether a host is this machine, so that no other machine can listen.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Checks that a text of the caller can be one part of a path.
pub(crate) fn path_segment<'a>(what: &str, segment: &'a str) -> Result<&'a str, Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    if !segment.is_empty() && segment.bytes().all(plain) && !segment.bytes().all(|b| b == b'.') {
        Ok(segment)
    } else {
        let rule = "expected letters, digits and -_.~, and not only dots";
        Err(invalid(format!("invalid {what} {segment:?}: {rule}")))
    }
}

#[cfg(feature = "reqwest")]
fn default_transport(uri: &Uri) -> Result<Arc<dyn Transport>, Error> {
    let transport = super::Reqwest::new()?;
    // It is an error when the paginator is built, and not at its first page.
    transport.check(uri)?;
    Ok(Arc::new(transport))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport(_: &Uri) -> Result<Arc<dyn Transport>, Error> {
    Err(invalid("missing transport: give one to the builder, or turn on the feature `reqwest`"))
}

fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}
