use pagestream::{Error, Paginator, http::Client, rest::LinkHeader};

use super::service::{Record, service};

/// `/headers` gives a list, and the header `Link: <...>; rel="next"`.
pub(crate) fn link_header() -> Result<impl Paginator<Record = Record>, Error> {
    let client = Client::builder("https://api.example.com/v1").bearer("k-123456789");
    let client = client.transport(service()).build()?;
    client.get("/headers").limit("limit", 10).pages(LinkHeader::new()).build::<Record>()
}
