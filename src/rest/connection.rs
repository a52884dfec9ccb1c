use serde::Deserialize;

use super::{
    answer::Answer,
    at::At,
    end::contradiction,
    style::{Next, Style},
};
use crate::{
    error::{Error, ErrorKind},
    http::PageRequest,
    json::Pointer,
    opaque_cursor::OpaqueCursor,
};

/// Pages of a GraphQL connection.
///
/// **When your API looks like this:** `pageInfo { hasNextPage endCursor }`.
///
/// The query has a variable for the cursor, and asks for `nodes` and for `pageInfo`:
///
/// ```graphql
/// query ($first: Int!, $after: String) {
///   products(first: $first, after: $after) {
///     nodes { id title }
///     pageInfo { hasNextPage endCursor }
///   }
/// }
/// ```
///
/// Use it with [`Client::graphql`](crate::http::Client::graphql). If an answer has errors and data,
/// its errors are partial. If it has errors only, they are fatal. If their code says that there are
/// too many requests, the reading waits and asks again.
///
/// A cursor can't be predicted, so a [window](crate::Read::window) asks for one page ahead.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, http::Client, rest::Connection, testing::{Script, script::post}};
/// use serde::Deserialize;
/// use serde_json::json;
///
/// #[derive(Deserialize)]
/// struct Product {
///     title: String,
/// }
///
/// const QUERY: &str = "query ($first: Int!, $after: String) {
///     products(first: $first, after: $after) {
///         nodes { title }
///         pageInfo { hasNextPage endCursor }
///     }
/// }";
///
/// # futures::executor::block_on(async {
/// let answer = |title: &str, more: bool| {
///     let page_info = json!({"hasNextPage": more, "endCursor": title});
///     json!({"data": {"products": {"nodes": [{"title": title}], "pageInfo": page_info}}})
/// };
/// let service = Script::new()
///     .on(post("/graphql"))
///     .reply(answer("Tea", true))
///     .on(post("/graphql"))
///     .reply(answer("Milk", false));
/// # let client = Client::builder("https://shop.example").transport(service.clone()).build()?;
/// let products = client.graphql("/graphql", QUERY).limit("first", 1);
/// let products = products.pages(Connection::at("/data/products")).build::<Product>()?;
/// let products: Vec<Product> = products.records().try_collect().await?;
/// assert_eq!(products[1].title, "Milk");
/// # service.verify();
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Connection {
    pointer: String,
    variable: String,
    records: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: Option<bool>,
    #[serde(default, deserialize_with = "OpaqueCursor::or_end")]
    end_cursor: Option<OpaqueCursor>,
}

impl Connection {
    /// The connection is at this JSON pointer of the answer, such as `/data/products`. Its
    /// records are in `nodes`.
    pub fn at(pointer: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), variable: "after".to_owned(), records: "nodes" }
    }

    /// The variable of the query that is the cursor: `after` by default.
    pub fn after(mut self, variable: impl Into<String>) -> Self {
        self.variable = variable.into();
        self
    }

    /// The records are the `edges`, each with a `node`.
    pub fn edges(mut self) -> Self {
        self.records = "edges";
        self
    }
}

impl Style for Connection {
    /// A cursor; none at the start.
    type Cursor = Option<OpaqueCursor>;

    fn start(&self) -> Option<OpaqueCursor> {
        None
    }

    fn apply(
        &self,
        cursor: &Option<OpaqueCursor>,
        request: &mut PageRequest<'_>,
    ) -> Result<(), Error> {
        let Some(cursor) = cursor else { return Ok(()) };
        request.set_body(&format!("/variables/{}", self.variable), cursor)
    }

    fn next(
        &self,
        _: &Option<OpaqueCursor>,
        answer: &Answer<'_>,
    ) -> Result<Next<Option<OpaqueCursor>>, Error> {
        let at = At::from(format!("{}/pageInfo", self.pointer));
        let info = answer.decode::<PageInfo>(&at)?.ok_or_else(|| {
            contradiction(format!(
                "missing page info at {at}: ask for `pageInfo {{ hasNextPage endCursor }}` in the \
                 query"
            ))
        })?;
        match (info.has_next_page, info.end_cursor) {
            (Some(false), _) => Ok(Next::end()),
            (Some(true), Some(cursor)) => {
                answer.check_cursor(&at, &cursor)?;
                Ok(Next::at(Some(cursor)))
            }
            (Some(true), None) => Err(contradiction(format!(
                "missing `endCursor` at {at}: expected one, since `hasNextPage` is true"
            ))),
            (None, _) => Err(contradiction(format!(
                "missing `hasNextPage` at {at}: ask for it in the query"
            ))),
        }
    }

    fn records_at(&self) -> Option<String> {
        Some(format!("{}/{}", self.pointer, self.records))
    }

    fn check(&self, _: Option<u64>) -> Result<(), Error> {
        At::from(&*self.pointer).check()?;
        if self.variable.is_empty() || Pointer::parse(&format!("/{}", self.variable)).is_none() {
            let message = format!("invalid name of a variable: {:?}", self.variable);
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(())
    }
}
