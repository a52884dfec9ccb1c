use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use std::future::poll_fn;

use crate::clock::{self, Sleep};

/// How often the watch is looked at. Who polls later than this was busy with
/// something else, and the time beyond it does not count.
const TICK: Duration = Duration::from_secs(1);

/// Runs a future for so long at most; `None` when the time is over.
///
/// Only the time counts in which somebody waits for the future. A stream polls its
/// requests when it is polled itself, so a consumer that is busy for an hour would
/// otherwise find every request of its window too late, though all the responses
/// are here.
pub(super) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut watch = Watch { left: limit, since: clock::now(), tick: None };
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => watch.poll(cx).map(|()| None),
    })
    .await
}

/// A watch that runs down while it is polled.
struct Watch {
    left: Duration,
    since: Instant,
    tick: Option<Sleep>,
}

impl Watch {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = clock::now();
        let waited = now.saturating_duration_since(self.since).min(TICK);
        self.since = now;
        self.left = self.left.saturating_sub(waited);
        while !self.left.is_zero() {
            let tick = self.tick.get_or_insert_with(|| clock::sleep(self.left.min(TICK)));
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
