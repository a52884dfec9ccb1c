//! Other crates that make a stream of pages, each as its docs say.

use std::vec;

use anyhow::{Result, anyhow};
use aws_smithy_async::future::pagination_stream::{
    PaginationStream, TryFlatMap, fn_stream::FnStream,
};
use azure_core::http::pager::{
    ItemIterator, Page, PagerContinuation, PagerOptions, PagerResult, PagerResultFuture, PagerState,
};
use page_turner::prelude::{PageTurner, PagesStream, TurnedPage, TurnedPageResult};

use super::{Memory, Record, consume, digest};

impl PageTurner<u64> for Memory {
    type PageItems = Vec<Record>;
    type PageError = anyhow::Error;

    async fn turn_page(&self, page: u64) -> TurnedPageResult<Self, u64> {
        let (records, next) = self.fetch(page).await?;
        Ok(TurnedPage::new(records, next))
    }
}

pub(super) async fn page_turner(memory: Memory) -> Result<u64> {
    consume(PageTurner::pages(&memory, 0).items()).await
}

struct AzurePage(Vec<Record>);

#[async_trait::async_trait]
impl Page for AzurePage {
    type Item = Record;
    type IntoIter = vec::IntoIter<Record>;

    async fn into_items(self) -> azure_core::Result<Self::IntoIter> {
        Ok(self.0.into_iter())
    }
}

async fn azure_page(
    memory: Memory,
    state: PagerState,
) -> azure_core::Result<PagerResult<AzurePage>> {
    let page = match state {
        PagerState::Initial => 0,
        PagerState::More(token) => token.as_ref().parse().map_err(|error| {
            azure_core::Error::new(azure_core::error::ErrorKind::DataConversion, error)
        })?,
    };
    let (records, next) = memory.fetch(page).await.map_err(|error| {
        azure_core::Error::with_message(azure_core::error::ErrorKind::Other, error.to_string())
    })?;
    let response = AzurePage(records);
    Ok(match next {
        Some(next) => {
            let continuation = PagerContinuation::Token(next.to_string());
            PagerResult::More { response, continuation }
        }
        None => PagerResult::Done { response },
    })
}

pub(super) async fn azure(memory: Memory) -> Result<u64> {
    let pages = move |state, _: PagerOptions<'static>| {
        Box::pin(azure_page(memory, state)) as PagerResultFuture<AzurePage>
    };
    consume(ItemIterator::new(pages, None)).await
}

pub(super) async fn smithy(memory: Memory) -> Result<u64> {
    let pages = FnStream::new(move |sender| {
        Box::pin(async move {
            let mut next = Some(0);
            while let Some(page) = next {
                let fetched = memory.fetch(page).await;
                next = fetched.as_ref().ok().and_then(|(_, next)| *next);
                if sender.send(fetched).await.is_err() {
                    return;
                }
            }
        })
    });
    let mut records =
        TryFlatMap::new(PaginationStream::new(pages)).flat_map(|(records, _)| records);
    let mut sum = 0;
    while let Some(record) = records.try_next().await.map_err(|error| anyhow!(error))? {
        sum = digest(sum, record);
    }
    Ok(sum)
}
