//! A list as Parquet, a file for each part: `cargo run --example export`.
//!
//! A file is written under a temporary name, and gets its own when it is whole. Ctrl-C keeps what
//! is done; started again with the same folder, it reads only the rest. So it does after a crash,
//! but for the parts that were in hand: those are read from their beginning. The folder is the one
//! that is given, or a temporary one.

#[path = "shared/crm.rs"]
mod crm;
#[path = "shared/export_state.rs"]
mod export_state;

use std::{fs::File, path::PathBuf, sync::Arc, time::Duration};

use datafusion::{
    execution::SendableRecordBatchStream,
    parquet::arrow::ArrowWriter,
    physical_plan::execute_stream_partitioned,
    prelude::{ParquetReadOptions, SessionContext},
};
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use pagestream::testing::{Alloy, Server};
use pagestream_datafusion::{Environment, Table, unread};
use tokio::sync::watch;

use crm::Contacts;
use export_state::{Files, State};

const CONTACTS: u64 = 2_000;

/// How many parts are read at once.
const AT_ONCE: usize = 2;

/// Writes a part, and says whether it was read to its end.
async fn write_part(
    mut rows: SendableRecordBatchStream,
    files: &Files,
    part: usize,
    mut stop: watch::Receiver<bool>,
    bar: &ProgressBar,
) -> anyhow::Result<bool> {
    let file = File::create(files.temporary(part))?;
    let mut writer = ArrowWriter::try_new(file, rows.schema(), None)?;
    let is_whole = loop {
        let batch = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break false,
            batch = rows.try_next() => batch?,
        };
        let Some(batch) = batch else { break true };
        writer.write(&batch)?;
        bar.inc(batch.num_rows() as u64);
    };
    writer.into_inner()?.sync_all()?;
    if is_whole {
        files.finish(part)?;
        bar.suspend(|| println!("{} is done", files.name(part)));
    }
    Ok(is_whole)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let given = std::env::args().nth(1).map(PathBuf::from);
    let temporary = tempfile::tempdir()?;
    let folder = given.unwrap_or_else(|| temporary.path().to_owned());

    let service = Alloy::new(1).records(CONTACTS).latency(Duration::from_millis(10));
    let server = Server::start(service.clone()).await?;
    let contacts = Contacts { base_url: server.base_url(), expected: CONTACTS };
    let environment = Environment::new().with_secret("ALLOY_API_KEY", "a-test-key");
    let mut table = Table::new(contacts)?.parts(8).environment(environment);
    let before = State::open(&folder)?;
    if let Some(before) = &before {
        println!("it goes on: {} parts are left", before.parts.len());
        table = table.with_parts(before.parts.clone());
    }

    let context = SessionContext::new();
    context.register_table("contacts", Arc::new(table))?;
    let plan = context.table("contacts").await?.create_physical_plan().await?;
    let run = before.map_or(0, |before| before.run + 1);
    let state = State { run, parts: unread(&plan)?, cut: Vec::new() };
    state.save(&folder)?;

    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = stop.send(true);
        }
        // While nobody stops it, the channel stays open.
        std::future::pending::<()>().await;
    });
    let bar = ProgressBar::new(CONTACTS);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len}, {per_sec}, {eta} left")?);
    let files = Files { folder: folder.clone(), run };
    let parts = execute_stream_partitioned(Arc::clone(&plan), context.task_ctx())?;
    let written = stream::iter(parts.into_iter().take(state.parts.len()).enumerate())
        .take_until(Box::pin(async { stopped.clone().wait_for(|stop| *stop).await.map(drop) }))
        .map(|(part, rows)| {
            let (files, stopped, bar) = (&files, stopped.clone(), &bar);
            async move { anyhow::Ok((part, write_part(rows, files, part, stopped, bar).await?)) }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    bar.finish_and_clear();

    let cut = written.into_iter().filter(|(_, is_whole)| !is_whole);
    let cut = cut.map(|(part, _)| files.name(part)).collect();
    let state = State { run: run + 1, parts: unread(&plan)?, cut };
    let is_done = state.parts.is_empty();
    state.save(&folder)?;
    state.finish_cut(&folder)?;
    println!("{} pages were asked for", service.requests());
    if !is_done {
        println!("stopped: start it again, and it reads the {} parts left", state.parts.len());
        return Ok(());
    }
    let options = ParquetReadOptions::default();
    let rows = context.read_parquet(folder.display().to_string(), options).await?;
    println!("{} contacts in {}", rows.count().await?, folder.display());
    Ok(())
}
