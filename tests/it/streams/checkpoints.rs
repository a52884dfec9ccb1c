//! Progress and checkpoints.

use std::{
    future::ready,
    sync::{Arc, Mutex},
};

use futures::{StreamExt, TryStreamExt};
use pagestream::{
    BoxPaginator, Checkpoint, Error, ErrorKind, OpaqueCursor, Page, Paginator, PaginatorExt,
    async_trait,
};
use proptest::prelude::*;

use super::{Gated, Numbers, all, item, poll};
use crate::support::{from_fn, stored};

#[test]
fn progress_can_be_read_while_the_stream_is_inside_combinators() {
    let numbers = Numbers::new(10, 3);
    let records = numbers.records();
    let monitor = records.monitor();
    let mut even = records.try_filter(|n| ready(n % 2 == 0)).boxed_local();
    assert_eq!(item(&mut even).unwrap().unwrap(), 0);
    assert_eq!(item(&mut even).unwrap().unwrap(), 2);
    assert_eq!(item(&mut even).unwrap().unwrap(), 4);
    let progress = monitor.progress();
    assert_eq!((progress.records, progress.pages, progress.requests), (5, 2, 2));
    assert_eq!(progress.stop, None);
    drop(even);
    let remaining = numbers.read().resume(monitor.checkpoint().unwrap()).records();
    assert_eq!(all(remaining), [5, 6, 7, 8, 9], "it can be read when the stream is gone, too");
}

#[test]
fn progress_shows_the_total_in_flight_and_what_was_passed_over() {
    let gated = Gated::new(3);
    let mut records = gated.read().window(4).records();
    assert!(poll(&mut records).is_pending());
    assert_eq!(records.monitor().progress().in_flight, 1);
    gated.open(0, Ok(()));
    item(&mut records);
    assert_eq!(records.monitor().progress().in_flight, 3);

    let pages = from_fn(0_u64, |at| async move {
        let page = Page::new(vec![at], (at < 20).then_some(at + 10));
        Ok(page.with_total(21 + at).with_skipped(if at < 20 { 9 } else { 0 }))
    });
    let records = pages.records();
    let monitor = records.monitor();
    assert_eq!(all(records), [0, 10, 20]);
    assert_eq!(monitor.progress().total, Some(41), "the service's last word");
    assert_eq!(monitor.progress().skipped, 18);
}

#[test]
fn a_checkpoint_of_a_reading_that_ended_reads_nothing_more() {
    let numbers = Numbers::new(3, 3);
    let records = numbers.records();
    let monitor = records.monitor();
    all(records);
    let checkpoint = monitor.checkpoint().unwrap();
    assert!(checkpoint.is_finished());
    assert!(all(numbers.read().resume(checkpoint).records()).is_empty());
    assert_eq!(numbers.requests(), 1);
}

#[test]
fn a_checkpoint_of_another_paginator_is_a_mismatch_before_any_request() {
    let checkpoint = Numbers::new(9, 3).records().checkpoint().unwrap();
    let numbers = Numbers::new(8, 3);
    let mut records = numbers.read().resume(checkpoint).records();
    let error = item(&mut records).unwrap().unwrap_err();
    assert!(error.is_checkpoint());
    assert!(error.to_string().contains("the numbers below 9"), "{error}");
    assert!(error.to_string().contains("the numbers below 8"), "{error}");
    assert!(item(&mut records).is_none());
    assert_eq!(numbers.requests(), 0);
}

