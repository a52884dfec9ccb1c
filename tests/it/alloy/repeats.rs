//! The same page again.

use futures::{StreamExt, TryStreamExt};
use pagestream::{Checkpoint, Error, ErrorKind, PaginatorExt};
use serde_json::{Value, json};

use super::{action, builder, contacts, cut, last, once, page, read};
use crate::support::{Contact, Script};

#[tokio::test]
async fn the_same_page_again_whatever_the_offset_is_caught() {
    let script = Script::json([page(0..2, 2), page(0..2, 4)]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.records, [0, 1]);
    let error = outcome.failed_at(ErrorKind::Loop, 2, 2);
    assert!(error.is_service_fault() && !error.is_retryable());
    assert_eq!(script.offsets(), [0, 2]);
}

#[tokio::test]
async fn the_same_page_again_is_caught_on_a_later_page() {
    let script = Script::json([page(0..2, 2), page(2..4, 4), page(2..4, 6)]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.records, [0, 1, 2, 3]);
    outcome.failed_at(ErrorKind::Loop, 3, 4);
}

#[tokio::test]
async fn the_same_page_again_is_caught_though_it_says_that_it_is_the_last() {
    let script = Script::json([page(0..2, 2), last(0..2)]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.records, [0, 1]);
    outcome.failed_at(ErrorKind::Loop, 2, 2);
}

#[tokio::test]
async fn the_same_page_again_is_caught_though_what_is_beside_it_differs() {
    let page = |id: &str, next: u64| {
        json!({
            "executionId": id,
            "data": [{"id": 0}, {"id": 1}],
            "meta": {"took": next},
            "pagination": {"hasMore": true, "nextOffset": next},
        })
    };
    let script = Script::json([page("a", 2), page("b", 4)]);
    let outcome = read(&builder::<Contact>(&script).build().unwrap()).await;
    assert_eq!(outcome.records, contacts(0..2));
    outcome.failed_at(ErrorKind::Loop, 2, 2);
}

#[tokio::test]
async fn the_same_page_again_is_caught_though_other_fields_are_beside_it() {
    let mut again = page(0..2, 4);
    again["warnings"] = json!(["slow"]);
    let outcome = read(&action(&Script::json([page(0..2, 2), again]))).await;
    assert_eq!(outcome.records, [0, 1]);
    outcome.failed_at(ErrorKind::Loop, 2, 2);
}

#[tokio::test]
async fn the_same_page_again_is_caught_with_a_wider_window() {
    let script = Script::json([page(0..2, 2), page(2..4, 4), page(2..4, 6), last(6..7)]);
    let outcome = once(action(&script).read().window(4)).await;
    assert_eq!(outcome.records, [0, 1, 2, 3]);
    outcome.failed_at(ErrorKind::Loop, 3, 4);
}

/// Resumes a reading whose first page was 0 and 1, and gets that page for ever.
async fn meet_the_first_page_again(checkpoint: Checkpoint, answers: &[Value], remaining: &[u64]) {
    let script = Script::json(answers.iter().cloned());
    let outcome = once(action(&script).read().resume(checkpoint)).await;
    assert_eq!(outcome.records, remaining);
    assert_eq!(outcome.fatal().map(Error::kind), Some(ErrorKind::Loop));
}

#[tokio::test]
async fn the_same_page_again_is_caught_after_a_resume_in_its_middle() {
    let (_, checkpoint) = cut(&action(&Script::json([page(0..2, 2)])), 1).await;
    meet_the_first_page_again(checkpoint, &[page(0..2, 2), page(0..2, 4)], &[1]).await;
}

#[tokio::test]
async fn the_same_page_again_is_caught_after_a_resume_behind_its_last_record() {
    let (_, checkpoint) = cut(&action(&Script::json([page(0..2, 2)])), 2).await;
    meet_the_first_page_again(checkpoint, &[page(0..2, 4)], &[]).await;
}

