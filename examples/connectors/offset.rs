use pagestream::{Error, Paginator, http::Client, rest::Offset};

use super::service::{Record, service};

/// `/offsets?offset=20&limit=10` gives `{"total": 47, "items": [...]}`.
pub(crate) fn offset() -> Result<impl Paginator<Record = Record>, Error> {
    let client = Client::builder("https://api.example.com/v1").bearer("k-123456789");
    let client = client.transport(service()).build()?;
    client
        .get("/offsets")
        .limit("limit", 10)
        .pages(Offset::query("offset").total_at("/total"))
        .records_at("/items")
        .build::<Record>()
}
