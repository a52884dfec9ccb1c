//! The emulated services refuse what the real ones refuse.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use pagestream::{
    ErrorKind, Reqwest, Transport,
    testing::{Alloy, HubSpot, Server, Service},
};
use serde_json::{Value, json};
use tokio::time::Instant;

const TOKEN: &str = "a-token-that-nobody-may-see";
const BATCH: &str = "/crm/associations/2026-03/deals/companies/batch/read";
const LIST: &str = "/connectors/hubspot/actions/listContacts/execute";
const CREDENTIAL: &str = "68d9876543210fedcba98765";

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

// HubSpot.

/// A batch of ids, each from its start.
fn batch(ids: impl IntoIterator<Item = u64>) -> Request<Bytes> {
    let inputs = ids.into_iter().map(|id| json!({"id": id.to_string()})).collect::<Vec<_>>();
    post(BATCH, json!({"inputs": inputs}).to_string())
}

fn from_cursor(id: u64, after: &Value) -> Request<Bytes> {
    post(BATCH, json!({"inputs": [{"id": id.to_string(), "after": after}]}).to_string())
}

fn id_at(service: &HubSpot, place: usize) -> u64 {
    service.ids().nth(place).unwrap()
}

/// The refusal of the whole request, in HubSpot's shape; gives its message.
async fn refused_by_hubspot(
    service: &HubSpot,
    request: Request<Bytes>,
    status: u16,
    category: &str,
) -> String {
    let (got, mut body) = ask(service, request).await;
    assert_eq!(got, status, "{body}");
    let message = body["message"].take();
    let rest = json!({
        "status": "error",
        "message": null,
        "correlationId": "3784ea30-07ce-4866-98e8-bf691d18899e",
        "category": category,
    });
    assert_eq!(body, rest);
    message.as_str().filter(|message| !message.is_empty()).unwrap().to_owned()
}

