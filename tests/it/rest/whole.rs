//! Each style reads its list whole, however it is read.

use pagestream::{
    http::{Client, RequestBuilder},
    rest::{
        Connection, Keyset, LinkHeader, ListBuilder, NextCursor, NextLink, Offset, PageNumber,
        SinglePage, Style, header,
    },
    testing::conformance,
};

use super::service::{Record, records, service};

fn get(path: &str) -> RequestBuilder {
    let client = Client::builder("https://api.example.com/v1").bearer("k-123456789");
    client.transport(service()).build().unwrap().get(path)
}

async fn check<S: Style>(list: impl Fn() -> ListBuilder<S>) {
    let checked = conformance::check(|| list().build::<Record>().unwrap(), records()).await;
    checked.unwrap_or_else(|violation| panic!("{violation}"));
}

#[tokio::test(start_paused = true)]
async fn offsets_keep_the_contract() {
    check(|| {
        let request = get("/offsets").limit("limit", 10);
        request.pages(Offset::query("offset").total_at("/total")).records_at("/items")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn offsets_until_an_empty_page_keep_the_contract_with_a_limit_that_the_service_clamps() {
    check(|| {
        let request = get("/offsets").limit("limit", 100);
        request.pages(Offset::query("offset").until_empty()).records_at("/items")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn page_numbers_keep_the_contract() {
    check(|| {
        let pages = PageNumber::query("page").pages_at(header("x-total-pages"));
        get("/pages").limit("limit", 10).pages(pages)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn cursors_keep_the_contract() {
    check(|| {
        let cursor = NextCursor::at("/paging/next").into_query("cursor").more_at("/paging/more");
        get("/cursors").limit("limit", 10).pages(cursor).records_at("/items")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn links_in_the_body_keep_the_contract() {
    check(|| get("/links").pages(NextLink::at("/next")).records_at("/items")).await;
}

#[tokio::test(start_paused = true)]
async fn links_in_a_header_keep_the_contract() {
    check(|| get("/headers").pages(LinkHeader::new())).await;
}

#[tokio::test(start_paused = true)]
async fn keysets_keep_the_contract() {
    check(|| {
        let keyset = Keyset::query("after").ascending().more_at("/has_more");
        get("/keys").limit("limit", 10).pages(keyset).records_at("/items")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn keysets_with_ties_keep_the_contract() {
    check(|| {
        let keyset = Keyset::query("since").key("/time").tie_at("/id").inclusive().until_empty();
        get("/times").limit("limit", 10).pages(keyset).records_at("/items")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn connections_keep_the_contract() {
    check(|| {
        let client = Client::builder("https://api.example.com/v1").transport(service());
        let request = client.build().unwrap().graphql("/graphql", "query { rows { id } }");
        request.limit_in_body("/variables/first", 10).pages(Connection::at("/data/rows"))
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_single_page_keeps_the_contract() {
    check(|| get("/all").pages(SinglePage).records_at("/items")).await;
}
