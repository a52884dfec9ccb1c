//! Readings that are cut and go on.

use futures::{StreamExt, TryStreamExt};
use pagestream::{
    ErrorKind, PaginatorExt,
    alloy::{Action, ActionBuilder, ParameterPosition},
    testing::{self},
};
use serde_json::json;

use super::{
    ERROR_WITH_MESSAGE, KEY, NONE, USER, action, builder, contacts, cut, last, once, page, read,
};
use crate::support::{CREDENTIAL, Contact, Script};

#[tokio::test]
async fn after_a_fatal_error_its_checkpoint_gives_exactly_the_remaining_records() {
    let script = Script::json([page(0..10, 10), page(10..20, 20)])
        .then(503, ERROR_WITH_MESSAGE)
        .then(200, page(20..30, 30).to_string())
        .then(200, last(30..33).to_string());
    let action = action(&script);
    let outcome = read(&action).await;
    assert!(outcome.records.iter().copied().eq(0..20));
    let error = outcome.failed_at(ErrorKind::Status, 3, 20);
    let checkpoint = error.checkpoint().unwrap();
    assert_eq!((checkpoint.pages(), checkpoint.records()), (2, 20));

    let remaining = once(action.read().resume(checkpoint.clone())).await;
    assert_eq!((remaining.progress().pages, remaining.progress().records), (4, 33));
    assert!(remaining.whole().into_iter().eq(20..33));
    assert_eq!(script.offsets(), [0, 10, 20, 20, 30]);
}

fn emulated(service: testing::Alloy) -> ActionBuilder<Contact> {
    Action::builder("hubspot", "listContacts")
        .api_key(KEY)
        .credential_id(CREDENTIAL)
        .transport(service)
}

#[tokio::test]
async fn a_cut_at_any_record_and_a_resume_give_the_whole() {
    let action = emulated(testing::Alloy::new(3).records(57)).limit(10).build().unwrap();
    for at in 0..=57 {
        let (mut records, checkpoint) = cut(&action, at).await;
        assert_eq!(checkpoint.records(), at as u64);
        records.extend(once(action.read().resume(checkpoint)).await.whole());
        assert_eq!(records, contacts(0..57), "cut after {at}");
    }
}

#[tokio::test]
async fn a_cut_by_max_records_and_a_resume_give_the_whole() {
    let action = emulated(testing::Alloy::new(3).records(57)).limit(10).build().unwrap();
    for window in [1, 3] {
        for at in 0..=57 {
            let mut begin = action.read().window(window).max_records(at).records();
            let mut records = begin.by_ref().try_collect::<Vec<_>>().await.unwrap();
            assert_eq!(records, contacts(0..at));
            let checkpoint = begin.checkpoint().unwrap();
            records.extend(once(action.read().window(window).resume(checkpoint)).await.whole());
            assert_eq!(records, contacts(0..57), "cut after {at}, window {window}");
        }
    }
}

#[tokio::test]
async fn a_cut_and_a_resume_after_every_single_record_give_the_whole() {
    let action = emulated(testing::Alloy::new(3).records(57)).limit(10).build().unwrap();
    let (mut records, mut checkpoint) = cut(&action, 0).await;
    while !checkpoint.is_finished() {
        let mut stream = action.read().resume(checkpoint).records();
        records.push(stream.next().await.unwrap().unwrap());
        checkpoint = stream.checkpoint().unwrap();
        assert_eq!(checkpoint.records(), records.len() as u64);
    }
    assert_eq!(records, contacts(0..57));
}

#[tokio::test]
async fn an_error_right_after_a_resume_loses_and_repeats_nothing() {
    let script = Script::json([page(0..5, 5)])
        .then(503, ERROR_WITH_MESSAGE)
        .then(200, page(0..5, 5).to_string())
        .then(200, last(5..7).to_string());
    let action = action(&script);
    let (_, checkpoint) = cut(&action, 3).await;
    let outcome = once(action.read().resume(checkpoint)).await;
    assert_eq!(outcome.records, NONE);
    let error = outcome.error();
    assert_eq!((error.status(), error.page()), (Some(503), Some(1)));
    let remaining = once(action.read().resume(error.checkpoint().unwrap().clone())).await;
    assert_eq!(remaining.whole(), [3, 4, 5, 6]);
    assert_eq!(script.offsets(), [0, 0, 0, 5]);
}

#[tokio::test]
async fn a_resume_asks_for_no_page_that_is_delivered_whole() {
    for at in 0..=57_usize {
        let service = testing::Alloy::new(3).records(57);
        let action = emulated(service.clone()).limit(10).build().unwrap();
        let (_, checkpoint) = cut(&action, at).await;
        let before = service.requests();
        once(action.read().resume(checkpoint)).await.whole();
        let whole_pages = if at == 57 { 6 } else { at / 10 };
        assert_eq!(service.requests() - before, 6 - whole_pages, "cut after {at}");
    }
}

#[tokio::test]
async fn the_counts_go_on_where_a_checkpoint_left_off() {
    let action = emulated(testing::Alloy::new(3).records(57)).limit(10).build().unwrap();
    for at in 0..=57 {
        let (_, checkpoint) = cut(&action, at).await;
        let progress = once(action.read().resume(checkpoint)).await.progress();
        assert_eq!((progress.pages, progress.records), (6, 57), "cut after {at}");
    }
}

