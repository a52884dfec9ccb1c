//! Runtimes that go away, and runtimes without time.

use std::{future::pending, time::Duration};

use futures::{StreamExt, TryStreamExt};
use pagestream::{Error, ErrorKind, Page, Paginator, PaginatorExt, Records, Retry, async_trait};
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
};

use crate::support::from_fn;

/// Numbers, one to a page. The service predicts its offsets.
#[derive(Clone)]
struct Numbers {
    /// This page never comes on a runtime with this name.
    stuck: Option<(u64, &'static str)>,
}

#[async_trait]
impl Paginator for Numbers {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: u64) -> Result<Page<u64, u64>, Error> {
        for _ in 0..page % 4 {
            yield_now().await;
        }
        let thread = std::thread::current();
        if self.stuck.is_some_and(|(at, name)| at == page && thread.name() == Some(name)) {
            pending::<()>().await;
        }
        Ok(Page::new(vec![page], (page < 29).then_some(page + 1)))
    }

    fn predict(&self, before: &u64, at: &u64, _: Option<u64>) -> Option<u64> {
        Some(at + (at - before))
    }
}

fn runtime(name: &str) -> Runtime {
    Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build().unwrap()
}

#[test]
fn a_runtime_for_each_record_reads_all() {
    for window in [1, 2, 8] {
        let mut records = Numbers { stuck: None }.into_read().window(window).records();
        let mut came = Vec::new();
        while let Some(record) = runtime("short").block_on(records.next()) {
            came.push(record.unwrap());
        }
        assert!(came.into_iter().eq(0..30), "window {window}");
    }
}

#[test]
fn a_request_whose_runtime_is_gone_is_made_again() {
    let numbers = Numbers { stuck: Some((5, "first")) };
    let mut records = numbers.into_read().window(8).records();
    let first = runtime("first");
    let some = first.block_on(async { records.by_ref().take(5).try_collect::<Vec<_>>().await });
    assert_eq!(some.unwrap(), [0, 1, 2, 3, 4]);
    drop(first);
    let others = runtime("second").block_on(records.try_collect::<Vec<_>>());
    assert!(others.unwrap().into_iter().eq(5..30));
}

/// The second page fails once.
fn fails_once() -> Records<impl pagestream::Source<Paginator: Paginator<Record = u64>>> {
    let failed = std::sync::atomic::AtomicBool::new(false);
    let pages = from_fn(0_u64, move |page| {
        let fails = page == 1 && !failed.swap(true, std::sync::atomic::Ordering::Relaxed);
        std::future::ready(if fails {
            Err(Error::new(ErrorKind::Transport, "once"))
        } else {
            Ok(Page::new(vec![page], (page < 3).then_some(page + 1)))
        })
    });
    // A part of the delay that is neither none nor all of it.
    let retry = Retry::default().first_delay(Duration::from_millis(100)).seed(7);
    pages.into_read().retry(retry).records()
}

#[test]
fn a_runtime_without_time_waits_all_the_same() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let records = runtime.block_on(fails_once().try_collect::<Vec<_>>());
    assert_eq!(records.unwrap(), [0, 1, 2, 3]);
}

#[test]
fn a_wait_whose_runtime_is_gone_comes_to_its_end() {
    let mut records = fails_once();
    let first = Builder::new_current_thread().enable_time().build().unwrap();
    first.block_on(async {
        assert_eq!(records.next().await.unwrap().unwrap(), 0);
        // The wait before the next attempt begins here.
        assert!(futures::poll!(records.next()).is_pending());
    });
    drop(first);
    let others = futures::executor::block_on(records.try_collect::<Vec<_>>());
    assert_eq!(others.unwrap(), [1, 2, 3]);
}
