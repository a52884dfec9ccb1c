use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::{error::ServiceError, transport::ErrorResponse};

/// The shortest time that HubSpot asks to wait for a locked resource (its error docs).
const LOCKED: Duration = Duration::from_secs(2);

/// Reads the body of an error response. HubSpot has two kinds of 429: one with
/// `errorType` and `policyName`, one with `category`.
pub(super) fn error_response(status: StatusCode, body: &Value) -> ErrorResponse {
    let text = |name: &str| Some(body.get(name)?.as_str()?.to_owned());
    let service_error = ServiceError {
        category: text("category").or_else(|| text("errorType")),
        sub_category: text("subCategory").or_else(|| text("policyName")),
        message: text("message"),
        correlation_id: text("correlationId"),
    };
    // The requests of the day are used up, so a retry in a minute fails too.
    let is_daily = service_error.sub_category.as_deref() == Some("DAILY")
        || service_error.message.as_deref() == Some("You have reached your daily limit.");
    ErrorResponse {
        is_final: status == StatusCode::TOO_MANY_REQUESTS && is_daily,
        wait: (status == StatusCode::LOCKED).then_some(LOCKED),
        service_error,
    }
}

/// Whether an error of a request with cursors means that HubSpot no longer knows
/// one of them. HubSpot has no category for it, so the message decides.
pub(super) fn is_expired(status: Option<u16>, service_error: &ServiceError) -> bool {
    let names_a_cursor = service_error.message.as_ref().is_some_and(|message| {
        let message = message.to_ascii_lowercase();
        ["cursor", "paging", "`after`", "'after'", "\"after\""]
            .iter()
            .any(|it| message.contains(it))
    });
    status == Some(410) || (status == Some(400) && names_a_cursor)
}
