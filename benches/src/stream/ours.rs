//! The crate's own streams.

use anyhow::Result;
use pagestream::{Error, Page, Paginator, PaginatorExt, async_trait};

use super::{Memory, Record, consume};

#[async_trait]
impl Paginator for Memory {
    type Record = Record;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: u64) -> Result<Page<Record, u64>, Error> {
        let (records, next) = self.page(page);
        Ok(Page::new(records, next))
    }

    fn identity(&self) -> String {
        "memory".to_owned()
    }
}

pub(super) async fn records(memory: Memory) -> Result<u64> {
    consume(memory.records()).await
}

pub(super) async fn boxed(memory: Memory) -> Result<u64> {
    consume(memory.boxed().records()).await
}