/// A result as the wire has it, its type derived from the id alone.
fn to(id: u64) -> Value {
    let association = if id.is_multiple_of(2) {
        json!({"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"})
    } else {
        json!({"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null})
    };
    json!({"toObjectId": id, "associationTypes": [association]})
}

#[tokio::test]
async fn hubspot_answers_a_batch_as_the_wire_has_it() {
    let service = HubSpot::new(7).objects(1).pages(|_| 2).page_size(3);
    let id = id_at(&service, 0);
    let associations = service.associations(id);
    let (status, body) = ask(&service, batch([id])).await;
    let after = body["results"][0]["paging"]["next"]["after"].clone();
    assert!(after.as_str().unwrap().ends_with("%3D%3D"), "{after}");
    let first = json!({
        "status": "COMPLETE",
        "results": [{
            "from": {"id": id.to_string()},
            "to": associations[..3].iter().copied().map(to).collect::<Vec<_>>(),
            "paging": {"next": {"after": after}},
        }],
        "startedAt": "2026-03-30T13:46:24.038Z",
        "completedAt": "2026-03-30T13:46:24.048Z",
    });
    assert_eq!((status, body), (200, first));

    let (status, body) = ask(&service, from_cursor(id, &after)).await;
    let second = json!([{
        "from": {"id": id.to_string()},
        "to": associations[3..].iter().copied().map(to).collect::<Vec<_>>(),
    }]);
    assert_eq!((status, &body["results"]), (200, &second));
}

#[tokio::test]
async fn hubspot_answers_under_both_of_its_paths() {
    let service = HubSpot::new(7);
    let request = || batch(service.ids());
    let v4 = with(request(), |request| {
        *request.uri_mut() = "/crm/v4/associations/deals/companies/batch/read".parse().unwrap();
    });
    let answer = ask(&service, request()).await;
    assert_eq!(answer.0, 200);
    assert_eq!(ask(&service, v4).await, answer);
}

#[tokio::test]
async fn hubspot_ignores_a_query() {
    // `?limit=` does nothing: the batch read defines no query parameter.
    let service = HubSpot::new(7);
    let answer = ask(&service, batch(service.ids())).await;
    let with_limit = with(batch(service.ids()), |request| {
        *request.uri_mut() = format!("{BATCH}?limit=1").parse().unwrap();
    });
    assert_eq!(ask(&service, with_limit).await, answer);
}

#[tokio::test]
async fn hubspot_refuses_another_path() {
    let service = HubSpot::new(7);
    let paths = [
        "/",
        "/crm/associations/2026-03/deals/companies/batch/read/more",
        "/crm/associations/2026-03/deals/companies/batch/create",
        "/crm/associations/2026-03/deals/batch/read",
        "/crm/associations/2026-03/deals/companies/contacts/batch/read",
        "/crm/v3/associations/deals/companies/batch/read",
        "/v4/associations/deals/companies/batch/read",
    ];
    for path in paths {
        let request = with(batch(service.ids()), |it| *it.uri_mut() = path.parse().unwrap());
        refused_by_hubspot(&service, request, 404, "OBJECT_NOT_FOUND").await;
    }
}

#[tokio::test]
async fn hubspot_refuses_a_path_with_an_empty_type() {
    let service = HubSpot::new(7);
    for types in ["/companies", "deals/", "/"] {
        let path = format!("/crm/v4/associations/{types}/batch/read");
        let request = with(batch(service.ids()), |it| *it.uri_mut() = path.parse().unwrap());
        refused_by_hubspot(&service, request, 404, "OBJECT_NOT_FOUND").await;
    }
}

#[tokio::test]
async fn hubspot_refuses_another_method() {
    let service = HubSpot::new(7);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = with(batch(service.ids()), |request| *request.method_mut() = method);
        refused_by_hubspot(&service, request, 405, "METHOD_NOT_ALLOWED").await;
    }
}

#[tokio::test]
async fn hubspot_refuses_a_request_without_a_bearer_token() {
    let service = HubSpot::new(7);
    for authorization in [None, Some(""), Some("Bearer "), Some("Basic YTpi"), Some(TOKEN)] {
        let request = with_header(batch(service.ids()), "authorization", authorization);
        refused_by_hubspot(&service, request, 401, "INVALID_AUTHENTICATION").await;
    }
}

#[tokio::test]
async fn hubspot_refuses_another_content_type() {
    let service = HubSpot::new(7);
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        let request = with_header(batch(service.ids()), "content-type", content_type);
        refused_by_hubspot(&service, request, 415, "VALIDATION_ERROR").await;
    }
    let request = with_header(batch([]), "content-type", Some("application/json; charset=utf-8"));
    assert_eq!(ask(&service, request).await.0, 200);
}

#[tokio::test]
async fn hubspot_refuses_a_body_that_breaks_the_schema() {
    let service = HubSpot::new(7);
    let id = id_at(&service, 0).to_string();
    let bodies = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        json!({}).to_string(),
        json!({"inputs": null}).to_string(),
        json!({"inputs": id}).to_string(),
        json!({"inputs": [id]}).to_string(),
        json!({"inputs": [{}]}).to_string(),
        json!({"inputs": [{"id": 515_690_208_000_u64}]}).to_string(),
        json!({"inputs": [{"id": null}]}).to_string(),
        json!({"inputs": [{"id": id, "after": null}]}).to_string(),
        json!({"inputs": [{"id": id, "after": 1}]}).to_string(),
        json!({"inputs": [{"id": id, "limit": 1}]}).to_string(),
        json!({"inputs": [], "limit": 1}).to_string(),
    ];
    for body in bodies {
        refused_by_hubspot(&service, post(BATCH, body), 400, "VALIDATION_ERROR").await;
    }
}

#[tokio::test]
async fn hubspot_refuses_more_than_1000_inputs() {
    let service = HubSpot::new(7).objects(1001);
    let body = json!({
        "status": "error",
        "message": "The maximum number of inputs supported in a batch is 1000. \
                    Please reduce the number of items and try again",
        "correlationId": "3784ea30-07ce-4866-98e8-bf691d18899e",
        "category": "VALIDATION_ERROR",
    });
    assert_eq!(ask(&service, batch(service.ids())).await, (400, body));

    let (status, body) = ask(&service, batch(service.ids().take(1000))).await;
    assert_eq!((status, body["results"].as_array().unwrap().len()), (200, 1000));
}

