use std::fmt::{self, Debug, Display, Formatter};

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::testing::{
    credential_names::{REMOVED, is_secret_query},
    url_text::{pairs, percent_decoded, split},
};

/// How many characters of a body stand in the one line of an expectation.
const SHOWN_BODY: usize = 200;

/// What a request must be like: its method and path, and what else is named. What is not
/// named may be as it wants.
///
/// [`get`], [`post`] and [`request`] make one.
#[derive(Clone)]
#[must_use = "give it to `Script::on`"]
pub struct Expectation {
    pub(super) method: Method,
    pub(super) host: Option<String>,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) absent: Vec<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Body>,
    /// It was recorded: the query is compared whole, and what was removed from it fits all.
    pub(super) is_recorded: bool,
}

#[derive(Clone)]
pub(super) enum Body {
    Text(Bytes),
    Json(Value),
}

/// A GET request to a path, which may have a query.
///
/// ```
/// use pagestream::testing::script::get;
///
/// let second_page = get("/issues?page=2");
/// assert_eq!(second_page.to_string(), get("/issues").query("page", "2").to_string());
/// ```
pub fn get(path: &str) -> Expectation {
    request(Method::GET, path)
}

/// A POST request to a path.
///
/// ```
/// use pagestream::testing::script::post;
/// use serde_json::json;
///
/// let search = post("/search").json(json!({"after": "page-2"}));
/// ```
pub fn post(path: &str) -> Expectation {
    request(Method::POST, path)
}

/// A request of any method to a path.
///
/// ```
/// use http::Method;
/// use pagestream::testing::script::request;
///
/// let release = request(Method::DELETE, "/scrolls/7");
/// ```
pub fn request(method: Method, path: &str) -> Expectation {
    let (_, path, query) = split(path);
    Expectation {
        method,
        host: None,
        path: percent_decoded(path),
        query: pairs(query.unwrap_or_default()),
        absent: Vec::new(),
        headers: Vec::new(),
        body: None,
        is_recorded: false,
    }
}

impl Expectation {
    /// The query has this name with this value. Both are as they are before they are encoded.
    #[allow(clippy::needless_pass_by_value, reason = "a call reads better without a &")]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// The query does not have this name, as the first page often does not.
    ///
    /// ```
    /// use pagestream::testing::script::get;
    ///
    /// let first_page = get("/issues").without_query("cursor");
    /// ```
    pub fn without_query(mut self, name: &str) -> Self {
        self.absent.push(name.to_owned());
        self
    }

    /// A header has this value.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body is this, byte for byte.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(Body::Text(body.into()));
        self
    }

    /// The body is JSON of this value, in whatever order and with whatever spaces.
    pub fn json(mut self, body: impl Into<Value>) -> Self {
        self.body = Some(Body::Json(body.into()));
        self
    }

    /// A request that was recorded.
    pub(in crate::testing) fn recorded(
        method: Method,
        url: &str,
        host: Option<String>,
        body: Option<Bytes>,
    ) -> Self {
        let json = |body: &Bytes| serde_json::from_slice(body).ok();
        let body = body.map(|body| json(&body).map_or(Body::Text(body), Body::Json));
        Self { host, body, is_recorded: true, ..request(method, url) }
    }
}

/// In one line.
impl Display for Expectation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, target(&self.path, &self.query))?;
        for name in &self.absent {
            write!(f, ", without {name}")?;
        }
        for (name, value) in &self.headers {
            write!(f, ", {}: {value}", name.to_lowercase())?;
        }
        let body = match &self.body {
            Some(Body::Json(value)) => value.to_string(),
            Some(Body::Text(text)) => String::from_utf8_lossy(text).replace(['\n', '\r'], " "),
            None => return Ok(()),
        };
        match body.char_indices().nth(SHOWN_BODY) {
            Some((end, _)) => write!(f, ", {}…", body.get(..end).unwrap_or_default()),
            None => write!(f, ", {body}"),
        }
    }
}

impl Debug for Expectation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Expectation({self})")
    }
}

/// A path and a query in one text, decoded. Secrets are left out if they look like some.
pub(super) fn target(path: &str, query: &[(String, String)]) -> String {
    let pairs = query.iter().map(|(name, value)| {
        let value = if is_secret_query(name) { REMOVED } else { value };
        format!("{name}={value}")
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
