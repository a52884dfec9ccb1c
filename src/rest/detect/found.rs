use std::fmt::{self, Display, Formatter};

use super::seen::{Place, Seen};

/// How well a style fits, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Connection,
    LinkHeader,
    Link,
    Cursor,
    /// A link beside a cursor.
    OtherLink,
    Counts,
    /// A number that may be a cursor.
    NumberCursor,
    /// The place of a cursor or a link, without one.
    Ended,
    Keyset,
    /// There is more, and nothing says how to ask for it.
    Guess,
    SinglePage,
}

/// A style that fits.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) rank: Rank,
    pub(super) style: &'static str,
    pub(super) reason: String,
    pub(super) records: Option<String>,
    pub(super) code: Code,
}

/// The code that builds a paginator.
#[derive(Debug)]
pub(super) struct Code {
    request: &'static str,
    limit: Option<String>,
    /// What to check, each a line.
    checks: Vec<String>,
    style: String,
    after: Vec<String>,
}

/// What says in an answer that the list is at its end.
#[derive(Debug)]
pub(super) struct Flag {
    pub(super) place: Place,
    pub(super) is_more: bool,
}

impl Code {
    pub(super) fn get(style: impl Into<String>) -> Self {
        Self {
            request: ".get(\"/path\")",
            limit: None,
            checks: Vec::new(),
            style: style.into(),
            after: Vec::new(),
        }
    }

    pub(super) fn post(style: impl Into<String>) -> Self {
        Self { request: ".post(\"/path\")", ..Self::get(style) }
    }

    pub(super) fn graphql(style: impl Into<String>) -> Self {
        let request = ".graphql(\"/graphql\", QUERY)";
        let limit = Some(".limit_in_body(\"/variables/first\", 100)".to_owned());
        Self { request, limit, ..Self::get(style) }
    }

    /// How many records a page has at most, in the query.
    pub(super) fn limit(mut self, name: Option<&str>) -> Self {
        self.limit = name.map(|name| format!(".limit({name:?}, 100)"));
        self
    }

    pub(super) fn check(mut self, line: impl Into<String>) -> Self {
        self.checks.push(line.into());
        self
    }

    /// A name in the query that no answer tells.
    pub(super) fn guessed(self, name: &str) -> Self {
        self.check(format!("the name in the query, {name:?}, is a guess"))
    }

    /// Calls a method of the style.
    pub(super) fn style(mut self, call: &str) -> Self {
        self.style.push_str(call);
        self
    }

    /// Calls a method of the builder.
    pub(super) fn then(mut self, call: impl Into<String>) -> Self {
        self.after.push(call.into());
        self
    }

    /// The end of the list is what a flag says.
    pub(super) fn end(self, flag: Option<&Flag>) -> Self {
        let Some(Flag { place, is_more }) = flag else { return self };
        let (method, value) = if *is_more { ("more_at", false) } else { ("done_at", true) };
        self.style(&format!(".{method}({place})"))
            .check(format!("{} is on each page, and {value} on the last one", place.name()))
    }

    /// The end of the list is where as many records are read as a number says.
    pub(super) fn total(self, place: &Place) -> Self {
        self.style(&format!(".total_at({place})"))
            .check(format!("{} counts all records, and not those of a page", place.name()))
    }

    /// Where the records are.
    pub(super) fn records(self, seen: &Seen<'_>) -> Self {
        match &seen.records {
            None => self.check("no list was found: say with `records_at` where the records are"),
            Some(records) if records.at.is_empty() => self,
            Some(records) => self.then(format!(".records_at({:?})", records.at)),
        }
    }
}

impl Display for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "client")?;
        writeln!(f, "    {} // check: your path", self.request)?;
        if let Some(limit) = &self.limit {
            writeln!(f, "    {limit} // check: its name, and the largest that is allowed")?;
        }
        for check in &self.checks {
            writeln!(f, "    // check: {check}")?;
        }
        writeln!(f, "    .pages({})", self.style)?;
        for call in &self.after {
            writeln!(f, "    {call}")?;
        }
        write!(f, "    .build::<Record>()?")
    }
}