#[test]
fn a_checkpoint_does_not_depend_on_the_page_size() {
    let some = Numbers::new(10, 4).into_read().max_records(4).records();
    let monitor = some.monitor();
    all(some);
    let remaining = Numbers::new(10, 3).into_read().resume(monitor.checkpoint().unwrap()).records();
    assert_eq!(all(remaining), [4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_cursor_of_any_json_goes_back_as_it_came_over_a_checkpoint_too() {
    for text in ["1767225600.10", r#"{"z": 1.50, "a": ["x"]}"#, "[1,  2]", "1e3", "true", "7"] {
        let sent = std::sync::Mutex::new(Vec::new());
        let service = from_fn(None, |cursor: Option<OpaqueCursor>| {
            sent.lock().unwrap().push(serde_json::to_string(&cursor).unwrap());
            let next = cursor.is_none().then(|| serde_json::from_str(text).unwrap());
            std::future::ready(Ok(Page::new(vec![1, 2], next.map(Some))))
        });
        let some = service.read().max_records(2).records();
        let monitor = some.monitor();
        assert_eq!(all(some), [1, 2]);
        let checkpoint = stored(&monitor.checkpoint().unwrap());
        assert_eq!(all(service.read().resume(checkpoint).records()), [1, 2]);
        assert_eq!(*sent.lock().unwrap(), ["null", text]);
    }
}

#[test]
fn a_checkpoint_with_a_cursor_of_another_kind_is_a_mismatch() {
    let checkpoint = Numbers::new(9, 3).records().checkpoint().unwrap();
    let texts = from_fn(String::new(), |_: String| async { Ok(Page::last(vec![()])) })
        .identified_by("the numbers below 9");
    let error = item(&mut texts.read().resume(checkpoint).records()).unwrap().unwrap_err();
    assert!(error.is_checkpoint());
}

#[test]
fn a_corrupt_checkpoint_and_one_of_a_newer_version_are_errors_with_a_reason() {
    let text = serde_json::to_string(&Numbers::new(9, 3).records().checkpoint().unwrap()).unwrap();
    let error = |text: &str| serde_json::from_str::<Checkpoint>(text).unwrap_err().to_string();
    assert!(error(&text.replace("\"version\":2", "\"version\":3")).contains("version 3"));
    assert!(error(&text.replace("identity", "identify")).contains("identify"));
    for end in 0..text.len() {
        assert!(serde_json::from_str::<Checkpoint>(&text[..end]).is_err());
    }
}

#[test]
fn only_the_units_that_are_left_are_read_again() {
    /// Three ids in one page, with two records each; the first one grows.
    #[derive(Clone, Default)]
    struct Batch(Arc<Mutex<Vec<Vec<u64>>>>);

    #[async_trait]
    impl Paginator for Batch {
        type Record = (u64, u64);
        type Cursor = Vec<u64>;

        fn start(&self) -> Vec<u64> {
            vec![1, 2, 3]
        }

        async fn fetch(&self, ids: Vec<u64>) -> Result<Page<(u64, u64), Vec<u64>>, Error> {
            let mut log = self.0.lock().unwrap();
            log.push(ids.clone());
            let size = |id: &u64| if *id == 1 && log.len() > 1 { 9 } else { 2 };
            let records = ids.iter().flat_map(|id| (0..size(id)).map(move |record| (*id, record)));
            let units = ids.iter().map(|id| usize::try_from(size(id)).unwrap());
            Ok(Page::last(records.collect()).with_units(units))
        }

        fn narrow(&self, ids: &Vec<u64>, units: &[usize]) -> Vec<u64> {
            units.iter().map(|&unit| ids[unit]).collect()
        }

        fn identity(&self) -> String {
            "batch".to_owned()
        }
    }

    let batch = Batch::default();
    let some = batch.read().max_records(3).records();
    let monitor = some.monitor();
    assert_eq!(all(some), [(1, 0), (1, 1), (2, 0)]);
    let remaining = batch.read().resume(stored(&monitor.checkpoint().unwrap())).records();
    assert_eq!(all(remaining), [(2, 1), (3, 0), (3, 1)]);
    assert_eq!(*batch.0.lock().unwrap(), [vec![1, 2, 3], vec![2, 3]]);
}

#[test]
fn a_page_that_is_read_again_and_has_shrunk_is_an_error_and_the_stream_goes_on() {
    let service = |of: u64| {
        from_fn(0_u64, move |page| async move {
            Ok(if page == 0 { Page::new((0..of).collect(), Some(1)) } else { Page::last(vec![9]) })
        })
        .identified_by("a page that shrinks")
    };
    let some = service(5).into_read().max_records(2).records();
    let monitor = some.monitor();
    assert_eq!(all(some), [0, 1]);
    let mut remaining =
        service(4).into_read().resume(stored(&monitor.checkpoint().unwrap())).records();
    assert_eq!(item(&mut remaining).unwrap().unwrap(), 2);
    assert_eq!(item(&mut remaining).unwrap().unwrap(), 3);
    let checkpoint = stored(&remaining.checkpoint().unwrap());
    let error = item(&mut remaining).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.is_partial()), (ErrorKind::Changed, true));
    assert!(error.to_string().contains("holds 4 records and held 5"), "{error}");
    assert_eq!(item(&mut remaining).unwrap().unwrap(), 9);
    assert!(item(&mut remaining).is_none());

    let mut remaining = service(4).into_read().resume(checkpoint).records();
    let error = item(&mut remaining).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Changed, "a cut before it does not lose it");
    assert_eq!(item(&mut remaining).unwrap().unwrap(), 9);
}

