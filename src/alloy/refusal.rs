use http::StatusCode;
use serde_json::Value;

use crate::{error::ServiceError, transport::Refusal};

/// Reads the body of an error. Alloy documents none; these forms were seen:
/// `{"error": "Unauthorized", "message": "..."}` and `{"error": {"code": "..."}}`.
pub(super) fn refusal(_: StatusCode, body: &Value) -> Refusal {
    let text = |places: [&str; 2]| {
        let text = places.into_iter().find_map(|place| body.pointer(place)?.as_str());
        text.map(str::to_owned)
    };
    let said = ServiceError {
        category: text(["/error", "/error/code"]),
        message: text(["/message", "/error/message"]),
        ..ServiceError::default()
    };
    Refusal { said, ..Refusal::default() }
}
