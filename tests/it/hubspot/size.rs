//! Large readings.

use std::collections::HashMap;

use futures::TryStreamExt;
use pagestream::{
    PaginatorExt,
    hubspot::{Associations, ObjectId},
    testing::{HubSpot, Server},
};
use serde_json::json;

use super::{TOKEN, deals};

#[tokio::test]
async fn ten_thousand_ids_over_http_are_read_complete_in_few_requests() {
    let service = HubSpot::new(11).objects(10_400).pages(|index| 1 + index * 37 % 50);
    let service = service.counting_only();
    let server = Server::start(service.clone()).await.unwrap();
    let builder = Associations::builder("deals", "companies").ids(service.ids()).token(TOKEN);
    let associations = builder.base_url(server.base_url()).build().unwrap();

    let mut read = HashMap::<ObjectId, Vec<ObjectId>>::new();
    let mut records = associations.records();
    while let Some(record) = records.try_next().await.unwrap() {
        read.entry(record.from).or_default().push(record.to);
    }
    assert_eq!(read.len(), 10_400);
    for id in service.ids() {
        let held = service.associations(id).into_iter().map(ObjectId::from).collect::<Vec<_>>();
        assert_eq!(read[&ObjectId::from(id)], held, "id {id}");
    }
    let pages = service.ids().map(|id| service.pages_of(id)).collect::<Vec<_>>();
    let least = pages.iter().sum::<usize>().div_ceil(1000).max(*pages.iter().max().unwrap());
    println!("{} requests, {least} at the least", service.requests());
    assert!(2 * service.requests() <= 3 * least);
}

/// A unit is an id's page: 10,000 first pages and 400 others, 1000 a request,
/// the last ones one after another.
#[tokio::test]
async fn one_id_in_a_hundred_with_five_pages_costs_five_requests_more_boxed_or_not() {
    let service = HubSpot::new(5).objects(10_000);
    let service = service.pages(|index| if index % 100 == 0 { 5 } else { 1 }).counting_only();
    let associations = deals(service.ids(), service.clone()).build().unwrap();
    let records: Vec<_> = associations.records().try_collect().await.unwrap();
    assert_eq!((records.len(), service.requests()), (20_800, 15));
    let boxed: Vec<_> = associations.boxed().into_records().try_collect().await.unwrap();
    assert_eq!((boxed == records, service.requests()), (true, 30));
}

/// A million ids that wait stand as a range in a checkpoint.
#[tokio::test]
async fn a_checkpoint_is_small_however_many_ids_wait() {
    let service = HubSpot::new(5).objects(1_000_000).counting_only();
    let associations = deals(service.ids(), service.clone()).build().unwrap();
    let mut records = associations.records();
    records.try_next().await.unwrap().unwrap();
    let checkpoint = serde_json::to_value(records.checkpoint().unwrap()).unwrap();
    assert_eq!(checkpoint["waiting"], json!([{"fresh": {"start": 1_000, "end": 1_000_000}}]));
    let bytes = checkpoint.to_string().len();
    assert!(bytes < 10_000, "{bytes} bytes");
    drop(records);
    assert_eq!(service.requests(), 1);
}