#[tokio::test]
async fn hubspot_refuses_a_cursor_that_it_did_not_give_for_that_id() {
    let service = HubSpot::new(7).pages(|_| 3);
    let (one, other) = (id_at(&service, 0), id_at(&service, 1));
    let (_, body) = ask(&service, batch([one])).await;
    let after = body["results"][0]["paging"]["next"]["after"].clone();
    assert_eq!(ask(&service, from_cursor(one, &after)).await.0, 200);

    let after_text = after.as_str().unwrap();
    let unknown = [
        (other, after_text.to_owned()),
        (one, after_text.replace("%3D", "=")),
        (one, after_text.replace("-1%", "-0%")),
        (one, after_text.replace("-1%", "-3%")),
        (one, String::new()),
        (one, "MC0yLTQ0MjQ4ODczNTk0OA%3D%3D".to_owned()),
    ];
    for (id, after) in unknown {
        let request = from_cursor(id, &after.into());
        refused_by_hubspot(&service, request, 400, "VALIDATION_ERROR").await;
    }
    // A service with another seed gives other cursors.
    let another = HubSpot::new(8).pages(|_| 3);
    refused_by_hubspot(&another, from_cursor(one, &after), 400, "VALIDATION_ERROR").await;
}

#[tokio::test]
async fn hubspot_names_an_id_without_associations_in_a_207() {
    let service = HubSpot::new(7).objects(2).pages(|place| place);
    let ids = service.ids().collect::<Vec<_>>();
    assert!(service.associations(ids[0]).is_empty());
    let (status, body) = ask(&service, batch(ids.clone())).await;
    let expected = json!({
        "status": "COMPLETE",
        "results": [{
            "from": {"id": ids[1].to_string()},
            "to": service.associations(ids[1]).into_iter().map(to).collect::<Vec<_>>(),
        }],
        "numErrors": 1,
        "errors": [{
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": format!("No company is associated with deal {}.", ids[0]),
            "context": {
                "fromObjectId": [ids[0].to_string()],
                "fromObjectType": ["deal"],
                "toObjectType": ["company"],
            },
        }],
        "startedAt": "2026-03-30T13:46:24.038Z",
        "completedAt": "2026-03-30T13:46:24.048Z",
    });
    assert_eq!((status, body), (207, expected));
}

#[tokio::test]
async fn hubspot_names_an_id_that_fails_or_is_unknown_in_a_207() {
    let service = HubSpot::new(7).objects(2).failing(|place| place == 1);
    let ids = service.ids().collect::<Vec<_>>();
    let (status, body) = ask(&service, batch([ids[0], ids[1], 4])).await;
    assert_eq!((status, &body["numErrors"]), (207, &json!(2)));
    assert_eq!(body["results"].as_array().unwrap().len(), 1);
    assert_eq!(body["results"][0]["from"]["id"], ids[0].to_string());
    for (error, id) in body["errors"].as_array().unwrap().iter().zip([ids[1], 4]) {
        let expected = json!({
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": format!("Object {id} can't be read."),
            "context": {"fromObjectId": [id.to_string()]},
        });
        assert_eq!(error, &expected);
    }
}

