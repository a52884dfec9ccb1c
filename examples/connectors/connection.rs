use pagestream::{Error, Paginator, http::Client, rest::Connection};

use super::service::{Record, service};

/// A GraphQL connection, with the variables `first` and `after`.
pub(crate) fn connection() -> Result<impl Paginator<Record = Record>, Error> {
    let client = Client::builder("https://api.example.com/v1").bearer("k-123456789");
    let client = client.transport(service()).build()?;
    client
        .graphql("/graphql", "query ($first: Int!, $after: String) { rows }")
        .limit_in_body("/variables/first", 10)
        .pages(Connection::at("/data/rows"))
        .build::<Record>()
}
