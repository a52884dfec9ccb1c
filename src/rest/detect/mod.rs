//! Which style fits a service, told from one of its answers.

mod connections;
mod counts;
mod cursors;
mod ends;
mod found;
mod links;
mod seen;
mod shape;
mod without_position;

use std::fmt::{self, Display, Formatter};

use bytes::Bytes;
use http::Response;

use self::{
    connections::connections,
    counts::{offset, page_number},
    cursors::{header_cursor, next_cursors},
    found::Found,
    links::{link_header, next_links},
    seen::Seen,
    shape::Shape,
    without_position::without_position,
};

/// How many matches of a kind are told.
const MOST: usize = 4;

/// Says which styles fit one answer of a service, the best one first, and the code for each.
///
/// It knows the names that services usually give to cursors, links and counts. Nothing fits an
/// answer with an error status, or one that is neither a JSON object nor a list.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use pagestream::rest::detect;
///
/// let body = r#"{"users": [{"name": "Ada"}], "next_cursor": "b==", "has_more": true}"#;
/// let found = detect(&Response::new(Bytes::from(body)));
///
/// let best = &found[0];
/// assert_eq!(best.style(), "NextCursor");
/// assert_eq!(best.reason(), r#""/next_cursor" holds a cursor"#);
/// assert_eq!(best.records_at(), Some("/users"));
/// assert_eq!(
///     best.code(),
///     r#"client
///     .get("/path") // check: your path
///     // check: the name in the query, "cursor", is a guess
///     // check: "/has_more" is on each page, and false on the last one
///     .pages(NextCursor::at("/next_cursor").into_query("cursor").more_at("/has_more"))
///     .records_at("/users")
///     .build::<Record>()?"#
/// );
/// ```
///
/// `cargo run --example detect` does this for an answer that `curl -i` prints.
///
/// # Limits
///
/// One answer shows what is there. It does not show what ends the list, and seldom how the next
/// page is asked for. Each guess has a comment that begins with `check:`. Compare it with the
/// documentation of the API.
///
/// The values of records and cursors are not shown, only names and places. Objects are read to
/// a depth of 8, and only some thousands of their values.
#[must_use]
pub fn detect(response: &Response<Bytes>) -> Vec<Detected> {
    let body = if response.status().is_success() { Shape::read(response.body()) } else { None };
    let Some(body @ (Shape::Object(_) | Shape::List(_))) = body else { return Vec::new() };
    let seen = Seen::new(response.headers(), &body);
    let mut found = connections(&seen);
    found.extend(link_header(&seen));
    found.extend(next_links(&seen));
    found.extend(next_cursors(&seen));
    found.extend(header_cursor(&seen));
    found.extend(page_number(&seen));
    found.extend(offset(&seen));
    if found.is_empty() {
        found = without_position(&seen);
    }
    found.sort_by_key(|found| found.rank);
    found.into_iter().map(Detected::from).collect()
}

/// A style that fits an answer: [`detect`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    style: &'static str,
    reason: String,
    records: Option<String>,
    code: String,
}

impl Detected {
    /// The name of the style's type, such as `NextCursor`.
    #[must_use]
    pub fn style(&self) -> &'static str {
        self.style
    }

    /// What was seen, and where: one sentence.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The JSON pointer of the records. It is empty if the answer is the list. `None` if no
    /// list was found.
    #[must_use]
    pub fn records_at(&self) -> Option<&str> {
        self.records.as_deref()
    }

    /// The code that makes a paginator of a [`Client`](crate::http::Client). What is to be
    /// checked is in its comments. `Record` is a type of your own.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl From<Found> for Detected {
    fn from(found: Found) -> Self {
        let Found { style, reason, records, code, .. } = found;
        Self { style, reason, records, code: code.to_string() }
    }
}

/// The style, the reason and the code.
impl Display for Detected {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n{}", self.style, self.reason, self.code)
    }
}
