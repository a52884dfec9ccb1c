//! No row is collected before the plan sees it.

use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::arrow::datatypes::Schema;
use futures::TryStreamExt;
use pagestream::{Error, Page, Paginator, async_trait};
use pagestream_datafusion::{Connector, Environment, Request, Table, schema_of};
use serde::{Deserialize, Serialize};

use crate::support::context;

static ALIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// A record that is counted while it is in memory.
struct Counted;

impl Counted {
    fn new() -> Self {
        let alive = ALIVE.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(alive, Ordering::SeqCst);
        Self
    }
}

impl Default for Counted {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Serialize, Deserialize)]
struct Record {
    id: u64,
    #[serde(skip)]
    _counted: Counted,
}

#[derive(Serialize, Deserialize)]
struct Many;

const PAGES: u64 = 500;
const PAGE: u64 = 100;

#[async_trait]
impl Connector for Many {
    const NAME: &'static str = "many";
    type Paginator = ManyPages;

    fn schema(&self) -> Result<Schema, Error> {
        schema_of::<Record>()
    }

    fn paginator(&self, _: &Request, _: &Environment) -> Result<ManyPages, Error> {
        Ok(ManyPages)
    }
}

struct ManyPages;

#[async_trait]
impl Paginator for ManyPages {
    type Record = Record;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: u64) -> Result<Page<Record, u64>, Error> {
        tokio::task::yield_now().await;
        let ids = page * PAGE..(page + 1) * PAGE;
        let records = ids.map(|id| Record { id, _counted: Counted::new() }).collect();
        Ok(Page::new(records, (page + 1 < PAGES).then_some(page + 1)))
    }

    fn predict(&self, _: &u64, at: &u64, _: Option<u64>) -> Option<u64> {
        (at + 1 < PAGES).then_some(at + 1)
    }

    fn identity(&self) -> String {
        "many".to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_in_memory_are_bounded_by_the_window_and_batches_by_a_page() {
    let window = 4;
    let context = context([("many", Table::new(Many).unwrap().window(window))]);
    let mut rows = context.table("many").await.unwrap().execute_stream().await.unwrap();
    let mut read = 0;
    while let Some(batch) = rows.try_next().await.unwrap() {
        assert!(batch.num_rows() as u64 <= PAGE);
        read += batch.num_rows() as u64;
    }
    assert_eq!(read, PAGES * PAGE);
    // Four times as many pages while the first response is late, and the page in hand.
    let most = MOST.load(Ordering::SeqCst);
    assert!(most <= (4 * window + 1) * usize::try_from(PAGE).unwrap(), "{most}");
}
