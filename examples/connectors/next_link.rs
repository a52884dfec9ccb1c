use pagestream::{Error, Paginator, http::Client, rest::NextLink};

use super::service::{Record, service};

/// `/links` gives `{"items": [...], "next": "?from=10&limit=10"}`.
pub(crate) fn next_link() -> Result<impl Paginator<Record = Record>, Error> {
    let client = Client::builder("https://api.example.com/v1").bearer("k-123456789");
    let client = client.transport(service()).build()?;
    client
        .get("/links")
        .limit("limit", 10)
        .pages(NextLink::at("/next"))
        .records_at("/items")
        .build::<Record>()
}
