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
#[cfg(feature = "hubspot")]
use serde::Serialize;
use serde_json::Value;

#[cfg(feature = "rate-limit")]
use super::RateLimiter;
use super::{
    Transport,
    attempt::attempt,
    decoding,
    error_response::{
        EXCERPT, ErrorResponse, QUOTED, after_a_colon, of_status, whole_service_error,
    },
    keyring::{Key, Keyring, Refusals},
    shared_credentials::SharedCredentials,
};
use crate::{
    error::{Error, ErrorKind, ServiceError},
    json::BadRecord,
};

/// How many characters are shown of why a record does not fit: it may quote the service.
const SHOWN_REASON: usize = 300;

/// How many characters are shown of a path.
const SHOWN_PATH: usize = 500;

/// One address of a service, with all of a request but its body.
pub(crate) struct Endpoint {
    transport: Arc<dyn Transport>,
    uri: Uri,
    headers: HeaderMap,
    /// `None` for a service without credentials.
    keyring: Option<Arc<Keyring>>,
    place: CredentialPlace,
    read_error: ReadError,
}

/// Where the secret stands in a request.
#[derive(Clone, Debug)]
pub(crate) enum CredentialPlace {
    /// Behind the name of this scheme in the header `Authorization`.
    Authorization(&'static str),
    Header(HeaderName),
    /// In the query, as the value of this name.
    Query(String),
}

/// How an error of the service is read.
#[derive(Clone)]
pub(crate) enum ReadError {
    /// In the fields where most services have it.
    Common,
    #[cfg_attr(
        not(any(feature = "hubspot", feature = "alloy")),
        allow(dead_code, reason = "only HubSpot and Alloy have a format of their own")
    )]
    Vendor(ReadErrorResponse),
    /// An author's own, also of a success.
    Author(Arc<ReadAuthorsError>),
}

/// The settings of an [`Endpoint`], which a builder collects with [`endpoint_setters!`].
#[derive(Clone)]
pub(crate) struct EndpointBuilder {
    pub(crate) base_url: String,
    /// What messages call the base URL.
    pub(crate) url_name: &'static str,
    pub(crate) credentials: Option<Secret>,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    #[cfg(feature = "rate-limit")]
    pub(crate) rate_limiter: Option<RateLimiter>,
    pub(crate) allows_plain_http: bool,
    pub(crate) needs_credentials: bool,
    pub(crate) place: CredentialPlace,
    pub(crate) read_error: ReadError,
}

/// The source of the secret.
#[derive(Clone)]
pub(crate) enum Secret {
    Fixed(SecretString),
    Provided(SharedCredentials),
}

/// Reads an error of a service, also from a success. `None` leaves it to the status.
pub(crate) type ReadAuthorsError = dyn Fn(&Response<Bytes>) -> Option<Error> + Send + Sync;

/// Reads the body of an error response in a vendor's format.
pub(crate) type ReadErrorResponse = fn(StatusCode, &Value) -> ErrorResponse;

