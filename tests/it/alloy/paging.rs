//! The paging object.

use pagestream::{ErrorKind, alloy::WithoutPagination};
use serde_json::{Value, json};

use super::{action, builder, error_of_json, last, page, read};
use crate::support::Script;

fn without_paging_object() -> [Value; 2] {
    [json!({"data": [0, 1]}), json!({"data": [0, 1], "pagination": null})]
}

#[tokio::test]
async fn a_missing_or_null_paging_object_is_an_error_by_default() {
    for body in without_paging_object() {
        let error = error_of_json(ErrorKind::Contradiction, &body).await;
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn a_paging_object_that_goes_missing_on_a_later_page_is_an_error_by_default() {
    for body in without_paging_object() {
        let outcome = read(&action(&Script::json([page(5..7, 2), body]))).await;
        assert_eq!(outcome.records, [5, 6]);
        outcome.failed_at(ErrorKind::Contradiction, 2, 2);
    }
}

#[tokio::test]
async fn a_missing_or_null_paging_object_is_a_single_page_by_choice() {
    for body in without_paging_object() {
        let script = Script::json([body]);
        let action = builder::<u64>(&script).without_pagination(WithoutPagination::SinglePage);
        assert_eq!(read(&action.build().unwrap()).await.whole(), [0, 1]);
        assert_eq!(script.offsets(), [0]);
    }
}

#[tokio::test]
async fn a_paging_object_is_followed_though_a_single_page_was_chosen() {
    let script = Script::json([page(0..2, 2), last(2..3)]);
    let action = builder::<u64>(&script).without_pagination(WithoutPagination::SinglePage);
    assert_eq!(read(&action.build().unwrap()).await.whole(), [0, 1, 2]);
}

#[tokio::test]
async fn a_paging_object_that_contradicts_itself_is_an_error_though_a_single_page_was_chosen() {
    for pagination in [json!({}), json!({"hasMore": true})] {
        let script = Script::json([json!({"data": [0], "pagination": pagination})]);
        let action = builder::<u64>(&script).without_pagination(WithoutPagination::SinglePage);
        read(&action.build().unwrap()).await.failed_at(ErrorKind::Contradiction, 1, 0);
    }
}

#[tokio::test]
async fn a_paging_object_without_has_more_is_an_error() {
    let objects = [
        json!({}),
        json!({"hasMore": null}),
        json!({"nextOffset": 1}),
        json!({"nextOffset": null}),
        json!({"has_more": false}),
    ];
    for pagination in objects {
        let body = json!({"data": [0], "pagination": pagination});
        error_of_json(ErrorKind::Contradiction, &body).await;
    }
}

#[tokio::test]
async fn has_more_that_is_no_boolean_is_a_decode_error() {
    for has_more in [json!("false"), json!(0), json!(1), json!({})] {
        let body = json!({"data": [0], "pagination": {"hasMore": has_more, "nextOffset": 1}});
        error_of_json(ErrorKind::Decode, &body).await;
    }
}

#[tokio::test]
async fn a_paging_object_that_is_no_object_is_an_error() {
    for pagination in [json!("none"), json!(false), json!(0)] {
        error_of_json(ErrorKind::Contradiction, &json!({"data": [0], "pagination": pagination}))
            .await;
    }
}

#[tokio::test]
async fn a_paging_object_that_is_an_array_is_an_error() {
    // An array that is read as the fields in their order would be an end.
    for pagination in [json!([false]), json!([false, 1, 2]), json!([])] {
        error_of_json(ErrorKind::Contradiction, &json!({"data": [0], "pagination": pagination}))
            .await;
    }
}