#[tokio::test]
async fn hubspot_gives_results_in_another_order_than_the_inputs() {
    let service = HubSpot::new(7).objects(5);
    let asked = service.ids().map(|id| id.to_string()).collect::<Vec<_>>();
    let (_, body) = ask(&service, batch(service.ids())).await;
    let results = body["results"].as_array().unwrap().iter();
    let given = results.map(|it| it["from"]["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_ne!(given, asked);
    assert_eq!(given.into_iter().collect::<BTreeSet<_>>(), asked.into_iter().collect());
}

#[tokio::test]
async fn hubspots_cursors_lead_through_all_associations_of_an_id() {
    let service = HubSpot::new(7).objects(3).pages(|place| 1 + 4 * place).page_size(3);
    for (place, id) in service.ids().enumerate() {
        let mut request = batch([id]);
        let (mut read, mut requests) = (Vec::new(), 0);
        loop {
            let (_, body) = ask(&service, request).await;
            requests += 1;
            let result = &body["results"][0];
            let to = result["to"].as_array().unwrap().iter();
            read.extend(to.map(|to| to["toObjectId"].as_u64().unwrap()));
            let Some(after) = result["paging"]["next"].get("after") else { break };
            request = from_cursor(id, after);
        }
        assert_eq!((read, requests), (service.associations(id), 1 + 4 * place));
        assert_eq!(
            (service.pages_of(id), service.associations(id).len()),
            (requests, requests * 3)
        );
    }
}

#[test]
fn hubspots_data_follows_from_the_seed() {
    let data = |seed| {
        let service = HubSpot::new(seed).pages(|place| place % 4);
        service.ids().map(|id| (id, service.associations(id))).collect::<Vec<_>>()
    };
    assert_eq!(data(7), data(7));
    for ((_, one), (_, other)) in data(7).into_iter().zip(data(8)) {
        assert_eq!(one.len(), other.len());
        assert!(one.is_empty() || one != other);
    }
}

#[test]
fn hubspot_has_ids_above_2_to_53_each_once() {
    let service = HubSpot::new(7).objects(1000);
    let ids = service.ids().collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), 1000);
    assert_eq!(ids.iter().filter(|id| **id > 1 << 53).count(), 142);
    let associated = service.ids().flat_map(|id| service.associations(id));
    let associated = associated.collect::<BTreeSet<_>>();
    assert_eq!(associated.len(), 2000);
    assert!(associated.iter().any(|id| *id > 1 << 53));
}

// Alloy.

fn list(limit: impl Into<Value>, offset: impl Into<Value>) -> Request<Bytes> {
    list_with("input", json!({"limit": limit.into(), "offset": offset.into()}))
}

fn list_with(place: &str, parameters: Value) -> Request<Bytes> {
    let mut body = json!({"credentialId": CREDENTIAL, "actionId": "listContacts"});
    body[place] = parameters;
    post(LIST, body.to_string())
}

/// The refusal of a request, in Alloy's shape; gives its message.
async fn refused_by_alloy(request: Request<Bytes>, status: StatusCode) -> String {
    let (got, mut body) = ask(&Alloy::new(7), request).await;
    assert_eq!(got, status, "{body}");
    let message = body["message"].take();
    assert_eq!(body, json!({"error": status.canonical_reason().unwrap(), "message": null}));
    message.as_str().filter(|message| !message.is_empty()).unwrap().to_owned()
}

#[tokio::test]
async fn alloy_answers_a_page_as_the_guide_has_it() {
    let service = Alloy::new(7).records(5);
    let (status, mut body) = ask(&service, list(2, 1)).await;
    let scores = [body["data"][0]["score"].take(), body["data"][1]["score"].take()];
    assert!(scores.iter().all(Value::is_u64) && scores[0] != scores[1], "{scores:?}");
    let page = json!({
        "data": [
            {"id": 1, "email": "contact-1@example.com", "score": null},
            {"id": 2, "email": "contact-2@example.com", "score": null},
        ],
        "pagination": {"hasMore": true, "nextOffset": 3},
    });
    assert_eq!((status, body), (200, page));

    let (_, body) = ask(&service, list(2, 3)).await;
    assert_eq!(body["data"].as_array().unwrap().len(), 2);
    assert_eq!(body["pagination"], json!({"hasMore": false, "nextOffset": null}));
}

#[tokio::test]
async fn alloy_gives_an_empty_last_page_behind_the_end() {
    let end = json!({"data": [], "pagination": {"hasMore": false, "nextOffset": null}});
    for offset in [5, 6, u64::MAX] {
        let answer = ask(&Alloy::new(7).records(5), list(50, offset)).await;
        assert_eq!(answer, (200, end.clone()));
    }
    assert_eq!(ask(&Alloy::new(7).records(0), list(50, 0)).await, (200, end));
}

