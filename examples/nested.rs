//! Issues, and the comments of each: `cargo run --example nested`.

#[path = "shared/tracker.rs"]
mod tracker;

use futures::TryStreamExt;
use pagestream::{
    Nested, PaginatorExt,
    http::Client,
    rest::{LinkHeader, NextCursor},
    testing::Server,
};
use serde::{Deserialize, Serialize};

use tracker::Tracker;

/// The checkpoint of a nested reading holds a page of these, so they are `Serialize` too.
#[derive(Serialize, Deserialize)]
struct Issue {
    id: u64,
}

#[derive(Deserialize)]
struct Comment {
    issue: u64,
    number: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let server = Server::start(Tracker::new()).await?;
    let client = Client::builder(server.base_url()).build()?;
    let issues = client.get("/issues").pages(LinkHeader::new()).build::<Issue>()?;

    // The comments of several issues are read side by side.
    let all = issues.nest("comments", move |issue: &Issue| {
        let comments = client.get("/issues/{id}/comments").path("id", issue.id.to_string());
        let cursor = NextCursor::at("/next").into_query("cursor");
        let comments = comments.pages(cursor).records_at("/comments");
        comments.build::<Comment>().expect("the style is right for each issue")
    });
    let mut records = all.with_parents().into_read().window(8).records();

    let (mut issues, mut comments, mut longest) = (0, 0, (0, 0));
    while let Some(record) = records.try_next().await? {
        match record {
            Nested::Parent(_) => issues += 1,
            Nested::Child(Comment { issue, number }) => {
                comments += 1;
                longest = longest.max((number + 1, issue));
            }
        }
    }
    println!("{issues} issues with {comments} comments");
    println!("the longest talk is about issue {}: {} comments", longest.1, longest.0);
    Ok(())
}
