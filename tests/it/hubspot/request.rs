//! What is asked for.

use futures::StreamExt;
use http::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use pagestream::{
    ErrorKind, PaginatorExt,
    hubspot::{ApiVersion, AssociationsBuilder},
};
use serde_json::json;

use super::{TOKEN, answer, deals, envelope, error_of, page, read, rejected, shown};
use crate::support::{Answer, Script};

async fn uri_of(builder: impl FnOnce(AssociationsBuilder) -> AssociationsBuilder) -> String {
    let script = Script::pages(&["1:11"]);
    let associations = builder(deals([1], script.transport())).build().unwrap();
    assert_eq!(read(&associations).await, ["1 -> 11"]);
    script.all_requests()[0].uri().to_string()
}

#[tokio::test]
async fn the_default_path_is_2026_03() {
    let uri = "https://api.hubapi.com/crm/associations/2026-03/deals/companies/batch/read";
    assert_eq!(uri_of(|builder| builder).await, uri);
}

#[tokio::test]
async fn the_v4_path_by_choice() {
    let uri = "https://api.hubapi.com/crm/v4/associations/deals/companies/batch/read";
    assert_eq!(uri_of(|builder| builder.version(ApiVersion::V4)).await, uri);
}

#[tokio::test]
async fn the_base_url_can_be_set() {
    let uri = "http://[::1]:80/base/crm/associations/2026-03/deals/companies/batch/read";
    for base_url in ["http://[::1]:80/base", "http://[::1]:80/base/"] {
        assert_eq!(uri_of(|builder| builder.base_url(base_url)).await, uri);
    }
}

#[tokio::test]
async fn after_is_left_out_and_not_null_on_the_first_page() {
    let script = Script::new([(200, fixture!("hubspot/batch_200").into()), page("515690208449:")]);
    read(&script.deals([515_690_208_449, 515_690_208_450])).await;
    let requests = script.all_requests();
    let bodies = [fixture!("hubspot/batch_request"), fixture!("hubspot/batch_request_after")];
    assert_eq!([requests[0].body(), requests[1].body()], bodies.map(str::trim_end));
    for request in requests {
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
    }
}

#[tokio::test]
async fn the_token_is_sent_as_bearer_and_shown_nowhere() {
    let script = Script::pages(&["1:11"]);
    let builder = deals([1], script.transport());
    let associations = builder.clone().build().unwrap();
    let mut records = associations.records();
    records.next().await.unwrap().unwrap();

    let header = script.all_requests()[0].headers()[AUTHORIZATION].clone();
    assert_eq!(header, format!("Bearer {TOKEN}"));
    assert!(header.is_sensitive());
    let checkpoint = serde_json::to_string(&records.checkpoint().unwrap()).unwrap();
    let grouped = associations.clone().grouped();
    let shown = format!("{builder:?} {associations:?} {grouped:?} {records:?} {checkpoint}");
    assert!(!shown.contains(TOKEN), "{shown}");
}

async fn assert_hides_the_token(answer: Answer, kind: ErrorKind, says: &str) {
    let error = error_of(answer).await;
    assert_eq!(error.kind(), kind);
    assert!(error.to_string().contains(says), "{error}");
    assert!(!shown(&error).contains(TOKEN), "{}", shown(&error));
}

#[tokio::test]
async fn a_status_error_that_echoes_the_token_does_not_show_it() {
    let message = format!("The token {TOKEN} has expired");
    let answer = answer(401, &json!({"status": "error", "message": message}));
    assert_hides_the_token(answer, ErrorKind::Status, "has expired").await;
}

#[tokio::test]
async fn an_error_entry_that_echoes_the_token_does_not_show_it() {
    let mut entry = rejected(&["1"]);
    entry["message"] = json!(format!("The token {TOKEN} has no access"));
    let answer = envelope(&[], &[entry]);
    assert_hides_the_token(answer, ErrorKind::Rejected, "has no access").await;
}

#[tokio::test]
async fn a_decode_error_of_a_body_that_echoes_the_token_does_not_show_it() {
    let answer = answer(200, &json!({"results": TOKEN}));
    assert_hides_the_token(answer, ErrorKind::Decode, "").await;
}