#[tokio::test]
async fn the_same_page_again_is_caught_after_a_resume_behind_max_pages() {
    let begin = action(&Script::json([page(0..2, 2)]));
    let mut first = begin.read().max_pages(1).records();
    assert_eq!(first.by_ref().try_collect::<Vec<_>>().await.unwrap(), [0, 1]);
    let checkpoint = first.checkpoint().unwrap();
    meet_the_first_page_again(checkpoint, &[page(0..2, 4)], &[]).await;
}

#[tokio::test]
async fn the_same_record_in_pages_of_other_lengths_is_no_repeated_page() {
    let body = |data: Value, next: u64| json!({"data": data, "pagination": {"hasMore": next < 6, "nextOffset": next}});
    let script = Script::json([body(json!([7]), 1), body(json!([7, 7]), 3), body(json!([7]), 6)]);
    assert_eq!(read(&action(&script)).await.whole(), [7, 7, 7, 7]);
}

#[tokio::test]
async fn the_same_page_again_is_caught_at_a_distance() {
    let pages = [page(0..3, 3), page(3..6, 6), page(6..9, 9), page(0..3, 12)];
    let outcome = read(&action(&Script::json(pages))).await;
    assert!(outcome.records.iter().copied().eq(0..9));
    outcome.failed_at(ErrorKind::Loop, 4, 9);
}

/// 150 records; an offset beyond them begins anew.
#[tokio::test]
async fn offsets_that_wrap_are_caught_before_a_record_comes_twice() {
    let pages = (0..6_u64).map(|at| {
        let begin = at * 50 % 150;
        page(begin..begin + 50, (at + 1) * 50)
    });
    let outcome = read(&action(&Script::json(pages))).await;
    assert!(outcome.records.iter().copied().eq(0..150));
    outcome.failed_at(ErrorKind::Loop, 4, 150);
}

/// A page whose records have the time of the request in them.
fn at_time(records: [u64; 3], time: u64, next: Option<u64>) -> Value {
    let data = records.map(|id| json!({"id": id, "state": {"read_at": time, "open": true}}));
    json!({"data": data, "pagination": {"hasMore": next.is_some(), "nextOffset": next}})
}

#[tokio::test]
async fn fields_that_change_at_each_request_can_be_left_out() {
    let pages = [at_time([1, 2, 3], 7, Some(3)), at_time([1, 2, 3], 8, Some(6))];
    let ids = |outcome: &[Value]| outcome.iter().map(|it| it["id"].clone()).collect::<Vec<_>>();
    let ignoring = |script: &Script| builder::<Value>(script).ignore_fields(["read_at"]);

    let outcome = read(&ignoring(&Script::json(pages)).build().unwrap()).await;
    assert_eq!(ids(&outcome.records), [1, 2, 3]);
    outcome.failed_at(ErrorKind::Loop, 2, 3);

    // The place in a page that is read again is found all the same.
    let script = Script::json([at_time([1, 2, 3], 7, None), at_time([9, 1, 2], 8, None)]);
    let action = ignoring(&script).build().unwrap();
    let (_, checkpoint) = cut(&action, 1).await;
    let rest: crate::support::Outcome<Value> = once(action.read().resume(checkpoint)).await;
    assert_eq!(ids(&rest.records), [2]);
}

#[tokio::test]
async fn accept_repeated_pages_takes_them() {
    let script = Script::json([page(0..2, 2), page(0..2, 4), last(0..2)]);
    let action = builder::<u64>(&script).accept_repeated_pages().build().unwrap();
    assert_eq!(read(&action).await.whole(), [0, 1, 0, 1, 0, 1]);
    assert_eq!(script.offsets(), [0, 2, 4]);
}

#[tokio::test]
async fn accept_repeated_pages_still_catches_an_offset_that_does_not_advance() {
    let script = Script::json([page(0..2, 2), page(0..2, 2)]);
    let action = builder::<u64>(&script).accept_repeated_pages().build().unwrap();
    read(&action).await.failed_at(ErrorKind::Loop, 2, 2);
}
