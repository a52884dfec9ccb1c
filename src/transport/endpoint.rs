use std::{
    borrow::Cow,
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;

use super::Transport;
use crate::error::{Error, ErrorKind};

/// How much of a service's own message is quoted, in characters.
const QUOTED: usize = 500;

/// One address of a service, and all that a request to it carries but the body.
#[derive(Clone)]
pub(crate) struct Endpoint {
    transport: Arc<dyn Transport>,
    uri: Uri,
    headers: HeaderMap,
    token: SecretString,
    is_final: fn(&Value) -> bool,
}

/// What an [`Endpoint`] is made of, as a vendor's builder gathers it.
#[derive(Clone)]
pub(crate) struct EndpointBuilder {
    pub(crate) base_url: String,
    pub(crate) token: Option<SecretString>,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    /// Says of an error body that the same request can't succeed soon.
    pub(crate) is_final: fn(&Value) -> bool,
}

impl EndpointBuilder {
    pub(crate) fn new(base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), token: None, transport: None, is_final: |_| false }
    }

    /// `token` is what the caller calls the secret that is missing.
    pub(crate) fn build(
        self,
        path: &str,
        token: &str,
        headers: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Endpoint, Error> {
        let uri = format!("{}{path}", self.base_url.trim_end_matches('/'));
        let uri = uri.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some()
                && !self.base_url.contains(['?', '#'])
        });
        let uri = uri.ok_or_else(|| {
            let base_url = &self.base_url;
            refused(format!("the base URL {base_url:?} is none: give one like https://host"))
        })?;
        let missing = || refused(format!("there is no {token}: give one to the builder"));
        let token = self.token.filter(|token| !token.expose_secret().is_empty());
        let token = token.ok_or_else(missing)?;
        // A token that no header can carry is refused now, not at the first page.
        bearer(&token)?;
        let mut map = HeaderMap::new();
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        map.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).map_err(|error| {
                refused(format!("the value for the header {name} can't be sent")).with_source(error)
            })?;
            map.insert(HeaderName::from_static(name), value);
        }
        let transport = self.transport.map_or_else(default_transport, Ok)?;
        Ok(Endpoint { transport, uri, headers: map, token, is_final: self.is_final })
    }
}

impl Endpoint {
    /// Posts a body as JSON and gives back the response of a success.
    pub(crate) async fn post(&self, body: &impl Serialize) -> Result<Response<Bytes>, Error> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::new(ErrorKind::Contract, "a request can't be written as JSON").with_source(error)
        })?;
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(AUTHORIZATION, bearer(&self.token)?);
        let response = self.transport.send(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        let message = format!("the service refused the request{}", self.said(&body));
        let error = Error::new(ErrorKind::Status, message).with_status(response.status().as_u16());
        Err(if (self.is_final)(&body) { error.with_retryable(false) } else { error })
    }

    /// What an error body says, behind a colon.
    fn said(&self, body: &Value) -> String {
        let places = ["/message", "/error/message", "/error/code", "/error"];
        let said = places.into_iter().find_map(|place| body.pointer(place)?.as_str());
        said.map_or_else(String::new, |said| format!(": {}", self.quote(said)))
    }

    /// What a service says, in quotes, up to a bound and without the secret.
    pub(crate) fn quote(&self, said: &str) -> String {
        format!("{:?}", self.redact(said))
    }

    /// A text of the service without the secret, up to a bound.
    fn redact(&self, text: &str) -> String {
        let secret = self.token.expose_secret();
        let escaped = secret.escape_debug().to_string();
        let text = text.replace(secret, "[secret]").replace(&escaped, "[secret]");
        text.chars().take(QUOTED).collect()
    }

    /// The error of a success whose body is not what the service documents.
    pub(crate) fn unexpected(&self, what: &str, response: &Response<Bytes>) -> Error {
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        unexpected(format!("{what}{}", self.said(&body)), response)
    }

    /// The same with what the decoder says.
    pub(crate) fn undecoded(
        &self,
        what: &str,
        response: &Response<Bytes>,
        source: serde_json::Error,
    ) -> Error {
        let error = self.unexpected(what, response);
        // The source may quote the body, and the body the secret.
        let text = source.to_string();
        let redacted = self.redact(&text);
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
        f.debug_struct("EndpointBuilder").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// The body of a response as text, checked once for all that is read from it.
pub(crate) fn text(response: &Response<Bytes>) -> Result<&str, Error> {
    std::str::from_utf8(response.body())
        .map_err(|error| unexpected("the response is no UTF-8", response).with_source(error))
}

fn unexpected(message: impl Into<Cow<'static, str>>, response: &Response<Bytes>) -> Error {
    Error::new(ErrorKind::Decode, message).with_status(response.status().as_u16())
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

fn bearer(token: &SecretString) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
        .map_err(|_| refused("the secret holds a character that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(feature = "reqwest")]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(super::Reqwest::new()?))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    Err(refused("there is no transport: give one to the builder, or turn on the feature reqwest"))
}

fn refused(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}
