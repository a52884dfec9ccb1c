use std::fmt::{self, Debug, Display, Formatter};

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::{
    difference::{Line, differing},
    received::Received,
    removed::{fits_removed, masked, masked_form, overlaid},
};
use crate::testing::{
    credential_names::{REMOVED, is_secret_query},
    url_text::{pairs, percent_decoded, split},
};

/// How many characters of a body stand in the one line of an expectation.
const SHOWN_BODY: usize = 80;

/// What a request must be like: its method and path, and what else is named. What is not
/// named may be as it wants.
///
/// [`get`], [`post`] and [`request`] make one.
#[derive(Clone)]
#[must_use = "give it to `Script::on`"]
pub struct Expectation {
    method: Method,
    host: Option<String>,
    path: String,
    query: Vec<(String, String)>,
    absent: Vec<String>,
    headers: Vec<(String, String)>,
    body: Option<Body>,
    /// It was recorded: the query is compared whole, and what was removed from it fits all.
    is_recorded: bool,
}

#[derive(Clone)]
enum Body {
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

    pub(in crate::testing) fn fits(&self, received: &Received) -> bool {
        let is_near = self.method == received.method && self.path == received.path;
        is_near && self.lines(received).iter().all(Line::is_same)
    }

    /// How far a request is from this one. The nearest is shown.
    pub(in crate::testing) fn distance(&self, received: &Received) -> usize {
        let count = |lines: &[Line]| lines.iter().filter(|line| !line.is_same()).count();
        let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let (expected, came) = (segments(&self.path), segments(&received.path));
        let same = expected.iter().zip(&came).filter(|(a, b)| a == b).count();
        let path = 8 * (expected.len().max(came.len()) - same);
        let method = if self.method == received.method { 0 } else { 4 };
        let body = count(&self.body_lines(received)).min(3);
        path + method
            + count(&self.query_lines(received))
            + count(&self.header_lines(received))
            + body
    }

    /// The request and what came instead, line by line.
    pub(in crate::testing) fn lines(&self, received: &Received) -> Vec<Line> {
        let mut lines = vec![];
        let first = |method, path| format!("{method} {path}");
        put(
            &mut lines,
            Some(first(&self.method, &self.path)),
            Some(first(&received.method, &received.path)),
        );
        if let Some(host) = &self.host {
            let of = |host: &str| format!("host {host}");
            put(&mut lines, Some(of(host)), received.host.as_deref().map(of));
        }
        lines.extend(self.query_lines(received));
        lines.extend(self.header_lines(received));
        lines.extend(self.body_lines(received));
        lines
    }

    fn query_lines(&self, received: &Received) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut remaining = received.query.iter().collect::<Vec<_>>();
        let of = |name: &str, value: &str| format!("query {name}={value}");
        for (name, value) in &self.query {
            let is = |(it, came): &&(String, String)| it == name && self.is_same(value, came);
            // One that differs is shown beside it.
            let found = remaining
                .iter()
                .position(is)
                .or_else(|| remaining.iter().position(|(it, _)| it == name));
            let came = found.map(|index| remaining.remove(index));
            let came = came.map(|(name, came)| {
                if self.is_same(value, came) {
                    of(name, value)
                } else {
                    of(name, self.shown(name, came))
                }
            });
            put(&mut lines, Some(of(name, value)), came);
        }
        for name in &self.absent {
            let came = remaining.iter().find(|(it, _)| it == name);
            let none = format!("no query {name}");
            put(
                &mut lines,
                Some(none.clone()),
                Some(came.map_or(none, |(name, came)| of(name, came))),
            );
        }
        if self.is_recorded {
            let more = remaining.iter().map(|(name, came)| of(name, self.shown(name, came)));
            lines.extend(more.map(Line::Came));
        }
        lines
    }

    fn header_lines(&self, received: &Received) -> Vec<Line> {
        let mut lines = Vec::new();
        for (name, value) in &self.headers {
            let of = |value: &str| format!("header {}: {value}", name.to_lowercase());
            let all = received.headers.get_all(name.as_str()).iter();
            let all = all.map(|came| String::from_utf8_lossy(came.as_bytes())).collect::<Vec<_>>();
            let came = all.iter().find(|came| *came == value).or(all.first());
            put(&mut lines, Some(of(value)), came.map(|came| of(came)));
        }
        lines
    }

    fn body_lines(&self, received: &Received) -> Vec<Line> {
        let text = |body: &Bytes| String::from_utf8_lossy(body).into_owned();
        match (&self.body, &received.json) {
            (None, _) => Vec::new(),
            (Some(Body::Json(expected)), Some(came)) => {
                let came = if self.is_recorded { overlaid(expected, came) } else { came.clone() };
                if came == *expected {
                    return Vec::new();
                }
                let came = if self.is_recorded { masked(came) } else { came };
                body_difference(&pretty(expected), &pretty(&came))
            }
            (Some(Body::Json(expected)), None) => {
                body_difference(&pretty(expected), &text(&received.body))
            }
            (Some(Body::Text(expected)), _) if *expected == received.body => Vec::new(),
            (Some(Body::Text(expected)), _) => {
                let (expected, came) = (text(expected), text(&received.body));
                if self.is_same(&expected, &came) {
                    Vec::new()
                } else if self.is_recorded {
                    body_difference(&expected, &masked_form(&came))
                } else {
                    body_difference(&expected, &came)
                }
            }
        }
    }

    fn is_same(&self, expected: &str, came: &str) -> bool {
        expected == came || (self.is_recorded && fits_removed(expected, came))
    }

    /// A value of a query as messages may contain it: a recording is read with real secrets.
    fn shown<'a>(&self, name: &str, value: &'a str) -> &'a str {
        if self.is_recorded && is_secret_query(name) { REMOVED } else { value }
    }
}

/// Two texts that belong together, in one line if they are the same.
fn put(lines: &mut Vec<Line>, expected: Option<String>, came: Option<String>) {
    match (expected, came) {
        (Some(expected), Some(came)) if expected == came => lines.push(Line::Same(expected)),
        (expected, came) => {
            lines.extend(expected.map(Line::Expected));
            lines.extend(came.map(Line::Came));
        }
    }
}

fn body_difference(expected: &str, came: &str) -> Vec<Line> {
    let lines = match (expected.is_empty(), came.is_empty()) {
        (false, true) => [differing(expected, ""), vec![Line::Came("no body".to_owned())]].concat(),
        (true, false) => [vec![Line::Expected("no body".to_owned())], differing("", came)].concat(),
        _ if expected.lines().eq(came.lines()) => vec![
            Line::Expected("the same lines with other line breaks".to_owned()),
            Line::Came("these".to_owned()),
        ],
        _ => differing(expected, came),
    };
    [vec![Line::Same("body".to_owned())], lines].concat()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
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
