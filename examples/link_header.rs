//! A list with a header `Link`, as GitHub has it: `cargo run --example link_header`.

#[path = "shared/tracker.rs"]
mod tracker;

use futures::TryStreamExt;
use pagestream::{PaginatorExt, http::Client, rest::LinkHeader, testing::Server};
use serde::Deserialize;

use tracker::Tracker;

#[derive(Deserialize)]
struct Issue {
    id: u64,
    title: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let server = Server::start(Tracker::new()).await?;
    let client = Client::builder(server.base_url()).build()?;
    let issues = client.get("/issues").limit("per_page", 10).pages(LinkHeader::new());
    let issues = issues.build::<Issue>()?;

    let mut records = issues.records();
    let mut last = None;
    while let Some(issue) = records.try_next().await? {
        last = Some(issue);
    }
    let progress = records.monitor().progress();
    println!("{} issues on {} pages", progress.records, progress.pages);
    if let Some(Issue { id, title }) = last {
        println!("the last one is {id}: {title}");
    }
    Ok(())
}
