//! What a finished reading leaves, and what a later one reads from there.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{Request, Response};
use pagestream::{
    Checkpoint, Error, Paginator, PaginatorExt,
    http::Client,
    rest::{Keyset, NextCursor, NextLink},
};
use serde_json::{Value, json};

use super::table::{Row, Table};
use crate::support::{drain, stored};

fn ascending(table: &Table) -> impl Paginator<Record = Row> + use<> {
    let keyset = Keyset::query("since").key("/time").tie_at("/id");
    let keyset = keyset.inclusive().ascending().until_empty();
    table.request().pages(keyset).records_at("/rows").build().unwrap()
}

fn newest_first(table: &Table) -> impl Paginator<Record = Row> + use<> {
    let keyset = Keyset::query("until").key("/time").tie_at("/id");
    let keyset = keyset.inclusive().descending().until_empty();
    let request = table.request().query("order", "newest");
    request.pages(keyset).records_at("/rows").build().unwrap()
}

/// Reads all, and what it leaves for later.
async fn run<P: Paginator<Record = Row>>(
    list: &P,
    from: Option<&Checkpoint>,
) -> (Vec<u64>, Checkpoint) {
    let read = list.read();
    let read = match from {
        Some(from) => read.resume(stored(from)),
        None => read,
    };
    let outcome = drain(read.records()).await;
    let later = outcome.monitor.checkpoint().unwrap().later().expect("it leaves a place");
    let mut ids = outcome.whole().iter().map(|row| row.id).collect::<Vec<_>>();
    ids.sort_unstable();
    (ids, later)
}

async fn reads_what_has_come_since<P>(list: impl Fn(&Table) -> P)
where
    P: Paginator<Record = Row>,
{
    for rows in [0, 1, 9, 10, 11, 25] {
        let table = Table::new((0..rows).map(|id| (id, id / 3)));
        let (first, later) = run(&list(&table), None).await;
        assert!(first.into_iter().eq(0..rows));
        // Nothing came.
        let (none, later) = run(&list(&table), Some(&later)).await;
        assert!(none.is_empty(), "{rows} rows: {none:?}");
        // Some share the last time.
        let newest = rows.saturating_sub(1) / 3;
        for (id, time) in [(100, newest), (101, newest), (102, newest + 1), (103, newest + 7)] {
            table.insert(id, time);
        }
        let (second, later) = run(&list(&table), Some(&later)).await;
        assert_eq!(second, [100, 101, 102, 103], "{rows} rows");
        table.insert(104, newest + 7);
        (200..230).for_each(|id| table.insert(id, 100));
        let (third, later) = run(&list(&table), Some(&later)).await;
        assert!(third.into_iter().eq(std::iter::once(104).chain(200..230)));
        assert!(run(&list(&table), Some(&later)).await.0.is_empty());
    }
}

#[tokio::test]
async fn a_keyset_that_ascends_reads_what_has_come_since_and_ties_once() {
    // Pages of ten, with at most nine that share a time at the border.
    let limited = |table: &Table| {
        let keyset = Keyset::query("since").key("/time").tie_at("/id");
        let keyset = keyset.inclusive().ascending().until_empty();
        let request = table.request().limit("limit", 40);
        request.pages(keyset).records_at("/rows").build::<Row>().unwrap()
    };
    reads_what_has_come_since(limited).await;
}

#[tokio::test]
async fn a_keyset_with_the_newest_first_ends_where_the_reading_before_began() {
    let limited = |table: &Table| {
        let keyset = Keyset::query("until").key("/time").tie_at("/id");
        let keyset = keyset.inclusive().descending().until_empty();
        let request = table.request().limit("limit", 40).query("order", "newest");
        request.pages(keyset).records_at("/rows").build::<Row>().unwrap()
    };
    reads_what_has_come_since(limited).await;
}

#[tokio::test]
async fn records_with_the_key_of_the_mark_come_from_the_pages_behind_it_too() {
    // Of one time, the lowest id comes last, and a page of three ends before it.
    let table = Table::new((100..120).map(|id| (id, id)));
    let list = table.request().limit("limit", 3).query("order", "newest");
    let keyset = Keyset::query("until").key("/time").tie_at("/id");
    let keyset = keyset.inclusive().descending().until_empty();
    let list = list.pages(keyset).records_at("/rows").build::<Row>().unwrap();
    let (_, later) = run(&list, None).await;
    for (id, time) in [(200, 201), (201, 200), (50, 119)] {
        table.insert(id, time);
    }
    let (second, later) = run(&list, Some(&later)).await;
    assert_eq!(second, [50, 200, 201]);
    assert!(run(&list, Some(&later)).await.0.is_empty());
}

