//! Associations and rows that do not fit their type.

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use pagestream::{Error, PaginatorExt};

use super::{deals, inputs, read, resume, told};
use crate::support::Script;

/// A body of these rows, and of these errors.
fn body(rows: &[&str], errors: &str) -> (u16, Bytes) {
    let rows = rows.join(",");
    (200, format!(r#"{{"status":"COMPLETE","results":[{rows}],"errors":[{errors}]}}"#).into())
}

fn to(id: u64, label: &str) -> String {
    format!(
        r#"{{"toObjectId":{id},"associationTypes":[{{"category":"USER_DEFINED","typeId":1,"label":{label}}}]}}"#
    )
}

fn row(id: u64, to: &[String], after: Option<&str>) -> String {
    let paging = after
        .map_or_else(String::new, |after| format!(r#","paging":{{"next":{{"after":"{after}"}}}}"#));
    format!(r#"{{"from":{{"id":"{id}"}},"to":[{}]{paging}}}"#, to.join(","))
}

const LONE_SURROGATE: &str = r#""\ud83d""#;

#[tokio::test]
async fn a_label_that_is_no_text_costs_its_association_and_nothing_else() {
    let bad = row(1, &[to(11, "null"), to(12, LONE_SURROGATE), to(13, "null")], Some("a"));
    let other = row(2, &[to(21, "null")], None);
    let script =
        Script::new([body(&[&bad, &other], ""), body(&[&row(1, &[to(14, "null")], None)], "")]);
    let deals = script.deals([1, 2]);
    let items = deals.records().collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "1 -> 13", "2 -> 21", "Decode: 1", "1 -> 14"]);
    let message = items[3].as_ref().unwrap_err().to_string();
    assert!(message.contains("association 1 of object 1"), "{message}");
    assert!(message.contains("associationTypes[0].label"), "{message}");
}

#[tokio::test]
async fn a_group_that_would_lack_an_association_is_an_error() {
    let bad = row(1, &[to(11, "null"), to(12, LONE_SURROGATE)], Some("a"));
    let other = row(2, &[to(21, "null")], None);
    let script = Script::new([body(&[&bad, &other], "")]);
    assert_eq!(read(&script.deals([1, 2]).grouped()).await, ["2 -> [21]", "Decode: 1"]);
}

#[tokio::test]
async fn a_row_that_does_not_fit_fails_its_object() {
    let bad = [
        r#"{"from":{"id":"1"},"to":7}"#,
        r#"{"from":{"id":"1"},"to":[],"to":[]}"#,
        r#"{"from":{"id":"1"},"to":[],"paging":7}"#,
    ];
    for bad in bad {
        let script = Script::new([body(&[bad, &row(2, &[to(21, "null")], None)], "")]);
        assert_eq!(read(&script.deals([1, 2])).await, ["2 -> 21", "Decode: 1"], "{bad}");
    }
}

#[tokio::test]
async fn a_row_without_an_object_fails_none_in_silence() {
    let script = Script::new([body(&["{}", &row(2, &[to(21, "null")], None)], "")]);
    let items = read(&script.deals([1, 2])).await;
    assert_eq!(items, ["2 -> 21", "Decode: ", "Contradiction: 1"]);
}

#[tokio::test]
async fn an_entry_of_the_errors_that_does_not_fit_is_an_error_of_its_own() {
    let script = Script::new([body(&[&row(1, &[to(11, "null")], None)], r#"{"message":[]}"#)]);
    assert_eq!(read(&script.deals([1])).await, ["1 -> 11", "Decode: "]);
}

#[tokio::test]
async fn a_reading_cut_at_each_item_gives_all_once() {
    let whole = ["1 -> 11", "1 -> 13", "2 -> 21", "Decode: 1"];
    for cut in 0..=4 {
        // When it is resumed, it asks for what is left of both or of one of them.
        let service = move |request: Request<Bytes>| {
            let asked = inputs(request.body());
            let rows = asked.split(' ').map(|id| {
                if id == "1" {
                    row(1, &[to(11, "null"), to(12, LONE_SURROGATE), to(13, "null")], None)
                } else {
                    row(2, &[to(21, "null")], None)
                }
            });
            let rows = rows.collect::<Vec<_>>();
            let rows = rows.iter().map(String::as_str).collect::<Vec<_>>();
            std::future::ready(Ok::<_, Error>(Response::new(body(&rows, "").1)))
        };
        let deals = deals([1, 2], service).build().unwrap();
        let mut stream = deals.records();
        let some = stream.by_ref().take(cut).collect::<Vec<_>>().await;
        let rest = resume(&deals, &stream.checkpoint().unwrap()).await;
        assert_eq!([told(&some), rest].concat(), whole, "{cut}");
    }
}
