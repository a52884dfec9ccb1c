//! A service that asks for fewer requests: waiting is not failing.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use futures::StreamExt;
use pagestream::{
    Error, ErrorKind, Page, Paginator, PaginatorExt, Retry, StopReason, async_trait,
    testing::{Alloy, HubSpot},
};
use tokio::time::{Instant, advance, timeout};

use super::{
    pages::{LATENCY, Pages, SECOND, busy, fails, status},
    vendors::{Faulty, answer, companies, contacts},
};
use crate::support::{drain, from_fn};

fn limited() -> Error {
    status(429).with_retry_after(SECOND)
}

#[tokio::test(start_paused = true)]
async fn throttling_costs_neither_attempts_nor_the_budget() {
    // Each third page is answered by a 429 first, and one of them twenty times.
    let pages = Pages::chain(400, |page, nth| {
        let times = if page == 9 { 20 } else { usize::from(page % 3 == 0) };
        (nth <= times).then(limited)
    });
    let retry = Retry::default().budget(1).max_attempts(2);
    let outcome = drain(pages.read().retry(retry).records()).await;
    assert_eq!(outcome.whole(), Pages::records_of(400));
}

#[tokio::test(start_paused = true)]
async fn throttling_is_bounded_by_the_time_without_a_page() {
    let pages = Pages::chain(9, |page, _| (page == 3).then(limited));
    for (retry, longest) in [
        (Retry::default(), 60 * 60 * SECOND),
        (Retry::default().max_throttled(90 * SECOND), 90 * SECOND),
    ] {
        let start = Instant::now();
        let outcome = drain(pages.read().retry(retry).records()).await;
        let error = outcome.error();
        assert!(error.is_throttled() && error.attempts() > 80);
        assert!(error.to_string().contains("`Retry::max_throttled`"), "{error}");
        let took = start.elapsed();
        assert!(took + 2 * SECOND > longest && took <= longest + SECOND, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_through_begins_the_time_of_throttling_anew() {
    // Each page waits for nearly as long as it may.
    let pages = Pages::chain(20, |_, nth| (nth <= 8).then(limited));
    let retry = Retry::default().max_throttled(10 * SECOND);
    let outcome = drain(pages.read().retry(retry).records()).await;
    assert_eq!(outcome.whole(), Pages::records_of(20));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_throttles_for_ever_and_asks_to_wait_for_nothing_is_not_asked_without_end() {
    let pages = Pages::chain(3, |_, _| Some(status(429).with_retry_after(Duration::ZERO)));
    let retry = Retry::default().first_delay(Duration::ZERO).max_throttled(60 * SECOND);
    drain(pages.read().retry(retry).records()).await.error();
    assert!(pages.asked().len() <= 602, "{}", pages.asked().len());
}

#[tokio::test(start_paused = true)]
async fn never_delivers_a_429_at_once() {
    let pages = Pages::chain(3, fails(2, 1, limited));
    let outcome = drain(pages.read().retry(Retry::never()).records()).await;
    assert_eq!(outcome.error().status(), Some(429));
    assert_eq!(pages.asked(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn the_progress_says_until_when_it_is_held_back() {
    let pages = Pages::chain(3, fails(2, 1, || status(429).with_retry_after(40 * SECOND)));
    let mut records = pages.records();
    let monitor = records.monitor();
    records.next().await.unwrap().unwrap();
    records.next().await.unwrap().unwrap();
    assert_eq!(monitor.progress().wait, None);
    assert!(timeout(SECOND, records.next()).await.is_err());
    let until = monitor.progress().wait.expect("it is held back").until;
    let wait = until - (Instant::now() - SECOND + LATENCY).into_std();
    assert_eq!(wait, 40 * SECOND);
    records.next().await.unwrap().unwrap();
    assert_eq!(monitor.progress().wait, None);
}

type Fail = fn() -> Error;

#[tokio::test(start_paused = true)]
async fn an_error_that_gives_up_names_the_bound() {
    let all_fail = |error: fn() -> Error| Pages::chain(2, move |_, _| Some(error()));
    let short = Retry::default().first_delay(LATENCY).max_delay(LATENCY);
    let cases: [(Retry, Fail, Option<&str>); 6] = [
        (short.clone(), busy, Some("`Retry::max_attempts`")),
        (Retry::default().max_total(3 * SECOND), busy, Some("`Retry::max_total`")),
        (short.clone().budget(3), busy, Some("`Retry::budget`")),
        (short.clone(), || busy().with_retry_after(300 * SECOND), Some("`Retry::max_retry_after`")),
        (short.clone(), || status(400), None),
        (Retry::never(), busy, None),
    ];
    for (retry, error, bound) in cases {
        let message =
            drain(all_fail(error).read().retry(retry).records()).await.error().to_string();
        match bound {
            Some(bound) => assert!(message.contains(bound), "{message}"),
            None => assert!(!message.contains("`Retry::"), "{message}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_author_says_that_a_200_is_a_throttle() {
    let asked = AtomicU64::new(0);
    let pages = from_fn(0_u64, |page| {
        // The service answers so to twenty requests.
        let is_full = (2..22).contains(&asked.fetch_add(1, Ordering::Relaxed));
        std::future::ready(if is_full {
            let error = Error::new(ErrorKind::Other, "the quota of this minute is used up");
            Err(error.with_throttled().with_retry_after(60 * SECOND))
        } else {
            Ok(Page::new(vec![page], (page < 9).then_some(page + 1)))
        })
    });
    let start = Instant::now();
    assert!(drain(pages.read().records()).await.whole().into_iter().eq(0..10));
    assert_eq!(start.elapsed(), 20 * 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_ready_is_asked_for_again() {
    let not_ready = |n: usize| match n {
        1 => Some(answer(202, &[("retry-after", "3")], "{}")),
        2 => Some(answer(202, &[], "")),
        3 => Some(answer(202, &[("retry-after", "3")], r#"{"status": "running"}"#)),
        _ => None,
    };
    let alloy = Faulty::new(Alloy::new(1).records(5), move |n, _| not_ready(n));
    assert_eq!(drain(contacts(&alloy).records()).await.whole().len(), 5);
    assert_eq!(alloy.times()[1] - alloy.times()[0], LATENCY + 3 * SECOND);
    assert_eq!(alloy.requests(), 4);

    let hubspot = HubSpot::new(1).objects(2);
    let faulty = Faulty::new(hubspot.clone(), move |n, _| not_ready(n));
    let outcome = drain(companies(&hubspot, 10, faulty.transport()).records()).await;
    assert!(outcome.errors.is_empty());

    let never = Faulty::new(Alloy::new(1), |_, _| Some(answer(202, &[], "")));
    let error = drain(contacts(&never).records()).await.error();
    assert_eq!((error.status(), error.is_throttled()), (Some(202), true));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_a_success_holds_back_the_next_request() {
    let asks_to_wait = |headers: &'static [(&'static str, &'static str)]| {
        let service = Alloy::new(1).records(25);
        Faulty::new(service, move |n, _| {
            let data = (10 * n - 10..10 * n).map(|id| format!(r#"{{"id":{id}}}"#));
            let data = data.collect::<Vec<_>>().join(",");
            let paging = format!(r#"{{"hasMore":{},"nextOffset":{}}}"#, n < 3, 10 * n);
            let body = format!(r#"{{"data":[{data}],"pagination":{paging}}}"#);
            Some(answer(200, headers, body))
        })
    };
    for (headers, gap) in
        [(&[("retry-after", "5")], 5 * SECOND), (&[("x-other", "5")], Duration::ZERO)]
    {
        let service = asks_to_wait(headers);
        assert_eq!(drain(contacts(&service).records()).await.whole().len(), 30);
        let times = service.times();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == LATENCY + gap), "{times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_for_a_page_counts_only_while_somebody_waits() {
    let pages = Pages::branching(4, fails(3, 5, busy));
    let mut records = pages.read().window(4).records();
    let mut came = Vec::new();
    while let Some(record) = records.next().await {
        came.push(record.unwrap());
        // The consumer is busy, for far longer than `max_total`.
        advance(240 * SECOND).await;
    }
    assert_eq!(came, Pages::records_of(4));
    assert_eq!(pages.times(3).len(), 6);
}

/// The service leads elsewhere than it is predicted to, and never answers there.
struct Unpredictable;

#[async_trait]
impl Paginator for Unpredictable {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, at: u64) -> Result<Page<u64, u64>, Error> {
        match at {
            0 | 10 => Ok(Page::new(vec![at], [at + 10])),
            20 => {
                tokio::time::sleep(SECOND).await;
                Ok(Page::new(vec![at], [25]))
            }
            25 => Ok(Page::last(vec![at])),
            _ => std::future::pending().await,
        }
    }

    fn predict(&self, before: &u64, at: &u64, _: Option<u64>) -> Option<u64> {
        Some(at + (at - before))
    }

    fn identity(&self) -> String {
        "unpredictable".to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn with_no_request_left_wrong_speculation_is_not_waited_for() {
    for max in 3..=5 {
        let read = Unpredictable.into_read().window(4).max_requests(max);
        let outcome = timeout(60 * SECOND, drain(read.records())).await.expect("it ends");
        assert_eq!(outcome.records, [0, 10, 20], "{max}");
        assert_eq!(outcome.progress().stop, Some(StopReason::MaxRequests));
    }
}
