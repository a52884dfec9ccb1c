use pagestream::{Error, Paginator, http::Client, rest::Keyset};

use super::service::{Record, service};

/// `/keys?after=9` gives `{"items": [...], "has_more": true}`, sorted by `id`.
pub(crate) fn keyset() -> Result<impl Paginator<Record = Record>, Error> {
    let client = Client::builder("https://api.example.com/v1").bearer("k-123456789");
    let client = client.transport(service()).build()?;
    client
        .get("/keys")
        .limit("limit", 10)
        .pages(Keyset::query("after").key("/id").ascending().more_at("/has_more"))
        .records_at("/items")
        .build::<Record>()
}
