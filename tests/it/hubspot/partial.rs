//! Errors that concern some ids alone.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use pagestream::{Error, ErrorKind, PaginatorExt, StopReason};
use serde_json::{Value, json};

use super::{
    deals, envelope, flat, grouped, inputs, no_associations, page, read, rejected, row, told,
};
use crate::support::{Script, sorted};

#[tokio::test]
async fn no_associations_found_is_an_empty_result() {
    let script = Script::new([(207, fixture!("hubspot/batch_207").into())]);
    let mut records = script.deals([515_690_208_449]).into_records();
    assert!(records.next().await.is_none());
    assert_eq!(records.monitor().failed_ids(), [""; 0]);
    assert_eq!(records.monitor().progress().stop, Some(StopReason::End));
}

#[tokio::test]
async fn no_associations_found_behind_a_page_ends_the_id() {
    let (items, asked) = flat([1, 2], &["1:11>a 2:21>b", "-1 2:22>c", "2:23"]).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "2 -> 22", "2 -> 23"]);
    assert_eq!(asked, ["1 2", "1@a 2@b", "2@c"]);
}

/// `OBJECT_NOT_FOUND` without that sub-category among them.
#[tokio::test]
async fn any_other_error_entry_names_its_id_and_the_good_records_still_come() {
    let script = Script::pages(&["1:11 3:31>c !2", "3:32"]);
    let items = script.deals([1, 2, 3]).into_records().collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "3 -> 31", "Rejected: 2", "3 -> 32"]);
    let error = items[2].as_ref().unwrap_err().to_string();
    assert!(error.contains("OBJECT_NOT_FOUND") && error.contains("It can't be read."), "{error}");
}

/// What the ids from 1 give if one answer with one entry comes.
async fn with_entry(ids: u64, rows: &[&str], entry: &Value) -> Vec<String> {
    let rows = rows.iter().map(|text| row(text)).collect::<Vec<_>>();
    read(&Script::new([envelope(&rows, std::slice::from_ref(entry))]).deals(1..=ids)).await
}

#[tokio::test]
async fn an_error_entry_names_all_of_its_ids() {
    let items = with_entry(3, &["2:21"], &rejected(&["1", "3"])).await;
    assert_eq!(items, ["2 -> 21", "Rejected: 1", "Rejected: 3"]);
}

#[tokio::test]
async fn neither_the_object_types_nor_the_other_end_are_ids_of_an_error_entry() {
    for key in ["fromObjectId", "id"] {
        let mut entry = rejected(&[]);
        entry["context"] = json!({key: ["1"], "toObjectId": ["2"], "fromObjectType": ["deal"]});
        assert_eq!(with_entry(2, &["2:21"], &entry).await, ["2 -> 21", "Rejected: 1"], "{key}");
    }
}

#[tokio::test]
async fn an_error_entry_without_context_is_still_an_error() {
    for context in [Value::Null, json!({})] {
        let entry = json!({"status": "error", "category": "INTERNAL", "context": context});
        let items = sorted(with_entry(2, &["1:11"], &entry).await);
        assert_eq!(items, ["1 -> 11", "Contradiction: 2", "Rejected: "]);
    }
}

#[tokio::test]
async fn errors_with_status_200_are_read_like_207() {
    for status in [200, 202, 207] {
        let (_, body) = page("1:11 !2 -3");
        let script = Script::new([(status, body)]);
        assert_eq!(read(&script.deals([1, 2, 3])).await, ["1 -> 11", "Rejected: 2"]);
    }
}

#[tokio::test]
async fn an_id_that_comes_back_nowhere_is_an_error_naming_it() {
    let (items, asked) = flat(1..=3, &["1:11>a 3:31>c", "3:32"]).await;
    assert_eq!(items, ["1 -> 11", "3 -> 31", "Contradiction: 2", "3 -> 32", "Contradiction: 1"]);
    assert_eq!(asked, ["1 2 3", "1@a 3@c"]);
}

/// A finished id that comes back is one too.
#[tokio::test]
async fn an_id_that_was_not_asked_for_is_an_error_naming_it() {
    let (items, asked) = flat([1, 2], &["9:91>x 1:11>a 2:21", "2:22 1:12"]).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "Contradiction: 9", "1 -> 12", "Contradiction: 2"]);
    assert_eq!(asked, ["1 2", "1@a"]);
}

/// Alone, beside one that was asked for, and as one without associations.
#[tokio::test]
async fn an_id_that_was_not_asked_for_is_named_in_errors_too() {
    let mut named = Vec::new();
    for entry in [rejected(&["9"]), rejected(&["9", "2"]), no_associations("9")] {
        let items = with_entry(3, &["1:11", "2:21", "3:31"], &entry).await;
        assert_eq!(items[..3], ["1 -> 11", "2 -> 21", "3 -> 31"]);
        let ids = items[3..].iter().filter_map(|error| error.split_once(": "));
        named.push(sorted(ids.flat_map(|(_, ids)| ids.split(", ")).map(String::from).collect()));
    }
    assert_eq!(named, [vec!["9"], vec!["2", "9"], vec!["9"]]);
}

#[tokio::test]
async fn an_id_that_comes_back_twice_is_an_error_naming_it() {
    let pages = ["1:11>a 2:21 1:12>b"];
    let (items, asked) = flat([1, 2], &pages).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "Contradiction: 1"]);
    assert_eq!(asked, ["1 2"]);
    assert_eq!(grouped([1, 2], &pages).await, ["2 -> [21]", "Contradiction: 1"]);
}

