//! A list that ends at a cap begins again above the last key.

use futures::{StreamExt, TryStreamExt};
use pagestream::{
    Error, ErrorKind, Paginator, PaginatorExt,
    rest::{Capped, Keyset, NextCursor, Offset},
    testing::conformance::Conformance,
};

use super::table::{Row, Table};
use crate::support::{drain, sorted, stored};

fn by_id(table: &Table) -> impl Paginator<Record = Row> + use<> {
    let list = NextCursor::at("/next").into_query("offset").more_at("/more");
    let keyset = Keyset::query("above").key("/id").ascending();
    let request = table.request().query("sort", "id");
    request.pages(Capped::new(list, 40, keyset)).records_at("/rows").build().unwrap()
}

fn by_time(table: &Table) -> impl Paginator<Record = Row> + use<> {
    let list = Offset::query("offset").more_at("/more");
    let keyset = Keyset::query("since").key("/time").tie_at("/id").inclusive().ascending();
    table.request().pages(Capped::new(list, 40, keyset)).records_at("/rows").build().unwrap()
}

/// Rows of which `ties` share each time.
fn table(rows: u64, ties: u64) -> Table {
    Table::new((0..rows).map(|id| (id, id / ties))).capped(40)
}

#[tokio::test]
async fn a_list_past_its_cap_comes_whole_by_a_unique_key() {
    for rows in [0, 1, 9, 10, 11, 39, 40, 41, 80, 81, 333] {
        let table = table(rows, 1);
        assert_eq!(drain(by_id(&table).records()).await.whole(), table.all(), "{rows} rows");
    }
}

#[tokio::test]
async fn a_list_past_its_cap_comes_whole_by_a_key_with_ties() {
    for ties in [1, 2, 7, 10, 33, 39] {
        for rows in [1, 39, 40, 41, 333] {
            let table = table(rows, ties);
            let found = drain(by_time(&table).records()).await.whole();
            assert_eq!(found, table.all(), "{rows} rows, {ties} with each time");
        }
    }
}

#[tokio::test]
async fn more_ties_than_the_cap_allows_are_an_error() {
    let error = drain(by_time(&table(200, 50)).records()).await.errors.remove(0);
    assert_eq!(error.kind(), ErrorKind::Contradiction);
    assert!(error.to_string().contains("sort by a finer key"), "{error}");
}

#[tokio::test]
async fn two_records_with_the_last_key_of_a_unique_key_are_an_error() {
    let list = Offset::query("offset").more_at("/more");
    let keyset = Keyset::query("above").key("/time");
    let request = table(100, 3).request();
    let list = request.pages(Capped::new(list, 40, keyset)).records_at("/rows").build::<Row>();
    let list = list.unwrap();
    let outcome = drain(list.records()).await;
    let error = &outcome.errors[0];
    assert!(error.to_string().contains("call `inclusive` on the keyset"), "{error}");
}

#[tokio::test]
async fn a_list_above_a_unique_key_that_begins_with_it_is_an_error() {
    let list = Offset::query("offset").more_at("/more");
    let keyset = Keyset::query("since").key("/time");
    let request = table(100, 1).request();
    let list = request.pages(Capped::new(list, 40, keyset)).records_at("/rows").build::<Row>();
    let outcome = drain(list.unwrap().records()).await;
    assert_eq!(outcome.records.len(), 40);
    let error = outcome.error();
    assert!(error.to_string().contains("begins with it again: call `inclusive`"), "{error}");
}

#[tokio::test]
async fn rows_that_are_inserted_and_deleted_meanwhile_shift_no_other() {
    for (list, unique) in [(0, true), (1, false)] {
        let table = table(300, if list == 0 { 1 } else { 5 });
        let before = table.all();
        let mut stream = if unique {
            by_id(&table).boxed().into_records()
        } else {
            by_time(&table).boxed().into_records()
        };
        let mut records = Vec::new();
        while let Some(row) = stream.try_next().await.unwrap() {
            records.push(row);
            if records.len() % 40 == 0 {
                // Far ahead, where the reading has not been.
                let id = 1_000 + records.len() as u64;
                table.insert(id, 1_000);
            }
        }
        assert_eq!(sorted(records.clone()), records);
        assert!(before.iter().all(|row| records.contains(row)));
    }
}

#[tokio::test]
async fn a_list_past_its_cap_is_cut_and_resumed_anywhere() {
    let table = table(130, 6);
    let list = by_time(&table);
    for cut in (0..130).step_by(9) {
        let mut stream = list.records();
        let before = stream.by_ref().take(cut).try_collect::<Vec<_>>().await.unwrap();
        let rest = list.read().resume(stored(&stream.checkpoint().unwrap())).records();
        assert_eq!([before, drain(rest).await.whole()].concat(), table.all());
    }
}

#[tokio::test(start_paused = true)]
async fn lists_past_their_cap_keep_the_contract() {
    let table = table(95, 3);
    let check = || Conformance::new(table.all()).positions(40);
    check().check(|| by_id(&table)).await.unwrap_or_else(|violation| panic!("{violation}"));
    check().check(|| by_time(&table)).await.unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn a_limit_above_the_cap_cannot_be_built() {
    let list = Offset::query("offset").until_empty();
    let request = table(1, 1).request().limit("limit", 41);
    let list = request.pages(Capped::new(list, 40, Keyset::query("above"))).build::<Row>();
    let error: Error = list.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}
