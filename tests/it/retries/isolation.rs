//! A service that refuses a whole request because of one id, and does not say which.

use std::slice::from_ref;

use bytes::Bytes;
use futures::StreamExt;
use http::Request;
use pagestream::{ErrorKind, PaginatorExt, Retry, StopReason, testing::HubSpot};
use serde_json::Value;

use super::vendors::{Answer, Faulty, all_of, answer, companies};
use crate::support::{Outcome, drain, held, sorted, stored, told};

/// The ids that a request asks for.
fn ids(request: &Request<Bytes>) -> Vec<String> {
    let body = serde_json::from_slice::<Value>(request.body()).unwrap();
    let inputs = body["inputs"].as_array().unwrap().iter();
    inputs.map(|input| input["id"].as_str().unwrap().to_owned()).collect()
}

fn refused(status: u16) -> Answer {
    answer(status, &[], r#"{"category": "VALIDATION_ERROR", "message": "Invalid input JSON"}"#)
}

/// Refuses each request with one of these ids.
fn refuses(
    status: u16,
    bad: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> impl Fn(usize, &Request<Bytes>) -> Option<Answer> + Send + Sync + 'static {
    move |_, request| ids(request).iter().any(|id| bad(id)).then(|| refused(status))
}

fn service(objects: u64) -> HubSpot {
    HubSpot::new(1).objects(objects).pages(|index| 1 + index % 2)
}

/// The ids of a service in their order.
fn objects(service: &HubSpot) -> Vec<String> {
    service.ids().map(|id| id.to_string()).collect()
}

/// What a service holds of all objects but these.
fn without(service: &HubSpot, bad: &[String]) -> Vec<String> {
    let all = held(service).into_iter();
    sorted(all.filter(|it| !bad.iter().any(|id| it.starts_with(&format!("{id} ")))).collect())
}

fn read_of(outcome: &Outcome<pagestream::hubspot::Association>) -> Vec<String> {
    sorted(outcome.records.iter().map(told).collect())
}

fn failed(outcome: &Outcome<pagestream::hubspot::Association>) -> Vec<String> {
    outcome.errors.iter().flat_map(|error| error.ids().to_vec()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_id_because_of_which_a_batch_is_refused_fails_alone() {
    for (status, window) in [(400, 1), (404, 1), (400, 8)] {
        for at in [0, 1, 500, 998, 999] {
            let service = service(1_000);
            let bad = objects(&service)[at].clone();
            let it = bad.clone();
            let faulty = Faulty::new(service.clone(), refuses(status, move |id| id == it));
            let associations = companies(&service, 1_000, faulty.transport());
            let outcome = drain(associations.read().window(window).records()).await;
            assert_eq!(failed(&outcome), from_ref(&bad), "{at}");
            assert!(outcome.errors[0].is_partial());
            assert_eq!(outcome.errors[0].status(), Some(status));
            let bodies = faulty.bodies();
            let refusals = bodies.iter().filter(|it| it["inputs"].to_string().contains(&bad));
            let refusals = refusals.count();
            assert!((9..=16).contains(&refusals), "{refusals} refusals for {at}");
            if window == 1 {
                // Each halving takes two or three, and second pages take some.
                assert!(bodies.len() <= 32, "{} requests for {at}", bodies.len());
            }
            assert_eq!(outcome.progress().stop, Some(StopReason::End));
            assert_eq!(read_of(&outcome), without(&service, &[bad]), "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn several_ids_fail_each_alone() {
    let service = service(200);
    let ids = objects(&service);
    let bad = [3, 4, 90, 91, 92, 199].map(|at| ids[at].clone());
    let them = bad.clone();
    for window in [1, 8] {
        let them = them.clone();
        let faulty =
            Faulty::new(service.clone(), refuses(400, move |id| them.contains(&id.to_owned())));
        let associations = companies(&service, 50, faulty.transport());
        let outcome = drain(associations.read().window(window).records()).await;
        assert_eq!(sorted(failed(&outcome)), sorted(bad.to_vec()));
        assert_eq!(read_of(&outcome), without(&service, &bad));
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_everything_is_a_fatal_error_after_some_requests() {
    for (batch, window) in [(1_000, 1), (1_000, 8), (10, 1), (1, 1)] {
        let service = service(1_000);
        let faulty = Faulty::new(service.clone(), |_, _| Some(refused(400)));
        let associations = companies(&service, batch, faulty.transport());
        let outcome = drain(associations.read().window(window).records()).await;
        let error = outcome.error();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(400)));
        assert!(faulty.requests() <= 25 + window, "{}", faulty.requests());
        // No id was taken for the one, so all of them can be read later.
        let checkpoint = stored(error.checkpoint().unwrap());
        let whole = companies(&service, batch, service.clone());
        let rest = drain(whole.read().resume(checkpoint).records()).await;
        assert_eq!(sorted(rest.whole().iter().map(told).collect()), all_of(&service));
    }
}

#[tokio::test(start_paused = true)]
async fn never_asks_for_no_part() {
    let service = service(100);
    let faulty = Faulty::new(service.clone(), |_, _| Some(refused(400)));
    let associations = companies(&service, 100, faulty.transport());
    drain(associations.read().retry(Retry::never()).records()).await.error();
    assert_eq!(faulty.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_less_than_before_is_asked_for_less_and_that_is_remembered() {
    let service = service(4_000);
    let faulty = Faulty::new(service.clone(), |_, request: &Request<Bytes>| {
        (ids(request).len() > 100).then(|| refused(400))
    });
    let associations = companies(&service, 1_000, faulty.transport());
    let outcome = drain(associations.records()).await;
    assert_eq!(sorted(outcome.whole().iter().map(told).collect()), all_of(&service));
    let sizes =
        faulty.bodies().iter().map(|it| it["inputs"].as_array().unwrap().len()).collect::<Vec<_>>();
    let refused = sizes.iter().filter(|size| **size > 100).count();
    assert!(refused <= 30, "{refused} of {}: {sizes:?}", sizes.len());
}

#[tokio::test(start_paused = true)]
async fn a_reading_cut_anywhere_in_the_search_loses_nothing() {
    let service = service(40);
    let bad = objects(&service)[7].clone();
    for cut in 0..60 {
        let it = bad.clone();
        let faulty = Faulty::new(service.clone(), refuses(400, move |id| id == it));
        let associations = companies(&service, 16, faulty.transport());
        let mut stream = associations.records();
        let some = stream.by_ref().take(cut).collect::<Vec<_>>().await;
        let checkpoint = stored(&stream.checkpoint().unwrap());
        let rest = associations.read().resume(checkpoint).records().collect::<Vec<_>>().await;
        let (mut records, mut errors) = (Vec::new(), Vec::new());
        for item in some.into_iter().chain(rest) {
            match item {
                Ok(record) => records.push(told(&record)),
                Err(error) => errors.extend(error.ids().to_vec()),
            }
        }
        assert_eq!(sorted(records), without(&service, from_ref(&bad)), "{cut}");
        assert_eq!(errors, from_ref(&bad), "{cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_refused_when_its_batch_is_read_again_fails_alone() {
    // The batch is cut in its middle, and one of the remaining ids is malformed now.
    let service = service(20);
    for cut in 1..20 {
        let associations = companies(&service, 20, service.clone());
        let mut stream = associations.records();
        let some = stream.by_ref().take(cut).collect::<Vec<_>>().await;
        let some = some.iter().map(|it| told(it.as_ref().unwrap())).collect::<Vec<_>>();
        let checkpoint = stored(&stream.checkpoint().unwrap());
        let bad = objects(&service)[15].clone();
        let it = bad.clone();
        let faulty = Faulty::new(service.clone(), refuses(400, move |id| id == it));
        let associations = companies(&service, 20, faulty.transport());
        let outcome = drain(associations.read().resume(checkpoint).records()).await;
        let all = sorted([some, outcome.records.iter().map(told).collect()].concat());
        let others = |all: &[String]| {
            let prefix = format!("{bad} ");
            all.iter().filter(|it| !it.starts_with(&prefix)).cloned().collect::<Vec<_>>()
        };
        assert_eq!(others(&all), without(&service, from_ref(&bad)), "{cut}");
        let mut once = all.clone();
        once.dedup();
        assert_eq!(once, all, "{cut}");
        // Once for each of its pages that was not read.
        assert!(failed(&outcome).iter().all(|id| *id == bad));
    }
}
