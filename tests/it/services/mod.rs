//! The emulated services reject what the real ones reject.

mod alloy;
mod both;
mod hubspot;
mod hubspot_associations;
mod hubspot_objects;
mod over_http;

use crate::support::CREDENTIAL;
use bytes::Bytes;
use http::{Method, Request};
use pagestream::Transport;
use serde_json::{Value, json};

const TOKEN: &str = "a-token-that-nobody-may-see";

const BATCH: &str = "/crm/associations/2026-03/deals/companies/batch/read";

const LIST: &str = "/connectors/hubspot/actions/listContacts/execute";

fn post(path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/json")
        .header("x-api-version", "2025-09")
        .body(body.into())
        .unwrap()
}

fn get(path: &str) -> Request<Bytes> {
    with(post(path, ""), |request| *request.method_mut() = Method::GET)
}

/// The request with one thing changed.
fn with(mut request: Request<Bytes>, change: impl FnOnce(&mut Request<Bytes>)) -> Request<Bytes> {
    change(&mut request);
    request
}

/// The request with another value of a header, or without it.
fn with_header(request: Request<Bytes>, name: &'static str, value: Option<&str>) -> Request<Bytes> {
    with(request, |request| {
        request.headers_mut().remove(name);
        if let Some(value) = value {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
    })
}

/// The status and the body, which is JSON and says so.
async fn ask(service: &impl Transport, request: Request<Bytes>) -> (u16, Value) {
    let response = service.send(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

/// A batch of ids, each from its start.
fn batch(ids: impl IntoIterator<Item = u64>) -> Request<Bytes> {
    let inputs = ids.into_iter().map(|id| json!({"id": id.to_string()})).collect::<Vec<_>>();
    post(BATCH, json!({"inputs": inputs}).to_string())
}

fn list(limit: impl Into<Value>, offset: impl Into<Value>) -> Request<Bytes> {
    list_with("input", json!({"limit": limit.into(), "offset": offset.into()}))
}

fn list_with(position: &str, parameters: Value) -> Request<Bytes> {
    let mut body = json!({"credentialId": CREDENTIAL, "actionId": "listContacts"});
    body[position] = parameters;
    post(LIST, body.to_string())
}
