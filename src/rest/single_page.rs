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
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, http::Client, rest::SinglePage, testing::{Script, script::get}};
/// use serde_json::json;
///
/// # futures::executor::block_on(async {
/// let service = Script::new()
///     .on(get("/users"))
///     .reply(json!({"users": ["Ada", "Grace", "Mary"]}));
/// # let client = Client::builder("https://api.example.com").transport(service.clone()).build()?;
/// let users = client.get("/users").pages(SinglePage).records_at("/users").build::<String>()?;
/// let users: Vec<String> = users.records().try_collect().await?;
/// assert_eq!(users, ["Ada", "Grace", "Mary"]);
/// # service.verify();
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
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
