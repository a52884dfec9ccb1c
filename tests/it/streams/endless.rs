//! No reading is endless.

use std::sync::atomic::{AtomicU64, Ordering};

use pagestream::{
    Error, ErrorKind, Page, Paginator, PaginatorExt, Records, RepeatedCursor, Source, StopReason,
    Unit,
};

use super::{Numbers, all, item};
use crate::support::{from_fn, sorted, stored};

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

/// What comes before the error.
fn before_the_loop(records: Records<impl Source<Paginator: Paginator<Record = u64>>>) -> Vec<u64> {
    let (records, error) = until_error(records);
    assert_eq!(error.kind(), ErrorKind::Loop, "{error}");
    records
}

fn until_error<R>(
    mut records: Records<impl Source<Paginator: Paginator<Record = R>>>,
) -> (Vec<R>, Error) {
    let mut came = Vec::new();
    loop {
        match item(&mut records).expect("it ends with an error") {
            Ok(record) => came.push(record),
            Err(error) => return (came, error),
        }
    }
}

#[test]
fn a_cycle_is_an_error_before_a_record_comes_twice() {
    for (back, length) in [(0, 2), (0, 3), (2, 5), (0, 64), (2, 1_000), (0, 65_536)] {
        for window in [1, 4] {
            let records = cycle(back, length).into_read().window(window).records();
            assert!(before_the_loop(records).into_iter().eq(0..length), "{back} {length}");
        }
    }
}

#[test]
fn a_cycle_that_is_longer_than_what_is_known_is_an_error_within_three_times_its_length() {
    let records = cycle(0, 200_000).into_records();
    assert!(before_the_loop(records).len() <= 3 * 200_000);
}

#[test]
fn a_branch_that_leads_to_itself_is_an_error_before_its_page_comes_twice() {
    for window in [1, 4] {
        // Page 0 leads to branches; the first of them leads to itself.
        let pages = from_fn(0_u64, |page| async move {
            let next = match page {
                0 => vec![10, 20, 30],
                10 => vec![10],
                20 | 30 => vec![page + 1],
                _ => vec![],
            };
            Ok(Page::new(vec![page], next))
        });
        let mut came = before_the_loop(pages.read().window(window).records());
        came.sort_unstable();
        let length = came.len();
        came.dedup();
        assert_eq!(came.len(), length);
    }
}

/// Pages by number, which all lead on, with keys.
fn pages_of(pages: Vec<Vec<u64>>) -> impl Paginator<Record = u64, Cursor = usize> {
    let length = pages.len();
    let pages = from_fn(0_usize, move |at| {
        let page = Page::new(pages[at].clone(), (at + 1 < length).then_some(at + 1));
        std::future::ready(Ok(page))
    });
    pages.keyed(|record| *record)
}

#[test]
fn a_page_that_comes_back_at_a_distance_is_an_error() {
    for distance in [1, 2, 100, 2_000] {
        let pages = (0..distance).map(|page| vec![2 * page, 2 * page + 1]);
        let pages = pages.clone().chain(pages).collect();
        let came = before_the_loop(pages_of(pages).read().records());
        assert!(came.into_iter().eq(0..2 * distance), "{distance}");
    }
    // One record may look like another one far away, and not like the one before.
    assert_eq!(all(pages_of(vec![vec![1], vec![2], vec![1]]).read().records()), [1, 2, 1]);
    assert_eq!(before_the_loop(pages_of(vec![vec![1], vec![1]]).read().records()), [1]);
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
    let pages = cycle(4, 5).keyed(|record| *record);
    let records = pages.read().repeated_cursor(RepeatedCursor::End).max_records(99).records();
    let monitor = records.monitor();
    assert_eq!(all(records), [0, 1, 2, 3, 4]);
    assert_eq!(monitor.progress().stop, Some(StopReason::End));
    assert_eq!(monitor.progress().requests, 6);
}

/// The cursor is a time, from which on the log is read, and the same records come again. More
/// of them are there each time.
fn log(grows: u64) -> impl Paginator<Record = u64, Cursor = u64> {
    let asked = AtomicU64::new(0);
    let pages = from_fn(0_u64, move |from| {
        let asked = asked.fetch_add(1, Ordering::Relaxed).min(grows);
        let records = if from == 0 { vec![0, 1] } else { (1..=asked + 1).collect() };
        std::future::ready(Ok(Page::new(records, Some(1))))
    });
    pages.keyed(|record| *record)
}

