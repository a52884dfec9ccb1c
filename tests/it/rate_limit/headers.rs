//! What the service says of its limit.

use std::{slice::from_ref, time::Duration};

use bytes::Bytes;
use futures::future::join;
use http::Request;
use pagestream::Error;
use tokio::time::sleep;

use super::{
    Answer, Service, TEN_SECONDS, answer, assert_within_budget, fine, limiter, send, send_all,
};

/// HubSpot says how many are left of 100 in 10 seconds.
fn left(requests: &str) -> Answer {
    left_of(requests, "100", "10000")
}

fn left_of(requests: &str, max: &str, milliseconds: &str) -> Answer {
    let headers = [
        ("X-HubSpot-RateLimit-Remaining", requests),
        ("X-HubSpot-RateLimit-Max", max),
        ("X-HubSpot-RateLimit-Interval-Milliseconds", milliseconds),
    ];
    answer(200, &headers)
}

/// Under 100 requests per 10 seconds, when the requests of one sender start that
/// get these answers; one more follows the last.
async fn one_by_one(answers: &[Answer]) -> Vec<u128> {
    let service = Service::new(answers);
    let transport = limiter(100, TEN_SECONDS).limit(service.transport());
    for _ in 0..=answers.len() {
        send(&transport).await;
    }
    service.milliseconds()
}