/// The setters that builders share: of all of them, of those with a provider of credentials,
/// and of the vendors'. A builder adds its own docs, and a vendor the name of the setter of a
/// fixed secret.
macro_rules! endpoint_setters {
    () => {
        /// Allows plain http to another machine. By default it is an error, since others in
        /// the network can read the credentials.
        pub fn allow_plain_http(mut self) -> Self {
            self.endpoint.allows_plain_http = true;
            self
        }

        /// What sends the requests: a new `Reqwest` by default. All that get clones of one
        /// share its connections.
        pub fn transport(
            mut self,
            transport: impl $crate::transport::Transport + 'static,
        ) -> Self {
            self.endpoint.transport = Some(std::sync::Arc::new(transport));
            self
        }
    };
    ($(#[$credentials_doc:meta])+ credentials;) => {
        $(#[$credentials_doc])+
        pub fn credentials(
            mut self,
            provider: impl $crate::transport::Credentials + 'static,
        ) -> Self {
            let shared = $crate::transport::SharedCredentials::new(provider);
            self.endpoint.credentials = Some($crate::transport::Secret::Provided(shared));
            self
        }

        $crate::transport::endpoint_setters!();
    };
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

        $(#[$base_url_doc])+
        pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
            self.endpoint.base_url = base_url.into();
            self
        }

        $crate::transport::endpoint_setters! {
            $(#[$credentials_doc])+ credentials;
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
    pub(crate) fn new(base_url: &str, read_error: ReadError) -> Self {
        Self {
            base_url: base_url.to_owned(),
            url_name: "base URL",
            credentials: None,
            transport: None,
            #[cfg(feature = "rate-limit")]
            rate_limiter: None,
            allows_plain_http: false,
            needs_credentials: true,
            place: CredentialPlace::Authorization("Bearer"),
            read_error,
        }
    }

    /// Builds the endpoint. `secret` is the name of the secret in messages.
    pub(crate) fn build(
        self,
        path: &str,
        secret: &str,
        headers: impl IntoIterator<Item = (impl AsRef<str>, String)>,
    ) -> Result<Endpoint, Error> {
        let uri = self.uri(path)?;
        // A secret that a header can't carry is an error now, not at the first page.
        let keyring = match self.credentials {
            Some(Secret::Fixed(ref secret)) if !secret.expose_secret().trim().is_empty() => {
                Some(Arc::new(Keyring::fixed(secret)?))
            }
            Some(Secret::Provided(ref shared)) => Some(shared.keyring()),
            None if !self.needs_credentials => None,
            _ => return Err(invalid(format!("missing {secret}: give one to the builder"))),
        };
        let mut map = HeaderMap::new();
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        map.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let name = name.as_ref();
            let value = HeaderValue::from_str(&value).map_err(|error| {
                invalid(format!("invalid value for the header {name}: expected visible ASCII"))
                    .with_source(error)
            })?;
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| invalid(format!("invalid name of a header: {name:?}")))?;
            map.insert(name, value);
        }
        let transport = self.sender(&uri)?;
        let Self { place, read_error, .. } = self;
        Ok(Endpoint { transport, uri, headers: map, keyring, place, read_error })
    }

    /// What sends the requests to an address.
    pub(crate) fn sender(&self, uri: &Uri) -> Result<Arc<dyn Transport>, Error> {
        let transport = self.transport.clone().map_or_else(|| default_transport(uri), Ok)?;
        #[cfg(feature = "rate-limit")]
        if let Some(limiter) = &self.rate_limiter {
            return Ok(Arc::new(limiter.limit(transport)));
        }
        Ok(transport)
    }

    /// The address of a path below the base URL.
    pub(crate) fn uri(&self, path: &str) -> Result<Uri, Error> {
        let (base_url, name) = (&self.base_url, self.url_name);
        let shown = shown(base_url);
        if base_url.contains('@') {
            return Err(invalid(format!(
                "invalid {name}: it has a user; give credentials to the builder instead"
            )));
        }
        let uri = format!("{}{path}", base_url.trim_end_matches('/'));
        let uri = uri.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some()
                && !base_url.contains(['?', '#'])
        });
        let uri = uri.ok_or_else(|| {
            let query = if base_url.contains(['?', '#']) { ", without a query" } else { "" };
            invalid(format!("invalid {name} {shown:?}: expected one like https://host{query}"))
        })?;
        let is_plain = uri.scheme_str() == Some("http") && !uri.host().is_some_and(is_loopback);
        if is_plain && !self.allows_plain_http {
            return Err(invalid(format!(
                "invalid {name} {shown:?}: it would send the credentials unencrypted; use https, \
                 or call `allow_plain_http`"
            )));
        }
        Ok(uri)
    }
}

