//! Requests that run on the runtime, beside a consumer that blocks its thread.

use std::{
    future::pending,
    sync::{Mutex, mpsc},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt};
use http::{Request, Response};
use pagestream::{Error, Page, Paginator, PaginatorExt, RateLimiter, Transport, async_trait};

use crate::support::from_fn;
use tokio::sync::watch;

/// Longer than anything takes; only a test that fails waits for so long.
const LONGEST: Duration = Duration::from_secs(30);

/// Three pages; beyond them the service takes until it is told to go on.
struct Slow {
    go_on: watch::Receiver<bool>,
    done: mpsc::Sender<u64>,
}

#[async_trait]
impl Paginator for Slow {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: u64) -> Result<Page<u64, u64>, Error> {
        if page > 2 {
            self.go_on.clone().wait_for(|go_on| *go_on).await.map_err(Error::other)?;
            let _ = self.done.send(page);
        }
        Ok(Page::new(vec![page], (page < 2).then_some(page + 1)))
    }

    fn predict(&self, before: &u64, at: &u64, _: Option<u64>) -> Option<u64> {
        Some(at + (at - before))
    }

    fn identity(&self) -> String {
        "slow".to_owned()
    }
}

/// Says so when it is dropped.
struct Dropped(mpsc::Sender<u64>, u64);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_goes_on_while_the_consumer_blocks_its_thread() {
    let (done, is_done) = mpsc::channel();
    let consumer = tokio::spawn(async move {
        let pages = from_fn(1_u64, move |page| {
            let done = done.clone();
            async move {
                // It has to be polled more than once.
                tokio::time::sleep(Duration::from_millis(1)).await;
                tokio::task::yield_now().await;
                let _ = done.send(page);
                Ok(Page::new(vec![page], (page < 10).then_some(page + 1)))
            }
        });
        let mut records = pages.into_read().window(2).records();
        for page in 1..=10 {
            assert_eq!(records.try_next().await.unwrap(), Some(page));
            // The page is delivered. This thread does nothing else until the next is here.
            let next = if page == 1 { vec![1, 2] } else { vec![page + 1] };
            for next in next.into_iter().filter(|next| *next <= 10) {
                assert_eq!(is_done.recv_timeout(LONGEST), Ok(next));
            }
        }
        assert_eq!(records.try_next().await.unwrap(), None);
    });
    consumer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_stream_drops_requests_that_run_beside_it() {
    let (dropped, is_dropped) = mpsc::channel();
    let (started, is_started) = mpsc::channel();
    let pages = from_fn(0_u64, move |page| {
        let (dropped, started) = (dropped.clone(), started.clone());
        async move {
            if page > 0 {
                let _dropped = Dropped(dropped, page);
                let _ = started.send(page);
                pending::<()>().await;
            }
            Ok(Page::new(vec![page], (1..4).filter(|_| page == 0)))
        }
    });
    let mut records = pages.into_read().window(4).records();
    assert_eq!(records.try_next().await.unwrap(), Some(0));
    assert!(records.next().now_or_never().is_none());
    let mut running = (0..3).map(|_| is_started.recv_timeout(LONGEST).unwrap()).collect::<Vec<_>>();
    running.sort_unstable();
    assert_eq!(running, [1, 2, 3]);
    drop(records);
    let mut gone = (0..3).map(|_| is_dropped.recv_timeout(LONGEST).unwrap()).collect::<Vec<_>>();
    gone.sort_unstable();
    assert_eq!(gone, [1, 2, 3]);
}

#[tokio::test]
async fn speculative_requests_beyond_the_end_come_to_their_end_though_the_stream_is_gone() {
    let (go, go_on) = watch::channel(false);
    let (done, is_done) = mpsc::channel();
    let records = Slow { go_on, done }.into_read().window(4).records();
    let monitor = records.monitor();
    assert_eq!(records.try_collect::<Vec<_>>().await.unwrap(), [0, 1, 2]);
    let speculative = monitor.progress().discarded;
    assert!(speculative > 0);
    go.send(true).unwrap();
    for _ in 0..speculative {
        tokio::task::yield_now().await;
    }
    assert_eq!(is_done.try_iter().count() as u64, speculative);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "a bug of the paginator's")]
async fn a_panic_of_a_request_is_one_of_the_stream() {
    let pages = from_fn(0_u64, |page| async move {
        assert!(page < 1, "a bug of the paginator's");
        Ok(Page::new(vec![page], Some(page + 1)))
    });
    let records = pages.into_read().window(2).records();
    let _ = records.try_collect::<Vec<_>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_waits_for_a_rate_limiter_counts_where_it_was_made() {
    let limiter = RateLimiter::new(1, Duration::from_secs(365 * 24 * 60 * 60)).unwrap();
    let answer = |_: Request<Bytes>| async { Ok::<_, Error>(Response::new(Bytes::new())) };
    let transport = limiter.limit(answer);
    let (sending, is_sending) = mpsc::channel();
    let is_sending = Mutex::new(is_sending);
    let pages = from_fn(0_u64, move |page| {
        let (transport, sending) = (transport.clone(), sending.clone());
        async move {
            let mut sent = transport.send(Request::default());
            if (&mut sent).now_or_never().is_none() {
                let _ = sending.send(page);
                sent.await?;
            }
            Ok(Page::new(vec![page], (1..4).filter(|_| page == 0)))
        }
    });
    let mut records = pages.into_read().window(4).records();
    let monitor = records.monitor();
    assert_eq!(records.try_next().await.unwrap(), Some(0));
    assert!(records.next().now_or_never().is_none());
    for _ in 0..3 {
        is_sending.lock().unwrap().recv_timeout(LONGEST).unwrap();
    }
    assert_eq!(monitor.progress().throttled, 3);
    assert_eq!(limiter.waiting(), 3);
}
