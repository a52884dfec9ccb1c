//! What the rate limiter promises, a test each. Time is virtual: nothing sleeps.

use std::{
    future::{poll_fn, ready},
    slice::from_ref,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{
    FutureExt, StreamExt, TryStreamExt,
    future::{join, join_all},
    poll,
};
use http::{Request, Response};
use pagestream::{
    Error, ErrorKind, PaginatorExt, RateLimiter, Transport,
    alloy::Action,
    hubspot::{Associations, RateBudget},
    testing::{Alloy, HubSpot},
};
use proptest::prelude::*;
use tokio::time::{Instant, advance, sleep, sleep_until, timeout};

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// What a service answers: a status and headers.
type Answer = Response<Bytes>;

fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
    let answer = Response::builder().status(status);
    let answer = headers.iter().fold(answer, |answer, (name, value)| answer.header(*name, *value));
    answer.body(Bytes::new()).unwrap()
}

fn fine() -> Answer {
    answer(200, &[])
}

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

/// A service that gives the answers in turn, and then says that all is fine. It
/// notes when each request starts.
#[derive(Clone, Default)]
struct Service {
    answers: Arc<Vec<Answer>>,
    starts: Arc<Mutex<Vec<Instant>>>,
}

impl Service {
    fn new(answers: &[Answer]) -> Self {
        Self { answers: Arc::new(answers.to_vec()), ..Self::default() }
    }

    fn transport(&self) -> impl Transport + use<> {
        let service = self.clone();
        move |_: Request<Bytes>| ready(Ok::<_, Error>(service.answer()))
    }

    fn answer(&self) -> Answer {
        let mut starts = self.starts.lock().unwrap();
        let answer = self.answers.get(starts.len()).cloned();
        starts.push(Instant::now());
        answer.unwrap_or_else(fine)
    }

    fn starts(&self) -> Vec<Instant> {
        self.starts.lock().unwrap().clone()
    }

    /// When each request started, in milliseconds after the first.
    fn milliseconds(&self) -> Vec<u128> {
        let starts = self.starts();
        starts.iter().map(|start| (*start - starts[0]).as_millis()).collect()
    }
}

fn limiter(requests: u32, per: Duration) -> RateLimiter {
    RateLimiter::new(requests, per).unwrap()
}

async fn send(transport: &impl Transport) -> Response<Bytes> {
    transport.send(Request::default()).await.unwrap()
}

