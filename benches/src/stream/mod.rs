//! Readers of pages in memory, ours and others: what a stream costs where nothing
//! is waited for.

mod ours;
mod peers;

use std::{fmt, hint::black_box, pin::pin};

use anyhow::Result;
use futures::{
    TryStreamExt,
    stream::{self, Stream},
};

/// A record of 24 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Record([u64; 3]);

/// Pages in memory. All readers take them from here.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// How many records a page holds.
    pub per_page: u64,
    /// How many pages there are.
    pub pages: u64,
}

impl Memory {
    /// The records of a page, and the page behind it.
    fn page(self, page: u64) -> (Vec<Record>, Option<u64>) {
        let records = (0..self.per_page).map(|n| Record([page, n, page ^ n])).collect();
        (records, (page + 1 < self.pages).then_some(page + 1))
    }

    /// The same, as a service would give it.
    #[expect(clippy::unused_async, reason = "a request is awaited, though this one never waits")]
    async fn fetch(self, page: u64) -> Result<(Vec<Record>, Option<u64>)> {
        Ok(self.page(page))
    }
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A loop over pages with a loop over records inside.
    ByHand,
    /// `records()` of a paginator.
    Records,
    /// The same of one without its type.
    Boxed,
    /// `try_unfold` and `try_flatten`.
    Unfold,
    /// page-turner's `pages().items()`.
    PageTurner,
    /// azure_core's `ItemIterator`, which its `Pager` is.
    Azure,
    /// aws-smithy-async's `PaginationStream` with `TryFlatMap`.
    Smithy,
}

impl Reader {
    /// All of them, the loop that the others are compared with first.
    pub const ALL: [Self; 7] = [
        Self::ByHand,
        Self::Records,
        Self::Boxed,
        Self::Unfold,
        Self::PageTurner,
        Self::Azure,
        Self::Smithy,
    ];

    /// The reader of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reader| reader.to_string() == name)
    }

    /// Reads all pages and gives a digest of the records.
    pub async fn read(self, memory: Memory) -> Result<u64> {
        match self {
            Self::ByHand => by_hand(memory).await,
            Self::Records => ours::records(memory).await,
            Self::Boxed => ours::boxed(memory).await,
            Self::Unfold => unfold(memory).await,
            Self::PageTurner => peers::page_turner(memory).await,
            Self::Azure => peers::azure(memory).await,
            Self::Smithy => peers::smithy(memory).await,
        }
    }
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ByHand => "loop by hand",
            Self::Records => "pagestream",
            Self::Boxed => "pagestream, boxed()",
            Self::Unfold => "try_unfold + try_flatten",
            Self::PageTurner => "page-turner 1.0",
            Self::Azure => "azure_core 1.1",
            Self::Smithy => "aws-smithy-async 1.3",
        })
    }
}

/// The record, as a consumer would use it.
fn digest(sum: u64, record: Record) -> u64 {
    let [page, n, mixed] = black_box(record).0;
    sum.rotate_left(1).wrapping_add(page ^ n ^ mixed).wrapping_add(n)
}

async fn by_hand(memory: Memory) -> Result<u64> {
    let (mut sum, mut next) = (0, Some(0));
    while let Some(page) = next {
        let (records, behind) = memory.fetch(page).await?;
        for record in records {
            sum = digest(sum, record);
        }
        next = behind;
    }
    Ok(sum)
}

async fn unfold(memory: Memory) -> Result<u64> {
    let pages = stream::try_unfold(Some(0), move |page| async move {
        let Some(page) = page else { return Ok(None) };
        let (records, next) = memory.fetch(page).await?;
        let records = stream::iter(records.into_iter().map(Ok::<_, anyhow::Error>));
        Ok::<_, anyhow::Error>(Some((records, next)))
    });
    consume(pages.try_flatten()).await
}

/// What is done with every stream of records.
async fn consume<E>(records: impl Stream<Item = Result<Record, E>>) -> Result<u64>
where
    anyhow::Error: From<E>,
{
    let mut records = pin!(records);
    let mut sum = 0;
    while let Some(record) = records.try_next().await? {
        sum = digest(sum, record);
    }
    Ok(sum)
}
