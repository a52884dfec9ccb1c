//! A crash in the middle, and the rest after it: `cargo run --example resume`.

#[path = "shared/tracker.rs"]
mod tracker;

use std::{fs, path::Path};

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

/// Reads events and writes each batch together with its checkpoint. Gives how many came.
async fn run(
    events: &impl Paginator<Record = Event>,
    written: &mut Vec<u64>,
    place: &Path,
) -> anyhow::Result<usize> {
    let mut read = events.read();
    if let Ok(text) = fs::read_to_string(place) {
        read = read.resume(serde_json::from_str::<Checkpoint>(&text)?);
    }
    let mut batches = read.records().batches(15);
    let before = written.len();
    while let Some(batch) = batches.try_next().await? {
        // With a database, both belong into one transaction.
        written.extend(batch.records.iter().map(|event| event.id));
        fs::write(place, serde_json::to_string(&batch.checkpoint)?)?;
    }
    Ok(written.len() - before)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let tracker = Tracker::new();
    tracker.fail_once_at(70);
    let server = Server::start(tracker).await?;
    let client = Client::builder(server.base_url()).build()?;
    let above = Keyset::query("above").key("/id").ascending().until_empty();
    let events = client.get("/events").pages(above).build::<Event>()?;

    let place = std::env::temp_dir().join(format!("pagestream-resume-{}.json", std::process::id()));
    let mut written = Vec::new();
    match run(&events, &mut written, &place).await {
        Ok(count) => println!("{count} events"),
        Err(error) => println!("after {} events: {error}", written.len()),
    }
    let rest = run(&events, &mut written, &place).await?;
    println!("resumed: {rest} more");
    fs::remove_file(&place)?;

    let each_once = written.iter().copied().eq(0..100);
    println!("each event came exactly once: {each_once}");
    Ok(())
}
