//! Records that do not fit their type.

use pagestream::{ErrorKind, PaginatorExt, StopReason, alloy::Action};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{builder, cut, once, read};
use crate::support::{Outcome, Script, stored};

#[derive(Debug, PartialEq, Deserialize)]
struct Person {
    id: u8,
    #[serde(default)]
    name: Option<Name>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Name {
    first: String,
}

fn person(id: u8) -> String {
    format!(r#"{{"id":{id}}}"#)
}

fn body(records: &[String], next: Option<u64>) -> String {
    let paging = json!({"hasMore": next.is_some(), "nextOffset": next});
    format!(r#"{{"data":[{}],"pagination":{paging}}}"#, records.join(","))
}

/// Fifty records in one page, the fourth of which is another.
fn with_bad(bad: &str) -> Vec<String> {
    (0..50).map(|id| if id == 3 { bad.to_owned() } else { person(id) }).collect()
}

fn action(script: &Script) -> Action<Person> {
    builder::<Person>(script).build().unwrap()
}

fn ids(outcome: &Outcome<Person>) -> Vec<u8> {
    outcome.records.iter().map(|person| person.id).collect()
}

#[tokio::test]
async fn a_record_that_does_not_fit_its_type_fails_alone_and_says_where() {
    let cases = [
        (r#"{"id":null}"#, "at `id`", "invalid type: null"),
        (r#"{"id":3,"name":{"first":"\ud800"}}"#, "at `name.first`", "hex escape"),
        (r#"{"id":300}"#, "at `id`", "expected u8"),
        (r#"{"id":3,"id":3}"#, "", "duplicate field `id`"),
        (r#"{"id":3,"name":{}}"#, "at `name`", "missing field `first`"),
        ("7", "", "invalid type: integer"),
    ];
    for (bad, place, reason) in cases {
        let script = Script::default().then(200, body(&with_bad(bad), None));
        let outcome = read(&action(&script)).await;
        assert!(ids(&outcome).into_iter().eq((0..50).filter(|id| *id != 3)), "{bad}");
        let [error] = &outcome.errors[..] else { panic!("{bad}: {:?}", outcome.errors) };
        assert!(error.is_partial() && error.kind() == ErrorKind::Decode);
        let message = error.to_string();
        for part in ["record at index 3 of the page", place, reason] {
            assert!(message.contains(part), "{bad}: {message}");
        }
        assert_eq!(outcome.progress().stop, Some(StopReason::End));
    }
}

#[tokio::test]
async fn offsets_count_a_record_that_does_not_fit() {
    let first = [person(0), "null".to_owned(), person(2)];
    let script =
        Script::default().then(200, body(&first, Some(3))).then(200, body(&[person(3)], None));
    let outcome = read(&action(&script)).await;
    assert_eq!(ids(&outcome), [0, 2, 3]);
    assert_eq!(script.offsets(), [0, 3]);
}

#[tokio::test]
async fn a_page_of_which_nothing_fits_has_the_wrong_type() {
    let script = Script::default().then(200, body(&["1".to_owned(), "2".to_owned()], None));
    let outcome = read(&action(&script)).await;
    assert!(outcome.records.is_empty());
    outcome.failed_at(ErrorKind::Decode, 1, 0);
}

#[tokio::test]
async fn a_reading_cut_in_a_page_with_a_bad_record_goes_on_with_exactly_the_rest() {
    for taken in 1..49 {
        let page = body(&with_bad(r#"{"id":null}"#), None);
        // The page grew at its front meanwhile.
        let grown = [vec![person(99)], with_bad(r#"{"id":null}"#)].concat();
        let script = Script::default().then(200, page).then(200, body(&grown, None));
        let action = action(&script);
        let (_, checkpoint) = cut(&action, taken).await;
        let outcome = once(action.read().resume(stored(&checkpoint))).await;
        let expected = (0..50).filter(|id| *id != 3).skip(taken);
        let read = ids(&outcome);
        assert!(read.iter().copied().eq(expected), "{taken}: {read:?}");
        assert_eq!(outcome.errors.len(), 1);
    }
}

#[tokio::test]
async fn the_reason_shows_no_secret() {
    let bad = format!(r#"{{"id":"{}"}}"#, super::KEY);
    let script = Script::default().then(200, body(&with_bad(&bad), None));
    let outcome = read(&action(&script)).await;
    let shown = format!("{:?} {}", outcome.errors, outcome.errors[0]);
    assert!(!shown.contains(super::KEY), "{shown}");
}

#[tokio::test]
async fn values_of_any_shape_are_still_read_in_one_pass() {
    let script = Script::default().then(200, body(&["1".to_owned(), "{}".to_owned()], None));
    let outcome: Outcome<Value> = read(&builder::<Value>(&script).build().unwrap()).await;
    assert_eq!(outcome.whole(), [json!(1), json!({})]);
}
