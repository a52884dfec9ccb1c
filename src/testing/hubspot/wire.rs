//! The bodies of requests and responses.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::testing::service::json;

/// The body of a 429 for too many requests in ten seconds.
pub(super) const BURST_LIMIT: &str = r#"{"status":"error","message":"You have reached your ten_secondly_rolling limit.","errorType":"RATE_LIMIT","correlationId":"3784ea30-07ce-4866-98e8-bf691d18899e","policyName":"TEN_SECONDLY_ROLLING"}"#;

/// The same for a second.
pub(super) const SECONDLY_LIMIT: &str = r#"{"status":"error","message":"You have reached your secondly limit.","correlationId":"3784ea30-07ce-4866-98e8-bf691d18899e","category":"RATE_LIMITS"}"#;

/// The same for a day.
pub(super) const DAILY_LIMIT: &str = r#"{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT","correlationId":"3784ea30-07ce-4866-98e8-bf691d18899e","policyName":"DAILY"}"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body<'a> {
    #[serde(borrow)]
    pub(super) inputs: Vec<Input<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input<'a> {
    pub(super) id: &'a str,
    /// Absent or a string: `null` breaks the schema.
    #[serde(default, borrow, deserialize_with = "not_null")]
    pub(super) after: Option<&'a str>,
}

fn not_null<'de: 'a, 'a, D: serde::Deserializer<'de>>(d: D) -> Result<Option<&'a str>, D::Error> {
    <&str>::deserialize(d).map(Some)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    pub(super) status: &'a str,
    pub(super) results: Vec<ResultRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) num_errors: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<Value>,
    pub(super) started_at: &'a str,
    pub(super) completed_at: &'a str,
}

#[derive(Clone, Serialize)]
pub(super) struct ResultRow<'a> {
    pub(super) from: FromObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<Vec<To>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) paging: Option<Paging>,
}

#[derive(Clone, Serialize)]
pub(super) struct FromObject<'a> {
    pub(super) id: &'a str,
}

#[derive(Clone, Serialize)]
#[serde(untagged)]
pub(super) enum Paging {
    /// `null` instead of the object.
    Null(()),
    Next {
        next: Option<Next>,
    },
}

#[derive(Clone, Serialize)]
pub(super) struct Next {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<&'static str>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct To {
    to_object_id: u64,
    association_types: [Kind; 1],
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    category: &'static str,
    type_id: u32,
    label: Option<&'static str>,
}

const PRIMARY: Kind = Kind { category: "HUBSPOT_DEFINED", type_id: 5, label: Some("Primary") };
const UNLABELLED: Kind = Kind { category: "HUBSPOT_DEFINED", type_id: 341, label: None };

/// No association has it.
const UNUSED: Kind = Kind { category: "USER_DEFINED", type_id: 1, label: Some("Owner") };

impl From<u64> for To {
    fn from(to_object_id: u64) -> Self {
        let kind = if to_object_id.is_multiple_of(2) { PRIMARY } else { UNLABELLED };
        Self { to_object_id, association_types: [kind] }
    }
}

/// All types that associations can have.
pub(super) fn labels() -> Response<Bytes> {
    json(StatusCode::OK, &json!({"results": [UNUSED, UNLABELLED, PRIMARY]}))
}

pub(super) fn error(status: StatusCode, category: &str, message: &str) -> Response<Bytes> {
    json(
        status,
        &json!({
            "status": "error",
            "message": message,
            "correlationId": "3784ea30-07ce-4866-98e8-bf691d18899e",
            "category": category,
        }),
    )
}

pub(super) fn no_associations(id: &str) -> Value {
    json!({
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": format!("No company is associated with deal {id}."),
        "context": {"fromObjectId": [id], "fromObjectType": ["deal"], "toObjectType": ["company"]},
    })
}

pub(super) fn rejected(id: &str) -> Value {
    json!({
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": format!("Object {id} can't be read."),
        "context": {"fromObjectId": [id]},
    })
}

pub(super) fn invalid(message: &str) -> Response<Bytes> {
    error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
}

pub(super) fn invalid_json(reason: &serde_json::Error) -> Response<Bytes> {
    invalid(&format!("Invalid input JSON: {reason}"))
}

pub(super) fn too_many_inputs(most: usize) -> Response<Bytes> {
    invalid(&format!(
        "The maximum number of inputs supported in a batch is {most}. Please reduce the number \
         of items and try again"
    ))
}
