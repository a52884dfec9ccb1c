//! How often and when a page is asked for again.

use std::time::Duration;

use pagestream::{Error, PaginatorExt, Retry, testing::Alloy};
use tokio::time::Instant;

use super::{
    pages::{LATENCY, Pages, SECOND, busy, fails, status},
    vendors::{Faulty, answer, contacts},
};
use crate::support::drain;

#[tokio::test(start_paused = true)]
async fn when_says_what_is_retried() {
    let pages = Pages::chain(3, fails(2, 1, || status(409)));
    let conflicts = Retry::default().when(|error| error.status() == Some(409));
    assert_eq!(drain(pages.read().retry(conflicts.clone()).records()).await.whole().len(), 6);

    let pages = Pages::chain(3, fails(2, 1, busy));
    let error = drain(pages.read().retry(conflicts).records()).await.error();
    assert_eq!((error.status(), pages.times(2).len()), (Some(503), 1));
}

#[tokio::test(start_paused = true)]
async fn a_paginator_decides_by_its_errors() {
    let pages = Pages::chain(3, fails(2, 1, || Error::other("quota").with_retryable(true)));
    assert_eq!(drain(pages.records()).await.whole().len(), 6);
    let pages = Pages::chain(3, fails(2, 1, || busy().with_retryable(false)));
    assert_eq!(drain(pages.records()).await.error().status(), Some(503));
    assert_eq!(pages.times(2).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn never_delivers_the_first_error_and_asks_for_no_smaller_page() {
    let pages = Pages::chain(3, fails(2, 1, busy));
    let error = drain(pages.read().retry(Retry::never()).records()).await.error();
    assert_eq!((error.attempts(), pages.asked()), (1, vec![1, 2]));

    let service = Faulty::new(Alloy::new(1), |_, _| Some(answer(413, &[], "")));
    let error = drain(contacts(&service).read().retry(Retry::never()).records()).await.error();
    assert_eq!((error.status(), service.requests()), (Some(413), 1));
}

#[tokio::test(start_paused = true)]
async fn a_page_is_asked_for_max_attempts_times() {
    for (attempts, made) in [(0, 1), (1, 1), (2, 2), (5, 5), (20, 20)] {
        let pages = Pages::chain(3, fails(2, usize::MAX, busy));
        let retry = Retry::default().max_attempts(attempts);
        let error = drain(pages.read().retry(retry).records()).await.error();
        assert_eq!((error.attempts(), pages.times(2).len()), (made, made as usize));
    }
    let pages = Pages::chain(3, fails(2, usize::MAX, busy));
    let error = drain(pages.records()).await.error();
    assert_eq!((error.attempts(), pages.times(2).len()), (8, 8));
    assert!(error.to_string().contains("8 times"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn max_attempts_counts_anew_for_each_page() {
    let pages = Pages::chain(10, |_, nth| (nth <= 2).then(busy));
    let retry = Retry::default().max_attempts(3);
    let records = drain(pages.read().retry(retry).records()).await.whole();
    assert_eq!(records, Pages::records_of(10));
}

/// The times between the requests for a page that always fails.
async fn gaps(retry: Retry, error: fn() -> Error) -> Vec<Duration> {
    let pages = Pages::chain(1, fails(1, usize::MAX, error));
    drain(pages.read().retry(retry).records()).await.error();
    let times = pages.times(1);
    // The last step of the timer is a millisecond.
    times.windows(2).map(|it| (it[1] - it[0]).saturating_sub(LATENCY)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_delay_is_a_random_part_of_one_that_doubles_up_to_a_bound() {
    let longest = [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000].map(Duration::from_millis);
    let mut least = [Duration::MAX; 7];
    let mut most = [Duration::ZERO; 7];
    for seed in 0..200 {
        let gaps = gaps(Retry::default().max_delay(10 * SECOND).seed(seed), busy).await;
        assert_eq!(gaps.len(), 7);
        for (index, gap) in gaps.into_iter().enumerate() {
            least[index] = least[index].min(gap);
            most[index] = most[index].max(gap);
        }
    }
    for (index, longest) in longest.into_iter().enumerate() {
        let most = most[index];
        assert!(most <= longest + Duration::from_millis(2), "{index}: {most:?}");
        assert!(most > longest.mul_f64(0.9), "{index}: {most:?}");
        assert!(least[index] < longest.mul_f64(0.1), "{index}: {:?}", least[index]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_delay_can_be_set() {
    for seed in 0..50 {
        let retry = Retry::default().first_delay(Duration::from_millis(40)).max_attempts(3);
        let gaps = gaps(retry.seed(seed), busy).await;
        assert!(gaps[0] <= Duration::from_millis(42) && gaps[1] <= Duration::from_millis(82));
    }
    let retry = Retry::default().first_delay(Duration::ZERO);
    assert!(gaps(retry, busy).await.iter().all(|gap| *gap <= Duration::from_millis(2)));
}

#[tokio::test(start_paused = true)]
async fn a_429_without_retry_after_waits_for_half_the_delay_at_least() {
    for seed in 0..50 {
        let gaps = gaps(Retry::default().max_attempts(4).seed(seed), || status(429)).await;
        for (gap, longest) in gaps.iter().zip([500, 1_000, 2_000]) {
            assert!(*gap >= Duration::from_millis(longest / 2), "{gap:?} of {longest}");
            assert!(*gap <= Duration::from_millis(longest + 2), "{gap:?} of {longest}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_the_delays() {
    let first = gaps(Retry::default().seed(3), busy).await;
    assert_eq!(gaps(Retry::default().seed(3), busy).await, first);
    assert_ne!(gaps(Retry::default().seed(4), busy).await, first);
}

#[tokio::test(start_paused = true)]
async fn max_total_bounds_the_time_from_the_first_failure() {
    let start = Instant::now();
    let pages = Pages::chain(1, fails(1, usize::MAX, busy));
    let retry = Retry::default().seed(7).max_attempts(1_000).budget(1_000).max_total(60 * SECOND);
    drain(pages.read().retry(retry).records()).await.error();
    let times = pages.times(1);
    assert!(times.len() > 3, "{}", times.len());
    assert!(*times.last().unwrap() - times[0] <= 60 * SECOND + LATENCY);
    assert!(start.elapsed() <= 60 * SECOND + 2 * LATENCY, "it does not wait in vain");

    let pages = Pages::chain(1, fails(1, 1, busy));
    let impatient = Retry::default().max_total(Duration::ZERO);
    drain(pages.read().retry(impatient).records()).await.error();
    assert_eq!(pages.asked(), [1]);
}