#[tokio::test(start_paused = true)]
async fn less_than_a_fifth_left_is_spread_over_the_interval() {
    assert_eq!(one_by_one(&[left("19")]).await, [0, 500]);
    assert_eq!(one_by_one(&[left("3"), left("1")]).await, [0, 2500, 7500]);
    // The headers that others send.
    let draft = answer(200, &[("ratelimit-remaining", "3"), ("ratelimit-reset", "8")]);
    assert_eq!(one_by_one(&[draft]).await, [0, 2000]);
    let custom =
        [("x-ratelimit-limit", "20"), ("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "8")];
    let custom = answer(200, &custom);
    assert_eq!(one_by_one(&[custom]).await, [0, 2000]);
}

#[tokio::test(start_paused = true)]
async fn a_fifth_left_slows_nobody_down() {
    assert_eq!(one_by_one(&[left("20"), left("100")]).await, [0, 0, 0]);
    let small = left_of("4", "20", "10000");
    assert_eq!(one_by_one(&[small]).await, [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn without_a_maximum_the_own_budget_is_the_measure() {
    let answers = [
        answer(200, &[("ratelimit-remaining", "20"), ("ratelimit-reset", "10")]),
        answer(200, &[("ratelimit-remaining", "19"), ("ratelimit-reset", "10")]),
    ];
    assert_eq!(one_by_one(&answers).await, [0, 0, 500]);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_spread_over_all_who_wait_until_the_interval_is_over() {
    let service = Service::new(&[left("4")]);
    let transport = limiter(100, TEN_SECONDS).limit(service.transport());
    send(&transport).await;
    send_all(&transport, 16).await;
    let starts = service.milliseconds();
    assert_eq!(starts[..5], [0, 2000, 4000, 6000, 8000]);
    // From there on the budget counts again.
    assert_eq!(starts[5..], [[10_000; 10].as_slice(), &[10_110, 10_220]].concat());
}

#[tokio::test(start_paused = true)]
async fn a_service_with_enough_left_again_ends_the_slowness() {
    let starts = one_by_one(&[left("4"), left("50"), fine(), fine()]).await;
    assert_eq!(starts, [0, 2000, 2000, 2000, 2000]);
}

#[tokio::test(start_paused = true)]
async fn with_none_left_the_interval_is_waited_out() {
    assert_eq!(one_by_one(&[left("0")]).await, [0, 10_000]);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_comes_late_makes_no_hold_shorter() {
    let service = Service::new(&[left("0"), left("9"), left("90")]);
    let slow = {
        let service = service.clone();
        move |_: Request<Bytes>| {
            let response = service.answer();
            async move {
                sleep(Duration::from_millis(10)).await;
                Ok::<_, Error>(response)
            }
        }
    };
    let transport = limiter(100, TEN_SECONDS).limit(slow);
    // Three are on their way at once, and the strictest answer comes first.
    send_all(&transport, 3).await;
    send(&transport).await;
    assert_eq!(service.milliseconds(), [0, 0, 0, 10_010]);
}

#[tokio::test(start_paused = true)]
async fn a_429_with_retry_after_holds_all_who_share_the_limiter() {
    let service = Service::new(&[answer(429, &[("retry-after", "7")])]);
    let limiter = limiter(100, TEN_SECONDS);
    let [one, other] = [(); 2].map(|()| limiter.limit(service.transport()));
    assert_eq!(send(&one).await.status(), 429);
    join(send_all(&one, 2), send_all(&other, 2)).await;
    assert_eq!(service.milliseconds(), [0, 7000, 7000, 7000, 7000]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_reaches_those_who_wait_already() {
    let service = Service::new(&[answer(429, &[("retry-after", "7")])]);
    let transport = limiter(1, Duration::from_secs(1)).limit(service.transport());
    send_all(&transport, 3).await;
    assert_eq!(service.milliseconds(), [0, 7000, 8000]);
}

#[tokio::test(start_paused = true)]
async fn after_a_hold_they_start_within_the_budget() {
    let service = Service::new(&[answer(429, &[("retry-after", "30")])]);
    let transport = limiter(100, TEN_SECONDS).limit(service.transport());
    send(&transport).await;
    send_all(&transport, 250).await;
    let starts = service.milliseconds();
    assert_eq!(starts[1..12], [[30_000; 10].as_slice(), &[30_110]].concat());
    assert_within_budget(&service.starts(), 100, TEN_SECONDS);
}

#[tokio::test(start_paused = true)]
async fn a_429_without_retry_after_holds_nobody() {
    assert_eq!(one_by_one(&[answer(429, &[])]).await, [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_another_status_holds_nobody() {
    let busy = answer(503, &[("retry-after", "7")]);
    assert_eq!(one_by_one(&[busy]).await, [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn no_hold_is_longer_than_a_minute() {
    let wait = answer(429, &[("retry-after", "36000")]);
    assert_eq!(one_by_one(&[wait]).await, [0, 60_000]);
    let wait = answer(429, &[("retry-after", "99999999999999999999999999")]);
    assert_eq!(one_by_one(&[wait]).await, [0, 60_000]);
    assert_eq!(one_by_one(&[left_of("0", "100", "3600000")]).await, [0, 60_000]);
    // After it the budget counts, until the service says more.
    let starts = one_by_one(&[left_of("1", "100", "86400000"), fine()]).await;
    assert_eq!(starts, [0, 60_000, 60_000]);
}

#[tokio::test(start_paused = true)]
async fn headers_that_make_no_sense_are_ignored() {
    for odd in [
        left_of("", "100", "10000"),
        left_of("-1", "100", "10000"),
        left_of("none", "100", "10000"),
        left_of("0.5", "100", "10000"),
        left_of("0", "100", "soon"),
        left_of("0", "100", "18446744073709551615"),
        left_of("0", "0", "10000"),
        left_of("18446744073709551615", "18446744073709551615", "10000"),
        left_of("99999999999999999999", "100", "10000"),
        answer(200, &[("x-hubspot-ratelimit-remaining", "0")]),
        answer(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1790000000")]),
        answer(200, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "18446744073709551615")]),
        answer(429, &[("retry-after", "whenever")]),
    ] {
        assert_eq!(one_by_one(from_ref(&odd)).await, [0, 0], "{odd:?}");
    }
    let huge = left_of("3000000000000000000", "18446744073709551615", "10000");
    assert_eq!(one_by_one(&[huge]).await, [0, 1], "a gap of 2 nanoseconds");
}
