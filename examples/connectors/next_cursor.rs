use pagestream::{Error, Paginator, http::Client, rest::NextCursor};

use super::service::{Record, service};

/// `/cursors?cursor=...` gives `{"items": [...], "paging": {"next": "...", "more": true}}`.
pub(crate) fn next_cursor() -> Result<impl Paginator<Record = Record>, Error> {
    let client = Client::builder("https://api.example.com/v1").bearer("k-123456789");
    let client = client.transport(service()).build()?;
    client
        .get("/cursors")
        .limit("limit", 10)
        .pages(NextCursor::at("/paging/next").into_query("cursor").more_at("/paging/more"))
        .records_at("/items")
        .build::<Record>()
}