impl Endpoint {
    /// Posts a body as JSON, and returns the response if it is a success.
    #[cfg(feature = "hubspot")]
    pub(crate) async fn post(&self, body: &impl Serialize) -> Result<Response<Bytes>, Error> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::new(ErrorKind::Contract, "a request can't be written as JSON").with_source(error)
        })?;
        self.send(&Method::POST, &self.uri, &self.headers, &Bytes::from(body)).await
    }

    /// Sends a request with the credentials, and returns the response if it is a success.
    /// After a 401 it is sent again with another secret.
    pub(crate) async fn send(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Response<Bytes>, Error> {
        let mut key = match &self.keyring {
            Some(keyring) => Some(keyring.key().await?),
            None => None,
        };
        let mut refusals = Refusals::default();
        let mut resends = 0;
        let response = loop {
            let mut request = Request::new(body.clone());
            *request.method_mut() = method.clone();
            *request.uri_mut() = uri.clone();
            *request.headers_mut() = headers.clone();
            if let Some(key) = &key {
                self.authorize(&mut request, key)?;
            }
            let redact = |path: &str| self.redact(path, SHOWN_PATH);
            let response = attempt(&*self.transport, request, Some(resends), redact).await?;
            resends += 1;
            let (Some(keyring), Some(used)) = (&self.keyring, &key) else { break response };
            if response.status() != StatusCode::UNAUTHORIZED {
                used.accepted();
                break response;
            }
            match keyring.after(used, &mut refusals).await {
                Some(other) => key = Some(other?),
                None => break response,
            }
        };
        if let ReadError::Author(read) = &self.read_error
            && let Some(error) = read(&response)
        {
            return Err(self.clean(error));
        }
        let is_ready = response.status().is_success() && !is_not_ready(&response);
        if is_ready { Ok(response) } else { Err(self.failed(&response)) }
    }

    fn authorize(&self, request: &mut Request<Bytes>, key: &Key) -> Result<(), Error> {
        match &self.place {
            CredentialPlace::Authorization("Bearer") => {
                request.headers_mut().insert(AUTHORIZATION, key.bearer.clone());
            }
            CredentialPlace::Authorization(scheme) => {
                request.headers_mut().insert(AUTHORIZATION, key.header(&format!("{scheme} "))?);
            }
            CredentialPlace::Header(name) => {
                request.headers_mut().insert(name, key.header("")?);
            }
            CredentialPlace::Query(name) => {
                let secret = key.secret();
                *request.uri_mut() = with_query(request.uri(), name, secret.expose_secret())?;
            }
        }
        Ok(())
    }

    /// An error without the secrets.
    pub(crate) fn clean(&self, error: Error) -> Error {
        self.keyring.iter().fold(error, |error, keyring| keyring.clean(error))
    }

    /// The address of the service.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// What each request has.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The name in the query whose value is the secret.
    pub(crate) fn secret_in_query(&self) -> Option<&str> {
        match &self.place {
            CredentialPlace::Query(name) => Some(name),
            _ => None,
        }
    }

    /// The error of an error response.
    fn failed(&self, response: &Response<Bytes>) -> Error {
        of_status(response.status(), response.headers(), self.error_response(response))
    }

    /// What the body says about an error, bounded and without secrets.
    fn error_response(&self, response: &Response<Bytes>) -> ErrorResponse {
        let read = match &self.read_error {
            ReadError::Vendor(read) => {
                let body = serde_json::from_slice(response.body()).unwrap_or_default();
                read(response.status(), &body)
            }
            ReadError::Common | ReadError::Author(_) => ErrorResponse {
                service_error: whole_service_error(response.headers(), response.body()),
                ..ErrorResponse::default()
            },
        };
        ErrorResponse { service_error: self.redact_service_error(read.service_error), ..read }
    }

    /// The error about a record that does not fit its type. `what` is the record.
    pub(crate) fn bad_record(&self, what: &str, record: &BadRecord) -> Error {
        let text = self.redact(&record.told(what), SHOWN_REASON);
        Error::new(ErrorKind::Decode, text).with_retryable(false)
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
    pub(crate) fn has_secret(&self, text: &str) -> bool {
        self.redacted(text) != text
    }

    /// At most so many characters of a service's text, without secrets.
    pub(crate) fn redact(&self, text: &str, most: usize) -> String {
        self.redacted(text).chars().take(most).collect()
    }

    fn redacted(&self, text: &str) -> String {
        self.keyring.as_ref().map_or_else(|| text.to_owned(), |keyring| keyring.redact(text))
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

/// The same address with one more name and value in its query.
fn with_query(uri: &Uri, name: &str, value: &str) -> Result<Uri, Error> {
    let joint = if uri.query().is_some() { '&' } else { '?' };
    let value = percent_encoded(value);
    format!("{uri}{joint}{name}={value}")
        .parse()
        .map_err(|_| invalid(format!("the secret can't be sent in the query as {name}")))
}

/// A text as a part of a path or of a query: all but letters, digits and `-_.~` are encoded.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from(b"0123456789ABCDEF"[usize::from(half)]);
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
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

#[cfg(any(feature = "hubspot", feature = "alloy"))]
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
