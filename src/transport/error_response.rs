//! The error that a response is, for the vendors and for a paginator of a user.

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;

use super::{
    rate_limit_headers::{is_used_up, reset_after},
    redaction::{redact, redact_authorization},
    retry_after,
};
use crate::error::{Error, ErrorKind, ServiceError};

/// How many characters of a service's message are quoted.
pub(super) const QUOTED: usize = 500;

/// How many characters are quoted of a category, and of a body that can't be decoded.
pub(super) const EXCERPT: usize = 100;

/// How much of a body is looked at.
const LONGEST_BODY: usize = 64 * 1024;

/// What an error response says.
#[derive(Debug, Default)]
pub(crate) struct ErrorResponse {
    pub(crate) service_error: ServiceError,
    /// Whether a retry can't succeed soon, whatever the status.
    pub(crate) is_final: bool,
    /// How long to wait if the response has no `Retry-After`.
    pub(crate) wait: Option<Duration>,
}

impl Error {
    /// The error of a response whose status is no success, for a paginator of your own
    /// that has an HTTP client of its own.
    ///
    /// It has the [`status`](Error::status), how long to wait
    /// ([`Error::retry_after`]), and what the body says
    /// ([`Error::service_error`]). So a stream retries it where the status says
    /// that this helps, and waits as long as the service asks ([`Retry`](crate::Retry) has
    /// the table). A 202 is an answer that is not ready. For a response of reqwest
    /// there is `Error::from_reqwest`.
    ///
    /// A body of JSON is searched for a message and a category in the fields where most
    /// services have them, such as `message`, `error.message`, `detail` and `errors[0]`. A
    /// body of `text/plain` is the message. Long texts are cut, and credentials behind the
    /// words `Bearer` and `Basic` are removed. Remove others with
    /// [`without_secret`](Error::without_secret).
    ///
    /// ```
    /// use std::time::Duration;
    /// use pagestream::Error;
    ///
    /// let response = http::Response::builder()
    ///     .status(429)
    ///     .header("retry-after", "3")
    ///     .body(r#"{"error": {"code": "busy", "message": "100 requests per minute"}}"#)
    ///     .unwrap();
    /// let error = Error::from_response(&response);
    /// assert!(error.is_throttled() && error.is_retryable());
    /// assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    /// assert_eq!(error.service_error().category.as_deref(), Some("busy"));
    /// ```
    #[must_use]
    pub fn from_response<B: AsRef<[u8]>>(response: &Response<B>) -> Self {
        let (status, headers) = (response.status(), response.headers());
        let service_error = service_error(headers, response.body().as_ref());
        of_status(status, headers, ErrorResponse { service_error, ..ErrorResponse::default() })
    }

    /// Removes a secret from the message, from what the service wrote, and from the cursor:
    /// a token that the service may have repeated. The source stays if its text has no
    /// secret.
    ///
    /// ```
    /// use pagestream::Error;
    ///
    /// let response = http::Response::builder().status(403);
    /// let response = response.body(r#"{"message": "the key k-123456 has expired"}"#).unwrap();
    /// let error = Error::from_response(&response).without_secret("k-123456");
    /// assert!(error.to_string().contains("the key [secret] has expired"));
    /// ```
    #[must_use]
    pub fn without_secret(self, secret: &str) -> Self {
        let secret = secret.trim();
        self.map_texts(|text| redact(text, secret))
    }
}

/// The error of a status, and of what the body says.
pub(super) fn of_status(status: StatusCode, headers: &HeaderMap, read: ErrorResponse) -> Error {
    let ErrorResponse { service_error, is_final, wait } = read;
    let what = match status {
        StatusCode::ACCEPTED => "the answer of the service is not ready",
        _ => "the service answered with an error",
    };
    let message = format!("{what}{}", after_a_colon(&service_error));
    let asked = retry_after(headers);
    let is_throttled = match status.as_u16() {
        202 | 429 => true,
        403 | 420 => asked.is_some() || is_used_up(headers),
        _ => false,
    };
    let asked = asked.or_else(|| {
        let tells = is_throttled || status == StatusCode::SERVICE_UNAVAILABLE;
        reset_after(headers).filter(|_| tells)
    });
    let error = Error::new(ErrorKind::Status, message)
        .with_status(status.as_u16())
        .with_service_error(service_error)
        .with_retry_after(asked.or(wait));
    let error = if is_throttled { error.with_throttled() } else { error };
    if is_final { error.with_retryable(false) } else { error }
}

/// A service's message as the end of a message.
pub(super) fn after_a_colon(ServiceError { message, category, .. }: &ServiceError) -> String {
    let text = message.as_ref().or(category.as_ref());
    text.map_or_else(String::new, |text| format!(": {text:?}"))
}

/// What a body says, in the fields where most services say it, bounded.
fn service_error(headers: &HeaderMap, body: &[u8]) -> ServiceError {
    let cut =
        |text: Option<String>, most| text.map(|text| text.chars().take(most).collect::<String>());
    let whole = whole_service_error(headers, body);
    ServiceError {
        category: cut(whole.category, EXCERPT),
        sub_category: cut(whole.sub_category, EXCERPT),
        message: cut(whole.message, QUOTED),
        correlation_id: cut(whole.correlation_id, EXCERPT),
    }
}

/// The same with texts that are not cut. Secrets are removed before that, or a part of one
/// would be left at the cut.
pub(super) fn whole_service_error(headers: &HeaderMap, body: &[u8]) -> ServiceError {
    let body = &body[..body.len().min(LONGEST_BODY)];
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        let content_type = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
        let is_text = content_type.is_some_and(|it| it.starts_with(b"text/plain"));
        let text = String::from_utf8_lossy(body);
        let text = Some(text.trim()).filter(|text| is_text && !text.is_empty());
        return ServiceError { message: text.map(redact_authorization), ..ServiceError::default() };
    };
    // Some have a list of errors, and some have the error as a field.
    let inner = ["/errors/0", "/error", "/errors", "/0", ""].into_iter();
    let inner = inner.filter_map(|pointer| json.pointer(pointer)).collect::<Vec<_>>();
    let text = |names: &[&str]| {
        let fields = names.iter().flat_map(|name| inner.iter().filter_map(move |it| it.get(*name)));
        let found = fields.map(as_text).find(|text| text.as_ref().is_some_and(|it| !it.is_empty()));
        found.flatten().map(|text| redact_authorization(&text))
    };
    let message = ["message", "detail", "error_description", "description", "title", "reason"];
    let category = ["category", "code", "type", "errorType", "error"];
    let message = text(&message).or_else(|| {
        let alone = inner.iter().find_map(|it| it.as_str());
        alone.map(redact_authorization)
    });
    ServiceError {
        message,
        category: text(&category),
        sub_category: text(&["subCategory", "sub_category", "subtype"]),
        correlation_id: text(&["correlationId", "correlation_id", "requestId", "request_id"]),
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