#[tokio::test]
async fn a_later_reading_of_the_newest_asks_for_no_more_than_it_needs() {
    let table = Table::new((0..1_000).map(|id| (id, id)));
    let list = newest_first(&table);
    let (_, later) = run(&list, None).await;
    let before = table.queries().len();
    table.insert(5_000, 5_000);
    assert_eq!(run(&list, Some(&later)).await.0, [5_000]);
    assert_eq!(table.queries().len() - before, 1);
}

#[tokio::test]
async fn the_mark_moves_only_when_the_reading_is_whole() {
    let table = Table::new((0..50).map(|id| (id, id)));
    for list in [ascending(&table).boxed(), newest_first(&table).boxed()] {
        let mut stream = list.records();
        for _ in 0..50 {
            assert!(stream.checkpoint().unwrap().later().is_none());
            stream.try_next().await.unwrap();
        }
        while stream.try_next().await.unwrap().is_some() {}
        assert!(stream.checkpoint().unwrap().later().is_some());
    }
}

#[tokio::test]
async fn a_later_reading_is_cut_and_resumed_anywhere() {
    let table = Table::new((0..50).map(|id| (id, id / 4)));
    for list in [ascending(&table).boxed(), newest_first(&table).boxed()] {
        let (_, later) = run(&list, None).await;
        (100..125).for_each(|id| table.insert(id, id / 4));
        let all = drain(list.read().resume(later.clone()).records()).await.whole();
        assert_eq!(all.len(), 25);
        for cut in 0..25 {
            let mut stream = list.read().resume(later.clone()).records();
            let before = stream.by_ref().take(cut).try_collect::<Vec<_>>().await.unwrap();
            let checkpoint = stored(&stream.checkpoint().unwrap());
            let rest = drain(list.read().resume(checkpoint).records()).await;
            let again = rest.monitor.checkpoint().unwrap().later().unwrap();
            assert_eq!([before, rest.whole()].concat(), all);
            assert!(run(&list, Some(&again)).await.0.is_empty());
        }
        table.rows.lock().unwrap().retain(|row| row.id < 100);
    }
}

#[tokio::test]
async fn without_an_order_a_keyset_leaves_nothing() {
    let keyset = Keyset::query("since").key("/time").inclusive().until_empty();
    let table = Table::new((0..5).map(|id| (id, id)));
    let list = table.request().pages(keyset).records_at("/rows").build::<Row>().unwrap();
    let outcome = drain(list.records()).await;
    let checkpoint = outcome.monitor.checkpoint().unwrap();
    assert!(checkpoint.is_finished() && checkpoint.later().is_none());
}

/// A service of changes: pages by token or by link, and at the end where to ask later.
#[derive(Clone, Default)]
struct Changes(Arc<Mutex<Vec<String>>>);

impl Changes {
    fn client(&self) -> Client {
        let changes = self.clone();
        let transport = move |request: Request<Bytes>| {
            let query = request.uri().query().unwrap_or_default().to_owned();
            changes.0.lock().unwrap().push(query.clone());
            let body = match &*query {
                "" => json!({"items": [1, 2], "nextPageToken": "p", "next": "/x?page=2"}),
                "pageToken=p" | "page=2" => {
                    json!({"items": [3], "nextSyncToken": "s=1", "delta": "/x?delta=1"})
                }
                "syncToken=s%3D1" | "delta=1" => {
                    json!({"items": [4], "nextPageToken": "q", "next": "/x?delta=1&page=2"})
                }
                "pageToken=q&syncToken=s%3D1" | "delta=1&page=2" => {
                    json!({"items": [5], "nextSyncToken": "s=2", "delta": "/x?delta=2"})
                }
                _ => {
                    return std::future::ready(Ok::<_, Error>(
                        Response::builder().status(410).body(Bytes::new()).unwrap(),
                    ));
                }
            };
            std::future::ready(Ok(Response::new(body.to_string().into())))
        };
        Client::builder("https://api.example.com").transport(transport).build().unwrap()
    }
}

