use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER},
};
use serde_json::Value;

use super::delivery::{Break, Delivery, FaultPosition, Transfer};

/// What goes wrong with one request: another response, or the service's own response
/// that is changed, late, or lost. Give it to [`Faults`](super::Faults).
///
/// ```
/// use std::time::Duration;
/// use pagestream::testing::{Fault, FaultPosition};
///
/// let busy = Fault::status(503).retry_after(Duration::from_secs(3));
/// let lost = Fault::reset(FaultPosition::InBody);
/// let contradiction = Fault::json(|body| body["pagination"]["nextOffset"].take());
/// ```
///
/// # In memory and over HTTP
///
/// A [`Server`](crate::testing::Server) does to the connection what the fault says. In
/// memory there is no connection. There the result is what a transport would report:
///
/// | | in memory |
/// |---|---|
/// | [`reset`](Fault::reset), [`truncated`](Fault::truncated) | an error of kind [`Transport`](crate::ErrorKind::Transport) |
/// | [`stalled`](Fault::stalled) | no response for ever, or a [`Timeout`](crate::ErrorKind::Timeout) at the [deadline](super::Faulty::deadline) |
/// | [`trickling`](Fault::trickling), [`late`](Fault::late) | the response, after that time on tokio's clock |
/// | [`gzip_bomb`](Fault::gzip_bomb) | an error of kind [`TooLarge`](crate::ErrorKind::TooLarge), as from a transport with a bound on bodies |
/// | all others | the same response |
#[derive(Clone, Debug, Default)]
#[must_use = "a fault happens if `Faults` contain it"]
pub struct Fault {
    /// The status of a response that replaces the service's own.
    status: Option<StatusCode>,
    headers: HeaderMap,
    body: Body,
    delivery: Delivery,
}

/// What becomes of a body.
#[derive(Clone, Default)]
enum Body {
    #[default]
    Kept,
    Replaced(Bytes),
    /// Cut in the middle.
    Halved,
    /// Filled up with spaces to so many bytes.
    Padded(usize),
    Edited(Arc<dyn Fn(&mut Value) + Send + Sync>),
}

