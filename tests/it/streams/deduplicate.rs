//! Records that come a second time are left out, by their keys.

use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt};
use pagestream::{Error, ErrorKind, Page, Paginator, PaginatorExt, StopReason};

use crate::support::{drain, from_fn, stored};

/// Pages of five, by offset. Before each page but the first, a record is inserted at the front,
/// so that the last one of the page before comes again.
fn pushed() -> impl Paginator<Record = u64, Cursor = usize> {
    let rows = (100..140).collect::<Vec<u64>>();
    from_fn(0_usize, move |offset| {
        let page = offset / 5;
        let rows = (0..page as u64).rev().chain(rows.clone()).collect::<Vec<_>>();
        async move {
            let records = rows.iter().skip(offset).take(5).copied().collect::<Vec<_>>();
            Ok(Page::new(records, (offset + 5 < rows.len()).then_some(offset + 5)))
        }
    })
    .keyed(|row| *row)
}

#[tokio::test]
async fn records_that_were_pushed_onto_the_next_page_come_once() {
    let pages = pushed();
    let plain = drain(pages.read().max_records(60).records()).await.records;
    assert_eq!(plain.len(), 49, "nine come twice");
    for window in [1, 8] {
        let outcome = drain(pages.read().window(window).deduplicate(100).records()).await;
        let progress = outcome.progress();
        assert_eq!(outcome.whole(), (100..140).collect::<Vec<_>>());
        assert_eq!((progress.records, progress.repeated), (40, plain.len() as u64 - 40));
    }
}

#[tokio::test]
async fn a_reading_that_is_cut_and_resumed_knows_the_keys_from_before() {
    let pages = pushed();
    for cut in 1..40 {
        let mut stream = pages.read().deduplicate(100).records();
        let before = stream.by_ref().take(cut).try_collect::<Vec<_>>().await.unwrap();
        let checkpoint = stored(&stream.checkpoint().unwrap());
        assert_eq!(checkpoint.records(), cut as u64);
        let rest = pages.read().deduplicate(100).resume(checkpoint).records();
        let rest = drain(rest).await.whole();
        assert!(before.into_iter().chain(rest).eq(100..140), "cut at {cut}");
    }
}

#[tokio::test]
async fn as_many_keys_are_known_as_the_option_says() {
    let pages = from_fn(0_usize, |at| async move {
        let records = [vec![0, 1, 2, 3], vec![3, 0, 4]][at].clone();
        Ok(Page::new(records, (at == 0).then_some(1)))
    });
    let pages = pages.keyed(|it: &u64| *it);
    let read = async |keys| drain(pages.read().deduplicate(keys).records()).await.whole();
    assert_eq!(read(4).await, [0, 1, 2, 3, 4]);
    assert_eq!(read(1).await, [0, 1, 2, 3, 0, 4]);
}

#[tokio::test]
async fn a_record_that_comes_twice_in_one_page_comes_once() {
    let pages = from_fn(0_u64, |_| async { Ok(Page::last(vec![1, 2, 1, 2, 3])) });
    let pages = pages.keyed(|it: &u64| *it);
    assert_eq!(drain(pages.read().deduplicate(9).records()).await.whole(), [1, 2, 3]);
}

#[tokio::test]
async fn a_limit_on_records_counts_what_is_delivered() {
    let pages = pushed();
    let outcome = drain(pages.read().deduplicate(100).max_records(23).records()).await;
    assert!(outcome.records.iter().copied().eq(100..123));
    assert_eq!(outcome.progress().stop, Some(StopReason::MaxRecords));
    let rest = pages.read().deduplicate(100).resume(outcome.monitor.checkpoint().unwrap());
    assert!(drain(rest.records()).await.whole().into_iter().eq(123..140));
}