#[tokio::test]
async fn alloy_takes_the_parameters_in_each_place() {
    let service = Alloy::new(7);
    let answer = ask(&service, list(3, 4)).await;
    assert_eq!(answer.0, 200);
    for place in ["queryParameters", "requestBody"] {
        let request = list_with(place, json!({"limit": 3, "offset": 4, "archived": false}));
        assert_eq!(ask(&service, request).await, answer);
    }
}

#[tokio::test]
async fn alloy_takes_an_offset_left_out_for_0() {
    // So a loop that loses its offset starts again, as the guide's does.
    let service = Alloy::new(7);
    let answer = ask(&service, list(3, 0)).await;
    assert_eq!(ask(&service, list_with("input", json!({"limit": 3}))).await, answer);
}

#[tokio::test]
async fn alloy_refuses_another_path() {
    let paths = [
        "/",
        "/connectors/hubspot/actions/listContacts",
        "/connectors/hubspot/actions/listContacts/run/execute",
        "/connectors/hubspot/listContacts/execute",
        "/connectors/hubspot/actions//execute",
        "/v1/connectors/hubspot/actions/listContacts/execute",
    ];
    for path in paths {
        let request = with(list(50, 0), |request| *request.uri_mut() = path.parse().unwrap());
        refused_by_alloy(request, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn alloy_refuses_a_path_with_a_bad_connector() {
    for path in [
        "/connectors//actions/listContacts/execute",
        "/connectors/a/b/actions/listContacts/execute",
    ] {
        let request = with(list(50, 0), |request| *request.uri_mut() = path.parse().unwrap());
        refused_by_alloy(request, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn alloy_refuses_another_method() {
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = with(list(50, 0), |request| *request.method_mut() = method);
        refused_by_alloy(request, StatusCode::METHOD_NOT_ALLOWED).await;
    }
}

#[tokio::test]
async fn alloy_refuses_a_request_without_a_bearer_token() {
    for authorization in [None, Some(""), Some("Bearer "), Some("Basic YTpi"), Some(TOKEN)] {
        let request = with_header(list(50, 0), "authorization", authorization);
        let message = refused_by_alloy(request, StatusCode::UNAUTHORIZED).await;
        assert_eq!(message, "Invalid API key");
    }
}

#[tokio::test]
async fn alloy_refuses_a_request_without_an_api_version() {
    let request = with_header(list(50, 0), "x-api-version", None);
    let message = refused_by_alloy(request, StatusCode::BAD_REQUEST).await;
    assert_eq!(message, "x-api-version is required");
}

#[tokio::test]
async fn alloy_refuses_another_content_type() {
    for content_type in [None, Some("text/plain")] {
        let request = with_header(list(50, 0), "content-type", content_type);
        refused_by_alloy(request, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    }
}

#[tokio::test]
async fn alloy_refuses_a_body_that_is_no_execution() {
    let bodies = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        json!({"actionId": "listContacts", "input": {"limit": 1, "offset": 0}}).to_string(),
        json!({"credentialId": CREDENTIAL, "input": {"limit": 1, "offset": 0}}).to_string(),
        json!({"credentialId": CREDENTIAL, "actionId": "listContacts"}).to_string(),
    ];
    for body in bodies {
        refused_by_alloy(post(LIST, body), StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn alloy_refuses_a_limit_that_is_not_a_number_from_1_to_50() {
    for limit in [json!(0), json!(51), json!("50"), json!(-1), json!(1.5), json!(null)] {
        refused_by_alloy(list(limit, 0), StatusCode::BAD_REQUEST).await;
    }
    for limit in [1, 50] {
        let (status, body) = ask(&Alloy::new(7), list(limit, 0)).await;
        assert_eq!((status, body["data"].as_array().unwrap().len()), (200, limit));
    }
}

#[tokio::test]
async fn alloy_refuses_an_offset_that_is_no_number_from_0() {
    for offset in [json!(-1), json!("0"), json!(0.5), json!(null)] {
        refused_by_alloy(list(50, offset), StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn alloy_refuses_a_credential_id_that_is_not_of_24_hex_digits() {
    let bad = [json!(""), json!(&CREDENTIAL[1..]), json!(format!("{CREDENTIAL}0")), json!(1)];
    for credential in bad.into_iter().chain([json!("z".repeat(24)), json!(null)]) {
        let body = json!({
            "credentialId": credential,
            "actionId": "listContacts",
            "input": {"limit": 50, "offset": 0},
        });
        refused_by_alloy(post(LIST, body.to_string()), StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn alloy_refuses_an_action_id_that_is_not_the_paths() {
    let path = "/connectors/hubspot/actions/listCompanies/execute";
    let request = with(list(50, 0), |request| *request.uri_mut() = path.parse().unwrap());
    let message = refused_by_alloy(request, StatusCode::BAD_REQUEST).await;
    assert!(message.contains("actionId"), "{message}");
}

#[tokio::test]
async fn alloys_data_follows_from_the_seed() {
    let one = ask(&Alloy::new(7), list(50, 0)).await;
    assert_eq!(ask(&Alloy::new(7), list(50, 0)).await, one);
    let (_, other) = ask(&Alloy::new(8), list(50, 0)).await;
    for place in 0..50 {
        assert_eq!(other["data"][place]["id"], one.1["data"][place]["id"]);
        assert_ne!(other["data"][place]["score"], one.1["data"][place]["score"]);
    }
}

#[tokio::test]
async fn alloys_data_does_not_depend_on_the_page_it_is_on() {
    let service = Alloy::new(7);
    let (_, all) = ask(&service, list(50, 0)).await;
    let (_, some) = ask(&service, list(5, 20)).await;
    assert_eq!(some["data"].as_array().unwrap()[..], all["data"].as_array().unwrap()[20..25]);
}

// What both have.

#[tokio::test]
async fn the_log_holds_every_request_of_all_clones_the_bad_ones_too() {
    let service = Alloy::new(7);
    let bad = with_header(list(0, 3), "authorization", Some("Basic YTpi"));
    ask(&service, list(50, 0)).await;
    ask(&service.clone(), bad.clone()).await;
    assert_eq!(service.requests(), 2);
    for (logged, sent) in service.log().into_iter().zip([list(50, 0), bad]) {
        assert_eq!(logged.method, Method::POST);
        assert_eq!(logged.path, LIST);
        assert_eq!(&logged.headers, sent.headers());
        assert_eq!(&logged.body, sent.body());
    }
    assert_eq!(service.log().len(), 2);
}

#[tokio::test]
async fn the_log_shows_no_credentials() {
    let (alloy, hubspot) = (Alloy::new(7), HubSpot::new(7));
    ask(&alloy, list(50, 0)).await;
    ask(&hubspot, batch(hubspot.ids())).await;
    for shown in
        [format!("{:?} {alloy:?}", alloy.log()), format!("{:?} {hubspot:?}", hubspot.log())]
    {
        assert!(!shown.contains(TOKEN), "{shown}");
    }
}

#[tokio::test]
async fn counting_only_counts_the_requests_and_keeps_none() {
    let (alloy, hubspot) = (Alloy::new(7).counting_only(), HubSpot::new(7).counting_only());
    for count in 1..=3 {
        ask(&alloy, list(50, 0)).await;
        ask(&hubspot, batch(hubspot.ids())).await;
        assert_eq!((alloy.requests(), hubspot.requests()), (count, count));
    }
    assert_eq!((alloy.log().len(), hubspot.log().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_latency_is_the_time_of_each_answer() {
    let latency = Duration::from_millis(250);
    let alloy = Alloy::new(7).latency(latency);
    let hubspot = HubSpot::new(7).latency(latency);
    let start = Instant::now();
    for count in 1..=3 {
        ask(&alloy, list(50, 0)).await;
        // The clock of a test goes on in whole milliseconds.
        let late = start.elapsed().checked_sub(latency * (2 * count - 1)).unwrap();
        assert!(late < Duration::from_millis(10), "{late:?}");
        ask(&hubspot, batch(hubspot.ids())).await;
    }
    assert!(start.elapsed() >= latency * 6);
}

#[tokio::test(start_paused = true)]
async fn without_a_latency_an_answer_takes_no_time() {
    let start = Instant::now();
    ask(&Alloy::new(7), list(50, 0)).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

// Over HTTP.

/// The request with the server's address.
fn at(server: &Server, request: Request<Bytes>) -> Request<Bytes> {
    let uri = format!("{}{}", server.base_url(), request.uri());
    with(request, |request| *request.uri_mut() = uri.parse().unwrap())
}

/// Sends requests over HTTP and in memory, and compares.
async fn same_over_http<S: Service + Transport>(service: S, requests: Vec<Request<Bytes>>) {
    let server = Server::start(service.clone()).await.unwrap();
    assert!(server.address().ip().is_loopback());
    assert_eq!(server.base_url(), format!("http://{}", server.address()));
    let client = Reqwest::new().unwrap();
    for request in requests {
        let over_http = client.send(at(&server, request.clone())).await.unwrap();
        let in_memory = service.send(request).await.unwrap();
        assert_eq!(over_http.status(), in_memory.status());
        assert_eq!(over_http.headers()["content-type"], in_memory.headers()["content-type"]);
        assert_eq!(over_http.body(), in_memory.body());
    }
}

#[tokio::test]
async fn hubspot_answers_the_same_over_http() {
    let service = HubSpot::new(7).objects(1001).pages(|place| place % 3);
    let requests = vec![
        batch(service.ids().take(1000)),
        batch(service.ids()),
        with_header(batch([]), "authorization", None),
        post("/nowhere", ""),
    ];
    same_over_http(service.clone(), requests).await;
    assert_eq!(service.requests(), 8);
}

#[tokio::test]
async fn alloy_answers_the_same_over_http() {
    let service = Alloy::new(7);
    let requests = vec![
        list(50, 0),
        list(50, 50),
        list(51, 0),
        with_header(list(50, 0), "x-api-version", None),
        with(list(50, 0), |request| *request.method_mut() = Method::PUT),
    ];
    same_over_http(service.clone(), requests).await;
    assert_eq!(service.requests(), 10);
}

#[tokio::test]
async fn the_latency_is_that_of_a_server_too() {
    let latency = Duration::from_millis(20);
    let server = Server::start(Alloy::new(7).latency(latency)).await.unwrap();
    let start = Instant::now();
    let response = Reqwest::new().unwrap().send(at(&server, list(50, 0))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(start.elapsed() >= latency, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_server_serves_a_service_of_ones_own() {
    #[derive(Clone)]
    struct Teapot;

    impl Service for Teapot {
        fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
            Response::builder().status(418).body(request.body().clone()).unwrap()
        }

        fn latency(&self) -> Duration {
            Duration::ZERO
        }
    }

    let server = Server::start(Teapot).await.unwrap();
    let request = at(&server, post("/tea", "short and stout"));
    let response = Reqwest::new().unwrap().send(request).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.body()[..]), (418, &b"short and stout"[..]));
}

#[tokio::test]
async fn two_servers_have_an_address_each() {
    let one = Server::start(Alloy::new(7)).await.unwrap();
    let other = Server::start(Alloy::new(7)).await.unwrap();
    assert_ne!(one.address(), other.address());
}

#[tokio::test]
async fn a_server_that_is_dropped_answers_no_more() {
    let service = Alloy::new(7);
    let server = Server::start(service.clone()).await.unwrap();
    let (address, request) = (server.address(), at(&server, list(50, 0)));
    let client = Reqwest::new().unwrap();
    assert_eq!(client.send(request.clone()).await.unwrap().status(), 200);

    drop(server);
    // Neither over the connection that was open nor over a new one.
    let error = client.send(request.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let error = Reqwest::new().unwrap().send(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let refused = tokio::net::TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(service.requests(), 1);
}
