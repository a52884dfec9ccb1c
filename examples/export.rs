//! A list as lines of JSON in a file, with a progress bar and a file for the place:
//! `cargo run --example export`.
//!
//! Records and the place are written together, batch by batch. Ctrl-C stops after the batch in
//! hand; started again, it goes on from there. When all is here, the file gets its name. The file
//! is `issues.ndjson` in the folder that is given, or in a temporary one.

#[path = "shared/tracker.rs"]
mod tracker;

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use pagestream::{Checkpoint, PaginatorExt, http::Client, rest::LinkHeader, testing::Server};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use tracker::Tracker;

/// What is kept between runs: where the reading stands, and how long the file was then.
#[derive(Serialize, Deserialize)]
struct Place {
    checkpoint: Checkpoint,
    bytes: u64,
}

/// Opens the unfinished file, without what was written behind the place.
fn open(part: &Path, place: Option<&Place>) -> anyhow::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).append(true).open(part)?;
    let bytes = place.map_or(0, |place| place.bytes);
    // A longer length would fill the file with zeros.
    let is_whole = file.metadata()?.len() >= bytes;
    anyhow::ensure!(is_whole, "{} lacks records: remove the file for the place", part.display());
    file.set_len(bytes)?;
    Ok(file)
}

/// Writes a file whole, or not at all.
fn write_atomically(path: &Path, text: &str) -> anyhow::Result<()> {
    let temporary = path.with_extension("tmp");
    fs::write(&temporary, text)?;
    Ok(fs::rename(temporary, path)?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let [done, part, place] =
        ["issues.ndjson", "issues.ndjson.part", "issues.place"].map(|name| folder.join(name));

    let server = Server::start(Tracker::new()).await?;
    let client = Client::builder(server.base_url()).build()?;
    let issues = client.get("/issues").pages(LinkHeader::new()).build::<Value>()?;

    let before = fs::read_to_string(&place).ok();
    let before = before.map(|text| serde_json::from_str::<Place>(&text)).transpose()?;
    let mut file = open(&part, before.as_ref())?;
    let mut read = issues.read();
    if let Some(before) = before {
        println!("it goes on behind {} issues", before.checkpoint.records());
        read = read.resume(before.checkpoint);
    }

    let bar = ProgressBar::new(Tracker::ISSUES);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len}, {per_sec}, {eta} left")?);
    let shown = bar.clone();
    let read = read.on_progress(move |progress| shown.set_position(progress.records));

    let mut batches = read.records().batches(10);
    let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
    let finished = loop {
        let batch = tokio::select! {
            batch = batches.try_next() => batch?,
            _ = &mut stop => break false,
        };
        let Some(batch) = batch else { break true };
        let lines = batch.records.iter().map(|issue| format!("{issue}\n"));
        file.write_all(lines.collect::<String>().as_bytes())?;
        file.sync_data()?;
        let kept = Place { checkpoint: batch.checkpoint, bytes: file.metadata()?.len() };
        write_atomically(&place, &serde_json::to_string(&kept)?)?;
    };
    bar.finish_and_clear();
    if !finished {
        println!("stopped: start it again, and it goes on");
        return Ok(());
    }
    // First the place: a crash between the two costs another run, and no record.
    fs::remove_file(place)?;
    fs::rename(part, &done)?;
    let lines = fs::read_to_string(&done)?.lines().count();
    println!("{lines} issues in {}", done.display());
    Ok(())
}
