//! A reading is cut within a page, and the data has changed when the page is read again.

use pagestream::ChangedPage;

use super::{
    Error, ErrorKind, Outcome, PaginatorExt, Script, Value, action, builder, cut, json, read,
};

/// A page of these records at offset 0. It goes on at 5, or is the last.
fn at_start(records: &[u64], goes_on: bool) -> Value {
    let next = if goes_on { json!(5) } else { Value::Null };
    json!({"data": records, "pagination": {"hasMore": goes_on, "nextOffset": next}})
}

/// What remains behind the third of five records, where these are there now.
async fn remaining(now: &[u64], goes_on: bool, meaning: ChangedPage) -> Outcome<u64> {
    let page = at_start(&[1, 2, 3, 4, 5], goes_on);
    let last = json!({"data": [6], "pagination": {"hasMore": false}});
    let script = Script::json([page, at_start(now, goes_on), last]);
    let action = action(&script);
    let (before, checkpoint) = cut(&action, 3).await;
    assert_eq!(before, [1, 2, 3]);
    super::once(action.read().changed_page(meaning).resume(checkpoint)).await
}

#[tokio::test]
async fn records_that_come_and_go_before_the_cut_shift_no_other() {
    let cases = [
        (&[1, 2, 3, 4, 5][..], &[4, 5, 6][..]),
        // One was inserted, and pushed the fifth over to the next page.
        (&[9, 1, 2, 3, 4], &[4, 6]),
        (&[1, 9, 2, 3, 4], &[4, 6]),
        // One was deleted, and pulled another one over from the next page.
        (&[2, 3, 4, 5, 7], &[4, 5, 7, 6]),
        (&[1, 2, 4, 5, 7], &[4, 5, 7, 6]),
        (&[4, 5, 7, 8, 9], &[4, 5, 7, 8, 9, 6]),
    ];
    for (now, expected) in cases {
        let outcome = remaining(now, true, ChangedPage::Error).await;
        assert_eq!(outcome.records, expected, "{now:?}");
        // A service that gave fewer of them than before may have lost some.
        let is_shorter = expected.len() < 3;
        assert_eq!(outcome.errors.len(), usize::from(is_shorter), "{now:?}");
    }
}

#[tokio::test]
async fn a_record_that_is_appended_to_the_page_comes_too() {
    let outcome = remaining(&[1, 2, 3, 4, 5, 6, 7], false, ChangedPage::Error).await;
    assert_eq!(outcome.whole(), [4, 5, 6, 7]);
}

#[tokio::test]
async fn where_the_place_is_lost_the_reading_says_so_and_goes_on_as_it_is_told() {
    let now = [7, 8, 9, 10, 11];
    let error = remaining(&now, true, ChangedPage::Error).await.error();
    assert_eq!(error.kind(), ErrorKind::Changed);
    assert!(error.to_string().contains("choose a `changed_page`"), "{error}");
    assert!(error.checkpoint().is_some(), "so that it can be resumed with another choice");

    let changed = |outcome: &Outcome<u64>| {
        assert_eq!(outcome.errors.len(), 1);
        let kinds = outcome.errors.iter().map(|it| (it.kind(), it.is_partial()));
        assert!(kinds.eq([(ErrorKind::Changed, true)]));
    };
    let skipped = remaining(&now, true, ChangedPage::Skip).await;
    assert_eq!(skipped.records, [6]);
    changed(&skipped);
    let repeated = remaining(&now, true, ChangedPage::Repeat).await;
    assert_eq!(repeated.records, [7, 8, 9, 10, 11, 6]);
    changed(&repeated);
}

#[tokio::test]
async fn a_clamp_that_is_raised_between_cuts_repeats_nothing() {
    let page = |from: u64, to: u64| super::page(from..to, to);
    let script = Script::json([page(0, 20), page(0, 50), page(20, 70), super::last(70..100)]);
    let action = action(&script);
    let (before, checkpoint) = cut(&action, 10).await;
    let outcome = super::once(action.read().resume(checkpoint)).await;
    assert!(before.into_iter().chain(outcome.whole()).eq(0..100));
    assert_eq!(script.offsets(), [0, 0, 20, 70]);
}

#[tokio::test]
async fn records_are_told_apart_by_their_text_wherever_they_are() {
    let page = |names: &[&str]| {
        let data = names.iter().map(|name| json!({"name": name, "tags": ["]", "["]}));
        json!({"meta": {"at": [1]}, "result": {"items": data.collect::<Vec<_>>()},
            "pagination": {"hasMore": false}})
    };
    let script = Script::json([page(&["a", "b", "c"]), page(&["x", "a", "b", "c"])]);
    let action = builder::<Value>(&script).data_at("/result/items").build().unwrap();
    let (_, checkpoint) = cut(&action, 2).await;
    let outcome: Outcome<Value> = super::once(action.read().resume(checkpoint)).await;
    let names = outcome.whole().iter().map(|it| it["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names, ["c"]);
}

#[tokio::test]
async fn a_body_with_brackets_in_its_keys_is_an_error_and_no_panic() {
    for body in
        [r#"{"errors]for[":"none"}"#, r#"{"]":1,"data":null,"[":2}"#, r#"{"data":null,"][":1}"#]
    {
        let script = Script::default().then(200, body);
        let error: Error = read(&action(&script)).await.error();
        assert!(matches!(error.kind(), ErrorKind::Decode | ErrorKind::Contradiction), "{error}");
    }
}
