//! A paginator of one's own, of which a test says what fails.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use pagestream::{Error, ErrorKind, Page, Paginator, async_trait};
use tokio::time::Instant;

/// How long an answer of a test service takes.
pub(crate) const LATENCY: Duration = Duration::from_millis(10);

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Pages of two numbers each, in a chain, or all behind the first.
#[derive(Clone)]
pub(crate) struct Pages {
    pub(crate) count: u64,
    pub(crate) branches: bool,
    pub(crate) fault: Arc<dyn Fn(u64, usize) -> Option<Error> + Send + Sync>,
    /// How long the answer with a page takes.
    pub(crate) latency: fn(u64) -> Duration,
    pub(crate) log: Arc<Mutex<Vec<(u64, Instant)>>>,
}

impl Pages {
    /// `fault` gets the page, from 1, and how often it was asked for, from 1.
    pub(crate) fn chain(
        pages: u64,
        fault: impl Fn(u64, usize) -> Option<Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            count: pages,
            branches: false,
            fault: Arc::new(fault),
            latency: |_| LATENCY,
            log: Arc::default(),
        }
    }

    pub(crate) fn branching(
        pages: u64,
        fault: impl Fn(u64, usize) -> Option<Error> + Send + Sync + 'static,
    ) -> Self {
        Self { branches: true, ..Self::chain(pages, fault) }
    }

    /// All of its records, in order.
    pub(crate) fn records_of(pages: u64) -> Vec<u64> {
        (2..2 * pages + 2).collect()
    }

    pub(crate) fn asked(&self) -> Vec<u64> {
        self.log.lock().unwrap().iter().map(|(page, _)| *page).collect()
    }

    /// When a page was asked for.
    pub(crate) fn times(&self, page: u64) -> Vec<Instant> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(asked, _)| *asked == page).map(|(_, at)| *at).collect()
    }
}

#[async_trait]
impl Paginator for Pages {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        1
    }

    async fn fetch(&self, page: u64) -> Result<Page<u64, u64>, Error> {
        self.log.lock().unwrap().push((page, Instant::now()));
        let nth = self.times(page).len();
        tokio::time::sleep((self.latency)(page)).await;
        if let Some(error) = (self.fault)(page, nth) {
            return Err(error);
        }
        let next = match (self.branches, page) {
            (true, 1) => 2..self.count + 1,
            (false, page) if page < self.count => page + 1..page + 2,
            _ => 0..0,
        };
        Ok(Page::new(vec![2 * page, 2 * page + 1], next))
    }

    fn identity(&self) -> String {
        "pages".to_owned()
    }
}

pub(crate) fn status(status: u16) -> Error {
    Error::new(ErrorKind::Status, "the service answered with an error").with_status(status)
}

pub(crate) fn busy() -> Error {
    status(503)
}

/// Fails a page so often.
pub(crate) fn fails(
    page: u64,
    times: usize,
    error: fn() -> Error,
) -> impl Fn(u64, usize) -> Option<Error> {
    move |asked, nth| (asked == page && nth <= times).then(error)
}
