use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use std::future::poll_fn;

use crate::clock::{self, Sleep};

/// How often the time is checked. Whoever polls later than this was busy with something
/// else, and that time does not count.
const TICK: Duration = Duration::from_secs(1);

/// Runs a future up to a time limit. `None` if the time is over.
///
/// Only the time in which somebody waits for the future counts. A stream polls its
/// requests when it is polled itself. So if a consumer were busy for an hour, all
/// requests of its window would be late, although their responses have arrived.
pub(super) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut watch = Watch { remaining: limit, since: clock::now(), tick: None };
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => watch.poll(cx).map(|()| None),
    })
    .await
}

/// A timer that runs while it is polled.
struct Watch {
    remaining: Duration,
    since: Instant,
    tick: Option<Sleep>,
}

impl Watch {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = clock::now();
        let waited = now.saturating_duration_since(self.since).min(TICK);
        self.since = now;
        self.remaining = self.remaining.saturating_sub(waited);
        while !self.remaining.is_zero() {
            let tick = self.tick.get_or_insert_with(|| clock::sleep(self.remaining.min(TICK)));
            ready!(Pin::new(tick).poll(cx));
            self.tick = None;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        time::Duration,
    };

    use futures::{FutureExt, future::join_all, poll};
    use tokio::time::{Instant, advance, sleep};

    use super::within;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn what_takes_longer_than_the_limit_ends_there() {
        for limit in [Duration::from_millis(1), Duration::from_millis(2_500), MINUTE] {
            let start = Instant::now();
            assert_eq!(within(limit, pending::<()>()).await, None);
            let took = start.elapsed();
            assert!(took >= limit && took < limit + Duration::from_millis(50), "{took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_moves_on_all_the_time_ends_there_too() {
        let trickle = async {
            loop {
                sleep(Duration::from_millis(700)).await;
            }
        };
        let start = Instant::now();
        assert_eq!(within(MINUTE, trickle).await, None::<()>);
        assert!(start.elapsed() < MINUTE + Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_in_time_comes_through() {
        assert_eq!(within(Duration::ZERO, ready(7)).await, Some(7));
        let in_time = async {
            sleep(MINUTE / 2).await;
            7
        };
        assert_eq!(within(MINUTE, in_time).await, Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_polls_does_not_count() {
        let mut slow = Box::pin(within(MINUTE, async {
            for _ in 0..10 {
                sleep(Duration::from_secs(5)).await;
            }
        }));
        for _ in 0..10 {
            assert!(poll!(&mut slow).is_pending());
            advance(10 * MINUTE).await;
        }
        assert_eq!(slow.await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn many_have_a_watch_each() {
        let all = (0..50).map(|_| within(MINUTE, pending::<()>()));
        let start = Instant::now();
        assert!(join_all(all).await.iter().all(Option::is_none));
        assert!(start.elapsed() < MINUTE + Duration::from_secs(1));
        assert_eq!(within(MINUTE, pending::<()>()).now_or_never(), None);
    }
}
