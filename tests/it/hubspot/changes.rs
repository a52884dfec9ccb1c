//! A reading is cut within a batch, and the service says something else when the batch is
//! read again.

use serde_json::json;

use super::{
    Answer, Associations, Checkpoint, PaginatorExt, Script, StreamExt, envelope, page, resume, row,
    stored, told,
};

/// Reads some items, and gives the checkpoint behind them.
async fn cut(deals: &Associations, from: Option<&Checkpoint>, items: usize) -> Checkpoint {
    let read = deals.read();
    let read = if let Some(from) = from { read.resume(from.clone()) } else { read };
    let mut records = read.records();
    for _ in 0..items {
        records.next().await.unwrap().unwrap();
    }
    stored(&records.checkpoint().unwrap())
}

/// What comes of a reading of objects 1 and 2 that is cut after some records, and goes on
/// with other answers; and what it asks for then.
async fn changed(
    before: Answer,
    items: usize,
    then: impl IntoIterator<Item = Answer>,
) -> (Vec<String>, Vec<String>) {
    let script = Script::new([before].into_iter().chain(then));
    let deals = script.deals([1, 2]);
    let checkpoint = cut(&deals, None, items).await;
    let remaining = resume(&deals, &checkpoint).await;
    (remaining, script.asked().split_off(1))
}

/// Both have all of their associations in one page.
fn whole() -> Answer {
    page("1:11,12,13,14,15 2:21,22,23,24")
}

/// A row that says that there is more, and gives no cursor.
fn without_cursor(text: &str) -> serde_json::Value {
    let mut row = row(text);
    row["paging"] = json!({"next": {"link": "https://elsewhere.example/?p=2"}});
    row
}

const SECOND: [&str; 4] = ["2 -> 21", "2 -> 22", "2 -> 23", "2 -> 24"];

#[tokio::test]
async fn an_object_that_is_rejected_when_it_is_read_again_takes_nothing_from_another() {
    let (remaining, asked) = changed(whole(), 3, [page("!1 2:21,22,23,24")]).await;
    assert_eq!(remaining, [&SECOND[..], &["Rejected: 1"]].concat());
    assert_eq!(asked, ["1 2"]);
}

#[tokio::test]
async fn an_object_that_shrinks_and_one_that_grows_take_nothing_from_each_other() {
    let grown = "2:21,22,23,24,25,26,27,28";
    let (remaining, _) = changed(whole(), 3, [page(&format!("1:11 {grown}"))]).await;
    let all = (21..29).map(|to| format!("2 -> {to}")).collect::<Vec<_>>();
    assert_eq!(remaining, [&all[..], &["Changed: 1".to_owned()]].concat());

    // Beside a third one that is rejected.
    let script = Script::pages(&["1:11,12,13,14,15 2:21,22,23,24 !3", &format!("1:11 {grown} !3")]);
    let deals = script.deals([1, 2, 3]);
    let checkpoint = cut(&deals, None, 3).await;
    let script_again = Script::pages(&[&format!("1:11 {grown}"), "!3"]);
    let remaining = resume(&script_again.deals([1, 2, 3]), &checkpoint).await;
    let errors = ["Changed: 1".to_owned(), "Rejected: 3".to_owned()];
    assert_eq!(remaining, [&all[..], &errors].concat());
}

#[tokio::test]
async fn an_object_that_failed_behind_its_records_and_is_whole_again_is_read_on() {
    let before = || envelope(&[without_cursor("1:11,12,13"), row("2:21,22")], &[]);
    let again = [page("1:11,12,13>a 2:21,22"), page("1:14,15,16")];
    let (remaining, asked) = changed(before(), 4, again).await;
    assert_eq!(remaining, ["2 -> 22", "1 -> 14", "1 -> 15", "1 -> 16"]);
    assert_eq!(asked, ["1 2", "1@a"]);

    let (remaining, _) = changed(before(), 4, [before()]).await;
    assert_eq!(remaining, ["2 -> 22", "Contradiction: 1"], "or its error comes");
}

#[tokio::test]
async fn an_object_that_is_rejected_for_a_while_comes_once_over_two_cuts() {
    let script = Script::new([whole(), page("!1 2:21,22,23,24"), whole()]);
    let deals = script.deals([1, 2]);
    let first = cut(&deals, None, 2).await;
    let second = cut(&deals, Some(&first), 1).await;
    let remaining = resume(&deals, &second).await;
    let first = ["1 -> 13", "1 -> 14", "1 -> 15"];
    assert_eq!(remaining, [&first[..], &SECOND[1..]].concat());
    assert_eq!(script.asked(), ["1 2"; 3]);
}

#[tokio::test]
async fn what_a_page_that_grew_holds_beyond_its_next_cursor_comes_once() {
    let grown = [page("1:11,12,13,14>b 2:21"), page("1:13,14,15")];
    let (remaining, asked) = changed(page("1:11,12>a 2:21"), 1, grown).await;
    assert_eq!(remaining, ["1 -> 12", "2 -> 21", "1 -> 13", "1 -> 14", "1 -> 15"]);
    assert_eq!(asked, ["1 2", "1@a"]);
}

#[tokio::test]
async fn a_page_that_shrank_and_goes_on_now_is_followed_to_its_end() {
    let shrunk = [page("1:11,12,13>b 2:21,22,23,24"), page("1:14,15")];
    let (remaining, asked) = changed(whole(), 2, shrunk).await;
    let first = &["1 -> 13"][..];
    let told = ["Changed: 1", "1 -> 14", "1 -> 15"];
    assert_eq!(remaining, [first, &SECOND, &told].concat());
    assert_eq!(asked, ["1 2", "1@b"]);
}

/// What remains of five associations behind the third, where these are there now.
async fn remaining(now: &str) -> Vec<String> {
    let script = Script::pages(&["1:11,12,13,14,15", &format!("1:{now}")]);
    let deals = script.deals([1]);
    let checkpoint = cut(&deals, None, 3).await;
    resume(&deals, &checkpoint).await
}

#[tokio::test]
async fn associations_that_come_and_go_before_the_cut_shift_no_other() {
    let cases = [
        ("9,11,12,13,14,15", &["1 -> 14", "1 -> 15"][..]),
        ("12,13,14,15", &["1 -> 14", "1 -> 15"]),
        ("11,12,14,15", &["1 -> 14", "1 -> 15"]),
        ("14,15", &["1 -> 14", "1 -> 15"]),
        ("11,12,13,14,15,16", &["1 -> 14", "1 -> 15", "1 -> 16"]),
        ("11,12,13,15", &["1 -> 15", "Changed: 1"]),
        ("15,14,13,12,11", &["Changed: 1"]),
        ("16,17", &["Changed: 1"]),
    ];
    for (now, expected) in cases {
        assert_eq!(remaining(now).await, expected, "{now}");
    }
}

#[tokio::test]
async fn a_group_is_found_by_its_object() {
    let script = Script::pages(&["1:11 2:21 3:31", "2:21,22 3:31"]);
    let groups = script.deals([1, 2, 3]).grouped();
    let mut records = groups.records();
    assert_eq!(told(&[records.next().await.unwrap()]), ["1 -> [11]"]);
    let checkpoint = records.checkpoint().unwrap();
    assert_eq!(resume(&groups, &checkpoint).await, ["2 -> [21, 22]", "3 -> [31]"]);
}
