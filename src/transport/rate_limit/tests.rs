//! Tests of what is private to the crate.

use std::{future::ready, time::Duration};

use bytes::Bytes;
use futures::{FutureExt, poll};
use http::{HeaderMap, HeaderName, Request, Response};

use super::{RateLimiter, Remaining};
use crate::{error::Error, transport::Transport, waiting_count::WaitingCount};

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_counts_with_its_reader_and_no_other_does() {
    let limiter = RateLimiter::new(1, Duration::from_secs(1)).unwrap();
    let answer = |_: Request<Bytes>| ready(Ok::<_, Error>(Response::default()));
    let transport = limiter.limit(answer);
    let [reader, other] = [WaitingCount::default(), WaitingCount::default()];

    let first = reader.counter().count(|| transport.send(Request::default()).now_or_never());
    assert!(first.is_some(), "the first goes through");
    assert_eq!(reader.get(), 0);
    let mut second = transport.send(Request::default());
    assert!(reader.counter().count(|| second.as_mut().now_or_never()).is_none());
    let mut third = transport.send(Request::default());
    assert!(poll!(&mut third).is_pending(), "a reader without a count");
    assert_eq!([reader.get(), other.get(), limiter.waiting()], [1, 0, 2]);

    drop(third);
    assert_eq!([reader.get(), limiter.waiting()], [1, 1]);
    second.await.unwrap();
    assert_eq!([reader.get(), limiter.waiting()], [0, 0]);
}

fn remaining(headers: &[(&'static str, &'static str)]) -> Option<Remaining> {
    let headers =
        headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
    Remaining::of(&headers.collect::<HeaderMap>())
}

#[test]
fn remaining_requests_are_read_from_each_family_of_headers() {
    let expected =
        |max, seconds| Some(Remaining { requests: 7, max, interval: Duration::from_secs(seconds) });
    let hubspot = [
        ("x-hubspot-ratelimit-max", "100"),
        ("x-hubspot-ratelimit-remaining", " 7 "),
        ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
    ];
    assert_eq!(remaining(&hubspot), expected(Some(100), 10));
    assert_eq!(remaining(&hubspot[1..]), expected(None, 10));
    let draft = [("ratelimit-limit", "50"), ("ratelimit-remaining", "7"), ("ratelimit-reset", "3")];
    assert_eq!(remaining(&draft), expected(Some(50), 3));
    let custom = [("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", "3")];
    assert_eq!(remaining(&custom), expected(None, 3));
}

#[test]
fn headers_that_make_no_sense_are_ignored() {
    for interval in ["", "soon", "-1", "1.5", "86401", "1790000000", "99999999999999999999999"] {
        let headers = [("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", interval)];
        assert_eq!(remaining(&headers), None, "{interval:?}");
    }
    assert_eq!(remaining(&[("ratelimit-remaining", "7")]), None);
    assert_eq!(remaining(&[("ratelimit-reset", "7")]), None);
    assert_eq!(remaining(&[]), None);
}
