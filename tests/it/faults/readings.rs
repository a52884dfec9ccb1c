//! Readings that get over faults.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use pagestream::{
    PaginatorExt, Reqwest, Retry,
    alloy::Action,
    testing::{Alloy, Fault, Faults, HubSpot, Server},
};
use serde_json::Value;

use super::{POSITIONS, hubspot};
use crate::support::{CREDENTIAL, deals_over, held, sorted, told};

fn associations(service: &HubSpot, faults: &Faults) -> pagestream::hubspot::AssociationsBuilder {
    deals_over(service, faults.on(service.clone())).batch_size(7)
}

fn contacts() -> pagestream::alloy::ActionBuilder<Value> {
    Action::builder("crm", "listContacts").api_key("a-test-key").credential_id(CREDENTIAL).limit(10)
}

#[tokio::test(start_paused = true)]
async fn hubspot_is_read_whole_through_faults_by_chance() {
    for seed in 0..40 {
        let (service, faults) = (hubspot(), Faults::seeded(seed).one_in(3));
        let associations = associations(&service, &faults).build().unwrap();
        let read = associations.read().window(3).retry(Retry::default().seed(seed)).records();
        let told = read.map_ok(|it| told(&it));
        let mut records = told.try_collect::<Vec<_>>().await.unwrap();
        records.sort();
        assert_eq!(records, sorted(held(&service)), "seed {seed}");
        assert!(faults.met() > 0, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn alloy_is_read_whole_through_faults_by_chance() {
    for seed in 0..40 {
        let faults = Faults::seeded(seed).one_in(3).jitter(Duration::from_secs(1));
        let service = faults.on(Alloy::new(seed).records(230));
        let action = contacts().transport(service).build().unwrap();
        let records = action.read().retry(Retry::default().seed(seed)).records();
        let records = records.try_collect::<Vec<_>>().await.unwrap();
        let ids = records.iter().map(|record| record["id"].as_u64().unwrap());
        assert!(ids.eq(0..230), "seed {seed}");
        assert!(faults.met() > 0, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reading_gets_over_answers_that_stall() {
    let faults = Faults::seeded(7).one_in(3).of(POSITIONS.map(Fault::stalled));
    let service = faults.on(Alloy::new(7).records(230)).deadline(Duration::from_secs(30));
    let action = contacts().transport(service).build().unwrap();
    let records = action.read().retry(Retry::default().seed(7)).records();
    assert_eq!(records.try_collect::<Vec<_>>().await.unwrap().len(), 230);
    assert!(faults.met() > 0);
}

#[tokio::test]
async fn both_are_read_whole_over_http_through_faults_by_chance() {
    // No delay in real time: what a service asks to wait is left out.
    let brief = Retry::default().first_delay(Duration::from_micros(1)).budget(1_000);
    let broken = POSITIONS.map(Fault::reset).into_iter().chain([Fault::truncated()]);
    let faults = Faults::seeded(7).one_in(3).of(broken.chain([500, 503].map(Fault::status)));

    let service = hubspot();
    let server = Server::start(faults.on(service.clone())).await.unwrap();
    let associations = associations(&service, &faults).base_url(server.base_url());
    let associations = associations.transport(Reqwest::new().unwrap()).build().unwrap();
    let records = associations.read().window(3).retry(brief.clone()).records();
    let told = records.map(|it| it.map(|it| told(&it)));
    let mut records = told.try_collect::<Vec<_>>().await.unwrap();
    records.sort();
    assert_eq!(records, sorted(held(&service)));
    let met = faults.met();

    let server = Server::start(faults.on(Alloy::new(7).records(230))).await.unwrap();
    let action = contacts().base_url(server.base_url()).build().unwrap();
    let records = action.read().retry(brief).records().try_collect::<Vec<_>>().await.unwrap();
    assert!(records.iter().map(|record| record["id"].as_u64().unwrap()).eq(0..230));
    assert!(met > 0 && faults.met() > met);
}