proptest! {
    #[test]
    fn a_reading_cut_at_every_item_and_resumed_from_its_text_has_no_gap_and_no_repeat(
        pages in prop::collection::vec((0..4_u64, 0..3_u64), 1..12), window in 1..5_usize,
        boxed in any::<bool>(),
    ) {
        // Page n holds some records and goes on with some pages behind it.
        let pages = Arc::new(pages);
        let first_child = |n: usize| 1 + pages[..n].iter().map(|(_, branches)| branches).sum::<u64>();
        let children = (0..pages.len()).map(|n| first_child(n)..first_child(n + 1).min(pages.len() as u64));
        let children = Arc::new(children.collect::<Vec<_>>());
        let paginator = from_fn(0_u64, move |n| {
            let (pages, children) = (Arc::clone(&pages), Arc::clone(&children));
            async move {
                let n = usize::try_from(n).unwrap();
                let records = (0..pages[n].0).map(|record| (n, record)).collect();
                Ok(Page::new(records, children[n].clone().filter(|&next| next > n as u64)))
            }
        });
        let paginator = if boxed {
            either(paginator.boxed())
        } else {
            either(paginator)
        };
        let mut whole = all(paginator.read().window(window).records());
        let mut read = Vec::new();
        let mut checkpoint = paginator.records().checkpoint().unwrap();
        loop {
            let read_on = paginator.read().window(window).resume(stored(&checkpoint));
            let mut records = read_on.records();
            let Some(record) = item(&mut records) else { break };
            read.push(record.unwrap());
            checkpoint = records.checkpoint().unwrap();
        }
        if window > 1 {
            // Which branch is asked for first depends on when pages arrive.
            read.sort_unstable();
            whole.sort_unstable();
        }
        prop_assert_eq!(read, whole);
    }
}

/// A paginator as an object that any other can stand for.
fn either<R: Send + 'static>(paginator: impl Paginator<Record = R> + 'static) -> BoxPaginator<R> {
    paginator.boxed()
}

/// Cursors of every kind, in the order in which a service gives them.
const CURSORS: [&str; 6] =
    ["0", r#""0""#, "-1", r#""a/b+c=%3D é\u0000""#, "18446744073709551615", r#""7""#];

#[test]
fn a_cursor_is_a_string_or_a_number_as_it_came_and_an_empty_one_is_the_end() {
    #[derive(serde::Deserialize)]
    struct Answer {
        #[serde(default, deserialize_with = "OpaqueCursor::or_end")]
        next: Option<OpaqueCursor>,
    }

    for end in ["{}", r#"{"next": null}"#, r#"{"next": ""}"#] {
        let asked = Mutex::new(Vec::new());
        let service = from_fn(None, |cursor: Option<OpaqueCursor>| {
            let at = asked.lock().unwrap().len();
            asked.lock().unwrap().push(serde_json::to_string(&cursor).unwrap());
            let body =
                CURSORS.get(at).map_or(end.to_owned(), |next| format!(r#"{{"next": {next}}}"#));
            let Answer { next } = serde_json::from_str(&body).unwrap();
            ready(Ok(Page::new(vec![at], next.map(Some))))
        });
        let mut checkpoint = service.records().checkpoint().unwrap();
        for at in 0..=CURSORS.len() {
            let mut records = service.read().resume(stored(&checkpoint)).records();
            assert_eq!(item(&mut records).unwrap().unwrap(), at);
            checkpoint = records.checkpoint().unwrap();
        }
        assert!(checkpoint.is_finished());
        assert_eq!(asked.lock().unwrap()[0], "null");
        assert_eq!(asked.lock().unwrap()[1..], CURSORS);
    }
}