#[tokio::test]
async fn an_id_without_its_associations_is_an_error_naming_it() {
    let rows = [json!({"from": {"id": "1"}}), json!({"from": {"id": "2"}, "to": null})];
    let script = Script::new([envelope(&rows, &[])]);
    assert_eq!(read(&script.deals([1, 2])).await, ["Contradiction: 1", "Contradiction: 2"]);
}

/// What came with the repeated `after` is not delivered: the service may have
/// given the page before again.
#[tokio::test]
async fn an_id_whose_after_repeats_fails_alone() {
    let pages = ["1:11>a 2:21>x", "1:11>a 2:22>y", "2:23"];
    let (items, asked) = flat([1, 2], &pages).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "2 -> 22", "Loop: 1", "2 -> 23"]);
    assert_eq!(asked, ["1 2", "1@a 2@x", "2@y"]);
}

#[tokio::test]
async fn an_id_whose_after_repeats_on_a_later_page_is_not_asked_for_again() {
    for depth in 1..8 {
        let after = |page: usize| format!("1:{page}>{page}");
        let pages = (0..depth).map(after).chain([after(depth - 1)]).collect::<Vec<_>>();
        let pages = pages.iter().map(String::as_str).collect::<Vec<_>>();
        let (items, asked) = flat([1], &pages).await;
        assert_eq!(items.last().unwrap(), "Loop: 1");
        assert_eq!(asked.len(), depth + 1);
    }
}

/// A, B, A, B: found within nine requests.
#[tokio::test]
async fn an_id_whose_afters_go_in_a_cycle_fails_alone() {
    let requests = Mutex::new(0);
    let service = move |request: Request<Bytes>| {
        let mut requests = requests.lock().unwrap();
        *requests += 1;
        let asked = inputs(request.body());
        let rows = asked.split(' ').map(|input| match input {
            "1" | "1@b" => "1:11>a",
            "1@a" => "1:12>b",
            "2" => "2:21>c",
            "2@c" => "2:22>d",
            _ => "2:23",
        });
        let body = page(&rows.collect::<Vec<_>>().join(" ")).1;
        let endless = Error::new(ErrorKind::Other, "endless");
        std::future::ready(if *requests > 9 { Err(endless) } else { Ok(Response::new(body)) })
    };
    let items = read(&deals([1, 2], service).build().unwrap()).await;
    let (of_1, others) = items.iter().partition::<Vec<_>, _>(|item| item.starts_with("1 -> "));
    assert_eq!(others, ["2 -> 21", "2 -> 22", "2 -> 23", "Loop: 1"]);
    assert_eq!(of_1[..2], ["1 -> 11", "1 -> 12"]);
}

/// What is read of two ids, the first of which gives `endless` with a new `after` each time.
async fn beside_an_endless_id(endless: &'static str) -> (Vec<String>, usize) {
    let requests = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&requests);
    let service = move |request: Request<Bytes>| {
        let mut requests = counted.lock().unwrap();
        *requests += 1;
        let asked = inputs(request.body());
        let rows = asked.split(' ').map(|input| match input {
            "2" => "2:21>c".to_owned(),
            "2@c" => "2:22".to_owned(),
            _ => format!("1:{endless}>x{requests}"),
        });
        let body = page(&rows.collect::<Vec<_>>().join(" ")).1;
        let endless = Error::new(ErrorKind::Other, "endless");
        std::future::ready(if *requests > 200 { Err(endless) } else { Ok(Response::new(body)) })
    };
    let items = read(&deals([1, 2], service).build().unwrap()).await;
    let requests = *requests.lock().unwrap();
    (items, requests)
}

#[tokio::test]
async fn an_id_with_the_same_page_under_each_new_after_fails_alone() {
    let (items, requests) = beside_an_endless_id("11,12").await;
    assert_eq!(items, ["1 -> 11", "1 -> 12", "2 -> 21", "2 -> 22", "Loop: 1"]);
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn an_id_with_an_empty_page_under_each_new_after_fails_alone() {
    let (items, requests) = beside_an_endless_id("").await;
    assert_eq!(items, ["2 -> 21", "2 -> 22", "Loop: 1"]);
    assert_eq!(requests, 101);
}

#[tokio::test]
async fn an_id_whose_pages_come_back_at_a_distance_fails_alone() {
    let pages = ["1:11>a", "1:12>b", "1:13>c", "1:12>d"];
    let (items, _) = flat([1], &pages).await;
    assert_eq!(items, ["1 -> 11", "1 -> 12", "1 -> 13", "Loop: 1"]);
}

#[tokio::test]
async fn at_the_end_failed_ids_are_those_that_were_not_read_whole() {
    let script = Script::pages(&["1:11 2:21>b 3:31>c 5:51 5:51 -6 !7", "2:22 3:31>c"]);
    let mut records = script.deals(1..=7).into_records();
    while records.next().await.is_some() {}
    assert_eq!(sorted(records.monitor().failed_ids()), ["3", "4", "5", "7"]);
    assert_eq!(records.monitor().progress().failures, 4);
    assert_eq!(records.monitor().progress().stop, Some(StopReason::End));
}
