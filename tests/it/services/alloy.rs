//! The emulated Alloy.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use pagestream::testing::Alloy;
use serde_json::{Value, json};

use super::{LIST, TOKEN, ask, list, list_with, post, with, with_header};
use crate::support::CREDENTIAL;

/// The error response to a request, in Alloy's shape; gives its message.
async fn rejected_by_alloy(request: Request<Bytes>, status: StatusCode) -> String {
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
async fn alloy_takes_the_parameters_in_each_position() {
    let service = Alloy::new(7);
    let answer = ask(&service, list(3, 4)).await;
    assert_eq!(answer.0, 200);
    for position in ["queryParameters", "requestBody"] {
        let request = list_with(position, json!({"limit": 3, "offset": 4, "archived": false}));
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
async fn alloy_rejects_another_path() {
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
        rejected_by_alloy(request, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn alloy_rejects_a_path_with_a_bad_connector() {
    for path in [
        "/connectors//actions/listContacts/execute",
        "/connectors/a/b/actions/listContacts/execute",
    ] {
        let request = with(list(50, 0), |request| *request.uri_mut() = path.parse().unwrap());
        rejected_by_alloy(request, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn alloy_rejects_another_method() {
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = with(list(50, 0), |request| *request.method_mut() = method);
        rejected_by_alloy(request, StatusCode::METHOD_NOT_ALLOWED).await;
    }
}

#[tokio::test]
async fn alloy_rejects_a_request_without_a_bearer_token() {
    for authorization in [None, Some(""), Some("Bearer "), Some("Basic YTpi"), Some(TOKEN)] {
        let request = with_header(list(50, 0), "authorization", authorization);
        let message = rejected_by_alloy(request, StatusCode::UNAUTHORIZED).await;
        assert_eq!(message, "Invalid API key");
    }
}

#[tokio::test]
async fn alloy_rejects_a_request_without_an_api_version() {
    let request = with_header(list(50, 0), "x-api-version", None);
    let message = rejected_by_alloy(request, StatusCode::BAD_REQUEST).await;
    assert_eq!(message, "x-api-version is required");
}

#[tokio::test]
async fn alloy_rejects_another_content_type() {
    for content_type in [None, Some("text/plain")] {
        let request = with_header(list(50, 0), "content-type", content_type);
        rejected_by_alloy(request, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    }
}

#[tokio::test]
async fn alloy_rejects_a_body_that_is_no_execution() {
    let bodies = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        json!({"actionId": "listContacts", "input": {"limit": 1, "offset": 0}}).to_string(),
        json!({"credentialId": CREDENTIAL, "input": {"limit": 1, "offset": 0}}).to_string(),
        json!({"credentialId": CREDENTIAL, "actionId": "listContacts"}).to_string(),
    ];
    for body in bodies {
        rejected_by_alloy(post(LIST, body), StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn alloy_rejects_a_limit_that_is_not_a_number_from_1_to_50() {
    for limit in [json!(0), json!(51), json!("50"), json!(-1), json!(1.5), json!(null)] {
        rejected_by_alloy(list(limit, 0), StatusCode::BAD_REQUEST).await;
    }
    for limit in [1, 50] {
        let (status, body) = ask(&Alloy::new(7), list(limit, 0)).await;
        assert_eq!((status, body["data"].as_array().unwrap().len()), (200, limit));
    }
}

#[tokio::test]
async fn alloy_rejects_an_offset_that_is_no_number_from_0() {
    for offset in [json!(-1), json!("0"), json!(0.5), json!(null)] {
        rejected_by_alloy(list(50, offset), StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn alloy_rejects_a_credential_id_that_is_not_of_24_hex_digits() {
    let bad = [json!(""), json!(&CREDENTIAL[1..]), json!(format!("{CREDENTIAL}0")), json!(1)];
    for credential in bad.into_iter().chain([json!("z".repeat(24)), json!(null)]) {
        let body = json!({
            "credentialId": credential,
            "actionId": "listContacts",
            "input": {"limit": 50, "offset": 0},
        });
        rejected_by_alloy(post(LIST, body.to_string()), StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn alloy_rejects_an_action_id_that_is_not_the_paths() {
    let path = "/connectors/hubspot/actions/listCompanies/execute";
    let request = with(list(50, 0), |request| *request.uri_mut() = path.parse().unwrap());
    let message = rejected_by_alloy(request, StatusCode::BAD_REQUEST).await;
    assert!(message.contains("actionId"), "{message}");
}

#[tokio::test]
async fn alloys_data_follows_from_the_seed() {
    let one = ask(&Alloy::new(7), list(50, 0)).await;
    assert_eq!(ask(&Alloy::new(7), list(50, 0)).await, one);
    let (_, other) = ask(&Alloy::new(8), list(50, 0)).await;
    for index in 0..50 {
        assert_eq!(other["data"][index]["id"], one.1["data"][index]["id"]);
        assert_ne!(other["data"][index]["score"], one.1["data"][index]["score"]);
    }
}

#[tokio::test]
async fn alloys_data_does_not_depend_on_the_page_it_is_on() {
    let service = Alloy::new(7);
    let (_, all) = ask(&service, list(50, 0)).await;
    let (_, some) = ask(&service, list(5, 20)).await;
    assert_eq!(some["data"].as_array().unwrap()[..], all["data"].as_array().unwrap()[20..25]);
}
