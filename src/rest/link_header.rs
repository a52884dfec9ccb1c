use super::{
    answer::Answer,
    style::{Next, Style},
};
use crate::{error::Error, http::PageRequest};

/// Pages by the header `Link` (RFC 8288).
///
/// **When your API looks like this:** `Link: <https://...?page=2>; rel="next"`.
///
/// The link is followed as it is: see [`NextLink`](super::NextLink). An answer without a link of
/// the relation `next` is the end.
///
/// A link can't be predicted, so a [window](crate::Read::window) asks for one page ahead.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, http::Client, rest::LinkHeader, testing::{Reply, Script, script::get}};
/// use serde_json::json;
///
/// # futures::executor::block_on(async {
/// let service = Script::new()
///     .on(get("/users?per_page=2"))
///     .reply(Reply::status(200).json(json!(["Ada", "Grace"])).header(
///         "link",
///         r#"<https://api.example.com/users?per_page=2&page=2>; rel="next""#,
///     ))
///     .on(get("/users?per_page=2&page=2"))
///     .reply(json!(["Mary"]));
/// # let client = Client::builder("https://api.example.com").transport(service.clone()).build()?;
/// let users = client.get("/users").limit("per_page", 2).pages(LinkHeader::new());
/// let users = users.build::<String>()?;
/// let users: Vec<String> = users.records().try_collect().await?;
/// assert_eq!(users, ["Ada", "Grace", "Mary"]);
/// # service.verify();
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct LinkHeader {
    relation: String,
}

impl LinkHeader {
    /// Follows the relation `next`.
    #[allow(clippy::new_without_default, reason = "a style is built by its name")]
    pub fn new() -> Self {
        Self { relation: "next".to_owned() }
    }

    /// Follows another relation, such as `prev`.
    pub fn relation(mut self, relation: impl Into<String>) -> Self {
        self.relation = relation.into();
        self
    }
}

impl Style for LinkHeader {
    /// A link; none at the start.
    type Cursor = Option<String>;

    fn start(&self) -> Option<String> {
        None
    }

    fn apply(&self, cursor: &Option<String>, request: &mut PageRequest<'_>) -> Result<(), Error> {
        if let Some(link) = cursor {
            request.set_link(link);
        }
        Ok(())
    }

    fn next(&self, _: &Option<String>, answer: &Answer<'_>) -> Result<Next<Option<String>>, Error> {
        let link = answer.link_with_relation(&self.relation)?;
        Ok(link.map_or_else(Next::end, |link| Next::at(Some(link))))
    }
}
