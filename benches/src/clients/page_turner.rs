//! Alloy's contacts through page-turner, with requests ahead of the responses.

use anyhow::Result;
use futures::Stream;
use page_turner::prelude::{
    Limit, PageTurner, PagesStream, RequestAhead, TurnedPage, TurnedPageResult,
};

use super::{
    Service,
    by_hand::{Answer, page, parse_slice},
};
use crate::contacts::{Contact, LIMIT};

/// The offset of a page. The next one is predicted, as page-turner asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Offset(pub u64);

impl RequestAhead for Offset {
    fn next_request(&self) -> Self {
        Self(self.0 + LIMIT)
    }
}

impl PageTurner<Offset> for Service {
    type PageItems = Vec<Contact>;
    type PageError = anyhow::Error;

    async fn turn_page(&self, offset: Offset) -> TurnedPageResult<Self, Offset> {
        let Answer { data, pagination } = page(self, offset.0, parse_slice).await?;
        let next = pagination.has_more.then(|| offset.next_request());
        Ok(TurnedPage::new(data, next))
    }
}

/// All records that come out of `pages_ahead`.
pub fn records(service: &Service, ahead: usize) -> impl Stream<Item = Result<Contact>> + Send {
    service.pages_ahead(ahead, Limit::None, Offset(0)).items()
}
