use super::{
    answer::Answer,
    style::{Next, Style},
};
use crate::{error::Error, http::PageRequest};

/// One answer with all records.
///
/// **When your API looks like this:** there are no pages.
///
/// With [`one_record`](super::ListBuilder::one_record) the answer is one record, and no list.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct SinglePage;

impl Style for SinglePage {
    type Cursor = ();

    fn start(&self) {}

    fn apply(&self, (): &(), _: &mut PageRequest<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn next(&self, (): &(), _: &Answer<'_>) -> Result<Next<()>, Error> {
        Ok(Next::end())
    }
}
