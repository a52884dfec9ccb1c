//! When a stream asks for a page.

use futures::{FutureExt, StreamExt};
use pagestream::{Page, PaginatorExt};

use super::{Gated, Numbers, all, item, poll};
use crate::support::{from_fn, stored};

#[test]
fn a_stream_that_is_not_polled_asks_for_nothing() {
    let numbers = Numbers::new(4, 2);
    drop(numbers.records());
    drop(numbers.read().window(8).pages());
    assert_eq!(numbers.requests(), 0);
}

#[test]
fn with_a_window_of_one_the_next_page_is_asked_for_when_this_one_is_used_up() {
    let numbers = Numbers::new(4, 2);
    let mut records = numbers.records();
    item(&mut records);
    item(&mut records);
    assert_eq!(numbers.requests(), 1);
    item(&mut records);
    assert_eq!(numbers.requests(), 2);
}

#[test]
fn with_a_window_of_two_the_next_page_is_on_its_way_before_the_first_record_is_delivered() {
    let numbers = Numbers::new(4, 2);
    let mut records = numbers.read().window(2).records();
    assert_eq!(item(&mut records).unwrap().unwrap(), 0);
    assert_eq!(numbers.requests(), 2);
}

#[test]
fn an_empty_page_that_goes_on_is_not_the_end() {
    let pages = from_fn(0, |at: u64| async move {
        let records = if at == 3 { vec![at] } else { vec![] };
        Ok(Page::new(records, (at < 5).then_some(at + 1)))
    });
    assert_eq!(all(pages.records()), [3]);
    assert_eq!(all(pages.pages()).len(), 6, "a page is an item, an empty one too");
}

#[test]
fn a_window_keeps_that_many_requests_in_flight_and_delivers_in_their_order() {
    let gated = Gated::new(15);
    let mut records = gated.read().window(3).records();
    assert!(poll(&mut records).is_pending());
    assert_eq!(gated.in_flight(), [0]);
    gated.open(0, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 0);
    assert_eq!(gated.in_flight(), [1, 2], "the page being delivered is one of the window");
    assert!(poll(&mut records).is_pending());
    assert_eq!(gated.in_flight(), [1, 2, 3]);
    gated.open(3, Ok(()));
    gated.open(2, Ok(()));
    assert!(poll(&mut records).is_pending(), "their turn has not come");
    gated.open(1, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    assert_eq!(item(&mut records).unwrap().unwrap(), 2);
    assert_eq!(item(&mut records).unwrap().unwrap(), 3);
    assert_eq!(gated.in_flight(), [4, 5]);
}

#[test]
fn a_late_response_does_not_stop_the_others_until_four_windows_are_held() {
    let gated = Gated::new(30);
    let mut records = gated.read().window(3).records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    item(&mut records);
    for held in 2..=12 {
        assert!(poll(&mut records).is_pending(), "the first one is late");
        assert!(gated.in_flight().contains(&held));
        gated.open(held, Ok(()));
    }
    assert!(poll(&mut records).is_pending());
    assert_eq!(gated.in_flight(), [1], "no more pages are held than four windows");
    gated.open(1, Ok(()));
    for expected in 1..=12 {
        assert_eq!(item(&mut records).unwrap().unwrap(), expected);
    }
}

#[test]
fn max_pages_asks_for_no_page_beyond_them_though_one_is_late() {
    let gated = Gated::new(30);
    let mut records = gated.read().window(3).max_pages(4).records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    item(&mut records);
    for held in [2, 3] {
        assert!(poll(&mut records).is_pending(), "the first one is late");
        gated.open(held, Ok(()));
    }
    assert!(poll(&mut records).is_pending());
    assert_eq!(gated.in_flight(), [1]);
    gated.open(1, Ok(()));
    assert!(all(records).into_iter().eq(1..=3));
    assert!(gated.in_flight().is_empty());
}

#[test]
fn a_slow_consumer_is_no_reason_to_hold_more_pages_than_the_window() {
    let gated = Gated::new(30);
    let mut records = gated.read().window(3).records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 0);
    gated.open(1, Ok(()));
    gated.open(2, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    assert_eq!(gated.in_flight(), [3], "one is delivered, one is held, one is on its way");
}

#[test]
fn unordered_pages_are_delivered_as_they_come_and_the_remaining_ones_after_a_resume() {
    let gated = Gated::new(5);
    let mut records = gated.read().window(3).unordered().records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 0);
    assert!(poll(&mut records).is_pending());
    gated.open(3, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 3, "the others are late");
    let checkpoint = records.checkpoint().unwrap();
    drop(records);
    let mut remaining = gated.read().resume(stored(&checkpoint)).records();
    for expected in [1, 2, 4, 5] {
        assert!(poll(&mut remaining).is_pending());
        gated.open(expected, Ok(()));
        assert_eq!(item(&mut remaining).unwrap().unwrap(), expected);
    }
    assert!(item(&mut remaining).is_none());
}

#[test]
fn dropping_next_before_it_is_ready_loses_nothing() {
    let gated = Gated::new(1);
    let mut records = gated.records();
    assert!(records.next().now_or_never().is_none());
    assert!(records.next().now_or_never().is_none());
    assert_eq!(gated.in_flight(), [0], "the request goes on, and is not made again");
    gated.open(0, Ok(()));
    assert_eq!(records.next().now_or_never().unwrap().unwrap().unwrap(), 0);
    assert!(records.next().now_or_never().is_none());
    gated.open(1, Ok(()));
    assert_eq!(records.next().now_or_never().unwrap().unwrap().unwrap(), 1);
    assert!(records.next().now_or_never().unwrap().is_none());
}

#[test]
fn dropping_the_stream_drops_its_requests() {
    let gated = Gated::new(2);
    let mut records = gated.read().window(3).records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    item(&mut records);
    assert_eq!(gated.in_flight(), [1, 2]);
    drop(records);
    assert!(gated.in_flight().is_empty());
}
