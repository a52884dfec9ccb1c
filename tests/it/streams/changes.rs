//! A service that changes while it is read: cut and resumed, each record that stays comes
//! once, or an error says that the page has changed.

use std::{
    collections::BTreeSet,
    ops::Bound,
    sync::{Arc, Mutex},
};

use futures::StreamExt;
use pagestream::{ChangedPage, Error, ErrorKind, Page, Paginator, PaginatorExt};
use proptest::{collection::vec, prelude::*};

use super::{all, item};
use crate::support::{from_fn, stored};

/// Records in the order of their ids, some to a page. The cursor is the last id of a page.
#[derive(Clone, Debug)]
struct Table {
    ids: Arc<Mutex<BTreeSet<u32>>>,
    limit: Arc<Mutex<usize>>,
}

impl Table {
    fn new(ids: impl IntoIterator<Item = u32>, limit: usize) -> Self {
        let ids = Arc::new(Mutex::new(ids.into_iter().collect()));
        Self { ids, limit: Arc::new(Mutex::new(limit)) }
    }

    fn paginator(&self) -> impl Paginator<Record = u32, Cursor = Option<u32>> + use<> {
        let table = self.clone();
        let pages = from_fn(None, move |after: Option<u32>| {
            let ids = table.ids.lock().unwrap();
            let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
            let limit = *table.limit.lock().unwrap();
            let mut page = ids.range((behind, Bound::Unbounded)).copied().collect::<Vec<_>>();
            let goes_on = page.len() > limit;
            page.truncate(limit);
            let next = page.last().copied().filter(|_| goes_on).map(Some);
            std::future::ready(Ok::<_, Error>(Page::new(page, next)))
        });
        pages.keyed(|id| *id)
    }
}

/// What happens to a table between a cut and the resumption.
#[derive(Clone, Debug)]
enum Change {
    Insert(u32),
    Delete(u32),
    Limit(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (0..60_u32).prop_map(Change::Insert),
        (0..60_u32).prop_map(Change::Delete),
        (1..12_usize).prop_map(Change::Limit),
    ];
    vec(change, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn each_record_that_stays_comes_once_or_an_error_says_that_the_page_has_changed(
        ids in vec(0..60_u32, 1..40), limit in 1..12_usize,
        cuts in vec((0..12_usize, changes()), 1..5), window in 1..4_usize,
    ) {
        let table = Table::new(ids, limit);
        let mut stayed = table.ids.lock().unwrap().clone();
        let (mut came, mut changed, mut checkpoint) = (Vec::new(), false, None);
        let cuts = cuts.into_iter().map(|(records, changes)| (Some(records), changes));
        for (records, changes) in cuts.chain([(None, Vec::new())]) {
            let paginator = table.paginator();
            let mut read = paginator.read().window(window).changed_page(ChangedPage::Skip);
            if let Some(checkpoint) = checkpoint {
                read = read.resume(stored(&checkpoint));
            }
            let mut stream = read.records();
            let mut left = records.unwrap_or(usize::MAX);
            while left > 0 && let Some(item) = futures::executor::block_on(stream.next()) {
                match item {
                    Ok(record) => came.push(record),
                    Err(error) => {
                        prop_assert!(error.is_partial() && error.kind() == ErrorKind::Changed, "{error:?}");
                        changed = true;
                    }
                }
                left -= 1;
            }
            checkpoint = Some(stream.checkpoint().unwrap());
            for change in changes {
                let mut ids = table.ids.lock().unwrap();
                match change {
                    Change::Insert(id) => drop(ids.insert(id)),
                    Change::Delete(id) => {
                        ids.remove(&id);
                        stayed.remove(&id);
                    }
                    Change::Limit(limit) => *table.limit.lock().unwrap() = limit,
                }
            }
        }
        let once = came.iter().collect::<BTreeSet<_>>();
        // One that was deleted and came back may come twice: it is another one.
        for id in &stayed {
            let times = came.iter().filter(|it| *it == id).count();
            prop_assert!(times <= 1 || changed, "{id} came {times} times: {came:?}");
            prop_assert!(times == 1 || changed, "{id} was lost: {came:?}");
        }
        prop_assert!(changed || once.len() >= stayed.len());
    }
}

/// Records 0, 5 and 6 stand on a page each. With a window, the page of 6 is requested while
/// 0 is delivered. Then 5 is deleted, so that the page that had it is now the one of 6.
#[test]
fn a_page_that_holds_the_records_of_its_next_one_now_is_no_page_that_came_before() {
    let table = Table::new([0, 5, 6], 1);
    let paginator = table.paginator();
    let mut some = paginator.read().window(2).records();
    assert_eq!(futures::executor::block_on(some.next()).unwrap().unwrap(), 0);
    let checkpoint = stored(&some.checkpoint().unwrap());
    table.ids.lock().unwrap().remove(&5);
    let read = paginator.read().changed_page(ChangedPage::Skip);
    let items = read.resume(checkpoint).records().collect::<Vec<_>>();
    let items = futures::executor::block_on(items);
    let [Err(error), Ok(6)] = &items[..] else { panic!("{items:?}") };
    assert!(error.is_partial() && error.kind() == ErrorKind::Changed);
}

#[test]
fn a_page_without_keys_that_grew_repeats_nothing_that_its_next_page_has() {
    let limit = Arc::new(Mutex::new(20));
    let build = || {
        let limit = Arc::clone(&limit);
        from_fn(0_u64, move |from| {
            let to = (from + *limit.lock().unwrap()).min(100);
            std::future::ready(Ok(Page::new((from..to).collect(), (to < 100).then_some(to))))
        })
    };
    let pages = build();
    let some = pages.read().max_records(10).records();
    let monitor = some.monitor();
    let before = all(some);
    *limit.lock().unwrap() = 50;
    let pages = build();
    let remaining = all(pages.read().resume(monitor.checkpoint().unwrap()).records());
    assert!(before.into_iter().chain(remaining).eq(0..100));
}

#[test]
fn a_paginator_without_an_identity_has_no_checkpoint() {
    let build = |of: u64| {
        pagestream::from_fn(0_u64, move |at| async move {
            Ok(Page::new(vec![of, at], (at < 3).then_some(at + 1)))
        })
    };
    // Nothing tells these two apart.
    let (contacts, deals) = (build(1), build(2));
    let error = contacts.records().checkpoint().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
    assert!(error.to_string().contains("identified_by"), "{error}");
    assert_eq!(contacts.split(2, None).unwrap_err().kind(), ErrorKind::Contract);
    assert_eq!(all(contacts.records()).len(), 8, "it can be read");

    let checkpoint = build(1).identified_by("contacts").records().checkpoint().unwrap();
    let error = item(&mut deals.read().resume(checkpoint).records()).unwrap().unwrap_err();
    assert!(error.is_checkpoint(), "{error}");
}
