//! A second run reads what has come since: `cargo run --example incremental`.

#[path = "shared/tracker.rs"]
mod tracker;

use futures::TryStreamExt;
use pagestream::{
    Checkpoint, Paginator, PaginatorExt, http::Client, rest::Keyset, testing::Server,
};
use serde::Deserialize;

use tracker::Tracker;

#[derive(Deserialize)]
struct Event {
    id: u64,
}

/// Reads to the end, and gives the place from which the next run reads.
async fn run(
    events: &impl Paginator<Record = Event>,
    from: Option<Checkpoint>,
) -> anyhow::Result<(Vec<u64>, Option<Checkpoint>)> {
    let read = events.read();
    let read = if let Some(from) = from { read.resume(from) } else { read };
    let mut records = read.records();
    let mut ids = Vec::new();
    while let Some(event) = records.try_next().await? {
        ids.push(event.id);
    }
    Ok((ids, records.checkpoint()?.later()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let tracker = Tracker::new();
    let server = Server::start(tracker.clone()).await?;
    let client = Client::builder(server.base_url()).build()?;
    let above = Keyset::query("above").key("/id").ascending().until_empty();
    let events = client.get("/events").pages(above).build::<Event>()?;

    let (first, later) = run(&events, None).await?;
    println!("first run: {} events", first.len());

    tracker.add_events(7);
    let (second, later) = run(&events, later).await?;
    println!("second run: events {second:?}");

    let (third, _) = run(&events, later).await?;
    println!("third run: {} events", third.len());
    Ok(())
}
