//! A service that is broken is left alone: the retries of a whole reading have a budget.

use std::collections::BTreeSet;

use pagestream::{PaginatorExt, Retry, testing::HubSpot};

use super::{
    pages::{Pages, busy},
    vendors::{Faulty, answer, companies},
};
use crate::support::drain;

const WINDOW: usize = 16;

/// Reads one id a request, of a service that breaks for good at some request.
async fn outage(from: usize, retry: Retry) -> (usize, usize, usize) {
    let hubspot = HubSpot::new(1).objects(600);
    let service =
        Faulty::new(hubspot.clone(), move |n, _| (n >= from).then(|| answer(503, &[], "")));
    let associations = companies(&hubspot, 1, service.transport());
    let outcome = drain(associations.read().window(WINDOW).retry(retry).records()).await;
    let pages = usize::try_from(outcome.monitor.progress().pages).unwrap();
    assert_eq!(outcome.records.len(), 2 * pages);
    assert_eq!(outcome.error().status(), Some(503));
    let bodies = service.bodies();
    let asked_for = bodies.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    (service.requests(), asked_for.len(), pages)
}

#[tokio::test(start_paused = true)]
async fn in_an_outage_with_16_in_flight_the_requests_stay_within_the_pages_plus_the_budget() {
    let patient = Retry::default().max_attempts(1_000);
    for (retry, budget) in [
        (Retry::default(), 100),
        (patient.clone(), 100),
        (patient.clone().budget(5), 5),
        (patient.budget(0), 0),
    ] {
        for from in [1, 2, 17, 100, 300] {
            let (requests, asked_for, delivered) = outage(from, retry.clone()).await;
            // Each page costs one request, and all that go beyond are retries.
            assert!(requests <= asked_for + budget, "{requests} for {asked_for} and {budget}");
            // None is asked for that the window does not hold.
            assert!(asked_for <= delivered + WINDOW, "{asked_for} for {delivered}");
            // The budget is there to be used.
            assert!(budget < 100 || requests > asked_for + 50, "{requests} for {asked_for}");
        }
    }
}

/// Reads pages of which some fail once, with a budget; how many pages came whole.
async fn read_with(budget: u32, failing: &'static [u64]) -> usize {
    let pages = Pages::chain(60, |page, nth| (failing.contains(&page) && nth == 1).then(busy));
    let retry = Retry::default().budget(budget);
    drain(pages.read().retry(retry).records()).await.records.len() / 2
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_nothing_is_retried() {
    assert_eq!(read_with(0, &[7]).await, 6);
    // What comes through gives nothing back to a budget of nothing.
    assert_eq!(read_with(0, &[40]).await, 39);
}

#[tokio::test(start_paused = true)]
async fn ten_good_pages_give_one_retry_back() {
    // Page 3 spends it, and it is one of the ten.
    assert_eq!(read_with(1, &[3, 13]).await, 60);
    assert_eq!(read_with(1, &[3, 12]).await, 11);
    assert_eq!(read_with(1, &[3, 13, 23, 33, 43, 53]).await, 60);
    assert_eq!(read_with(1, &[3, 13, 22]).await, 21);
}

#[tokio::test(start_paused = true)]
async fn good_pages_give_back_no_more_than_there_was() {
    assert_eq!(read_with(1, &[50, 51]).await, 50);
    assert_eq!(read_with(2, &[50, 51]).await, 60);
    assert_eq!(read_with(2, &[50, 51, 52]).await, 51);
}
