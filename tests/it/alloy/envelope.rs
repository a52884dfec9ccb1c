//! Where the data and the paging object lie.

use pagestream::{ErrorKind, alloy::WithoutPagination};
use serde_json::json;

use super::{builder, contacts, error_of, read};
use crate::support::{Contact, Script};

const REFERENCE_RESPONSE: &str = fixture!("alloy/reference_response");

const DEMO_RESPONSE: &str = fixture!("alloy/demo_response");

#[tokio::test]
async fn the_shape_of_the_reference_can_be_read() {
    let script = Script::default().then(200, REFERENCE_RESPONSE);
    let action =
        builder::<Contact>(&script).data_at("/result/data").pagination_at("/result/pagination");
    assert_eq!(read(&action.build().unwrap()).await.whole(), contacts(0..2));
}

#[tokio::test]
async fn the_shape_of_the_demos_can_be_read() {
    let script = Script::default().then(200, DEMO_RESPONSE);
    let action = builder::<Contact>(&script)
        .data_at("/responseData/data")
        .pagination_at("/responseData/pagination");
    assert_eq!(read(&action.build().unwrap()).await.whole(), contacts(0..2));
}

#[tokio::test]
async fn the_shapes_of_the_reference_and_the_demos_are_errors_by_default() {
    for body in [REFERENCE_RESPONSE, DEMO_RESPONSE] {
        error_of(ErrorKind::Decode, body).await;
    }
}

#[tokio::test]
async fn the_data_and_the_paging_object_may_lie_at_any_pointer() {
    let more = json!({"hasMore": true, "nextOffset": 2});
    let shapes = [
        ("/a/b/c", "/a/p", json!({"a": {"p": more, "b": {"c": [0, 1], "p": {}}}})),
        ("/a", "/b/a", json!({"b": {"a": more}, "a": [0, 1]})),
        ("/0/data", "/1", json!([{"data": [0, 1]}, more])),
        ("/steps/1/out", "/steps/1/page", json!({"steps": [0, {"out": [0, 1], "page": more}, {}]})),
        ("/a~1b", "/m~0n", json!({"a/b": [0, 1], "m~n": more})),
        ("/~01", "/", json!({"~1": [0, 1], "": more})),
    ];
    for (data, pagination, first) in shapes {
        let mut second = first.clone();
        *second.pointer_mut(data).unwrap() = json!([2, 3]);
        *second.pointer_mut(pagination).unwrap() = json!({"hasMore": false});
        let script = Script::json([first, second]);
        let action = builder::<u64>(&script).data_at(data).pagination_at(pagination);
        assert_eq!(read(&action.build().unwrap()).await.whole(), [0, 1, 2, 3], "{data}");
        assert_eq!(script.offsets(), [0, 2]);
    }
}

#[tokio::test]
async fn the_same_page_again_is_caught_wherever_the_data_lies() {
    let page = |id: u64, next: u64| {
        let pagination = json!({"hasMore": true, "nextOffset": next});
        json!({"id": id, "out": [{"took": id, "data": [0, 1]}, {"page": pagination}]})
    };
    let script = Script::json([page(1, 2), page(2, 4)]);
    let action = builder::<u64>(&script).data_at("/out/0/data").pagination_at("/out/1/page");
    let outcome = read(&action.build().unwrap()).await;
    assert_eq!(outcome.records, [0, 1]);
    outcome.failed_at(ErrorKind::Loop, 2, 2);
}

#[tokio::test]
async fn the_whole_response_may_be_the_data_of_a_single_page() {
    let script = Script::json([json!([0, 1, 2])]);
    let action =
        builder::<u64>(&script).data_at("").without_pagination(WithoutPagination::SinglePage);
    assert_eq!(read(&action.build().unwrap()).await.whole(), [0, 1, 2]);
}

#[tokio::test]
async fn a_value_that_does_not_hold_the_data_is_a_decode_error() {
    for body in [json!({"result": "done"}), json!({"result": [0, 1]}), json!({"result": null})] {
        let script = Script::json([body]);
        let action = builder::<u64>(&script)
            .data_at("/result/data")
            .without_pagination(WithoutPagination::SinglePage);
        read(&action.build().unwrap()).await.failed_at(ErrorKind::Decode, 1, 0);
    }
}