#[tokio::test]
async fn a_service_that_brings_nothing_new_ends_with_an_error() {
    let pages = from_fn(0_u64, |at| async move {
        // In another order each time, so that no page is the same as one before.
        let mut records = (0..20).collect::<Vec<u64>>();
        records.rotate_left((at % 19) as usize);
        records.swap(0, (at % 17) as usize);
        records.swap(3, (at % 13) as usize);
        Ok(Page::new(records, Some(at + 1)))
    });
    let pages = pages.keyed(|it: &u64| *it);
    let outcome = drain(pages.read().deduplicate(99).max_empty_pages(20).records()).await;
    assert_eq!(outcome.records.len(), 20);
    let error = outcome.error();
    assert_eq!(error.kind(), ErrorKind::Loop);
    assert!(error.to_string().contains("21 pages in a row without a new record"), "{error}");
}

#[tokio::test]
async fn records_without_keys_are_an_error_that_says_what_to_do() {
    let pages = from_fn(0_u64, |_| async { Ok(Page::last(vec![1_u64])) });
    let error = drain(pages.read().deduplicate(9).records()).await.error();
    assert_eq!(error.kind(), ErrorKind::Contract);
    assert!(error.to_string().contains("say with `keyed`"), "{error}");
}

#[tokio::test]
async fn pages_are_without_what_is_left_out() {
    let mut pages = pushed().into_read().deduplicate(100).pages();
    let mut all = Vec::new();
    while let Some(page) = pages.try_next().await.unwrap() {
        all.extend(page);
    }
    assert!(all.into_iter().eq(100..140));
}

#[tokio::test]
async fn errors_of_a_page_come_though_its_records_are_left_out() {
    let pages = from_fn(0_u64, |at| async move {
        let error = Error::new(ErrorKind::Decode, "bad").with_ids([at.to_string()]);
        Ok(Page::new(vec![1, 2], (at < 2).then_some(at + 1)).with_failure(None, error))
    });
    let pages = pages.keyed(|it: &u64| *it).map(|it| it);
    let pages = Distinct(pages);
    let outcome = drain(pages.read().deduplicate(9).records()).await;
    assert_eq!(outcome.records, [1, 2]);
    assert_eq!(outcome.errors.iter().flat_map(Error::ids).collect::<Vec<_>>(), ["0", "1", "2"]);
}

/// Pages that look the same are no error.
struct Distinct<P>(P);

#[pagestream::async_trait]
impl<P: Paginator> Paginator for Distinct<P> {
    type Record = P::Record;
    type Cursor = P::Cursor;

    fn start(&self) -> P::Cursor {
        self.0.start()
    }

    async fn fetch(&self, cursor: P::Cursor) -> Result<Page<P::Record, P::Cursor>, Error> {
        Ok(self.0.fetch(cursor).await?.with_digest(None))
    }
}

/// How often a record that one page border moved over comes: the service as a whole.
#[derive(Clone)]
struct Rows(Arc<Mutex<Vec<u64>>>);

#[tokio::test]
async fn a_row_that_is_updated_and_moves_to_the_end_of_the_list_comes_once() {
    let rows = Rows(Arc::new(Mutex::new((0..30).collect())));
    let pages = from_fn(0_usize, {
        let rows = rows.clone();
        move |offset| {
            let rows = rows.clone();
            async move {
                let mut rows = rows.0.lock().unwrap();
                let records = rows.iter().skip(offset).take(5).copied().collect::<Vec<_>>();
                let is_last = offset + 5 >= rows.len();
                // The last row of this page was read. Another one is inserted in its place, so
                // that no row moves forward.
                if let Some(updated) = records.last() {
                    let at = rows.iter().position(|it| it == updated).unwrap();
                    let moved = std::mem::replace(&mut rows[at], 1_000 + offset as u64);
                    if !is_last {
                        rows.push(moved);
                    }
                }
                Ok(Page::new(records, (!is_last).then_some(offset + 5)))
            }
        }
    });
    let pages = pages.keyed(|it: &u64| *it);
    let records = drain(pages.read().deduplicate(100).records()).await.whole();
    assert_eq!(records, (0..30).collect::<Vec<_>>());
}
