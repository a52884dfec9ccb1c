//! How HubSpot's ids share their requests, in virtual time: as few requests as can be,
//! as soon as can be, and the same records with every window.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::support::{Whole, deals_over, whole};
use bytes::Bytes;
use futures::TryStreamExt;
use http::Request;
use pagestream::{
    PaginatorExt, Transport,
    hubspot::{Association, Associations},
    testing::{Fault, Faults, HubSpot},
};
use serde_json::Value;
use tokio::time::Instant;

const LATENCY: Duration = Duration::from_millis(50);

/// 10,000 objects of which 1% have 5 pages: 10,400 pages in all.
fn hubspot() -> HubSpot {
    HubSpot::new(1)
        .objects(10_000)
        .pages(|index| if index % 100 == 50 { DEPTH } else { 1 })
        .page_size(1)
        .latency(LATENCY)
}

const DEPTH: usize = 5;
const UNITS: usize = 10_400;

fn associations(service: &HubSpot, batch: usize) -> Associations {
    deals_over(service, service.clone()).batch_size(batch).build().unwrap()
}

async fn read(service: &HubSpot, batch: usize, window: usize) -> Whole<Association> {
    whole(associations(service, batch).into_read().window(window)).await
}

/// What each object is associated with, in the order in which it came.
fn by_object(records: &[Association]) -> BTreeMap<u64, Vec<u64>> {
    let mut by_object = BTreeMap::<u64, Vec<u64>>::new();
    for Association { from, to, .. } in records {
        let [from, to] = [from, to].map(|id| id.to_string().parse().unwrap());
        by_object.entry(from).or_default().push(to);
    }
    by_object
}

fn expected(service: &HubSpot) -> BTreeMap<u64, Vec<u64>> {
    service.ids().map(|id| (id, service.associations(id))).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_are_as_few_as_the_pages_fill_and_the_deepest_object_needs() {
    for batch in [100, 1_000] {
        let most = UNITS.div_ceil(batch) + DEPTH - 1;
        for (window, more) in [(1, 0), (2, 2), (3, 2), (4, 2), (8, 2), (16, 2)] {
            let service = hubspot().counting_only();
            let whole = read(&service, batch, window).await;
            let requests = service.requests();
            assert!(requests <= most + more, "{requests} of {most} for {batch} at {window}");
            assert_eq!(whole.progress.requests, requests as u64);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reading_takes_as_long_as_its_rounds_and_the_deepest_object() {
    for (batch, most) in [(100, 1.2), (1_000, 1.35)] {
        for window in [1, 4, 16] {
            let service = hubspot().counting_only();
            let took = read(&service, batch, window).await.took.as_secs_f64();
            let rounds = 10_000_usize.div_ceil(batch * window) + DEPTH - 1;
            let limit = f64::from(u32::try_from(rounds).unwrap()) * LATENCY.as_secs_f64();
            assert!(took <= most * limit, "{} for {batch} at {window}", took / limit);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_window_gives_the_same_records_and_each_object_its_own_in_order() {
    let service = hubspot();
    let expected = expected(&service);
    for window in [1, 2, 3, 7, 16] {
        for batch in [100, 1_000] {
            let whole = read(&service, batch, window).await;
            assert_eq!(by_object(&whole.records), expected, "{batch} at {window}");
        }
    }
}

// ---- Linger

/// When each request went out, and how many inputs it had.
async fn sent(service: &HubSpot, faults: Faults, window: usize) -> Vec<(Duration, usize)> {
    let begin = Instant::now();
    let ids = service.ids();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let (seen, service) = (Arc::clone(&sent), Arc::new(faults.on(service.clone())));
    let transport = move |request: Request<Bytes>| {
        let body = serde_json::from_slice::<Value>(request.body()).unwrap();
        let inputs = body["inputs"].as_array().unwrap().len();
        seen.lock().unwrap().push((begin.elapsed(), inputs));
        let service = Arc::clone(&service);
        async move { service.send(request).await }
    };
    let associations = Associations::builder("deals", "companies")
        .ids(ids)
        .token("a-test-token")
        .batch_size(10)
        .transport(transport)
        .build()
        .unwrap();
    let records = associations.into_read().window(window).records();
    records.try_for_each(|_| async { Ok(()) }).await.unwrap();
    std::mem::take(&mut *sent.lock().unwrap())
}

/// Two of ten objects have three pages.
fn leftovers(objects: u64) -> HubSpot {
    let pages = |index| if index % 10 < 2 { 3 } else { 1 };
    HubSpot::new(1).objects(objects).pages(pages).latency(LATENCY)
}

fn no_faults() -> Faults {
    Faults::script([])
}

/// The third request takes so much longer.
fn third_late(by: Duration) -> Faults {
    Faults::script([(3, Fault::late(by))])
}

fn milliseconds(sent: Vec<(Duration, usize)>) -> Vec<(u128, usize)> {
    sent.into_iter().map(|(at, inputs)| (at.as_millis(), inputs)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_full_request_never_waits() {
    let service = HubSpot::new(1).objects(80).latency(LATENCY);
    let sent = milliseconds(sent(&service, no_faults(), 4).await);
    assert_eq!(sent, [[(0, 10); 4], [(50, 10); 4]].concat());
}

#[tokio::test(start_paused = true)]
async fn the_first_requests_do_not_wait_though_one_is_partial() {
    let service = HubSpot::new(1).objects(25).latency(LATENCY);
    let sent = milliseconds(sent(&service, no_faults(), 4).await);
    assert_eq!(sent, [(0, 10), (0, 10), (0, 5)]);
}

#[tokio::test(start_paused = true)]
async fn with_one_request_at_a_time_none_waits() {
    let sent = milliseconds(sent(&leftovers(45), no_faults(), 1).await);
    for (round, (at, _)) in sent.into_iter().enumerate() {
        assert_eq!(at, 50 * round as u128);
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_at_once_shares_a_request_that_waits_for_nobody() {
    let sent = milliseconds(sent(&leftovers(30), no_faults(), 4).await);
    assert_eq!(sent, [(0, 10), (0, 10), (0, 10), (50, 6), (100, 6)]);
}

#[tokio::test(start_paused = true)]
async fn a_partial_request_takes_along_what_comes_within_a_fifth_of_the_latency() {
    let late = third_late(Duration::from_millis(5));
    let sent = milliseconds(sent(&leftovers(30), late, 4).await);
    assert_eq!(sent, [(0, 10), (0, 10), (0, 10), (55, 6), (105, 6)]);
}

#[tokio::test(start_paused = true)]
async fn a_partial_request_waits_no_longer_and_not_for_what_will_take_longer() {
    let late = third_late(Duration::from_millis(30));
    let sent = milliseconds(sent(&leftovers(30), late, 4).await);
    // When the third comes, the four that waited are far from coming back.
    assert_eq!(sent[..5], [(0, 10), (0, 10), (0, 10), (60, 4), (80, 2)]);
}
