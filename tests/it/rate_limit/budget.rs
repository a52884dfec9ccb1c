//! The budget is kept and used up.

use std::time::Duration;

use futures::{FutureExt, future::join_all};
use pagestream::{ErrorKind, RateLimiter, hubspot::RateBudget};
use proptest::prelude::*;
use tokio::time::{Instant, advance, sleep, sleep_until};

use super::{Service, TEN_SECONDS, assert_within_budget, limiter, send, send_all};
use crate::support::in_virtual_time;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Demand comes at any nanosecond, and those who have to wait give up.
    #[test]
    fn no_window_holds_more_than_the_budget_whatever_the_demand(
        requests in 1_u32..300,
        per in 1_u64..20_000_000_000,
        demand in prop::collection::vec((0.0..3.0, any::<bool>(), 1_usize..400), 1..200),
    ) {
        in_virtual_time(async move {
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

    /// Demand comes at the last nanosecond before all the remaining requests are due.
    #[test]
    fn none_of_the_remaining_requests_starts_a_nanosecond_early(
        requests in 1_u32..300,
        per in 1_u64..20_000_000_000,
    ) {
        in_virtual_time(async move {
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
        in_virtual_time(async move {
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
async fn a_tenth_starts_at_once_and_the_remaining_ones_evenly() {
    let service = Service::default();
    send_all(&limiter(100, TEN_SECONDS).limit(service.transport()), 120).await;
    let starts = service.milliseconds();
    assert!(starts[..10].iter().all(|&at| at == 0));
    for (index, &at) in (1_u128..).zip(&starts[10..]) {
        // Timers are as fine as a millisecond.
        let due = index * 10_000 / 91;
        assert!((due..=due + 1).contains(&at), "number {index} of the remaining ones, at {at} ms");
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
fn a_limit_of_nothing_or_in_no_time_or_in_ages_is_invalid() {
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
