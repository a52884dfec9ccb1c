//! HubSpot emulated on loopback, for a client in any language:
//! `cargo run --example emulator -- 500`, with the number of objects.
//!
//! It prints its base URL, and answers until its standard input ends. Any token will do. The
//! official clients ask under the paths of v3 and v4, and this crate under those of 2026-03: the
//! emulator answers to both, so nothing stands between.
//!
//! With a folder behind the number, it writes there what this crate reads, each record a line of
//! JSON. `tests/official_clients/compare` compares the official clients with that.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use futures::StreamExt;
use pagestream::{
    ErrorKind, Paginator, PaginatorExt,
    hubspot::{Association, Associations, BatchRead, Filter, Object, Objects, Search},
    testing::{HubSpot, Server},
};
use serde_json::{Value, json};

/// How many inputs one batch read takes.
const INPUTS: usize = 100;

const PROPERTIES: [&str; 4] = ["dealname", "amount", "stage", "note"];

/// Most deals have a page of companies, some up to four, some none. One can't be read in a
/// batch, and some are archived. Their texts have what an encoding may spoil, and some values
/// are empty.
fn service(objects: u64) -> HubSpot {
    let service = HubSpot::new(1)
        .objects(objects)
        .properties(|index| {
            let note = ["", "50 % & more, + \"quotes\"", "Zoë 東京 \u{1f980}", "a\\b\nc\u{2028}d"];
            [
                ("dealname", format!("Deal {index}")),
                ("amount", (index * 7_919 % 1_000).to_string()),
                ("stage", ["open", "won", "lost"][index % 3].to_owned()),
                ("note", note[index % 4].to_owned()),
            ]
        })
        .pages(|index| [1, 1, 1, 0, 2, 1, 1, 1, 1, 4][index % 10])
        .failing(|index| index == 24);
    for id in service.ids().skip(5).step_by(11) {
        service.archive_object(id);
    }
    service
}

/// Half of them are ids of the service, and the others do not exist.
fn inputs(service: &HubSpot) -> Vec<u64> {
    let mut inputs = service.ids().take(INPUTS / 2).collect::<Vec<_>>();
    inputs.extend((1..).map(|id| id * 1_000_003).take(INPUTS - inputs.len()));
    inputs
}

/// Reads all, and puts a line for each id that a record is missing of.
async fn lines<P: Paginator>(
    paginator: P,
    line: impl Fn(P::Record) -> Result<Value, serde_json::Error>,
) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut records = paginator.records();
    while let Some(record) = records.next().await {
        match record {
            Ok(record) => lines.push(line(record)?.to_string()),
            Err(error) if error.kind() == ErrorKind::Rejected => {
                lines.extend(error.ids().iter().map(|id| json!({"missing": id}).to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(lines)
}

/// An association whose id has been a number of JavaScript, which is exact up to 2^53.
#[allow(clippy::cast_precision_loss, reason = "that is the point")]
fn rounded(association: &Association) -> Result<Value, serde_json::Error> {
    let mut line = serde_json::to_value(association)?;
    if let Ok(id) = association.to.to_string().parse::<u64>() {
        line["to"] = json!(format!("{:.0}", id as f64));
    }
    Ok(line)
}

/// Writes what this crate reads, and what the others shall ask for.
async fn write(service: &HubSpot, base_url: &str, folder: &Path) -> anyhow::Result<()> {
    let whole = |object: Object| serde_json::to_value(object);
    let list = || Objects::builder("deals").token("a-token").base_url(base_url);
    let plain = list().properties(PROPERTIES).associations(["companies"]).build()?;
    let archived = list().properties(PROPERTIES).archived(true).build()?;
    let history = list().properties(PROPERTIES).properties_with_history(["stage"]).build()?;
    let search = Search::builder("deals")
        .any_group([Filter::at_least("amount", 300), Filter::is_in("stage", ["open", "won"])])
        .any_group([Filter::has("note"), Filter::less_than("amount", 100)])
        .properties(PROPERTIES)
        .token("a-token")
        .base_url(base_url)
        .build()?;
    let inputs = inputs(service);
    let batch = BatchRead::builder("deals")
        .ids(inputs.clone())
        .properties(PROPERTIES)
        .token("a-token")
        .base_url(base_url)
        .build()?;
    let associations = Associations::builder("deals", "companies")
        .ids(inputs.clone())
        .token("a-token")
        .base_url(base_url)
        .build()?;

    let ours = [
        ("list", lines(plain, whole).await?),
        ("archived", lines(archived, whole).await?),
        ("history", lines(history, whole).await?),
        ("search", lines(search, whole).await?),
        ("batch_read", lines(batch, whole).await?),
        ("associations", lines(associations.clone(), serde_json::to_value).await?),
        ("associations_rounded", lines(associations, |it| rounded(&it)).await?),
    ];
    fs::create_dir_all(folder)?;
    for (name, lines) in ours {
        fs::write(folder.join(name).with_extension("ndjson"), lines.join("\n") + "\n")?;
    }
    let inputs = inputs.iter().map(u64::to_string).collect::<Value>();
    fs::write(folder.join("inputs.json"), inputs.to_string())?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let objects = arguments.next().map_or(Ok(100), |it| it.parse()).context("how many objects?")?;
    let service = service(objects);
    let server = Server::start(service.clone()).await?;
    if let Some(folder) = arguments.next().map(PathBuf::from) {
        write(&service, &server.base_url(), &folder).await?;
    }
    println!("{}", server.base_url());
    io::stdout().flush()?;
    // The server has threads of its own, so this one may be blocked.
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    Ok(())
}
