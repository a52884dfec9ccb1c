//! Paginators that hang, wake the wrong task or mind being dropped.

use std::{
    future::{pending, poll_fn},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError::Disconnected},
    },
    task::{Poll, Waker},
    time::Duration,
};

use pagestream::{Error, ErrorKind, Page, Paginator, async_trait, testing::conformance::Rule};

use crate::support::from_fn;

use super::{assert_violation, broken, numbers};

/// Waits until it is polled again.
async fn wait_once() {
    let mut is_polled = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut is_polled, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A connection that a fetch marks as busy, and leaves so if it is dropped.
struct Connection<'a>(&'a AtomicBool);

#[async_trait]
impl Paginator for Connection<'_> {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, from: u64) -> Result<Page<u64, u64>, Error> {
        while self.0.swap(true, Ordering::Relaxed) {
            wait_once().await;
        }
        wait_once().await;
        self.0.store(false, Ordering::Relaxed);
        numbers(from).await
    }

    fn identity(&self) -> String {
        "connection".to_owned()
    }
}

#[test]
fn a_paginator_that_a_dropped_fetch_breaks_is_told() {
    let is_busy = AtomicBool::new(false);
    let violation = broken(|| Connection(&is_busy));
    let parts = ["dropped at wait 2, with a window of 1: after 0 records nothing came for 500ms"];
    assert_violation(&violation, Rule::Stalled, &parts);
}

#[test]
fn a_paginator_that_hangs_is_told() {
    let violation = broken(|| {
        from_fn(0, |from| async move {
            if from == 20 {
                pending::<()>().await;
            }
            numbers(from).await
        })
    });
    let parts = ["with a window of 1: after 20 records nothing came for 500ms"];
    assert_violation(&violation, Rule::Stalled, &parts);
}

/// An event on another thread, which comes when it was waited for twice, or soon.
#[derive(Default)]
struct Event {
    has_come: bool,
    waker: Option<Waker>,
    second_poll: Option<mpsc::Sender<()>>,
}

#[test]
fn a_future_that_wakes_the_first_that_polled_it_alone_is_told() {
    let violation = broken(|| {
        from_fn(0, |from| async move {
            let event = Arc::new(Mutex::new(Event::default()));
            poll_fn(|cx| {
                let mut state = event.lock().unwrap();
                if state.has_come {
                    return Poll::Ready(());
                }
                if state.waker.is_some() {
                    state.second_poll = None;
                    return Poll::Pending;
                }
                let (second_poll, polled) = mpsc::channel();
                (state.second_poll, state.waker) = (Some(second_poll), Some(cx.waker().clone()));
                let event = Arc::clone(&event);
                std::thread::spawn(move || {
                    if polled.recv_timeout(Duration::from_millis(5)) == Err(Disconnected) {
                        // What wakes the task for another reason is over by then.
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    let mut state = event.lock().unwrap();
                    state.has_come = true;
                    state.waker.take().unwrap().wake();
                });
                Poll::Pending
            })
            .await;
            numbers(from).await
        })
    });
    assert_violation(&violation, Rule::Stalled, &["each `next()` is dropped while it waits"]);
}

#[test]
fn an_error_of_an_id_that_is_given_at_times_is_told() {
    let fetches = Arc::new(AtomicU64::new(0));
    let violation = broken(|| {
        let fetches = Arc::clone(&fetches);
        from_fn(0, move |from| {
            let is_first = fetches.fetch_add(1, Ordering::Relaxed) == 0;
            async move {
                let page = numbers(from).await?;
                let error = || Error::new(ErrorKind::Rejected, "no access").with_ids(["7"]);
                Ok(if is_first { page.with_failure(None, error()) } else { page })
            }
        })
        .identified_by("the numbers below 25")
    });
    let parts = ["read by pages: the errors of single ids are []", "Rejected of [\\\"7\\\"]"];
    assert_violation(&violation, Rule::PartialErrors, &parts);
}
