use pagestream::{
    Error, Paginator,
    http::Client,
    rest::{PageNumber, header},
};

use super::service::{Record, service};

/// `/pages?page=3&limit=10` gives a list, and the header `X-Total-Pages`.
pub(crate) fn page_number() -> Result<impl Paginator<Record = Record>, Error> {
    let client = Client::builder("https://api.example.com/v1").bearer("k-123456789");
    let client = client.transport(service()).build()?;
    client
        .get("/pages")
        .limit("limit", 10)
        .pages(PageNumber::query("page").pages_at(header("x-total-pages")))
        .build::<Record>()
}
