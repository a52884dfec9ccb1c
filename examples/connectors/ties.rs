use pagestream::{Error, Paginator, http::Client, rest::Keyset};

use super::service::{Record, service};

/// `/times?since=5` gives what has this `time` or a later one; records share a time.
pub(crate) fn ties() -> Result<impl Paginator<Record = Record>, Error> {
    let client = Client::builder("https://api.example.com/v1").bearer("k-123456789");
    let client = client.transport(service()).build()?;
    client
        .get("/times")
        .limit("limit", 10)
        .pages(Keyset::query("since").key("/time").tie_at("/id").inclusive().until_empty())
        .records_at("/items")
        .build::<Record>()
}
