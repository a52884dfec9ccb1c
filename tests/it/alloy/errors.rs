//! Responses that are no page.

use std::future::ready;

use bytes::Bytes;
use http::Request;
use pagestream::{Error, ErrorKind, alloy::Action};

use super::{ERROR_WITH_MESSAGE, KEY, action, error_of, last, page, read};
use crate::support::{CREDENTIAL, Script};

const ERROR_WITH_CODE: &str = fixture!("alloy/error_with_code");

#[tokio::test]
async fn an_error_has_its_status_the_services_message_and_says_whether_to_retry() {
    let bodies = [
        (ERROR_WITH_MESSAGE, "Invalid API key"),
        (ERROR_WITH_CODE, "CREDENTIAL_NOT_FOUND"),
        (r#"{"error":{"code":"E1","message":"No such action"}}"#, "No such action"),
        (r#"{"error":"Too long ago"}"#, "Too long ago"),
    ];
    let retryable = [(400, false), (401, false), (404, false), (429, true), (503, true)];
    for (status, is_retryable) in retryable {
        for (body, message) in bodies {
            let script = Script::json([page(0..2, 2)]).then(status, body);
            let outcome = read(&action(&script)).await;
            assert_eq!(outcome.records, [0, 1]);
            let error = outcome.failed_at(ErrorKind::Status, 2, 2);
            assert_eq!((error.status(), error.is_retryable()), (Some(status), is_retryable));
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.to_string().contains(&status.to_string()), "{error}");
        }
    }
}

#[tokio::test]
async fn an_error_without_a_readable_body_has_its_status() {
    for body in [&b""[..], b"<html>", b"\xff", b"[]", b"{\"error\":1}", b"null"] {
        let script = Script::default().then(500, body);
        let error = read(&action(&script)).await.failed_at(ErrorKind::Status, 1, 0);
        assert_eq!((error.status(), error.is_retryable()), (Some(500), true));
    }
}

#[tokio::test]
async fn a_redirect_is_an_error_of_its_status() {
    let script = Script::default().then(302, "");
    let error = read(&action(&script)).await.failed_at(ErrorKind::Status, 1, 0);
    assert_eq!((error.status(), error.is_retryable()), (Some(302), false));
}

#[tokio::test]
async fn any_status_of_success_is_one() {
    let script =
        Script::default().then(201, page(0..1, 1).to_string()).then(207, last(1..2).to_string());
    assert_eq!(read(&action(&script)).await.whole(), [0, 1]);
}

#[tokio::test]
async fn an_error_with_status_200_is_a_decode_error_that_shows_the_message() {
    let bodies =
        [(ERROR_WITH_MESSAGE, "Invalid API key"), (ERROR_WITH_CODE, "CREDENTIAL_NOT_FOUND")];
    for (body, message) in bodies {
        let error = error_of(ErrorKind::Decode, body).await;
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!((error.status(), error.is_retryable()), (Some(200), false));
    }
}

#[tokio::test]
async fn html_with_status_200_is_a_decode_error() {
    let error = error_of(ErrorKind::Decode, "<!doctype html><title>Sign in</title>").await;
    assert!(error.downcast_ref::<serde_json::Error>().is_some());
    assert_eq!((error.status(), error.is_retryable()), (Some(200), false));
}

#[tokio::test]
async fn invalid_utf_8_is_a_decode_error() {
    let body = b"{\"data\":[],\"pagination\":{\"hasMore\":false},\"x\":\"\xff\"}";
    let error = error_of(ErrorKind::Decode, &body[..]).await;
    assert!(error.downcast_ref::<std::str::Utf8Error>().is_some());
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_a_decode_error_wherever_it_is_cut() {
    let body = page(0..3, 3).to_string();
    for end in 0..body.len() {
        error_of(ErrorKind::Decode, body[..end].to_owned()).await;
    }
}

#[tokio::test]
async fn a_body_with_something_behind_it_is_a_decode_error() {
    error_of(ErrorKind::Decode, format!("{}{}", last(0..1), last(1..2))).await;
}

#[tokio::test]
async fn a_body_that_is_nested_too_deep_is_a_decode_error() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let of_list = format!(r#"{{"data": [{deep}, {deep}], "pagination": {{"hasMore": false}}}}"#);
    for body in [of_list, format!(r#"{{"data": [0], "x": {deep}"#)] {
        error_of(ErrorKind::Decode, body).await;
    }
}

#[tokio::test]
async fn an_error_of_the_transport_keeps_its_kind_and_says_where() {
    let action = Action::<u64>::builder("hubspot", "listContacts")
        .api_key(KEY)
        .credential_id(CREDENTIAL)
        .transport(|_: Request<Bytes>| {
            ready(Err(Error::new(ErrorKind::Transport, "the connection is dead")))
        })
        .build()
        .unwrap();
    let error = read(&action).await.failed_at(ErrorKind::Transport, 1, 0);
    assert!(error.is_retryable());
    assert!(error.to_string().contains("the connection is dead"), "{error}");
}
