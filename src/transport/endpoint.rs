use std::{
    borrow::Cow,
    fmt::{self, Debug, Formatter},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;

use super::{
    Transport,
    credentials::{Credentials, Key, Keyring},
    decoding, retry_after,
};
use crate::error::{Error, ErrorKind, ServiceError};

/// How much of a service's own message is quoted, in characters.
const QUOTED: usize = 500;

/// How much is quoted of a word of the service, and of a body that is no answer.
const GLIMPSED: usize = 100;

/// One address of a service, and all that a request to it carries but the body.
pub(crate) struct Endpoint {
    transport: Arc<dyn Transport>,
    uri: Uri,
    headers: HeaderMap,
    keyring: Keyring,
    refusal: ReadRefusal,
}

/// What an [`Endpoint`] is made of, as a vendor's builder gathers it.
#[derive(Clone)]
pub(crate) struct EndpointBuilder {
    pub(crate) base_url: String,
    pub(crate) credentials: Option<Secret>,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) allows_plain_http: bool,
    refusal: ReadRefusal,
}

/// Where the secret comes from.
#[derive(Clone)]
pub(crate) enum Secret {
    Fixed(SecretString),
    Provided(Arc<dyn Credentials>),
}

/// Reads the body of an error, as a vendor writes it.
pub(crate) type ReadRefusal = fn(StatusCode, &Value) -> Refusal;

/// What the body of an error says.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    pub(crate) said: ServiceError,
    /// Whether the same request can't succeed soon, whatever the status.
    pub(crate) is_final: bool,
    /// How long to wait where the response has no `Retry-After`.
    pub(crate) wait: Option<Duration>,
}

impl EndpointBuilder {
    pub(crate) fn new(base_url: &str, refusal: ReadRefusal) -> Self {
        Self {
            base_url: base_url.to_owned(),
            credentials: None,
            transport: None,
            allows_plain_http: false,
            refusal,
        }
    }

    /// `secret` is what the caller calls the secret that is missing.
    pub(crate) fn build(
        self,
        path: &str,
        secret: &str,
        headers: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Endpoint, Error> {
        let uri = self.uri(path)?;
        // A secret that no header can carry is refused now, not at the first page.
        let keyring = match self.credentials {
            Some(Secret::Fixed(secret)) if !secret.expose_secret().is_empty() => {
                Keyring::fixed(secret)?
            }
            Some(Secret::Provided(provider)) => Keyring::provided(provider),
            _ => return Err(refused(format!("there is no {secret}: give one to the builder"))),
        };
        let mut map = HeaderMap::new();
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        map.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).map_err(|error| {
                refused(format!("the value for the header {name} can't be sent")).with_source(error)
            })?;
            map.insert(HeaderName::from_static(name), value);
        }
        let transport = self.transport.map_or_else(|| default_transport(&uri), Ok)?;
        Ok(Endpoint { transport, uri, headers: map, keyring, refusal: self.refusal })
    }

    fn uri(&self, path: &str) -> Result<Uri, Error> {
        let base_url = &self.base_url;
        let shown = shown(base_url);
        if base_url.contains('@') {
            return Err(refused("the base URL names a user: credentials have no place in it"));
        }
        let uri = format!("{}{path}", base_url.trim_end_matches('/'));
        let uri = uri.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some()
                && !base_url.contains(['?', '#'])
        });
        let uri = uri.ok_or_else(|| {
            refused(format!(
                "the base URL {shown:?} is none: give one like https://host, without a query"
            ))
        })?;
        let is_plain = uri.scheme_str() == Some("http") && !uri.host().is_some_and(is_loopback);
        if is_plain && !self.allows_plain_http {
            return Err(refused(format!(
                "the base URL {shown:?} would send the credentials in the clear: give one with \
                 https, or call `allow_plain_http`"
            )));
        }
        Ok(uri)
    }
}

