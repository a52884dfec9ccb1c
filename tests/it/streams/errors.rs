//! The end, and errors.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};

use futures::{Stream, StreamExt, executor::block_on, stream::FusedStream};
use pagestream::{Error, ErrorKind, Page, Paginator, PaginatorExt, StopReason, async_trait};

use super::{Gated, HalfFailing, Numbers, all, item, poll};
use crate::support::{from_fn, stored};

#[test]
fn after_the_end_it_yields_none_for_ever_and_asks_for_nothing() {
    let numbers = Numbers::new(2, 2);
    let mut records = numbers.records();
    item(&mut records);
    item(&mut records);
    for _ in 0..3 {
        assert!(item(&mut records).is_none());
    }
    assert_eq!(numbers.requests(), 1);
    assert_eq!(records.monitor().progress().stop, Some(StopReason::End));
}

#[test]
fn a_fatal_error_is_yielded_once_and_then_none_for_ever_without_a_request() {
    let numbers = Numbers { fails_at: Some(2), ..Numbers::new(6, 2) };
    let mut records = numbers.records();
    assert_eq!(item(&mut records).unwrap().unwrap(), 0);
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    assert!(!records.is_terminated());
    let error = item(&mut records).unwrap().unwrap_err();
    assert!(!error.is_partial());
    assert!(records.is_terminated());
    for _ in 0..3 {
        assert!(item(&mut records).is_none());
    }
    assert_eq!(numbers.requests(), 2);
    assert_eq!(records.monitor().progress().stop, Some(StopReason::Failed));
}

#[test]
fn a_fatal_error_names_page_and_cursor_and_carries_the_checkpoint_for_the_remaining_records() {
    let numbers = Numbers { fails_at: Some(3), ..Numbers::new(7, 2) };
    let mut records = numbers.records();
    let mut read = Vec::new();
    let error = loop {
        match item(&mut records).unwrap() {
            Ok(record) => read.push(record),
            Err(error) => break error,
        }
    };
    assert_eq!(read, [0, 1, 2, 3]);
    assert_eq!((error.page(), error.cursor()), (Some(3), Some("4")));
    assert_eq!(
        error.to_string(),
        "the service is busy (status 503), at page 3, cursor 4; to go on from here, resume from \
         the checkpoint of this error"
    );
    let checkpoint = stored(error.checkpoint().unwrap());
    assert_eq!(checkpoint.records(), 4);
    assert_eq!(all(numbers.read().resume(checkpoint).records()), [4, 5, 6]);
}

