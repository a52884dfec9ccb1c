//! A cursor that has expired: the list is read anew, and what was delivered is passed over.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use futures::{StreamExt, TryStreamExt};
use pagestream::{Checkpoint, Error, ErrorKind, Page, Paginator, PaginatorExt};

use crate::support::{drain, from_fn, stored};

const PAGES: u64 = 100;

/// A hundred pages of ten records. Cursors are scroll ids of a generation: after each
/// `life` pages, those that were given so far have expired.
#[derive(Clone)]
struct Scroll {
    life: usize,
    /// How often they expire at most.
    most: usize,
    fetches: Arc<AtomicUsize>,
}

impl Scroll {
    fn new(life: usize) -> Self {
        Self { life, most: usize::MAX, fetches: Arc::default() }
    }

    /// The cursor is empty, or a generation and a page.
    fn pages(&self) -> impl Paginator<Record = u64, Cursor = Option<(usize, u64)>> + use<> {
        let scroll = self.clone();
        from_fn(None, move |cursor: Option<(usize, u64)>| {
            let fetch = scroll.fetches.fetch_add(1, SeqCst);
            let generation = (fetch / scroll.life).min(scroll.most);
            async move {
                let page = match cursor {
                    Some((of, page)) if of == generation => page,
                    Some(_) => return Err(expired()),
                    None => 0,
                };
                let records = (10 * page..10 * (page + 1)).collect();
                Ok(Page::new(records, (page + 1 < PAGES).then_some(Some((generation, page + 1)))))
            }
        })
    }
}

fn expired() -> Error {
    Error::new(ErrorKind::Expired, "the scroll id is not known").with_status(410)
}

#[tokio::test]
async fn a_cursor_that_expires_at_page_50_of_100_is_read_anew_and_the_reading_ends_whole() {
    for keys in [2_000, 20] {
        for window in [1, 4] {
            let pages = Scroll { most: 1, ..Scroll::new(50) }.pages().keyed(|it| *it);
            let read = pages.read().window(window).deduplicate(keys).restarts(1);
            let outcome = drain(read.records()).await;
            assert_eq!(outcome.progress().restarts, 1);
            assert_eq!(outcome.progress().repeated, 500);
            assert!(outcome.whole().into_iter().eq(0..1_000), "{keys} keys, window {window}");
        }
    }
}

#[tokio::test]
async fn without_restarts_the_error_says_what_to_do() {
    let pages = Scroll::new(50).pages().keyed(|it| *it);
    let outcome = drain(pages.records()).await;
    assert_eq!(outcome.records.len(), 500);
    let error = outcome.error();
    assert!(error.is_expired());
    assert!(error.to_string().contains("read from the start"), "{error}");
    assert!(error.to_string().contains("`restarts`"), "{error}");
}

#[tokio::test]
async fn as_many_restarts_are_made_as_the_option_says() {
    let scroll = Scroll::new(30);
    let pages = scroll.pages().keyed(|it| *it);
    let outcome = drain(pages.read().restarts(3).records()).await;
    assert_eq!(outcome.progress().restarts, 3);
    assert!(outcome.records.iter().copied().eq(0..300), "it never gets beyond 30 pages");
    assert!(outcome.error().is_expired());
}

/// A list of 6 pages whose cursors expire once, when its fourth page is asked for.
fn once(rows: Vec<u64>, later: Vec<u64>) -> impl Paginator<Record = u64, Cursor = usize> {
    let has_expired = Arc::new(AtomicUsize::new(0));
    from_fn(0_usize, move |at| {
        let is_expired = at == 15 && has_expired.fetch_add(1, SeqCst) == 0;
        let rows = if has_expired.load(SeqCst) == 0 { rows.clone() } else { later.clone() };
        async move {
            if is_expired {
                return Err(expired());
            }
            let page = rows.iter().skip(at).take(5).copied().collect::<Vec<_>>();
            Ok(Page::new(page, (at + 5 < rows.len()).then_some(at + 5)))
        }
    })
    .keyed(|it| *it)
}

#[tokio::test]
async fn what_came_into_the_list_meanwhile_comes_where_all_keys_are_known() {
    let rows = (0..30).collect::<Vec<_>>();
    let later = [vec![100, 101], (0..30).collect(), vec![102]].concat();
    let pages = once(rows, later);
    let records = drain(pages.read().restarts(1).records()).await.whole();
    let expected = (0..15).chain([100, 101]).chain(15..30).chain([102]);
    assert!(records.into_iter().eq(expected));
}

