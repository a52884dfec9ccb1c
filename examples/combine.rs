//! Two services as one stream: merged, without duplicates, buffered and slowed down by the
//! combinators of `futures`: `cargo run --example combine`.

#[path = "shared/tracker.rs"]
mod tracker;

use std::{collections::HashSet, future::ready, time::Duration};

use futures::{TryStreamExt, stream};
use pagestream::{
    BoxPaginator, PaginatorExt,
    http::Client,
    rest::{Keyset, LinkHeader},
    testing::Server,
};
use serde_json::Value;

use tracker::Tracker;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let server = Server::start(Tracker::new()).await?;
    let client = Client::builder(server.base_url()).build()?;
    let issues = client.get("/issues").pages(LinkHeader::new()).build::<Value>()?;
    let above = Keyset::query("above").key("/id").until_empty();
    let events = client.get("/events").pages(above).build::<Value>()?;

    // Of different types, and one once more, as a second account may have the same records.
    let all: Vec<BoxPaginator<String>> = vec![
        issues.clone().map(|issue| issue["title"].to_string()).boxed(),
        events.map(|event| event["what"].to_string()).boxed(),
        issues.map(|issue| issue["title"].to_string()).boxed(),
    ];
    let merged = stream::select_all(all.iter().map(|paginator| paginator.records()));

    let mut seen = HashSet::new();
    let unique = merged.try_filter(|record| ready(seen.insert(record.clone())));
    // At most four records are worked on at once.
    let worked = unique.map_ok(|record| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(record.len())
    });
    let lengths: Vec<usize> = worked.try_buffer_unordered(4).try_collect().await?;
    println!("{} records, each once", lengths.len());
    Ok(())
}