impl Fault {
    /// A response with this status, as from a gateway. The service does not get the
    /// request. A number that is not a status becomes 500.
    ///
    /// The body is the service's body for this status
    /// ([`Service::error`](crate::testing::Service::error)), unless you set
    /// [another](Fault::body).
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status: Some(status), ..Self::default() }
    }

    /// A web page with status 200, as from a proxy that wants a login.
    pub fn html() -> Self {
        let page = "<!DOCTYPE html>\n<html><title>Sign in</title></html>\n";
        Self::status(200).body(page).header(CONTENT_TYPE, HeaderValue::from_static("text/html"))
    }

    /// No body at all, with status 200.
    pub fn empty() -> Self {
        Self::status(200).body("")
    }

    /// An error with status 200: `{"error": {"code": ..., "message": ...}}`.
    pub fn error_envelope() -> Self {
        Self::status(200).body(r#"{"error":{"code":"INTERNAL","message":"Something went wrong"}}"#)
    }

    /// A redirect (307) to a URL. A URL that a header can't carry is left out.
    pub fn redirect(url: &str) -> Self {
        let fault = Self::status(307);
        match HeaderValue::from_str(url) {
            Ok(url) => fault.header(LOCATION, url),
            Err(_) => fault,
        }
    }

    /// The service's response with another content type.
    pub fn content_type(content_type: &str) -> Self {
        let fault = Self::default();
        match HeaderValue::from_str(content_type) {
            Ok(content_type) => fault.header(CONTENT_TYPE, content_type),
            Err(_) => fault,
        }
    }

    /// The service's response with its JSON changed. A body that is not JSON stays as it
    /// is.
    ///
    /// The closure may give back anything, such as what it took out.
    pub fn json<T>(edit: impl Fn(&mut Value) -> T + Send + Sync + 'static) -> Self {
        let edit = move |body: &mut Value| drop(edit(body));
        Self { body: Body::Edited(Arc::new(edit)), ..Self::default() }
    }

    /// The first half of the service's response, which claims to be complete.
    pub fn halved() -> Self {
        Self { body: Body::Halved, ..Self::default() }
    }

    /// The service's response, filled up with spaces to so many bytes. It is still the
    /// same JSON.
    pub fn oversized(bytes: usize) -> Self {
        Self { body: Body::Padded(bytes), ..Self::default() }
    }

    /// The same, compressed to about a thousandth of these bytes. A server needs seconds
    /// to compress a gigabyte, and does nothing else in that time.
    pub fn gzip_bomb(bytes: u64) -> Self {
        Self::transfer(Transfer::Compressed { bytes })
    }

    /// A connection that is reset.
    pub fn reset(position: FaultPosition) -> Self {
        Self::transfer(Transfer::Broken(Break::Reset(position)))
    }

    /// Half a body, and then the end of the connection. It is shorter than its length
    /// header says.
    pub fn truncated() -> Self {
        Self::transfer(Transfer::Broken(Break::Truncated))
    }

    /// Nothing more from this position on. The connection stays open.
    pub fn stalled(position: FaultPosition) -> Self {
        Self::transfer(Transfer::Broken(Break::Stalled(position)))
    }

    /// The body a byte at a time, with this pause before each.
    pub fn trickling(pause: Duration) -> Self {
        Self::transfer(Transfer::Broken(Break::Trickling { pause }))
    }

    /// The service's response after this time.
    pub fn late(wait: Duration) -> Self {
        Self::default().wait(wait)
    }

    /// Faults that a reading retries by itself: the statuses 429, 500, 502, 503 and 504,
    /// resets, and truncated bodies.
    #[must_use]
    pub fn passing() -> Vec<Self> {
        vec![
            Self::status(429),
            Self::status(429).retry_after(Duration::from_secs(1)),
            Self::status(500),
            Self::status(502).body("<html>Bad Gateway</html>"),
            Self::status(503).retry_after(Duration::from_secs(1)),
            Self::status(504).body(""),
            Self::reset(FaultPosition::BeforeHeaders),
            Self::reset(FaultPosition::InHeaders),
            Self::reset(FaultPosition::InBody),
            Self::truncated(),
        ]
    }

    /// Another body with the same content type.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Replaced(body.into());
        self
    }

    /// A header of the response. It replaces one with the same name.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// A `Retry-After` header in whole seconds.
    pub fn retry_after(self, delay: Duration) -> Self {
        self.header(RETRY_AFTER, delay.as_secs().into())
    }

    /// A `Retry-After` header with an HTTP date, in whole seconds. Such a date can't be
    /// before 1970 or after 9999: then there is no header.
    pub fn retry_after_date(self, date: SystemTime) -> Self {
        const YEAR_10_000: Duration = Duration::from_secs(253_402_300_800);
        let since = date.duration_since(SystemTime::UNIX_EPOCH).ok();
        let text =
            since.filter(|since| *since < YEAR_10_000).map(|_| httpdate::fmt_http_date(date));
        match text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            Some(date) => self.header(RETRY_AFTER, date),
            None => self,
        }
    }

    pub(super) fn wait(mut self, wait: Duration) -> Self {
        self.delivery.wait = self.delivery.wait.saturating_add(wait);
        self
    }

    fn transfer(transfer: Transfer) -> Self {
        Self { delivery: Delivery { transfer, ..Delivery::default() }, ..Self::default() }
    }

    /// The response to a request, with its delivery. `error` is the service's response
    /// for a status, `answer` is its own response.
    pub(super) fn answer(
        &self,
        error: impl FnOnce(StatusCode) -> Response<Bytes>,
        answer: impl FnOnce() -> Response<Bytes>,
    ) -> Response<Bytes> {
        let mut response = self.status.map_or_else(answer, |status| {
            let mut response = error(status);
            *response.status_mut() = status;
            response
        });
        response.headers_mut().extend(self.headers.clone());
        let body = self.body.of(response.body());
        if body.len() != response.body().len() {
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        *response.body_mut() = body;
        let delivery = self.delivery.around(Delivery::of(&mut response));
        response.extensions_mut().insert(delivery);
        response
    }
}

impl Body {
    fn of(&self, body: &Bytes) -> Bytes {
        match self {
            Self::Kept => body.clone(),
            Self::Replaced(body) => body.clone(),
            Self::Halved => body.slice(..body.len() / 2),
            Self::Padded(bytes) => {
                let mut padded = body.to_vec();
                padded.resize(body.len().max(*bytes), b' ');
                padded.into()
            }
            Self::Edited(edit) => {
                let Ok(mut value) = serde_json::from_slice(body) else { return body.clone() };
                edit(&mut value);
                value.to_string().into()
            }
        }
    }
}

impl Debug for Body {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("Kept"),
            Self::Replaced(body) => f.debug_tuple("Replaced").field(body).finish(),
            Self::Halved => f.write_str("Halved"),
            Self::Padded(bytes) => f.debug_tuple("Padded").field(bytes).finish(),
            Self::Edited(_) => f.write_str("Edited"),
        }
    }
}
