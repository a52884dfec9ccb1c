//! Retries and the limits of a stream, and streams that are dropped meanwhile.

use std::{future::pending, sync::Arc, time::Duration};

use futures::StreamExt;
use pagestream::{Error, Page, PaginatorExt, StopReason};
use tokio::time::{Instant, timeout};

use super::pages::{Pages, SECOND, busy, fails};
use crate::support::{drain, from_fn};

/// A service that asks to wait for a minute.
fn busy_for_a_minute() -> Error {
    busy().with_retry_after(60 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn max_requests_counts_retries() {
    // Pages 1 and 2, and twice page 3.
    let pages = Pages::chain(9, fails(3, 2, busy));
    let outcome = drain(pages.read().max_requests(4).records()).await;
    assert_eq!(pages.asked(), [1, 2, 3, 3]);
    assert_eq!(outcome.records, Pages::records_of(2));
    assert!(outcome.errors.is_empty());
    let progress = outcome.monitor.progress();
    assert_eq!(progress.stop, Some(StopReason::MaxRequests));
    assert_eq!(progress.requests, 4);

    let remaining = pages.read().resume(outcome.monitor.checkpoint().unwrap()).records();
    assert_eq!(drain(remaining).await.whole(), Pages::records_of(9)[4..]);
}

#[tokio::test(start_paused = true)]
async fn with_no_request_left_a_delay_is_not_waited_out() {
    let start = Instant::now();
    let pages = Pages::chain(9, fails(3, 1, busy_for_a_minute));
    let outcome = drain(pages.read().max_requests(3).records()).await;
    assert_eq!(outcome.monitor.progress().stop, Some(StopReason::MaxRequests));
    assert!(start.elapsed() < SECOND);
}

#[tokio::test(start_paused = true)]
async fn with_no_request_left_a_request_that_is_due_meanwhile_is_not_made() {
    // Page 2 could be asked for again long before page 3 is here.
    let mut pages = Pages::branching(3, fails(2, 1, busy));
    pages.latency = |page| if page == 3 { 60 * SECOND } else { SECOND };
    let start = Instant::now();
    let reading = drain(pages.read().window(2).max_requests(3).records());
    let outcome = timeout(120 * SECOND, reading).await.expect("it ends");
    assert_eq!(outcome.records, Pages::records_of(1));
    assert_eq!(outcome.monitor.progress().stop, Some(StopReason::MaxRequests));
    assert_eq!(pages.asked(), [1, 2, 3]);
    assert_eq!(start.elapsed().as_secs(), 61, "what is on its way is waited for");
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_waited_for_though_the_end_of_max_duration_is_farther_off() {
    let start = Instant::now();
    let pages = Pages::chain(3, fails(2, 1, busy));
    let outcome = drain(pages.read().max_duration(600 * SECOND).records()).await;
    assert_eq!(outcome.whole(), Pages::records_of(3));
    assert!(start.elapsed() < 2 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn max_duration_ends_the_stream_during_a_delay() {
    for window in [1, 8] {
        let start = Instant::now();
        let pages = Pages::branching(9, fails(3, 1, busy_for_a_minute));
        let read = pages.read().window(window).max_duration(5 * SECOND);
        let outcome = drain(read.records()).await;
        assert_eq!(outcome.records, Pages::records_of(2));
        assert!(outcome.errors.is_empty());
        assert_eq!(outcome.monitor.progress().stop, Some(StopReason::MaxDuration));
        assert!(start.elapsed() <= 5 * SECOND + Duration::from_millis(2), "{:?}", start.elapsed());

        let remaining = pages.read().resume(outcome.monitor.checkpoint().unwrap()).records();
        assert_eq!(drain(remaining).await.whole(), Pages::records_of(9)[4..]);
    }
}

#[tokio::test(start_paused = true)]
async fn when_max_duration_is_over_a_request_on_its_way_is_dropped_at_once() {
    for window in [1, 4] {
        let token = Arc::new(());
        let held = Arc::clone(&token);
        let pages = from_fn(0_u64, move |_| {
            let held = Arc::clone(&held);
            async move {
                pending::<()>().await;
                Ok(Page::last(vec![held]))
            }
        });
        let mut records = pages.read().window(window).max_duration(SECOND).records();
        assert!(records.next().await.is_none());
        assert_eq!(Arc::strong_count(&token), 2, "this one, and that of the paginator");
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_next_during_a_delay_loses_nothing_and_asks_for_nothing_more() {
    for window in [1, 8] {
        let pages = Pages::branching(9, fails(3, 2, busy_for_a_minute));
        let mut stream = pages.read().window(window).records();
        let (mut records, mut dropped) = (Vec::new(), 0);
        loop {
            match timeout(Duration::from_millis(1_700), stream.next()).await {
                Ok(Some(record)) => records.push(record.unwrap()),
                Ok(None) => break,
                Err(_) => dropped += 1,
            }
        }
        assert_eq!(records, Pages::records_of(9));
        assert!(dropped > 60, "{dropped}");
        let mut asked = pages.asked();
        asked.sort_unstable();
        assert_eq!(asked, [1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9]);
        let times = pages.times(3);
        assert!(times.windows(2).all(|it| it[1] - it[0] >= 60 * SECOND), "{times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_during_a_delay_leaves_a_checkpoint_for_the_remaining_pages() {
    for window in [1, 8] {
        let pages = Pages::branching(9, fails(3, 1, busy_for_a_minute));
        let mut stream = pages.read().window(window).records();
        let mut records = Vec::new();
        while let Ok(record) = timeout(SECOND, stream.next()).await {
            records.push(record.unwrap().unwrap());
        }
        let checkpoint = stream.checkpoint().unwrap();
        drop(stream);
        records.extend(drain(pages.read().resume(checkpoint).records()).await.whole());
        assert_eq!(records, Pages::records_of(9));
    }
}
