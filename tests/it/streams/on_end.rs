//! What is called when a stream has ended.

use std::sync::{Arc, Mutex};

use futures::StreamExt;
use pagestream::{Error, ErrorKind, Page, Paginator, PaginatorExt, Retry, StopReason};

use super::item;
use crate::support::from_fn;

/// Ten pages of one record; one of them may fail.
fn pages(fails_at: u64) -> impl Paginator<Record = u64, Cursor = u64> {
    from_fn(0_u64, move |at| {
        std::future::ready(if at == fails_at {
            Err(Error::new(ErrorKind::Rejected, "no"))
        } else {
            Ok(Page::new(vec![at], (at < 9).then_some(at + 1)))
        })
    })
}

/// How often it is called, and with what, if so many items are taken.
fn calls(fails_at: u64, max_records: u64, taken: usize, window: usize) -> Vec<Option<StopReason>> {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&calls);
    let pages = pages(fails_at);
    let read = pages.read().window(window).retry(Retry::never()).max_records(max_records);
    let mut records = read.on_end(move |reason| heard.lock().unwrap().push(reason)).records();
    for _ in 0..taken {
        item(&mut records);
    }
    drop(records);
    Arc::into_inner(calls).unwrap().into_inner().unwrap()
}

#[test]
fn a_scroll_is_released_once_at_the_end_after_an_error_and_when_the_stream_is_dropped() {
    for window in [1, 4] {
        assert_eq!(calls(99, 99, 30, window), [Some(StopReason::End)]);
        assert_eq!(calls(3, 99, 30, window), [Some(StopReason::Failed)]);
        assert_eq!(calls(99, 5, 30, window), [Some(StopReason::MaxRecords)]);
        for taken in [0, 1, 9] {
            assert_eq!(calls(99, 99, taken, window), [None]);
        }
    }
}

#[test]
fn unordered_a_late_page_keeps_nothing_of_those_that_overtake_it() {
    let pages = from_fn(0_u64, |at| async move {
        if at == 1 {
            std::future::pending::<()>().await;
        }
        Ok(Page::new(vec![at], if at == 0 { 1..5_001 } else { 0..0 }))
    });
    let mut records = pages.read().window(16).unordered().records();
    for _ in 0..4_999 {
        futures::executor::block_on(records.next()).unwrap().unwrap();
    }
    let checkpoint = serde_json::to_string(&records.checkpoint().unwrap()).unwrap();
    assert!(checkpoint.len() < 2_000, "{} bytes", checkpoint.len());
}
