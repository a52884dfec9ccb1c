use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::{error::ServiceError, transport::Refusal};

/// What HubSpot asks to wait at least when a resource is locked (its error docs).
const LOCKED: Duration = Duration::from_secs(2);

/// Reads the body of an error. HubSpot has two families of 429: one with `errorType`
/// and `policyName`, one with `category`.
pub(super) fn refusal(status: StatusCode, body: &Value) -> Refusal {
    let text = |name: &str| Some(body.get(name)?.as_str()?.to_owned());
    let said = ServiceError {
        category: text("category").or_else(|| text("errorType")),
        sub_category: text("subCategory").or_else(|| text("policyName")),
        message: text("message"),
        correlation_id: text("correlationId"),
    };
    // The day's requests are used up: to ask again in a minute is in vain.
    let is_daily = said.sub_category.as_deref() == Some("DAILY")
        || said.message.as_deref() == Some("You have reached your daily limit.");
    Refusal {
        is_final: status == StatusCode::TOO_MANY_REQUESTS && is_daily,
        wait: (status == StatusCode::LOCKED).then_some(LOCKED),
        said,
    }
}

/// Whether an error of a request with cursors means that one of them is not known
/// any more. HubSpot has no category for it, so the message decides.
pub(super) fn is_expired(status: Option<u16>, said: &ServiceError) -> bool {
    let names_a_cursor = said.message.as_ref().is_some_and(|message| {
        let message = message.to_ascii_lowercase();
        ["cursor", "paging", "`after`", "'after'", "\"after\""]
            .iter()
            .any(|it| message.contains(it))
    });
    status == Some(410) || (status == Some(400) && names_a_cursor)
}
