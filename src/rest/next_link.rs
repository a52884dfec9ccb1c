use super::{
    answer::Answer,
    at::At,
    end::{End, contradiction, end_setters},
    style::{Next, Style},
};
use crate::{error::Error, http::PageRequest};

/// Pages by a link in the body of each answer.
///
/// **When your API looks like this:** the answer has `"next": "https://..."`,
/// `"nextRecordsUrl": "/services/data/..."` or `"@odata.nextLink"`.
///
/// The link is followed as it is: the query of the request is not added. It may be absolute or
/// relative. A link that is missing, null or `""` is the end. A link that leads away from the
/// service's own origin is an error, unless you
/// [allow](crate::http::ClientBuilder::allow_origin) that origin.
///
/// A link can't be predicted, so a [window](crate::Read::window) asks for one page ahead.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, http::Client, rest::NextLink, testing::{Script, script::get}};
/// use serde_json::json;
///
/// # futures::executor::block_on(async {
/// let service = Script::new()
///     .on(get("/users?limit=2"))
///     .reply(json!({"users": ["Ada", "Grace"], "next": "/users?limit=2&key=g"}))
///     .on(get("/users?limit=2&key=g"))
///     .reply(json!({"users": ["Mary"], "next": null}));
/// # let client = Client::builder("https://api.example.com").transport(service.clone()).build()?;
/// let users = client.get("/users").limit("limit", 2).pages(NextLink::at("/next"));
/// let users = users.records_at("/users").build::<String>()?;
/// let users: Vec<String> = users.records().try_collect().await?;
/// assert_eq!(users, ["Ada", "Grace", "Mary"]);
/// # service.verify();
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct NextLink {
    at: At,
    end: Option<End>,
    later: Option<At>,
}

impl NextLink {
    /// The link is at this place of an answer: a JSON pointer, or a
    /// [`header`](super::header) with nothing but the link in it.
    pub fn at(at: impl Into<At>) -> Self {
        Self { at: at.into(), end: None, later: None }
    }

    /// The last answer has the link for a later reading at this place, such as
    /// `/@odata.deltaLink`: [`Checkpoint::later`](crate::Checkpoint::later).
    ///
    /// You do not need this method if a flag tells the end, and the last answer has a next link
    /// all the same. That link is left for later by itself.
    pub fn later_at(mut self, at: impl Into<At>) -> Self {
        self.later = Some(at.into());
        self
    }

    end_setters!(more_at, done_at);
}

impl NextLink {
    /// The end, with what the last answer leaves for a later reading.
    fn end(&self, answer: &Answer<'_>) -> Result<Next<Option<String>>, Error> {
        let later = answer.link(self.later.as_ref().unwrap_or(&self.at))?;
        Ok(Next::end().with_later(later.map(Some)))
    }
}

impl Style for NextLink {
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
        if let Some(end) = &self.end
            && end.is_told(answer)?
        {
            return self.end(answer);
        }
        match (answer.link(&self.at)?, &self.end) {
            (Some(link), _) => Ok(Next::at(Some(link))),
            (None, None) => self.end(answer),
            (None, Some(_)) => Err(contradiction(format!(
                "missing link at {}: expected one, since the service says that there is more",
                self.at
            ))),
        }
    }

    fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        self.at.check()?;
        self.later.as_ref().map_or(Ok(()), At::check)?;
        self.end.as_ref().map_or(Ok(()), |end| end.check(limit))
    }
}
