use pagestream::{Error, Paginator, http::Client, rest::SinglePage};

use super::service::{Record, service};

/// `/all` gives all records at once.
pub(crate) fn single_page() -> Result<impl Paginator<Record = Record>, Error> {
    let client = Client::builder("https://api.example.com/v1").bearer("k-123456789");
    let client = client.transport(service()).build()?;
    client.get("/all").pages(SinglePage).records_at("/items").build::<Record>()
}
