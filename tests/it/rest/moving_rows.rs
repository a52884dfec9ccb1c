//! Rows that come, go and move while they are read: with keys and by keyset, each row that was
//! there throughout comes once. By offset alone, what can be known is an error.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::TryStreamExt;
use http::{Request, Response};
use pagestream::{
    ChangedPage, Error, ErrorKind, Paginator, PaginatorExt,
    http::{Client, RequestBuilder},
    rest::{Keyset, Offset},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::support::{drain, in_virtual_time, stored};

/// Rows with a key by which they are sorted. Several share one.
#[derive(Clone, Debug, Default)]
struct Rows {
    rows: Arc<Mutex<BTreeMap<(u64, u64), ()>>>,
    /// What happens before each answer.
    changes: Arc<Mutex<Vec<Vec<Change>>>>,
    /// The ids of rows that were changed.
    changed: Arc<Mutex<Vec<u64>>>,
}

#[derive(Clone, Debug)]
enum Change {
    /// A new row at a key.
    Insert(u64),
    /// The row at this place is deleted.
    Delete(usize),
    /// The row at this place gets the largest key, as one does that is updated.
    Touch(usize),
}

impl Rows {
    fn new(count: u64, ties: u64, changes: Vec<Vec<Change>>) -> Self {
        let rows = (0..count).map(|id| ((10 * (id / ties), id), ()));
        Self {
            rows: Arc::new(Mutex::new(rows.collect())),
            changes: Arc::new(Mutex::new(changes)),
            changed: Arc::default(),
        }
    }

    fn ids(&self) -> Vec<u64> {
        self.rows.lock().unwrap().keys().map(|(_, id)| *id).collect()
    }

    fn change(&self) {
        let Some(changes) = self.changes.lock().unwrap().pop() else { return };
        let mut rows = self.rows.lock().unwrap();
        for change in changes {
            let at = |index: usize| rows.keys().nth(index % rows.len().max(1)).copied();
            let largest = rows.keys().next_back().map_or(0, |(key, _)| *key);
            let id = 10_000 + self.changed.lock().unwrap().len() as u64;
            let changed = match change {
                Change::Insert(key) => {
                    rows.insert((key, id), ());
                    Some(id)
                }
                Change::Delete(index) => at(index).map(|row| {
                    rows.remove(&row);
                    row.1
                }),
                Change::Touch(index) => at(index).map(|row| {
                    rows.remove(&row);
                    rows.insert((largest + 1, row.1), ());
                    row.1
                }),
            };
            self.changed.lock().unwrap().extend(changed);
        }
    }

    fn request(&self) -> RequestBuilder {
        let rows = self.clone();
        let transport = move |request: Request<Bytes>| {
            rows.change();
            let query = request.uri().query().unwrap_or_default();
            let number = |name: &str| {
                let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                pairs.find(|(it, _)| *it == name).map(|(_, it)| it.parse::<u64>().unwrap())
            };
            let since = number("since").unwrap_or(0);
            let skipped = usize::try_from(number("offset").unwrap_or(0)).unwrap();
            let rows = rows.rows.lock().unwrap();
            let found = rows.keys().filter(|(key, _)| *key >= since);
            let found = found.map(|(key, id)| json!({"key": key, "id": id})).collect::<Vec<_>>();
            let page = found.iter().skip(skipped).take(10).collect::<Vec<_>>();
            let body = json!({"items": page, "total": found.len()});
            std::future::ready(Ok::<_, Error>(Response::new(body.to_string().into())))
        };
        let client = Client::builder("https://api.example.com").transport(transport);
        client.build().unwrap().get("/rows").limit("limit", 10)
    }

    fn by_keyset(&self) -> impl Paginator<Record = Value> + use<> {
        let keyset = Keyset::query("since").key("/key").tie_at("/id");
        let keyset = keyset.inclusive().ascending().until_short();
        self.request().pages(keyset).records_at("/items").build().unwrap()
    }

    fn by_offset(&self) -> impl Paginator<Record = Value> + use<> {
        let offset = Offset::query("offset").total_at("/total");
        self.request().pages(offset).records_at("/items").key_at("/id").build().unwrap()
    }
}

fn insert() -> BoxedStrategy<Change> {
    (0..900_u64).prop_map(Change::Insert).boxed()
}

fn delete() -> BoxedStrategy<Change> {
    (0..200_usize).prop_map(Change::Delete).boxed()
}

/// Inserted, deleted, and moved to the end.
fn any_change() -> BoxedStrategy<Change> {
    prop_oneof![insert(), (0..200_usize).prop_map(Change::Touch), delete()].boxed()
}

/// Some of them before each of the first answers.
fn changes(change: BoxedStrategy<Change>) -> impl Strategy<Value = Vec<Vec<Change>>> {
    vec(vec(change, 0..3), 0..20)
}

fn ids(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

/// Each row that was not changed came once, and no row came twice.
fn check(before: &[u64], rows: &Rows, found: &[Value]) -> Result<(), TestCaseError> {
    let changed = rows.changed.lock().unwrap().clone();
    let mut found = ids(found);
    found.sort_unstable();
    let count = found.len();
    found.dedup();
    prop_assert_eq!(count, found.len(), "a row came twice");
    for id in before.iter().filter(|id| !changed.contains(id)) {
        prop_assert!(found.binary_search(id).is_ok(), "row {} was lost", id);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn by_keyset_no_row_is_lost_and_with_keys_none_comes_twice(
        changes in changes(any_change()), ties in 1..6_u64, cut in 0..200_u64,
    ) {
        in_virtual_time(async {
            let rows = Rows::new(150, ties, changes);
            let before = rows.ids();
            let list = rows.by_keyset().keyed(|row| row["id"].as_u64());
            let read = || list.read().deduplicate(1_000).changed_page(ChangedPage::Repeat);
            let first = drain(read().max_records(cut).records()).await;
            prop_assert!(first.errors.is_empty(), "{:?}", first.errors);
            let checkpoint = stored(&first.monitor.checkpoint().unwrap());
            let rest = drain(read().resume(checkpoint).records()).await;
            // A page that has changed between the cut and the resumption, so that a row may be
            // missing, is told.
            let is_changed = |error: &Error| error.is_partial() && error.kind() == ErrorKind::Changed;
            prop_assert!(rest.errors.iter().all(is_changed), "{:?}", rest.errors);
            let found = [first.records, rest.records].concat();
            let before = if rest.errors.is_empty() { before } else { Vec::new() };
            check(&before, &rows, &found)
        })?;
    }

    #[test]
    fn by_offset_with_keys_rows_that_are_inserted_make_none_come_twice_and_none_be_lost(
        changes in changes(insert()), window in 1..5_usize,
    ) {
        in_virtual_time(async {
            let rows = Rows::new(150, 1, changes);
            let before = rows.ids();
            let list = rows.by_offset();
            let read = list.read().window(window).deduplicate(1_000).check_total();
            let found = read.records().try_collect::<Vec<_>>().await.unwrap();
            check(&before, &rows, &found)
        })?;
    }

    #[test]
    fn by_offset_a_row_that_is_lost_since_another_was_deleted_is_told(
        changes in changes(delete()), window in 1..5_usize,
    ) {
        in_virtual_time(async {
            let rows = Rows::new(150, 1, changes);
            let before = rows.ids();
            let list = rows.by_offset();
            let read = list.read().window(window).deduplicate(1_000).check_total();
            let outcome = drain(read.records()).await;
            let is_told = outcome.errors.iter().any(|it| it.kind() == ErrorKind::Contradiction);
            let checked = check(&before, &rows, &outcome.records);
            prop_assert!(checked.is_ok() || is_told, "{checked:?}: {:?}", outcome.errors);
            Ok(())
        })?;
    }
}
