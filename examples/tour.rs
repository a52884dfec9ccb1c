//! A tour: two services, one stream, stopped in the middle and resumed.
//!
//! ```text
//! cargo run --example tour
//! ```
//!
//! It starts emulations of HubSpot and Alloy on loopback and reads both. With a
//! token in the environment it reads the real service instead:
//!
//! | HubSpot | Alloy |
//! |---|---|
//! | `HUBSPOT_TOKEN` | `ALLOY_API_KEY` |
//! | `HUBSPOT_BASE_URL` | `ALLOY_BASE_URL` |
//! | `HUBSPOT_TYPES`, such as `deals/companies` | `ALLOY_ACTION`, such as `hubspot/listContacts` |
//! | `HUBSPOT_IDS`, with commas | `ALLOY_CREDENTIAL_ID` |

use std::{
    collections::{BTreeMap, HashMap},
    env, fs,
    time::Duration,
};

use anyhow::{Context, ensure};
use futures::{StreamExt, stream};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use pagestream::{
    BoxPaginator, Checkpoint, Monitor, PaginatorExt,
    alloy::Action,
    hubspot::Associations,
    testing::{Alloy, HubSpot, Server},
};

/// How many rows are read before the tour stops and resumes.
const STOP_AFTER: usize = 1_000;

