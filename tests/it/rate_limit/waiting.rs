//! Those who wait.

use std::{
    future::poll_fn,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::{
    FutureExt, StreamExt,
    future::{join, join_all},
    poll,
};
use pagestream::{PaginatorExt, RateLimiter, hubspot::Associations, testing::HubSpot};
use tokio::time::{advance, timeout};

use super::{Service, TEN_SECONDS, limiter, send, send_all};

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
async fn who_was_passed_by_keeps_its_turn() {
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
