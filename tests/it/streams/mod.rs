//! What the streams promise, a test each. Where the order of events matters they
//! are polled by hand, and nothing sleeps.

mod advice;
mod asking;
mod batches;
mod changes;
mod checkpoints;
mod deduplicate;
mod endless;
mod errors;
mod limits;
mod on_end;
mod progress;
mod restarts;
mod totals;
mod types;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use futures::{Stream, StreamExt, TryStreamExt, channel::oneshot, executor::block_on};
use pagestream::{Error, ErrorKind, Page, Paginator, async_trait};

/// The numbers below `total`, `per_page` to a page. It counts its requests.
#[derive(Clone, Default)]
struct Numbers {
    total: u64,
    per_page: u64,
    /// The request that fails, from 1; later ones succeed.
    fails_at: Option<usize>,
    log: Arc<Mutex<Vec<u64>>>,
}

impl Numbers {
    fn new(total: u64, per_page: u64) -> Self {
        Self { total, per_page, ..Self::default() }
    }

    fn requests(&self) -> usize {
        self.log.lock().unwrap().len()
    }
}

#[async_trait]
impl Paginator for Numbers {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, from: u64) -> Result<Page<u64, u64>, Error> {
        let requests = {
            let mut log = self.log.lock().unwrap();
            log.push(from);
            log.len()
        };
        if self.fails_at == Some(requests) {
            let error = Error::new(ErrorKind::Status, "the service is busy");
            return Err(error.with_status(503).with_retryable(false));
        }
        let to = (from + self.per_page).min(self.total);
        Ok(Page::new((from..to).collect(), (to < self.total).then_some(to)))
    }

    fn identity(&self) -> String {
        format!("the numbers below {}", self.total)
    }
}

/// A page that goes on with `branches` others, each of which comes when the test lets
/// it. Page `n` holds the record `n`.
struct Gated {
    branches: u64,
    gates: Mutex<BTreeMap<u64, oneshot::Sender<Result<(), Error>>>>,
}

impl Gated {
    fn new(branches: u64) -> Self {
        Self { branches, gates: Mutex::default() }
    }

    /// The pages that are asked for and have not come.
    fn in_flight(&self) -> Vec<u64> {
        let mut gates = self.gates.lock().unwrap();
        gates.retain(|_, gate| !gate.is_canceled());
        gates.keys().copied().collect()
    }

    fn open(&self, page: u64, outcome: Result<(), Error>) {
        let gate = self.gates.lock().unwrap().remove(&page).expect("it is in flight");
        gate.send(outcome).expect("somebody waits for it");
    }
}

#[async_trait]
impl Paginator for Gated {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: u64) -> Result<Page<u64, u64>, Error> {
        let (gate, opened) = oneshot::channel();
        self.gates.lock().unwrap().insert(page, gate);
        opened.await.expect("the gate is kept")?;
        let branches = if page == 0 { self.branches } else { 0 };
        Ok(Page::new(vec![page], 1..=branches))
    }

    fn identity(&self) -> String {
        "gated".to_owned()
    }
}

/// Two ids of a batch failed on the first of two pages.
#[derive(Clone)]
struct HalfFailing;

#[async_trait]
impl Paginator for HalfFailing {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: u64) -> Result<Page<u64, u64>, Error> {
        let failed = |id: &str| Error::new(ErrorKind::Rejected, "no access").with_ids([id]);
        Ok(if page == 0 {
            Page::new(vec![1, 2], Some(1))
                .with_failure(None, failed("x"))
                .with_failure(None, failed("y"))
        } else {
            Page::last(vec![3])
        })
    }

    fn identity(&self) -> String {
        "halffailing".to_owned()
    }
}

fn poll<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    stream.poll_next_unpin(&mut Context::from_waker(Waker::noop()))
}

/// The next item of a stream that must have one at once.
fn item<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    match poll(stream) {
        Poll::Ready(item) => item,
        Poll::Pending => panic!("the stream is pending"),
    }
}

fn all<S: Stream<Item = Result<T, Error>>, T>(stream: S) -> Vec<T> {
    block_on(stream.try_collect()).unwrap()
}
