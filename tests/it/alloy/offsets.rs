//! Next offsets that contradict.

use futures::StreamExt;
use pagestream::{ErrorKind, PaginatorExt};
use serde_json::json;

use super::{action, error_of, error_of_json, last, once, page, read};
use crate::support::Script;

#[tokio::test]
async fn more_without_a_next_offset_is_an_error() {
    for pagination in [json!({"hasMore": true}), json!({"hasMore": true, "nextOffset": null})] {
        let body = json!({"data": [0], "pagination": pagination});
        error_of_json(ErrorKind::Contradiction, &body).await;
    }
}

#[tokio::test]
async fn a_next_offset_at_the_requested_one_is_an_error() {
    for at_0 in [page(0..2, 0), page(0..0, 0)] {
        error_of_json(ErrorKind::Loop, &at_0).await;
    }
    for at_2 in [page(2..4, 2), page(0..0, 2)] {
        let script = Script::json([page(0..2, 2), at_2]);
        let outcome = read(&action(&script)).await;
        assert_eq!(outcome.records, [0, 1]);
        let error = outcome.failed_at(ErrorKind::Loop, 2, 2);
        assert!(error.is_service_fault() && !error.is_retryable());
        assert_eq!(script.offsets(), [0, 2]);
    }
}

#[tokio::test]
async fn a_next_offset_below_the_requested_one_is_an_error() {
    for next_offset in [0, 1, 2] {
        let script = Script::json([page(0..3, 3), page(3..6, next_offset)]);
        let outcome = read(&action(&script)).await;
        assert_eq!(outcome.records, [0, 1, 2]);
        outcome.failed_at(ErrorKind::Loop, 2, 3);
        assert_eq!(script.offsets(), [0, 3]);
    }
}

#[tokio::test]
async fn a_next_offset_among_the_records_of_its_page_is_an_error() {
    for next_offset in [3, 4] {
        let script = Script::json([page(0..2, 2), page(2..5, next_offset)]);
        let outcome = read(&action(&script)).await;
        assert_eq!(outcome.records, [0, 1]);
        let error = outcome.failed_at(ErrorKind::Contradiction, 2, 2);
        assert!(error.is_service_fault() && !error.is_retryable());
        assert_eq!(script.offsets(), [0, 2]);
    }
}

#[tokio::test]
async fn a_leap_is_followed_and_counted() {
    let script = Script::json([page(0..2, 10), page(10..12, 12), page(12..13, 20), last(20..21)]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.progress().skipped, 8 + 7);
    assert_eq!(outcome.whole(), [0, 1, 10, 11, 12, 20]);
    assert_eq!(script.offsets(), [0, 10, 12, 20]);
}

#[tokio::test]
async fn a_leap_is_counted_once_wherever_the_reading_is_cut() {
    let pages = || [page(0..2, 10), page(10..12, 20), last(20..21)];
    for cut in 0..=5_usize {
        // A page that is delivered whole is not asked for again.
        let again = pages().into_iter().skip(cut / 2);
        let begin = action(&Script::json(pages()));
        let mut records = begin.records();
        for _ in 0..cut {
            records.next().await.unwrap().unwrap();
        }
        let checkpoint = records.checkpoint().unwrap();
        let remaining = action(&Script::json(again));
        let outcome = once(remaining.read().resume(checkpoint)).await;
        assert_eq!(outcome.progress().skipped, 16, "cut after {cut}");
        assert_eq!(outcome.whole(), [0, 1, 10, 11, 20][cut..]);
    }
}

#[tokio::test]
async fn the_largest_next_offset_does_no_harm() {
    let script = Script::json([page(0..1, u64::MAX), last(1..2)]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.progress().skipped, u64::MAX - 1);
    assert_eq!(outcome.whole(), [0, 1]);
    assert_eq!(script.offsets(), [0, u64::MAX]);

    let script = Script::json([page(0..1, u64::MAX), page(1..3, u64::MAX)]);
    read(&action(&script)).await.failed_at(ErrorKind::Loop, 2, u64::MAX);
}

#[tokio::test]
async fn a_next_offset_that_is_no_offset_is_a_decode_error() {
    for next in ["-1", "10.5", "10.0", "1e2", "18446744073709551616", "\"x\"", "true", "[10]"] {
        let body =
            format!(r#"{{"data": [0], "pagination": {{"hasMore": true, "nextOffset": {next}}}}}"#);
        error_of(ErrorKind::Decode, body).await;
    }
}