#[test]
fn a_repeated_cursor_is_the_end_only_behind_a_page_that_brought_nothing_new() {
    for grows in [1, 2, 5] {
        let log = log(grows);
        let records = log.read().repeated_cursor(RepeatedCursor::End).records();
        // The first page behind the start is another cursor's, so its record comes.
        let expected = [vec![0, 1, 1], (2..=grows + 1).collect()].concat();
        assert_eq!(all(records), expected);
    }
}

#[test]
fn a_reading_cut_where_a_cursor_is_repeated_goes_on_with_what_is_new() {
    for cut in 0..8 {
        let log = log(5);
        let read = || log.read().repeated_cursor(RepeatedCursor::End);
        let some = read().max_records(cut).records();
        let monitor = some.monitor();
        let before = all(some);
        let rest = all(read().resume(stored(&monitor.checkpoint().unwrap())).records());
        assert_eq!([before, rest].concat(), [0, 1, 1, 2, 3, 4, 5, 6], "cut after {cut}");
    }
}

#[test]
fn records_without_keys_behind_a_repeated_cursor_are_an_error() {
    let records = cycle(4, 5).into_read().repeated_cursor(RepeatedCursor::End).records();
    let (came, error) = until_error(records);
    assert_eq!((came, error.kind()), (vec![0, 1, 2, 3, 4], ErrorKind::Contract));
    assert!(error.to_string().contains("`keyed`"), "{error}");
}

#[test]
fn a_repeated_cursor_ends_its_branch_and_no_other() {
    for window in [1, 4] {
        // Three shards of three pages; the last cursor comes again.
        let shards = from_fn(0_u64, |page| async move {
            Ok(match page {
                0 => Page::new(vec![], [10, 20, 30]),
                last if last % 10 == 2 => Page::new(vec![last], [last]),
                page => Page::new(vec![page], [page + 1]),
            })
        });
        let shards = shards.keyed(|record| *record);
        let records = shards.read().window(window).repeated_cursor(RepeatedCursor::End).records();
        let monitor = records.monitor();
        let came = sorted(all(records));
        assert_eq!(came, [10, 11, 12, 20, 21, 22, 30, 31, 32], "window {window}");
        assert_eq!(monitor.progress().stop, Some(StopReason::End));
    }
}

#[test]
fn a_cursor_from_before_is_a_cycle_whatever_a_repeated_one_means() {
    for meaning in [RepeatedCursor::Error, RepeatedCursor::End, RepeatedCursor::Continue] {
        let pages = cycle(1, 4).keyed(|record| *record);
        let records = pages.read().repeated_cursor(meaning).records();
        assert_eq!(before_the_loop(records), [0, 1, 2, 3]);
    }
}

/// A handle that gives another page each time.
fn scroll(fails_at: Option<u64>) -> impl Paginator<Record = u64, Cursor = u64> {
    let asked = AtomicU64::new(0);
    from_fn(0_u64, move |_| {
        let page = asked.fetch_add(1, Ordering::Relaxed);
        std::future::ready(if fails_at == Some(page) {
            Err(Error::new(ErrorKind::Transport, "cut"))
        } else {
            Ok(Page::new(vec![page], (page < 9).then_some(7)))
        })
    })
}

#[test]
fn a_cursor_with_a_state_gives_a_page_each_time_that_it_is_asked_for() {
    for window in [1, 4] {
        let scroll = scroll(None);
        let records =
            scroll.read().window(window).repeated_cursor(RepeatedCursor::Continue).records();
        assert!(all(records).into_iter().eq(0..10));
    }
}

#[test]
fn a_page_of_a_cursor_with_a_state_is_never_asked_for_twice() {
    let scroll = scroll(Some(4));
    let records = scroll.read().repeated_cursor(RepeatedCursor::Continue).records();
    let monitor = records.monitor();
    let (came, error) = until_error(records);
    assert_eq!((came, error.kind()), (vec![0, 1, 2, 3], ErrorKind::Transport));
    assert_eq!(monitor.progress().requests, 5);
    assert!(error.checkpoint().is_none());
    assert_eq!(monitor.checkpoint().unwrap_err().kind(), ErrorKind::Contract);
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