impl Endpoint {
    /// Posts a body as JSON and gives back the response of a success.
    pub(crate) async fn post(&self, body: &impl Serialize) -> Result<Response<Bytes>, Error> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::new(ErrorKind::Contract, "a request can't be written as JSON").with_source(error)
        })?;
        let body = Bytes::from(body);
        let key = self.keyring.key().await?;
        let mut response = self.send(body.clone(), &key).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(other) = self.keyring.other_than(&key).await
        {
            response = self.send(body, &other?).await?;
        }
        if response.status().is_success() { Ok(response) } else { Err(self.refused(&response)) }
    }

    async fn send(&self, body: Bytes, key: &Key) -> Result<Response<Bytes>, Error> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(AUTHORIZATION, key.bearer.clone());
        self.transport.send(request).await
    }

    /// The error of a response that is no success.
    fn refused(&self, response: &Response<Bytes>) -> Error {
        let Refusal { said, is_final, wait } = self.refusal(response);
        let message = format!("the service refused the request{}", behind_a_colon(&said));
        let error = Error::new(ErrorKind::Status, message)
            .with_status(response.status().as_u16())
            .with_service_error(said)
            .with_retry_after(retry_after(response.headers()).or(wait));
        if is_final { error.with_retryable(false) } else { error }
    }

    /// What a body says of an error, if it does, without secrets and bounded.
    fn refusal(&self, response: &Response<Bytes>) -> Refusal {
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        let refusal = (self.refusal)(response.status(), &body);
        Refusal { said: self.redact_service_error(refusal.said), ..refusal }
    }

    /// What a service said, up to a bound and without secrets.
    pub(crate) fn redact_service_error(&self, said: ServiceError) -> ServiceError {
        let redact = |text: Option<String>, most| text.map(|text| self.redact(&text, most));
        ServiceError {
            category: redact(said.category, GLIMPSED),
            sub_category: redact(said.sub_category, GLIMPSED),
            message: redact(said.message, QUOTED),
            correlation_id: redact(said.correlation_id, GLIMPSED),
        }
    }

    /// What comes from the service, up to so many characters and without secrets.
    pub(crate) fn redact(&self, text: &str, most: usize) -> String {
        self.keyring.redact(text).chars().take(most).collect()
    }

    /// The error of a success whose body is not what the service documents. It
    /// shows what the body says of an error, its type, and how it begins.
    pub(crate) fn unexpected(&self, what: &str, response: &Response<Bytes>) -> Error {
        let said = self.refusal(response).said;
        let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let content_type = content_type.map(String::from_utf8_lossy);
        let content_type = content_type.map_or_else(
            || "of no content type".to_owned(),
            |it| format!("of content type {}", self.redact(&it, GLIMPSED)),
        );
        // Long enough to hold a secret that begins in what is shown.
        let begin = &response.body()[..response.body().len().min(64 * 1024)];
        let begin = match self.redact(&String::from_utf8_lossy(begin), GLIMPSED) {
            begin if begin.is_empty() => "is empty".to_owned(),
            begin => format!("begins with {begin:?}"),
        };
        let said_so = behind_a_colon(&said);
        let message = format!("{what}{said_so}; it is {content_type} and {begin}");
        Error::new(ErrorKind::Decode, message)
            .with_status(response.status().as_u16())
            .with_service_error(said)
    }

    /// Decodes the body of a success. `what` says that it can't be.
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
                .unexpected("the response is no UTF-8", response)
                // One that was cut within a character may come whole the next time.
                .with_retryable(source.error_len().is_none())
                .with_source(source)),
        }
    }

    /// The error of a body with what the decoder says. One that ends too early was
    /// cut, and is worth a retry.
    fn undecoded(
        &self,
        what: &str,
        response: &Response<Bytes>,
        source: serde_json::Error,
    ) -> Error {
        let error = self.unexpected(what, response).with_retryable(source.is_eof());
        // The source may quote the body, and the body a secret.
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

/// What may be seen of a base URL. Its user and its query may hold a secret, though they
/// have no place there.
fn shown(base_url: &str) -> &str {
    if base_url.contains('@') {
        return "[with a user]";
    }
    base_url.split(['?', '#']).next().unwrap_or_default()
}

/// What the service said, as the end of a message.
fn behind_a_colon(ServiceError { message, category, .. }: &ServiceError) -> String {
    let said = message.as_ref().or(category.as_ref());
    said.map_or_else(String::new, |said| format!(": {said:?}"))
}

/// Whether a host is this machine, so that nobody listens on the way.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// A part of a path that comes from the caller, if it can stand in one as it is.
pub(crate) fn path_segment<'a>(what: &str, segment: &'a str) -> Result<&'a str, Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    if !segment.is_empty() && segment.bytes().all(plain) && !segment.bytes().all(|b| b == b'.') {
        Ok(segment)
    } else {
        let rule = "one is made of letters, digits and -_.~";
        Err(refused(format!("{segment:?} is no {what}: {rule}")))
    }
}

#[cfg(feature = "reqwest")]
fn default_transport(uri: &Uri) -> Result<Arc<dyn Transport>, Error> {
    let transport = super::Reqwest::new()?;
    // Said when the paginator is built, and not at its first page.
    transport.check(uri)?;
    Ok(Arc::new(transport))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport(_: &Uri) -> Result<Arc<dyn Transport>, Error> {
    Err(refused("there is no transport: give one to the builder, or turn on the feature reqwest"))
}

fn refused(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}
