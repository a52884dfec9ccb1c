//! Each connector of `examples/connectors` reads its list whole, however it is read, and is
//! short.

use pagestream::{Error, Paginator, http::Client, rest::Offset, testing::conformance};

use self::service::{Record, records, service};

#[path = "../../../examples/connectors/connection.rs"]
mod connection;
#[path = "../../../examples/connectors/keyset.rs"]
mod keyset;
#[path = "../../../examples/connectors/link_header.rs"]
mod link_header;
#[path = "../../../examples/connectors/next_cursor.rs"]
mod next_cursor;
#[path = "../../../examples/connectors/next_link.rs"]
mod next_link;
#[path = "../../../examples/connectors/offset.rs"]
mod offset;
#[path = "../../../examples/connectors/page_number.rs"]
mod page_number;
#[path = "../../../examples/connectors/service.rs"]
mod service;
#[path = "../../../examples/connectors/single_page.rs"]
mod single_page;
#[path = "../../../examples/connectors/ties.rs"]
mod ties;

async fn check<P>(connector: impl Fn() -> Result<P, Error>)
where
    P: Paginator<Record = Record> + 'static,
{
    let checked = conformance::check(|| connector().unwrap(), records()).await;
    checked.unwrap_or_else(|violation| panic!("{violation}"));
}

#[tokio::test(start_paused = true)]
async fn offsets_keep_the_contract() {
    check(offset::offset).await;
}

#[tokio::test(start_paused = true)]
async fn page_numbers_keep_the_contract() {
    check(page_number::page_number).await;
}

#[tokio::test(start_paused = true)]
async fn cursors_keep_the_contract() {
    check(next_cursor::next_cursor).await;
}

#[tokio::test(start_paused = true)]
async fn links_in_the_body_keep_the_contract() {
    check(next_link::next_link).await;
}

#[tokio::test(start_paused = true)]
async fn links_in_a_header_keep_the_contract() {
    check(link_header::link_header).await;
}

#[tokio::test(start_paused = true)]
async fn keysets_keep_the_contract() {
    check(keyset::keyset).await;
}

#[tokio::test(start_paused = true)]
async fn keysets_with_ties_keep_the_contract() {
    check(ties::ties).await;
}

#[tokio::test(start_paused = true)]
async fn connections_keep_the_contract() {
    check(connection::connection).await;
}

#[tokio::test(start_paused = true)]
async fn a_single_page_keeps_the_contract() {
    check(single_page::single_page).await;
}

#[tokio::test(start_paused = true)]
async fn offsets_until_an_empty_page_keep_the_contract_with_a_limit_that_the_service_clamps() {
    check(|| {
        let client = Client::builder("https://api.example.com/v1").transport(service());
        let request = client.build()?.get("/offsets").limit("limit", 100);
        request.pages(Offset::query("offset").until_empty()).records_at("/items").build::<Record>()
    })
    .await;
}

#[test]
fn a_connector_has_at_most_twenty_lines() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/connectors");
    let mut connectors = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if ["main.rs", "service.rs"].contains(&&*name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("use ") && text.lines().count() <= 20, "{name}");
        connectors += 1;
    }
    assert_eq!(connectors, 9);
}
