//! The service says how long to wait.

use std::time::Duration;

use pagestream::{
    PaginatorExt, Retry,
    testing::{Alloy, HubSpot},
};
use tokio::time::Instant;

use super::{
    pages::{LATENCY, SECOND},
    vendors::{Faulty, all_of, answer, companies, contacts, read_companies},
};
use crate::support::drain;

const NOW: &str = "Wed, 21 Oct 2026 07:28:00 GMT";
const IN_40_S: &str = "Wed, 21 Oct 2026 07:28:40 GMT";
const BEFORE: &str = "Wed, 21 Oct 2026 07:20:00 GMT";

/// How long it takes from a first answer with these headers to the second request.
async fn wait_after(status: u16, headers: &'static [(&'static str, &'static str)]) -> Duration {
    let service = Faulty::new(Alloy::new(1).records(5), move |n, _| {
        (n == 1).then(|| answer(status, headers, "{}"))
    });
    assert_eq!(drain(contacts(&service).records()).await.whole().len(), 5);
    let times = service.times();
    assert_eq!(times.len(), 2);
    times[1] - (times[0] + LATENCY)
}

#[tokio::test(start_paused = true)]
async fn retry_after_wins_over_the_backoff_in_seconds_and_as_a_date() {
    for status in [429, 503, 500, 408] {
        assert_eq!(wait_after(status, &[("retry-after", "40")]).await, 40 * SECOND, "{status}");
        let date = &[("date", NOW), ("retry-after", IN_40_S)];
        assert_eq!(wait_after(status, date).await, 40 * SECOND, "{status}");
    }
    for at_once in [&[("retry-after", "0")][..], &[("date", NOW), ("retry-after", BEFORE)]] {
        assert_eq!(wait_after(503, at_once).await, Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_has_fractions_and_milliseconds() {
    let cases: [(&[(&str, &str)], u64); 5] = [
        (&[("retry-after", "1.5")], 1_500),
        (&[("retry-after-ms", "700")], 700),
        (&[("retry-after", "2"), ("retry-after-ms", "700")], 2_000),
        (&[("ratelimit-reset", "5")], 5_000),
        (
            &[("ratelimit-policy", "\"burst\";q=9;w=60"), ("ratelimit", "\"burst\";r=0;t=30")],
            30_000,
        ),
    ];
    for (headers, milliseconds) in cases {
        assert_eq!(wait_after(429, headers).await, Duration::from_millis(milliseconds));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_above_the_cap_is_an_error_at_once_and_says_how_long() {
    for (cap, seconds, is_retried) in [(120, 120, true), (120, 121, false), (5, 6, false)] {
        let start = Instant::now();
        let service = Faulty::new(Alloy::new(1).records(5), move |n, _| {
            let wait = seconds.to_string();
            (n == 1).then(|| answer(429, &[("retry-after", &wait)], "{}"))
        });
        let mut retry = Retry::default();
        if cap != 120 {
            retry = retry.max_retry_after(Duration::from_secs(cap));
        }
        let outcome = drain(contacts(&service).read().retry(retry).records()).await;
        assert_eq!(outcome.errors.is_empty(), is_retried, "{seconds} of {cap}");
        if let Some(error) = outcome.fatal() {
            assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
            assert!(error.to_string().contains(&format!("wait {seconds} s")), "{error}");
            assert!(error.is_retryable() && error.checkpoint().is_some());
            assert_eq!((start.elapsed(), service.requests()), (LATENCY, 1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_retry_after_does_no_harm() {
    let forever = "99999999999999999999999999";
    let service =
        Faulty::new(Alloy::new(1), move |_, _| Some(answer(429, &[("retry-after", forever)], "")));
    let retry = Retry::default().max_retry_after(Duration::MAX).max_total(Duration::MAX);
    let error = drain(contacts(&service).read().retry(retry).records()).await.error();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(u64::MAX)));
}

#[tokio::test(start_paused = true)]
async fn a_locked_object_of_hubspot_is_waited_for_2_s_or_as_long_as_it_says() {
    for (headers, least) in [(&[][..], 2), (&[("retry-after", "5")], 5)] {
        let hubspot = HubSpot::new(1).objects(3);
        let service =
            Faulty::new(hubspot.clone(), move |n, _| (n == 1).then(|| answer(423, headers, "{}")));
        let associations = companies(&hubspot, 10, service.transport());
        assert_eq!(read_companies(associations.records()).await, all_of(&hubspot));
        let times = service.times();
        assert_eq!(times[1] - (times[0] + LATENCY), least * SECOND);
    }
}
