//! The records of a page.

use pagestream::{ErrorKind, alloy::WithoutPagination};
use serde_json::{Value, json};

use super::{NONE, action, builder, contacts, error_of_json, last, read};
use crate::support::{Contact, Script};

#[tokio::test]
async fn null_data_with_a_paging_object_is_an_empty_page() {
    let null = json!({"data": null, "pagination": {"hasMore": true, "nextOffset": 50}});
    let script = Script::json([null, last(50..51)]);
    assert_eq!(read(&action(&script)).await.whole(), [50]);
    assert_eq!(script.offsets(), [0, 50]);

    let null = json!({"data": null, "pagination": {"hasMore": false}});
    assert_eq!(read(&action(&Script::json([null]))).await.whole(), NONE);
}

#[tokio::test]
async fn null_data_without_a_paging_object_is_an_error() {
    for body in [json!({"data": null}), json!({}), json!({"data": null, "pagination": null})] {
        let script = Script::json([body.clone()]);
        let single = builder::<u64>(&script).without_pagination(WithoutPagination::SinglePage);
        read(&single.build().unwrap()).await.failed_at(ErrorKind::Decode, 1, 0);
        let has_data = body.get("data").is_some();
        let kind = if has_data { ErrorKind::Contradiction } else { ErrorKind::Decode };
        error_of_json(kind, &body).await;
    }
}

#[tokio::test]
async fn missing_data_with_a_paging_object_is_an_error() {
    // Else a wrong pointer to the data would read as no records at all.
    let body = json!({"results": [0, 1], "pagination": {"hasMore": false}});
    error_of_json(ErrorKind::Decode, &body).await;
}

#[tokio::test]
async fn data_that_is_no_array_of_records_is_a_decode_error() {
    for data in [json!({}), json!("none"), json!(0), json!(["none", "one"])] {
        let body = json!({"data": data, "pagination": {"hasMore": false}});
        let error = error_of_json(ErrorKind::Decode, &body).await;
        assert_eq!((error.status(), error.is_retryable()), (Some(200), false));
    }
}

#[tokio::test]
async fn records_keep_integers_above_2_to_53() {
    let ids = [(1 << 53) + 1, u64::MAX];
    let body =
        || json!({"data": [{"id": ids[0]}, {"id": ids[1]}], "pagination": {"hasMore": false}});
    let typed = builder::<Contact>(&Script::json([body()])).build().unwrap();
    assert_eq!(read(&typed).await.whole(), ids.map(|id| Contact { id }));
    let untyped = builder::<Value>(&Script::json([body()])).build().unwrap();
    assert_eq!(read(&untyped).await.whole(), ids.map(|id| json!({"id": id})));
}

#[tokio::test]
async fn the_order_of_the_fields_does_not_matter() {
    let script = Script::default()
        .then(200, r#"{"pagination":{"nextOffset":1,"hasMore":true},"x":[{"data":9}],"data":[0]}"#)
        .then(200, "\n{ \"d\\u0061ta\" : [ 1 ] , \"pagination\" : { \"hasMore\" : false } }\n");
    assert_eq!(read(&action(&script)).await.whole(), [0, 1]);
}

#[tokio::test]
async fn unknown_fields_are_tolerated_everywhere() {
    let body = json!({
        "data": [{"id": 0, "email": "a@example.com", "tags": [[{}]]}],
        "pagination": {"hasMore": false, "limit": 50, "prev": {"offset": null}},
        "requestId": 1.5,
        "pagination2": {"hasMore": true},
    });
    let action = builder::<Contact>(&Script::json([body])).build().unwrap();
    assert_eq!(read(&action).await.whole(), contacts(0..1));
}
