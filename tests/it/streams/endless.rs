//! No reading is endless.

use pagestream::{ErrorKind, Page, Paginator, PaginatorExt, RepeatedCursor, StopReason, Unit};

use super::{Numbers, all, item};
use crate::support::{from_fn, stored};

/// Pages 0 to `length` - 1, and behind them page `back` again.
fn cycle(back: u64, length: u64) -> impl Paginator<Record = u64, Cursor = u64> + Clone {
    from_fn(0, move |page: u64| async move {
        Ok(Page::new(vec![page], Some(if page + 1 < length { page + 1 } else { back })))
    })
    .identified_by("a cycle")
}

#[test]
fn a_cursor_that_is_its_own_next_one_is_an_error_before_it_is_asked_for_again() {
    for length in 1..40 {
        let mut records = cycle(length - 1, length).into_records();
        for record in 0..length {
            assert_eq!(item(&mut records).unwrap().unwrap(), record);
        }
        let error = item(&mut records).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Loop);
        assert_eq!(error.page(), Some(length + 1));
        assert_eq!(error.cursor(), Some((length - 1).to_string().as_str()));
        assert!(item(&mut records).is_none());
        assert_eq!(records.monitor().progress().requests, length);
    }
}

#[test]
fn a_cycle_of_any_length_is_an_error_within_three_times_its_length() {
    for length in [2, 3, 5, 64, 1_000] {
        for window in [1, 4] {
            let mut records = cycle(0, length).into_read().window(window).records();
            let most = usize::try_from(3 * length).unwrap();
            let error = (0..=most).find_map(|_| item(&mut records).unwrap().err());
            let error = error.unwrap_or_else(|| panic!("a length of {length} is not found"));
            assert_eq!(error.kind(), ErrorKind::Loop);
        }
    }
}

#[test]
fn a_cycle_is_found_over_checkpoints_and_a_resumed_reading_finds_it_again() {
    let paginator = cycle(0, 7);
    let mut checkpoint = paginator.records().checkpoint().unwrap();
    for records in 0_u64.. {
        assert!(records <= 3 * 7, "it is never found");
        let mut one = paginator.read().resume(stored(&checkpoint)).records();
        match item(&mut one).unwrap() {
            Ok(_) => checkpoint = one.checkpoint().unwrap(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Loop);
                checkpoint = error.checkpoint().unwrap().clone();
                break;
            }
        }
    }
    let mut again = paginator.read().resume(checkpoint).records();
    assert_eq!(item(&mut again).unwrap().unwrap_err().kind(), ErrorKind::Loop);
    assert_eq!(again.monitor().progress().requests, 0);
}

#[test]
fn a_repeated_cursor_is_the_end_by_choice() {
    let records =
        cycle(4, 5).into_read().repeated_cursor(RepeatedCursor::End).max_records(99).records();
    let monitor = records.monitor();
    assert_eq!(all(records), [0, 1, 2, 3, 4]);
    assert_eq!(monitor.progress().stop, Some(StopReason::End));
}

#[test]
fn a_request_that_failed_is_asked_for_again_and_is_no_cycle() {
    let numbers = Numbers { fails_at: Some(2), ..Numbers::new(4, 2) };
    let mut records = numbers.records();
    let error = loop {
        if let Err(error) = item(&mut records).unwrap() {
            break error;
        }
    };
    let remaining = numbers.read().resume(error.checkpoint().unwrap().clone()).records();
    assert_eq!(all(remaining), [2, 3]);
}

#[test]
fn empty_pages_in_a_row_are_followed_up_to_a_limit() {
    // Five empty pages, a record, and many more empty pages.
    let pages = from_fn(0, |page: u64| async move {
        let records = if page == 5 { vec![page] } else { vec![] };
        Ok(Page::new(records, (page < 5_000).then_some(page + 1)))
    });
    let mut records = pages.read().max_empty_pages(5).records();
    assert_eq!(item(&mut records).unwrap().unwrap(), 5);
    let error = item(&mut records).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.page()), (ErrorKind::Loop, Some(12)));
    let mut remaining = pages.read().resume(error.checkpoint().unwrap().clone()).records();
    let error = item(&mut remaining).unwrap().unwrap_err();
    assert_eq!(error.page(), Some(11 + 1_001), "1,000 by default, counted anew");

    let mut none = pages.read().max_empty_pages(4).records();
    assert_eq!(item(&mut none).unwrap().unwrap_err().page(), Some(5));
}

#[test]
fn a_batch_whose_ids_have_nothing_is_no_empty_page() {
    let batches = from_fn(0, |page: u64| async move {
        Ok(Page::<u64, _>::new(vec![], (page < 9).then_some(page + 1))
            .with_units([if page < 9 { Unit::going_on(0) } else { Unit::last(0) }; 3]))
    });
    assert!(all(batches.read().max_empty_pages(0).records()).is_empty());
}