#[tokio::test]
async fn a_sync_token_goes_along_with_all_requests_of_the_later_reading() {
    let changes = Changes::default();
    let tokens = NextCursor::at("/nextPageToken").into_query("pageToken");
    let tokens = tokens.later_at("/nextSyncToken").into_query("syncToken");
    let list =
        changes.client().get("/x").pages(tokens).records_at("/items").build::<u64>().unwrap();
    whole_and_later(&list).await;
}

#[tokio::test]
async fn a_delta_link_is_followed_by_the_later_reading() {
    let changes = Changes::default();
    let links = NextLink::at("/next").later_at("/delta");
    let list = changes.client().get("/x").pages(links).records_at("/items").build::<u64>().unwrap();
    whole_and_later(&list).await;
}

async fn whole_and_later<P: Paginator<Record = u64>>(list: &P) {
    let first = drain(list.records()).await;
    let later = first.monitor.checkpoint().unwrap().later().unwrap();
    assert_eq!(first.whole(), [1, 2, 3]);
    let second = drain(list.read().resume(stored(&later)).records()).await;
    let later = second.monitor.checkpoint().unwrap().later().unwrap();
    assert_eq!(second.whole(), [4, 5]);
    // A place that the service has forgotten: all is read anew.
    let third =
        drain(list.read().deduplicate(9).restarts(1).resume(stored(&later)).records()).await;
    assert_eq!(third.whole(), [1, 2, 3]);
}

#[tokio::test]
async fn a_record_that_was_changed_since_comes_again_though_its_key_was_known() {
    let transport = |request: Request<Bytes>| {
        let is_later = request.uri().query().is_some();
        let body = if is_later {
            json!({"items": [{"id": 1, "time": 2}], "sync": "b"})
        } else {
            json!({"items": [{"id": 1, "time": 1}, {"id": 2, "time": 1}], "sync": "a"})
        };
        std::future::ready(Ok::<_, Error>(Response::new(body.to_string().into())))
    };
    let client = Client::builder("https://api.example.com").transport(transport).build().unwrap();
    let tokens = NextCursor::at("/next").into_query("page").later_at("/sync").into_query("sync");
    let list = client.get("/x").pages(tokens).records_at("/items").build::<Row>().unwrap();
    let list = list.keyed(|row: &Row| row.id);
    for read in [list.read().deduplicate(9), list.read().restarts(1)] {
        let first = drain(read.clone().records()).await;
        let later = first.monitor.checkpoint().unwrap().later().unwrap();
        assert_eq!(first.whole().len(), 2);
        let second = drain(read.resume(stored(&later)).records()).await.whole();
        assert_eq!(second, [Row { id: 1, time: 2 }]);
    }
}

#[tokio::test]
async fn the_last_cursor_of_a_log_is_left_where_a_flag_tells_the_end() {
    let entries = Arc::new(Mutex::new(5_u64));
    let transport = {
        let entries = Arc::clone(&entries);
        move |request: Request<Bytes>| {
            let from = request.uri().query().and_then(|it| it.strip_prefix("cursor="));
            let from = from.map_or(0, |from| from.parse::<u64>().unwrap());
            let all = *entries.lock().unwrap();
            let to = all.min(from + 2);
            let items = (from..to).collect::<Vec<_>>();
            let body: Value = json!({"items": items, "cursor": to, "done": to == all});
            std::future::ready(Ok::<_, Error>(Response::new(body.to_string().into())))
        }
    };
    let client = Client::builder("https://api.example.com").transport(transport).build().unwrap();
    let log = NextCursor::at("/cursor").into_query("cursor").done_at("/done");
    let list = client.get("/log").pages(log).records_at("/items").build::<u64>().unwrap();
    let first = drain(list.records()).await;
    let later = first.monitor.checkpoint().unwrap().later().unwrap();
    assert_eq!(first.whole(), [0, 1, 2, 3, 4]);
    *entries.lock().unwrap() = 8;
    let second = drain(list.read().resume(stored(&later)).records()).await;
    assert_eq!(second.whole(), [5, 6, 7]);
}
