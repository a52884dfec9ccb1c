use std::{
    borrow::Cow,
    fmt::{self, Debug, Formatter},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;

use crate::{
    error::{Error, ErrorKind},
    testing::faults::{Break, Delivery, Transfer},
};

/// What a [`Script`](super::Script) answers.
///
/// A JSON value is a reply with status 200. So is a text, or bytes, without a content type.
///
/// ```
/// use std::time::Duration;
/// use pagestream::testing::Reply;
/// use serde_json::json;
///
/// let page: Reply = json!({"items": [1, 2]}).into();
/// let busy = Reply::status(429).header("retry-after", "3").json(json!({"error": "slow down"}));
/// let slow = Reply::status(200).body("[1, 2]").delay(Duration::from_secs(5));
/// let broken = Reply::status(200).json(json!({"items": [1, 2]})).cut();
/// ```
#[derive(Clone)]
#[must_use = "give it to `reply`"]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    delay: Duration,
    is_cut: bool,
    /// In place of a response.
    failure: Option<(ErrorKind, Cow<'static, str>)>,
}

impl Reply {
    /// An empty response with this status. A number that is not a status becomes 500.
    pub fn status(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            delay: Duration::ZERO,
            is_cut: false,
            failure: None,
        }
    }

    /// No response at all.
    pub(in crate::testing) fn failure(
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { failure: Some((kind, message.into())), ..Self::status(500) }
    }

    /// A body of JSON, with its content type.
    pub fn json(mut self, body: impl Into<Value>) -> Self {
        self.body = body.into().to_string().into();
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    /// A body as it is. It changes no header.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// A header. It replaces one with the same name. One that can't be sent makes the reply
    /// an error of kind [`Configuration`](ErrorKind::Configuration).
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
                self
            }
            _ => Self::failure(
                ErrorKind::Configuration,
                format!("invalid header {name:?} in a reply: expected a token and visible ASCII"),
            ),
        }
    }

    /// One more header, also of the same name.
    pub(in crate::testing) fn more(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// How long the response takes, on tokio's clock.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Half the body, and then the end of the connection. In memory it is an error of kind
    /// [`Transport`](ErrorKind::Transport).
    pub fn cut(mut self) -> Self {
        self.is_cut = true;
        self
    }

    /// The response, with how it is delivered, and what comes in its place.
    pub(in crate::testing) fn response(&self) -> Result<Response<Bytes>, Error> {
        if let Some((kind, message)) = &self.failure {
            return Err(Error::new(*kind, message.clone()));
        }
        let mut response = Response::new(self.body.clone());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        let transfer =
            if self.is_cut { Transfer::Broken(Break::Truncated) } else { Transfer::Complete };
        response.extensions_mut().insert(Delivery { wait: self.delay, transfer });
        Ok(response)
    }
}

impl From<Value> for Reply {
    fn from(body: Value) -> Self {
        Self::status(200).json(body)
    }
}

impl From<&'static str> for Reply {
    fn from(body: &'static str) -> Self {
        Self::status(200).body(body)
    }
}

impl From<String> for Reply {
    fn from(body: String) -> Self {
        Self::status(200).body(body)
    }
}

impl From<Bytes> for Reply {
    fn from(body: Bytes) -> Self {
        Self::status(200).body(body)
    }
}

impl Debug for Reply {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("body", &self.body)
            .field("delay", &self.delay)
            .field("is_cut", &self.is_cut)
            .finish_non_exhaustive()
    }
}
