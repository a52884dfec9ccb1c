//! Large readings over HTTP.

use pagestream::{
    alloy::Action,
    testing::{self, Server},
};

use super::{KEY, contacts, read};
use crate::support::{CREDENTIAL, Contact};

/// Reads that many records over HTTP and gives the number of requests.
async fn read_over_http(records: u64) -> usize {
    let service = testing::Alloy::new(1).records(records).counting_only();
    let server = Server::start(service.clone()).await.unwrap();
    let action = Action::<Contact>::builder("hubspot", "listContacts")
        .api_key(KEY)
        .credential_id(CREDENTIAL)
        .base_url(server.base_url())
        .build()
        .unwrap();
    assert_eq!(read(&action).await.whole(), contacts(0..records));
    service.requests()
}

#[tokio::test]
async fn records_100_000_come_complete_and_in_order_in_2000_requests() {
    assert_eq!(read_over_http(100_000).await, 2000);
}

#[tokio::test]
async fn records_100_001_come_complete_and_in_order_in_2001_requests() {
    assert_eq!(read_over_http(100_001).await, 2001);
}
