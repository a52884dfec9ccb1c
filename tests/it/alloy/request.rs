//! What is asked for.

use http::Method;
use pagestream::alloy::ParameterPosition;
use serde_json::{Value, json};

use super::{KEY, USER, action, builder, contacts, last, page, read};
use crate::support::{CREDENTIAL, Contact, Script};

const GUIDE_REQUEST: &str = fixture!("alloy/guide_request");

const GUIDE_RESPONSE: &str = fixture!("alloy/guide_response");

const GUIDE_RESPONSE_LAST: &str = fixture!("alloy/guide_response_last");

const REFERENCE_REQUEST: &str = fixture!("alloy/reference_request");

#[tokio::test]
async fn the_request_is_the_one_of_the_guide() {
    let script = Script::default().then(200, GUIDE_RESPONSE_LAST);
    read(&builder::<Contact>(&script).user_id(USER).build().unwrap()).await.whole();

    let request = script.request();
    assert_eq!(request.method(), Method::POST);
    let url = "https://production.runalloy.com/connectors/hubspot/actions/listContacts/execute";
    assert_eq!(request.uri(), url);
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.headers()["x-api-version"], "2025-09");
    assert_eq!(request.headers()["x-alloy-userid"], USER);
    assert_eq!(request.headers()["authorization"], format!("Bearer {KEY}"));
    let body = serde_json::from_slice::<Value>(request.body()).unwrap();
    assert_eq!(body, serde_json::from_str::<Value>(GUIDE_REQUEST).unwrap());
}

#[tokio::test]
async fn the_responses_of_the_guide_are_read_to_their_end() {
    let script = Script::default().then(200, GUIDE_RESPONSE).then(200, GUIDE_RESPONSE_LAST);
    let read = read(&builder::<Contact>(&script).build().unwrap()).await.whole();
    assert_eq!(read, contacts(0..52));
    assert_eq!(script.offsets(), [0, 50]);
}

#[tokio::test]
async fn every_page_has_the_headers() {
    let script = Script::json([page(0..1, 1), last(1..2)]);
    let action = builder::<u64>(&script).user_id(USER).build().unwrap();
    read(&action).await.whole();
    let requests = script.requests();
    assert_eq!(requests[0].headers(), requests[1].headers());
    assert_eq!(requests[0].uri(), requests[1].uri());
    assert_eq!(requests[1].method(), Method::POST);
}

#[tokio::test]
async fn the_user_id_is_sent_only_where_it_is_given() {
    let script = Script::json([last(0..1)]);
    read(&action(&script)).await.whole();
    assert_eq!(script.request().headers().get("x-alloy-userid"), None);
}

#[tokio::test]
async fn the_api_version_can_be_set() {
    let script = Script::json([last(0..1)]);
    read(&builder::<u64>(&script).api_version("2026-01").build().unwrap()).await.whole();
    let request = script.request();
    let versions = request.headers().get_all("x-api-version").iter().collect::<Vec<_>>();
    assert_eq!(versions, ["2026-01"]);
}

#[tokio::test]
async fn the_base_url_can_be_set_and_may_have_a_path() {
    for base_url in ["http://127.0.0.1:9/proxy", "http://127.0.0.1:9/proxy/"] {
        let script = Script::json([last(0..1)]);
        read(&builder::<u64>(&script).base_url(base_url).build().unwrap()).await.whole();
        let url = "http://127.0.0.1:9/proxy/connectors/hubspot/actions/listContacts/execute";
        assert_eq!(script.request().uri(), url);
    }
}

#[tokio::test]
async fn further_inputs_are_sent_with_every_page() {
    let script = Script::json([page(0..1, 1), last(1..2)]);
    let action = builder::<u64>(&script)
        .limit(7)
        .input("properties", json!(["email", "phone"]))
        .input("archived", false)
        .build()
        .unwrap();
    read(&action).await.whole();
    let input = |offset: u64| json!({"limit": 7, "offset": offset, "properties": ["email", "phone"], "archived": false});
    let inputs = script.bodies().into_iter().map(|mut body| body["input"].take());
    assert_eq!(inputs.collect::<Vec<_>>(), [input(0), input(1)]);
}

#[tokio::test]
async fn the_parameters_go_where_the_builder_says() {
    let positions = [
        (ParameterPosition::Input, "input"),
        (ParameterPosition::QueryParameters, "queryParameters"),
        (ParameterPosition::RequestBody, "requestBody"),
    ];
    for (position, field) in positions {
        let script = Script::json([page(0..1, 1), last(1..2)]);
        let action = builder::<u64>(&script)
            .parameters_in(position)
            .input("archived", true)
            .build()
            .unwrap();
        assert_eq!(read(&action).await.whole(), [0, 1]);
        let body = |offset: u64| {
            let mut body = json!({"credentialId": CREDENTIAL, "actionId": "listContacts"});
            body[field] = json!({"limit": 50, "offset": offset, "archived": true});
            body
        };
        assert_eq!(script.bodies(), [body(0), body(1)]);
    }
}

#[tokio::test]
async fn further_fields_are_sent_with_every_page_as_in_the_reference() {
    let script = Script::json([page(0..1, 1), last(1..2)]);
    let action = builder::<u64>(&script)
        .parameters_in(ParameterPosition::QueryParameters)
        .field("requestBody", json!({"archived": false}))
        .field("pathParams", json!({"objectType": "contacts"}))
        .field("additionalHeaders", json!({"x-trace": "1"}))
        .build()
        .unwrap();
    read(&action).await.whole();

    // The reference has no `actionId` in the body, the guide has one.
    let mut body = serde_json::from_str::<Value>(REFERENCE_REQUEST).unwrap();
    body["actionId"] = json!("listContacts");
    let first = body.clone();
    body["queryParameters"]["offset"] = json!(1);
    assert_eq!(script.bodies(), [first, body]);
}