#[tokio::test]
async fn a_checkpoint_outlives_a_change_of_key_version_and_base_url() {
    let service = testing::Alloy::new(3).records(57);
    let before = emulated(service.clone()).limit(10).build().unwrap();
    let after = emulated(service)
        .limit(10)
        .api_key("another")
        .api_version("2026-01")
        .base_url("http://127.0.0.1:9")
        .build()
        .unwrap();
    let (_, checkpoint) = cut(&before, 23).await;
    assert_eq!(once(after.read().resume(checkpoint)).await.whole(), contacts(23..57));
}

#[tokio::test]
async fn a_checkpoint_outlives_a_change_of_limit_and_still_gives_exactly_the_remaining_records() {
    let service = testing::Alloy::new(3).records(57);
    let before = emulated(service.clone()).limit(10).build().unwrap();
    for limit in [1, 7, 11, 25, 50] {
        let after = emulated(service.clone()).limit(limit).build().unwrap();
        for at in 0..=57 {
            let (_, checkpoint) = cut(&before, at).await;
            let remaining = once(after.read().resume(checkpoint)).await.whole();
            assert_eq!(remaining, contacts(at as u64..57), "cut after {at}, resumed with {limit}");
        }
    }
}

#[tokio::test]
async fn a_resume_without_the_type_takes_a_change_of_limit_too() {
    let service = testing::Alloy::new(3).records(57);
    let before = emulated(service.clone()).limit(10).build().unwrap();
    let (_, checkpoint) = cut(&before, 23).await;
    let after = emulated(service.clone()).limit(25).build().unwrap().boxed();
    let begun = service.requests();
    assert_eq!(once(after.read().resume(checkpoint)).await.whole(), contacts(23..57));
    // The page that was cut, as it was, and then 25 and 2 records.
    assert_eq!(service.requests() - begun, 3);
}

#[tokio::test]
async fn a_page_that_failed_is_asked_for_again_with_the_limit_of_today() {
    // A smaller page is the way out where a large one takes the service too long.
    let script = Script::json([page(0..50, 50)]).then(504, "").then(200, last(50..60).to_string());
    let error = read(&action(&script)).await.failed_at(ErrorKind::Status, 2, 50);
    let smaller = builder::<u64>(&script).limit(10).build().unwrap();
    let remaining = once(smaller.read().resume(error.checkpoint().unwrap().clone())).await;
    assert!(remaining.whole().into_iter().eq(50..60));
    let inputs = script.bodies().into_iter().map(|mut body| body["input"].take());
    let input = |limit: u64, offset: u64| json!({"limit": limit, "offset": offset});
    assert_eq!(inputs.collect::<Vec<_>>(), [input(50, 0), input(50, 50), input(10, 50)]);
}

#[tokio::test]
async fn a_checkpoint_of_something_else_is_a_mismatch() {
    let service = testing::Alloy::new(3).records(57);
    let before = emulated(service.clone()).input("archived", false).build().unwrap();
    let (_, checkpoint) = cut(&before, 5).await;
    let begun = service.requests();

    let same = || emulated(service.clone()).input("archived", false);
    let connector = |connector, action| {
        Action::<Contact>::builder(connector, action)
            .api_key(KEY)
            .credential_id(CREDENTIAL)
            .input("archived", false)
            .transport(service.clone())
    };
    let others = [
        connector("hubspot", "listCompanies"),
        connector("salesforce", "listContacts"),
        same().input("archived", true),
        same().input("archived", "false"),
        same().input("since", 0),
        emulated(service.clone()),
        same().user_id(USER),
        same().credential_id("aaaaaaaaaaaaaaaaaaaaaaaa"),
        same().field("pathParams", json!({"objectType": "deals"})),
        same().parameters_in(ParameterPosition::RequestBody),
    ];
    for (index, other) in others.into_iter().enumerate() {
        let other = other.build().unwrap();
        let outcome = once(other.read().resume(checkpoint.clone())).await;
        assert!(outcome.records.is_empty(), "reading {index}");
        let error = outcome.error();
        assert!(error.is_checkpoint() && !error.is_retryable(), "reading {index}: {error:?}");
    }
    assert_eq!(service.requests(), begun);

    let again = once(same().build().unwrap().read().resume(checkpoint)).await;
    assert_eq!(again.whole(), contacts(5..57));
}

#[tokio::test]
async fn a_wider_window_reads_the_same_and_asks_little_beyond_the_end() {
    for window in [1, 2, 8] {
        let service = testing::Alloy::new(3).records(57);
        let action = emulated(service.clone()).limit(10).build().unwrap();
        assert_eq!(once(action.read().window(window)).await.whole(), contacts(0..57));
        assert!((6..6 + window).contains(&service.requests()), "{}", service.requests());
    }
}

#[tokio::test]
async fn an_action_without_its_type_reads_the_same_and_takes_its_checkpoints() {
    let action = emulated(testing::Alloy::new(3).records(57)).limit(10).build().unwrap();
    let boxed = action.clone().boxed();
    assert_eq!(once(boxed.read()).await.whole(), contacts(0..57));
    let (_, checkpoint) = cut(&action, 23).await;
    assert_eq!(once(boxed.read().resume(checkpoint)).await.whole(), contacts(23..57));
}
