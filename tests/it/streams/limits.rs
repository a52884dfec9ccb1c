//! The limits of a stream.

use futures::{StreamExt, executor::block_on};
use pagestream::{PaginatorExt, StopReason};

use super::{HalfFailing, Numbers, all};
use crate::support::stored;

#[test]
fn max_records_stops_in_the_middle_of_a_page_and_the_remaining_records_can_be_read() {
    let numbers = Numbers::new(7, 3);
    for limit in 0..=7 {
        let some = numbers.read().max_records(limit).records();
        let monitor = some.monitor();
        assert!(all(some).into_iter().eq(0..limit));
        let stop = if limit == 7 { StopReason::End } else { StopReason::MaxRecords };
        assert_eq!(monitor.progress().stop, Some(stop), "a limit of {limit}");
        let remaining = numbers.read().resume(stored(&monitor.checkpoint().unwrap())).records();
        assert!(all(remaining).into_iter().eq(limit..7));
    }
}

#[test]
fn max_records_at_the_border_of_a_page_asks_for_no_other() {
    let numbers = Numbers::new(6, 3);
    assert_eq!(all(numbers.read().max_records(3).records()), [0, 1, 2]);
    assert_eq!(numbers.requests(), 1);
}

#[test]
fn max_pages_stops_behind_a_page_and_the_remaining_pages_can_be_read() {
    let numbers = Numbers::new(7, 3);
    for (limit, records, stop) in [
        (0, 0, StopReason::MaxPages),
        (1, 3, StopReason::MaxPages),
        (2, 6, StopReason::MaxPages),
        (3, 7, StopReason::End),
        (4, 7, StopReason::End),
    ] {
        numbers.log.lock().unwrap().clear();
        let some = numbers.read().window(4).max_pages(limit).records();
        let monitor = some.monitor();
        assert!(all(some).into_iter().eq(0..records));
        assert_eq!(monitor.progress().stop, Some(stop));
        assert_eq!(numbers.requests() as u64, limit.min(3));
        let remaining = numbers.read().resume(monitor.checkpoint().unwrap()).records();
        assert!(all(remaining).into_iter().eq(records..7));
    }
}

#[test]
fn max_records_counts_what_this_stream_delivers() {
    let numbers = Numbers::new(7, 3);
    let first = numbers.read().max_records(2).records();
    let monitor = first.monitor();
    all(first);
    let second = numbers.read().resume(monitor.checkpoint().unwrap()).max_records(2).records();
    let monitor = second.monitor();
    assert_eq!(all(second), [2, 3]);
    assert_eq!(monitor.progress().records, 4, "the progress counts the whole reading");
}

#[test]
fn max_records_leaves_the_errors_of_a_page_that_it_cuts_to_the_resumed_reading() {
    let some = HalfFailing.into_read().max_records(1).records();
    let monitor = some.monitor();
    assert_eq!(block_on(some.map(|item| item.is_ok()).collect::<Vec<_>>()), [true]);
    let remaining = HalfFailing.into_read().resume(monitor.checkpoint().unwrap()).records();
    let remaining = block_on(remaining.map(Result::ok).collect::<Vec<_>>());
    assert_eq!(remaining, [Some(2), None, None, Some(3)]);
}
