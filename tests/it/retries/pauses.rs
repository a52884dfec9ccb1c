//! A service that asks for fewer requests gets none at all for a while.

use std::time::Duration;

use pagestream::{Error, PaginatorExt, testing::HubSpot};
use tokio::time::Instant;

use super::{
    pages::{LATENCY, Pages, SECOND, busy, fails, status},
    vendors::{Faulty, all_of, answer, companies, read_companies},
};
use crate::support::drain;

fn limited() -> Error {
    status(429).with_retry_after(30 * SECOND)
}

/// How many requests were sent while one waited for its 30 seconds: the last of its
/// window, whose answer is the first.
async fn sent_meanwhile(error: fn() -> Error) -> usize {
    let latency = |page| if page == 9 { LATENCY } else { 5 * LATENCY };
    let pages = Pages { latency, ..Pages::branching(60, fails(9, 1, error)) };
    let outcome = drain(pages.read().window(8).records()).await;
    assert_eq!(outcome.whole(), Pages::records_of(60));
    let [first, again] = pages.times(9)[..] else { panic!("it is asked for twice") };
    assert!(again - first >= 30 * SECOND);
    let log = pages.log.lock().unwrap();
    log.iter().filter(|(_, at)| *at > first && *at < again).count()
}

#[tokio::test(start_paused = true)]
async fn a_429_holds_back_every_request_of_the_stream() {
    assert_eq!(sent_meanwhile(limited).await, 0);
}

#[tokio::test(start_paused = true)]
async fn another_status_holds_back_its_own_request_alone() {
    let busy = || busy().with_retry_after(30 * SECOND);
    assert!(sent_meanwhile(busy).await >= 7);
}

#[tokio::test(start_paused = true)]
async fn requests_that_meet_a_429_together_wait_once() {
    for fault in [limited, || status(429)] {
        let start = Instant::now();
        let pages =
            Pages::branching(60, move |page, nth| (page > 1 && page <= 9 && nth == 1).then(fault));
        let outcome = drain(pages.read().window(8).records()).await;
        assert_eq!(outcome.monitor.progress().retries, 8);
        assert_eq!(outcome.whole(), Pages::records_of(60));
        let again = (2..=9).map(|page| pages.times(page)[1]).collect::<Vec<_>>();
        // The window is half as large from then on, so they come in two turns.
        assert!(again.iter().all(|at| *at - again[0] <= LATENCY), "{again:?}");
        assert!(start.elapsed() < 31 * SECOND, "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_that_was_on_its_way_when_the_pause_began_makes_it_no_longer() {
    // The answers come one after the other, and none says how long to wait.
    let pages =
        Pages::branching(30, |page, nth| (page > 1 && page <= 9 && nth == 1).then(|| status(429)));
    let latency = |page| LATENCY * u32::try_from(page).unwrap();
    let pages = Pages { latency, ..pages };
    let outcome = drain(pages.read().window(8).records()).await;
    assert_eq!(outcome.whole(), Pages::records_of(30));
    let again = (2..=9).map(|page| pages.times(page)[1]).collect::<Vec<_>>();
    // The window is half as large from then on, so some wait for others.
    assert!(again.iter().all(|at| *at - again[0] <= 9 * LATENCY), "{again:?}");
    assert!(again[0] - pages.times(2)[0] <= Duration::from_millis(550));
}

#[tokio::test(start_paused = true)]
async fn sixteen_batches_that_meet_a_429_together_wait_once() {
    let start = Instant::now();
    let hubspot = HubSpot::new(1).objects(100);
    let service = Faulty::new(hubspot.clone(), |n, _| {
        (n <= 16).then(|| answer(429, &[("retry-after", "10")], "{}"))
    });
    let associations = companies(&hubspot, 1, service.transport());
    let records = associations.read().window(16).records();
    assert_eq!(read_companies(records).await, all_of(&hubspot));
    assert_eq!(service.requests(), 116);
    assert!(start.elapsed() < 11 * SECOND, "{:?}", start.elapsed());
}
