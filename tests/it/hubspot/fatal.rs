//! Errors that end the stream.

use bytes::Bytes;
use futures::StreamExt;
use pagestream::{ErrorKind, PaginatorExt, Retry};
use serde_json::{Value, json};

use super::{Told, deals, envelope, error_of, page, resume, told};
use crate::support::Script;

#[tokio::test]
async fn a_429_or_400_is_a_fatal_error_with_status_and_the_services_message() {
    for (status, body, message) in [
        (429, fixture!("hubspot/429_burst"), "You have reached your ten_secondly_rolling limit."),
        (429, fixture!("hubspot/429_daily"), "You have reached your daily limit."),
        (429, fixture!("hubspot/429_search"), "You have reached your secondly limit."),
        (
            400,
            fixture!("hubspot/400_too_many_inputs"),
            "maximum number of inputs supported in a batch is",
        ),
    ] {
        let error = error_of((status, body.into())).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(status)));
        assert!(error.to_string().contains(message), "{error}");
        assert!(!error.is_partial());
    }
}

#[tokio::test]
async fn a_status_that_passes_is_worth_a_retry_and_any_other_error_response_is_not() {
    for status in [423, 477, 502, 503, 504, 521, 524] {
        assert!(error_of((status, "".into())).await.is_retryable(), "{status}");
    }
    for status in [400, 401, 403, 404] {
        assert!(!error_of((status, "".into())).await.is_retryable(), "{status}");
    }
}

#[tokio::test]
async fn an_after_that_has_expired_is_an_error_of_its_own_and_is_not_retried() {
    let unknown = r#"{"category":"VALIDATION_ERROR","message":"The paging cursor is not valid"}"#;
    let wrong = r#"{"category":"VALIDATION_ERROR","message":"The object type is not valid"}"#;
    for (status, body, kind) in [
        (400, unknown, ErrorKind::Expired),
        (410, "", ErrorKind::Expired),
        (400, wrong, ErrorKind::Status),
    ] {
        let script = Script::new([page("1:11>a"), (status, body.into())]);
        let associations = script.deals([1]);
        let mut records = associations.records();
        assert_eq!(records.next().await.unwrap().told(), "1 -> 11");
        let error = records.next().await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{body}");
        assert_eq!((error.is_retryable(), error.attempts()), (false, 1), "{body}");
        assert_eq!(script.asked(), ["1", "1@a"]);
    }
}

#[tokio::test]
async fn a_429_is_worth_a_retry_unless_the_limit_is_the_days() {
    for body in [fixture!("hubspot/429_burst"), fixture!("hubspot/429_search")] {
        assert!(error_of((429, body.into())).await.is_retryable(), "{body}");
    }
    assert!(!error_of((429, fixture!("hubspot/429_daily").into())).await.is_retryable());
}

#[tokio::test]
async fn a_body_without_results_is_a_decode_error() {
    for body in ["{}", r#"{"results":null}"#, "[]", "", "<html></html>", r#"{"results":[{"fr"#] {
        let error = error_of((200, body.into())).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)), "{body}");
        assert!(!error.is_partial());
    }
}

#[tokio::test]
async fn a_fatal_error_carries_a_checkpoint_and_resuming_gives_exactly_the_remaining_records() {
    let busy = (503, Bytes::new());
    let script = Script::new([page("1:11>a 2:21"), busy, page("1:12 3:31>c"), page("3:32")]);
    let associations = deals([1, 2, 3], script.transport()).batch_size(2).build().unwrap();
    let mut records = associations.read().retry(Retry::never()).records();
    let items = records.by_ref().take(3).collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "2 -> 21", "fatal Status: "]);
    assert!(records.next().await.is_none());

    let error = items[2].as_ref().unwrap_err();
    assert_eq!((error.page(), error.status()), (Some(2), Some(503)));
    let cursor = serde_json::from_str::<Value>(error.cursor().unwrap()).unwrap();
    let input = &cursor["inputs"][0];
    assert_eq!((&input["id"], &input["after"]), (&json!("1"), &json!("a")));
    let checkpoint = error.checkpoint().unwrap();
    assert_eq!((checkpoint.pages(), checkpoint.records()), (1, 2));
    assert_eq!(resume(&associations, checkpoint).await, ["1 -> 12", "3 -> 31", "3 -> 32"]);
    assert_eq!(script.asked(), ["1 2", "1@a 3", "1@a 3", "3@c"]);
}

#[tokio::test]
async fn a_cursor_goes_back_as_a_string_or_a_number_just_as_it_came() {
    let row = |id: u64, to: u64, after: Value| json!({"from": {"id": id}, "to": [{"toObjectId": to}], "paging": {"next": {"after": after}}});
    let script = Script::new([
        envelope(&[row(1, 11, json!(7)), row(2, 21, json!("7")), row(3, 31, json!(0))], &[]),
        envelope(&[row(1, 12, json!("")), row(2, 22, json!("")), row(3, 32, json!(null))], &[]),
    ]);
    let associations = script.deals([1, 2, 3]);
    let mut records = associations.records();
    let begun = records.by_ref().take(3).collect::<Vec<_>>().await;
    let remaining = resume(&associations, &records.checkpoint().unwrap()).await;
    assert_eq!(told(&begun), ["1 -> 11", "2 -> 21", "3 -> 31"]);
    assert_eq!(remaining, ["1 -> 12", "2 -> 22", "3 -> 32"]);
    let body = serde_json::from_slice::<Value>(script.all_requests()[1].body()).unwrap();
    assert_eq!(
        body["inputs"],
        json!([{"id": "1", "after": 7}, {"id": "2", "after": "7"}, {"id": "3", "after": 0}])
    );
}