#[tokio::test]
async fn a_list_in_which_nothing_known_comes_again_is_an_error() {
    let pages = once((0..30).collect(), (200..240).collect());
    let outcome = drain(pages.read().deduplicate(5).restarts(1).records()).await;
    assert!(outcome.records.iter().copied().eq(0..15));
    let error = outcome.error();
    assert_eq!(error.kind(), ErrorKind::Changed);
    assert!(error.to_string().contains("read from the start"), "{error}");
}

#[tokio::test]
async fn a_checkpoint_whose_cursor_has_expired_is_read_anew() {
    for keys in [1_000, 7] {
        let scroll = Scroll::new(1_000_000);
        let pages = scroll.pages().keyed(|it| *it);
        let mut stream = pages.read().deduplicate(keys).restarts(1).records();
        let before = stream.by_ref().take(333).try_collect::<Vec<_>>().await.unwrap();
        let checkpoint = stored(&stream.checkpoint().unwrap());
        // The other process finds that all cursors have expired.
        scroll.fetches.store(1_000_000, SeqCst);
        let rest = pages.read().deduplicate(keys).restarts(1).resume(checkpoint).records();
        let rest = drain(rest).await.whole();
        assert!(before.into_iter().chain(rest).eq(0..1_000));
    }
}

#[tokio::test]
async fn a_reading_that_is_cut_while_it_passes_over_goes_on_with_that() {
    let scroll = Scroll::new(1_000_000);
    let pages = scroll.pages().keyed(|it| *it);
    let mut stream = pages.read().deduplicate(9).restarts(1).records();
    let before = stream.by_ref().take(555).try_collect::<Vec<_>>().await.unwrap();
    let checkpoint = stored(&stream.checkpoint().unwrap());
    scroll.fetches.store(1_000_000, SeqCst);
    let read = pages.read().deduplicate(9).restarts(1).max_pages(20).resume(checkpoint);
    let outcome = drain(read.records()).await;
    assert!(outcome.records.is_empty(), "20 pages are passed over");
    let checkpoint: Checkpoint = stored(&outcome.monitor.checkpoint().unwrap());
    // Who resumes it need not say so again.
    let rest = drain(pages.read().resume(checkpoint).records()).await.whole();
    assert!(before.into_iter().chain(rest).eq(0..1_000));
}

#[tokio::test]
async fn a_reading_that_is_cut_while_it_leaves_out_known_records_goes_on_with_that() {
    let scroll = Scroll::new(1_000_000);
    let pages = scroll.pages().keyed(|it| *it);
    let mut stream = pages.read().restarts(1).records();
    let before = stream.by_ref().take(555).try_collect::<Vec<_>>().await.unwrap();
    let checkpoint = stored(&stream.checkpoint().unwrap());
    scroll.fetches.store(1_000_000, SeqCst);
    let read = pages.read().restarts(1).max_pages(20).resume(checkpoint);
    let outcome = drain(read.records()).await;
    assert!(outcome.records.is_empty(), "20 pages are left out");
    let checkpoint: Checkpoint = stored(&outcome.monitor.checkpoint().unwrap());
    // Who resumes it need not say so again.
    let rest = drain(pages.read().resume(checkpoint).records()).await.whole();
    assert!(before.into_iter().chain(rest).eq(0..1_000));
}

#[tokio::test]
async fn a_part_does_not_begin_anew() {
    struct Halves;

    #[pagestream::async_trait]
    impl Paginator for Halves {
        type Record = u64;
        type Cursor = u64;

        fn start(&self) -> u64 {
            0
        }

        fn identity(&self) -> String {
            "halves".to_owned()
        }

        async fn fetch(&self, at: u64) -> Result<Page<u64, u64>, Error> {
            if at == 51 { Err(expired()) } else { Ok(Page::new(vec![at], Some(at + 1))) }
        }

        fn split_cursor(&self, _: &u64, _: usize, _: Option<u64>) -> Vec<u64> {
            vec![0, 50]
        }
    }

    let halves = Halves.keyed(|it| *it);
    let part = halves.split(2, None).unwrap().remove(1);
    let outcome = drain(halves.read().restarts(5).resume(stored(&part)).records()).await;
    assert_eq!(outcome.records, [50]);
    assert!(outcome.error().is_expired());
}
