use http::StatusCode;
use serde_json::Value;

use crate::{error::ServiceError, transport::ErrorResponse};

/// Reads the body of an error response. Alloy documents no form. These were seen:
/// `{"error": "Unauthorized", "message": "..."}` and `{"error": {"code": "..."}}`.
pub(super) fn error_response(_: StatusCode, body: &Value) -> ErrorResponse {
    let text = |pointers: [&str; 2]| {
        let text = pointers.into_iter().find_map(|pointer| body.pointer(pointer)?.as_str());
        text.map(str::to_owned)
    };
    let service_error = ServiceError {
        category: text(["/error", "/error/code"]),
        message: text(["/message", "/error/message"]),
        ..ServiceError::default()
    };
    ErrorResponse { service_error, ..ErrorResponse::default() }
}
