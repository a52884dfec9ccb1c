//! Where a reading ends.

use std::future::ready;

use futures::TryStreamExt;
use pagestream::PaginatorExt;
use serde_json::{Value, json};

use super::{NONE, action, last, page, read};
use crate::support::Script;

#[tokio::test]
async fn has_more_false_is_the_end_whatever_next_offset_says() {
    let next_offsets = [json!(null), json!(0), json!(1), json!(50), json!(u64::MAX)];
    let pagination = next_offsets.map(|next| json!({"hasMore": false, "nextOffset": next}));
    for pagination in pagination.into_iter().chain([json!({"hasMore": false})]) {
        let script = Script::json([json!({"data": [0, 1], "pagination": pagination})]);
        let outcome = read(&action(&script)).await;
        assert_eq!(outcome.progress().skipped, 0);
        assert_eq!(outcome.whole(), [0, 1]);
        assert_eq!(script.offsets(), [0]);
    }
}

#[tokio::test]
async fn has_more_false_is_the_end_though_next_offset_is_minus_1() {
    let pagination = json!({"hasMore": false, "nextOffset": -1});
    let script = Script::json([json!({"data": [0, 1], "pagination": pagination})]);
    assert_eq!(read(&action(&script)).await.whole(), [0, 1]);
}

#[tokio::test]
async fn a_full_last_page_causes_no_extra_request() {
    let script = Script::json([page(0..50, 50), last(50..100)]);
    assert!(read(&action(&script)).await.whole().into_iter().eq(0..100));
    assert_eq!(script.offsets(), [0, 50]);
}

#[tokio::test]
async fn a_short_page_in_the_middle_is_not_the_end() {
    let script = Script::json([page(0..50, 50), page(50..53, 53), last(53..60)]);
    assert!(read(&action(&script)).await.whole().into_iter().eq(0..60));
    assert_eq!(script.offsets(), [0, 50, 53]);
}

#[tokio::test]
async fn an_empty_page_with_more_is_not_the_end() {
    let pages = [page(0..0, 50), page(0..0, 100), page(3..5, 102), page(0..0, 150), last(5..6)];
    let script = Script::json(pages.clone());
    assert_eq!(read(&action(&script)).await.whole(), [3, 4, 5]);
    assert_eq!(script.offsets(), [0, 50, 100, 102, 150]);

    let pages = action(&Script::json(pages)).into_pages().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(pages, [vec![], vec![], vec![3, 4], vec![], vec![5]]);
}

#[tokio::test]
async fn an_empty_last_page_is_the_end() {
    let script = Script::json([page(0..2, 2), last(0..0)]);
    assert_eq!(read(&action(&script)).await.whole(), [0, 1]);
    assert_eq!(script.offsets(), [0, 2]);

    let script = Script::json([last(0..0)]);
    assert_eq!(read(&action(&script)).await.whole(), NONE);
    assert_eq!(script.offsets(), [0]);
}

#[tokio::test]
async fn a_filter_that_drops_a_whole_page_does_not_end_the_reading() {
    let script = Script::json([page(0..10, 10), page(10..20, 20), last(20..30)]);
    let action = action(&script);
    let records = action.records().try_filter(|record| ready(!(5..25).contains(record)));
    let records = records.try_collect::<Vec<_>>().await.unwrap();
    assert!(records.into_iter().eq((0..5).chain(25..30)));
    assert_eq!(script.offsets(), [0, 10, 20]);
}

#[tokio::test]
async fn a_total_that_shrinks_or_grows_decides_nothing() {
    let with_total = |mut page: Value, total: Value| {
        page["pagination"]["total"] = total;
        page
    };
    let script = Script::json([
        with_total(page(0..2, 2), json!(6)),
        with_total(page(2..4, 4), json!(2)),
        with_total(page(4..6, 6), json!(0)),
        with_total(page(6..8, 8), json!(1000)),
        with_total(last(8..10), json!(9)),
    ]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.progress().total, Some(9));
    assert!(outcome.whole().into_iter().eq(0..10));
    assert_eq!(script.offsets(), [0, 2, 4, 6, 8]);
}

#[tokio::test]
async fn a_total_that_is_no_number_decides_nothing() {
    for total in [json!(null), json!("x"), json!(-1), json!({"value": 2, "relation": "gte"})] {
        let pagination = json!({"hasMore": false, "total": total});
        let script = Script::json([json!({"data": [0, 1], "pagination": pagination})]);
        let outcome = read(&action(&script)).await;
        assert_eq!(outcome.progress().total, None);
        assert_eq!(outcome.whole(), [0, 1]);
    }
}