#[test]
fn an_error_of_a_later_page_waits_for_its_turn_and_nothing_is_sent_meanwhile() {
    let gated = Gated::new(4);
    let mut records = gated.read().window(3).records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    item(&mut records);
    gated.open(2, Err(Error::other("broken")));
    assert!(poll(&mut records).is_pending());
    gated.open(1, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    let error = item(&mut records).unwrap().unwrap_err();
    assert_eq!(error.cursor(), Some("2"));
    assert!(item(&mut records).is_none());
    assert!(gated.in_flight().is_empty(), "the requests behind it were dropped");
    assert_eq!(records.monitor().progress().in_flight, 0);

    // Two to four were never delivered.
    let remaining = gated.read().window(9).resume(error.checkpoint().unwrap().clone()).records();
    let mut remaining = pin!(remaining);
    assert!(poll(&mut remaining).is_pending());
    assert_eq!(gated.in_flight(), [2, 3, 4]);
}

#[test]
fn an_error_that_concerns_some_ids_alone_is_yielded_and_the_stream_goes_on() {
    let mut records = HalfFailing.records();
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    assert_eq!(item(&mut records).unwrap().unwrap(), 2);
    for id in ["x", "y"] {
        let error = item(&mut records).unwrap().unwrap_err();
        assert!(error.is_partial());
        assert_eq!(error.ids(), [id]);
        assert_eq!((error.page(), error.cursor()), (Some(1), Some("0")));
        assert!(!records.is_terminated());
    }
    assert_eq!(item(&mut records).unwrap().unwrap(), 3);
    assert!(item(&mut records).is_none());
    let monitor = records.monitor();
    assert_eq!(monitor.failed_ids(), ["x", "y"]);
    assert_eq!(monitor.progress().failures, 2);
}

/// Page 1 goes on with page 10, after the pages that are predicted behind it have come. The
/// records say how many of them are held.
struct Jumping(Arc<()>);

#[async_trait]
impl Paginator for Jumping {
    type Record = Arc<()>;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: u64) -> Result<Page<Arc<()>, u64>, Error> {
        let mut waits = page == 1;
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if std::mem::take(&mut waits) { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        let next = [(0, 1), (1, 10)].into_iter().find(|(from, _)| *from == page);
        Ok(Page::new(vec![Arc::clone(&self.0)], next.map(|(_, to)| to)))
    }

    fn predict(&self, before: &u64, at: &u64, _: Option<u64>) -> Option<u64> {
        Some(at + (at - before))
    }

    fn identity(&self) -> String {
        "jumping".to_owned()
    }
}

#[test]
fn a_misprediction_that_came_is_dropped_as_soon_as_it_is_told() {
    let jumping = Jumping(Arc::default());
    let mut records = pin!(jumping.read().window(4).records());
    let (first, second) = block_on(async { (records.next().await, records.next().await) });
    assert!(first.is_some_and(|it| it.is_ok()) && second.is_some_and(|it| it.is_ok()));
    let discarded = records.monitor().progress().discarded;
    assert!(discarded > 0);
    assert_eq!(Arc::strong_count(&jumping.0), 2, "page 10 is here, and no other");
    assert_eq!(block_on(records.count()), 1);
}

#[test]
fn a_reading_that_is_cut_between_the_errors_of_a_page_gives_each_of_them_once() {
    let name = |item: Result<u64, Error>| match item {
        Ok(record) => record.to_string(),
        Err(error) => error.ids().concat(),
    };
    for cut in 0..=5 {
        let mut begin = HalfFailing.records();
        let before = block_on(begin.by_ref().take(cut).map(name).collect::<Vec<_>>());
        let remaining = HalfFailing.read().resume(stored(&begin.checkpoint().unwrap())).records();
        let remaining = block_on(remaining.map(name).collect::<Vec<_>>());
        assert_eq!(
            [before, remaining].concat(),
            ["1", "2", "x", "y", "3"],
            "cut after {cut} items"
        );
    }
}

#[test]
fn errors_that_are_set_aside_are_no_items_and_wait_for_the_monitor() {
    let mut records = HalfFailing.read().set_failures_aside().records();
    let monitor = records.monitor();
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    assert_eq!(records.size_hint(), (1, None), "the errors are no items");
    assert_eq!(item(&mut records).unwrap().unwrap(), 2);
    assert_eq!(item(&mut records).unwrap().unwrap(), 3);
    assert!(item(&mut records).is_none());
    let ids = monitor.take_failures().into_iter().map(|error| error.ids().to_vec());
    assert!(ids.eq([["x"], ["y"]]));
    assert_eq!(monitor.progress().failures, 2);
    assert!(monitor.take_failures().is_empty(), "they are taken once");
}

#[test]
fn is_terminated_is_true_only_when_the_buffer_is_empty_too() {
    let numbers = Numbers::new(3, 3);
    let mut records = numbers.records();
    for _ in 0..3 {
        assert!(!records.is_terminated());
        item(&mut records);
    }
    assert!(!records.is_terminated(), "it has not ended yet");
    assert!(item(&mut records).is_none());
    assert!(records.is_terminated());
}

#[test]
fn the_size_hint_counts_what_is_here_and_promises_nothing_else() {
    let numbers = Numbers::new(5, 3);
    let mut records = numbers.records();
    assert_eq!(records.size_hint(), (0, None));
    item(&mut records);
    assert_eq!(records.size_hint(), (2, None));
    while item(&mut records).is_some() {}
    assert_eq!(records.size_hint(), (0, Some(0)));
}

#[test]
fn an_error_of_the_paginators_own_comes_back_by_downcast() {
    #[derive(Debug, thiserror::Error)]
    #[error("the quota of {0} is used up")]
    struct Quota(u32);

    let pages = from_fn(0, |_: u64| async { Err::<Page<(), _>, _>(Error::other(Quota(7))) });
    let error = item(&mut pages.into_records()).unwrap().unwrap_err();
    assert_eq!(error.downcast_ref::<Quota>().unwrap().0, 7);
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(!error.to_string().contains("quota"), "the source's text is the source's");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the quota of 7 is used up");
}

#[test]
fn a_paginator_whose_units_do_not_add_up_is_told_so() {
    let pages = from_fn(0, |_: u64| async { Ok(Page::last(vec![1, 2]).with_units(vec![1])) });
    let error = item(&mut pages.into_records()).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
}