/// What both services are made uniform to: which of them, and a key.
type Row = (&'static str, String);

/// A service, and how many rows it holds, where that is known.
struct Source {
    name: &'static str,
    paginator: BoxPaginator<Row>,
    expected: Option<usize>,
    /// The emulation, which stops when it is dropped.
    _server: Option<Server>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sources = [hubspot().await?, alloy().await?];
    let file = env::temp_dir().join(format!("pagestream-tour-{}.json", std::process::id()));
    let mut seen = HashMap::new();

    // Read until enough rows are there, and keep where each reading stands.
    let checkpoints = read(&sources, &BTreeMap::new(), STOP_AFTER, &mut seen).await?;
    fs::write(&file, serde_json::to_string(&checkpoints)?)?;
    let before = count(&seen);
    println!("stopped after {} rows; checkpoints in {}", seen.len(), file.display());

    // As another process would: everything it needs is in the file.
    let checkpoints = serde_json::from_str(&fs::read_to_string(&file)?)?;
    read(&sources, &checkpoints, usize::MAX, &mut seen).await?;
    fs::remove_file(&file)?;
    println!("resumed from there and read to the end\n");

    report(&sources, &before, &seen)
}

/// Reads all sources as one stream, from their checkpoints if there are any, up
/// to a number of rows. Gives back where they stand.
async fn read(
    sources: &[Source],
    checkpoints: &BTreeMap<String, Checkpoint>,
    most: usize,
    seen: &mut HashMap<Row, usize>,
) -> anyhow::Result<BTreeMap<String, Checkpoint>> {
    let bars = MultiProgress::new();
    let mut shown = Vec::new();
    let mut streams = Vec::new();
    for source in sources {
        let mut read = source.paginator.read();
        if let Some(checkpoint) = checkpoints.get(source.name) {
            read = read.resume(checkpoint.clone());
        }
        let records = read.records();
        shown.push((source.name, records.monitor(), bars.add(bar(source))));
        streams.push(records);
    }

    let mut rows = stream::select_all(streams);
    while seen.len() < most {
        match rows.next().await {
            Some(Ok(row)) => *seen.entry(row).or_default() += 1,
            Some(Err(error)) if error.is_partial() => bars.suspend(|| eprintln!("{error}")),
            Some(Err(error)) => return Err(error).context("a reading failed"),
            None => break,
        }
        for (_, monitor, bar) in &shown {
            show(monitor, bar);
        }
    }
    let checkpoints = shown.iter().map(|(name, monitor, bar)| {
        bar.abandon();
        Ok(((*name).to_owned(), monitor.checkpoint()?))
    });
    checkpoints.collect()
}

async fn hubspot() -> anyhow::Result<Source> {
    let types = env::var("HUBSPOT_TYPES").unwrap_or_else(|_| "deals/companies".to_owned());
    let (from, to) = types.split_once('/').context("HUBSPOT_TYPES has no slash")?;
    let builder = Associations::builder(from, to);
    let (builder, expected, server) = if let Ok(token) = env::var("HUBSPOT_TOKEN") {
        let base_url = env::var("HUBSPOT_BASE_URL").context("HUBSPOT_BASE_URL")?;
        let ids = env::var("HUBSPOT_IDS").context("HUBSPOT_IDS")?;
        (builder.token(token).base_url(base_url).ids(ids.split(',').map(str::trim)), None, None)
    } else {
        // 250 deals: most have one page of companies, some up to four, some none,
        // and one can't be read.
        let service = HubSpot::new(1)
            .objects(250)
            .pages(|index| [1, 1, 1, 0, 2, 1, 1, 1, 1, 4][index % 10])
            .failing(|index| index == 124)
            .latency(Duration::from_millis(10));
        let readable = service.ids().enumerate().filter(|(index, _)| *index != 124);
        let expected = readable.map(|(_, id)| service.associations(id).len()).sum();
        let server = Server::start(service.clone()).await?;
        let builder = builder.token("a-token").base_url(server.base_url());
        (builder.ids(service.ids()).batch_size(50), Some(expected), Some(server))
    };
    let paginator = builder
        .build()?
        .map(|association| ("HubSpot", format!("{} -> {}", association.from, association.to)));
    Ok(Source { name: "HubSpot", paginator: paginator.boxed(), expected, _server: server })
}

async fn alloy() -> anyhow::Result<Source> {
    let action = env::var("ALLOY_ACTION").unwrap_or_else(|_| "hubspot/listContacts".to_owned());
    let (connector, action) = action.split_once('/').context("ALLOY_ACTION has no slash")?;
    let builder = Action::<serde_json::Value>::builder(connector, action);
    let (builder, expected, server) = if let Ok(key) = env::var("ALLOY_API_KEY") {
        let base_url = env::var("ALLOY_BASE_URL").context("ALLOY_BASE_URL")?;
        let credential = env::var("ALLOY_CREDENTIAL_ID").context("ALLOY_CREDENTIAL_ID")?;
        (builder.api_key(key).base_url(base_url).credential_id(credential), None, None)
    } else {
        let service = Alloy::new(1).records(1_234).latency(Duration::from_millis(10));
        let server = Server::start(service).await?;
        let builder = builder.api_key("a-key").base_url(server.base_url());
        (builder.credential_id("68d9876543210fedcba98765"), Some(1_234), Some(server))
    };
    let paginator = builder.build()?.map(|contact| ("Alloy", contact.to_string()));
    Ok(Source { name: "Alloy", paginator: paginator.boxed(), expected, _server: server })
}

fn bar(source: &Source) -> ProgressBar {
    let bar = source
        .expected
        .map_or_else(ProgressBar::no_length, |expected| ProgressBar::new(expected as u64));
    let style = ProgressStyle::with_template("{prefix:8} {bar:40} {pos} rows, {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_prefix(source.name)
}

fn show(monitor: &Monitor, bar: &ProgressBar) {
    let progress = monitor.progress();
    bar.set_position(progress.records);
    bar.set_message(format!("{} pages", progress.pages));
}

fn count(seen: &HashMap<Row, usize>) -> HashMap<&'static str, usize> {
    seen.keys().fold(HashMap::new(), |mut counts, (name, _)| {
        *counts.entry(*name).or_default() += 1;
        counts
    })
}

/// Prints what came from where, and fails unless each row came once.
fn report(
    sources: &[Source],
    before: &HashMap<&'static str, usize>,
    seen: &HashMap<Row, usize>,
) -> anyhow::Result<()> {
    let all = count(seen);
    println!("service   before the stop   after it    all   there are   came twice");
    for Source { name, expected, .. } in sources {
        let (before, all) = (before.get(name).unwrap_or(&0), all.get(name).unwrap_or(&0));
        let there_are = expected.map_or_else(|| "?".to_owned(), |expected| expected.to_string());
        let twice = seen.iter().filter(|((of, _), times)| of == name && **times > 1).count();
        let after = all - before;
        println!("{name:8} {before:>16} {after:>10} {all:>6} {there_are:>11} {twice:>12}");
        ensure!(twice == 0, "{name}: some rows came more than once");
        ensure!(expected.is_none_or(|expected| expected == *all), "{name}: some rows are missing");
    }
    println!("\nEach record came exactly once.");
    Ok(())
}