/// Sends so many at once, and waits for all.
async fn send_all(transport: &impl Transport, requests: usize) {
    join_all((0..requests).map(|_| send(transport))).await;
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

/// No half-open window of this length holds more starts than there are requests.
fn assert_within_budget(starts: &[Instant], requests: usize, per: Duration) {
    for (first, beyond) in starts.iter().zip(starts.iter().skip(requests)) {
        let time = *beyond - *first;
        assert!(time >= per, "{} requests started within {time:?}", requests + 1);
    }
}

fn block_on_virtual(future: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Demand comes at any nanosecond, and those who have to wait give up.
    #[test]
    fn no_window_holds_more_than_the_budget_whatever_the_demand(
        requests in 1_u32..300,
        per in 1_u64..20_000_000_000,
        demand in prop::collection::vec((0.0..3.0, any::<bool>(), 1_usize..400), 1..200),
    ) {
        block_on_virtual(async move {
            let service = Service::default();
            let per = Duration::from_nanos(per);
            let limiter = limiter(requests, per);
            let transport = limiter.limit(service.transport());
            for (factor, long, tries) in demand {
                let turn = per.as_secs_f64() / if long { 1.5 } else { f64::from(requests) };
                advance(Duration::from_secs_f64(turn * factor)).await;
                (0..tries).all(|_| send(&transport).now_or_never().is_some());
            }
            assert_within_budget(&service.starts(), requests.try_into().unwrap(), per);
        });
    }

    /// Demand comes at the last nanosecond before all the rest is due.
    #[test]
    fn no_request_of_the_rest_starts_a_nanosecond_early(
        requests in 1_u32..300,
        per in 1_u64..20_000_000_000,
    ) {
        block_on_virtual(async move {
            let service = Service::default();
            let per = Duration::from_nanos(per);
            let transport = limiter(requests, per).limit(service.transport());
            let at_once = (requests / 10).max(1);
            for _ in 0..requests {
                while send(&transport).now_or_never().is_some() {}
                advance(per / (requests - at_once + 1)).await;
            }
            assert_within_budget(&service.starts(), requests.try_into().unwrap(), per);
        });
    }

    /// Demand comes in waves, and all wait for their turn.
    #[test]
    fn who_waits_gets_through_within_the_budget(
        requests in 1_usize..50,
        per in 1_u64..20_000,
        waves in prop::collection::vec((0_u64..20_000, 1_usize..50), 1..5),
    ) {
        block_on_virtual(async move {
            let service = Service::default();
            let per = Duration::from_millis(per);
            let limiter = limiter(requests.try_into().unwrap(), per);
            let transport = limiter.limit(service.transport());
            let begin = Instant::now();
            let wave = async |&(at, count): &(u64, usize)| {
                sleep_until(begin + Duration::from_millis(at)).await;
                send_all(&transport, count).await;
            };
            join_all(waves.iter().map(wave)).await;
            let starts = service.starts();
            assert_eq!(starts.len(), waves.iter().map(|(_, count)| count).sum::<usize>());
            assert_eq!(limiter.waiting(), 0);
            assert_within_budget(&starts, requests, per);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenth_starts_at_once_and_the_rest_evenly() {
    let service = Service::default();
    send_all(&limiter(100, TEN_SECONDS).limit(service.transport()), 120).await;
    let starts = service.milliseconds();
    assert!(starts[..10].iter().all(|&at| at == 0));
    for (place, &at) in (1_u128..).zip(&starts[10..]) {
        // Timers are as fine as a millisecond.
        let due = place * 10_000 / 91;
        assert!((due..=due + 1).contains(&at), "number {place} of the rest, at {at} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_unused_for_long_lets_a_tenth_start_and_no_more() {
    let service = Service::default();
    let transport = limiter(100, TEN_SECONDS).limit(service.transport());
    sleep(Duration::from_secs(3600)).await;
    send_all(&transport, 11).await;
    assert_eq!(service.milliseconds()[9..], [0, 110]);
}

#[tokio::test(start_paused = true)]
async fn the_budgets_of_hubspot_are_used_up_and_not_exceeded() {
    for (budget, requests, seconds) in [
        (RateBudget::Free, 100, 10),
        (RateBudget::Professional, 190, 10),
        (RateBudget::OAuth, 110, 10),
        (RateBudget::Search, 5, 1),
    ] {
        let service = Service::default();
        send_all(&budget.limiter().limit(service.transport()), 2 * requests).await;
        let within = service.milliseconds().into_iter().filter(|&at| at < seconds * 1000).count();
        assert_eq!(within, requests, "{budget:?}");
        let per = Duration::from_secs(seconds.try_into().unwrap());
        assert_within_budget(&service.starts(), requests, per);
    }
}

#[test]
fn a_limit_of_nothing_or_in_no_time_or_in_ages_is_refused() {
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    for (requests, per) in
        [(0, TEN_SECONDS), (1, Duration::ZERO), (1, year * 2), (1, Duration::MAX)]
    {
        let error = RateLimiter::new(requests, per).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    }
    for requests in [1, 9, 10, u32::MAX] {
        for per in [Duration::from_nanos(1), year] {
            RateLimiter::new(requests, per).unwrap();
        }
    }
}

/// A transport that notes in the service's log and hands on.
fn noted<T: Transport + Clone>(service: &Service, transport: T) -> impl Transport + use<T> {
    let service = service.clone();
    move |request| {
        service.answer();
        let transport = transport.clone();
        async move { transport.send(request).await }
    }
}

#[tokio::test(start_paused = true)]
async fn two_paginators_that_share_a_limiter_share_its_budget() {
    let service = Service::default();
    let limiter = limiter(5, Duration::from_secs(1));
    let hubspot = HubSpot::new(7).objects(20).pages(|_| 10);
    let alloy = Alloy::new(7).records(100);
    let associations = Associations::builder("deals", "companies")
        .ids(hubspot.ids())
        .token("a-test-token")
        .transport(limiter.limit(noted(&service, hubspot.clone())))
        .build()
        .unwrap();
    let contacts = Action::<serde_json::Value>::builder("hubspot", "listContacts")
        .credential_id("0123456789abcdef01234567")
        .api_key("a-test-key")
        .limit(10)
        .transport(limiter.clone().limit(noted(&service, alloy.clone())))
        .build()
        .unwrap();
    let (associations, contacts) = join(
        associations.records().try_collect::<Vec<_>>(),
        contacts.records().try_collect::<Vec<_>>(),
    )
    .await;
    assert_eq!([associations.unwrap().len(), contacts.unwrap().len()], [400, 100]);
    let starts = service.starts();
    assert_eq!(starts.len(), hubspot.requests() + alloy.requests());
    assert_within_budget(&starts, 5, Duration::from_secs(1));
    // Neither had to stand back for the other.
    assert_eq!([hubspot.requests(), alloy.requests()], [10, 10]);
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

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_takes_nothing_of_the_budget() {
    let service = Service::default();
    let limiter = limiter(1, Duration::from_secs(1));
    let transport = limiter.limit(service.transport());
    send(&transport).await;
    let mut gone = (0..50).map(|_| Box::pin(send(&transport))).collect::<Vec<_>>();
    for waiter in &mut gone {
        assert!(poll!(waiter).is_pending());
    }
    assert_eq!(limiter.waiting(), 50);
    drop(gone);
    assert_eq!(limiter.waiting(), 0);
    send_all(&transport, 2).await;
    assert_eq!(service.milliseconds(), [0, 1000, 2000]);
}

#[tokio::test(start_paused = true)]
async fn who_is_never_polled_again_holds_up_nobody() {
    let service = Service::default();
    let transport = limiter(1, Duration::from_secs(1)).limit(service.transport());
    send(&transport).await;
    let mut parked = Box::pin(send(&transport));
    assert!(poll!(&mut parked).is_pending());
    send_all(&transport, 2).await;
    assert_eq!(service.milliseconds(), [0, 1000, 2000]);
    parked.await;
    assert_eq!(service.milliseconds()[3], 3000);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_polled_twice_a_turn_at_most() {
    let polls = AtomicUsize::new(0);
    let service = Service::default();
    let transport = limiter(100, TEN_SECONDS).limit(service.transport());
    join_all((0..50).map(|_| {
        let mut request = Box::pin(send(&transport));
        let polls = &polls;
        poll_fn(move |cx| {
            polls.fetch_add(1, Ordering::Relaxed);
            request.poll_unpin(cx)
        })
    }))
    .await;
    // Ten start at once. At each turn of the other forty one gets through.
    let turns = 50 + (1..=40).sum::<usize>();
    assert!(polls.into_inner() <= 2 * turns);
}

/// How many requests of one get through in this time, one after the other, beside
/// those of nine others that are polled before it, each time.
async fn one_among_ten(limiter: &RateLimiter, time: Duration) -> usize {
    let others = limiter.limit(Service::default().transport());
    let service = Service::default();
    let one = limiter.limit(service.transport());
    let others = join_all((0..9).map(|_| async {
        loop {
            send(&others).await;
        }
    }));
    let one = async {
        loop {
            send(&one).await;
        }
    };
    let _: Result<(Vec<()>, ()), _> = timeout(time, join(others, one)).await;
    service.starts().len()
}

#[tokio::test(start_paused = true)]
async fn who_came_first_goes_first_in_whatever_order_they_are_polled() {
    let ten_a_second = limiter(10, Duration::from_secs(1));
    let turns = one_among_ten(&ten_a_second, Duration::from_secs(60)).await;
    assert!((59..=61).contains(&turns), "{turns} of 600");
}

#[tokio::test(start_paused = true)]
async fn nobody_starves_where_many_start_at_each_tick_of_the_clock() {
    let quick = limiter(5000, Duration::from_secs(1));
    let turns = one_among_ten(&quick, Duration::from_secs(1)).await;
    assert!(turns > 200, "{turns} of 5000");
}

#[tokio::test(start_paused = true)]
async fn who_was_passed_by_keeps_its_place() {
    let transport = limiter(20, Duration::from_secs(1)).limit(Service::default().transport());
    send_all(&transport, 2).await;
    let [mut first, mut second, mut third, mut fourth] =
        [(); 4].map(|()| Box::pin(send(&transport)));
    for waiter in [&mut first, &mut second, &mut third] {
        // It gives way, and then waits.
        assert!(poll!(&mut *waiter).is_pending() && poll!(waiter).is_pending());
    }

    // Two may start. The last is polled first and gives way to the first alone.
    advance(Duration::from_secs(1)).await;
    assert!(poll!(&mut third).is_pending() && poll!(&mut second).is_pending());
    assert!(poll!(&mut first).is_ready() && poll!(&mut third).is_ready());
    assert!(poll!(&mut second).is_pending());

    assert!(poll!(&mut fourth).is_pending() && poll!(&mut fourth).is_pending());
    advance(Duration::from_millis(53)).await;
    assert!(poll!(&mut fourth).is_pending(), "it gives way to the second");
    assert!(poll!(&mut second).is_ready());
}

#[tokio::test(start_paused = true)]
async fn nobody_starves_beside_one_who_is_never_polled_again() {
    let ten_a_second = limiter(10, Duration::from_secs(1));
    let transport = ten_a_second.limit(Service::default().transport());
    send(&transport).await;
    let mut parked = Box::pin(send(&transport));
    assert!(poll!(&mut parked).is_pending());
    let turns = one_among_ten(&ten_a_second, Duration::from_secs(60)).await;
    assert!((58..=61).contains(&turns), "{turns} of 600");
}

#[tokio::test(start_paused = true)]
async fn the_progress_of_a_stream_shows_how_many_of_its_requests_wait() {
    let limiter = RateLimiter::new(1, Duration::from_secs(10)).unwrap();
    let service = HubSpot::new(1).objects(3);
    let associations = Associations::builder("deals", "companies")
        .ids(service.ids())
        .token("a-test-token")
        .batch_size(1)
        .transport(limiter.limit(service.clone()))
        .build()
        .unwrap();
    let mut records = associations.read().window(3).records();
    let monitor = records.monitor();
    assert_eq!(monitor.progress().throttled, 0);
    let mut throttled = Vec::new();
    while let Some(record) = records.next().await {
        record.unwrap();
        throttled.push(monitor.progress().throttled);
    }
    assert_eq!(throttled, [2, 2, 1, 1, 0, 0]);
    assert_eq!(service.requests(), 3);
}
