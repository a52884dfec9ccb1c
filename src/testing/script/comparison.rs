//! A request beside the one that was expected, line by line.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::{
    difference::{Line, differing},
    expectation::{Body, Expectation},
    received::Received,
    removed::{fits_removed, masked, masked_form, overlaid},
};
use crate::testing::credential_names::{REMOVED, is_secret_query};

impl Expectation {
    pub(in crate::testing) fn fits(&self, received: &Received) -> bool {
        let is_near = self.method == received.method && self.path == self.path_of(received);
        is_near && self.lines(received).iter().all(Line::is_same)
    }

    /// How far a request is from this one. The nearest is shown.
    pub(in crate::testing) fn distance(&self, received: &Received) -> usize {
        let count = |lines: &[Line]| lines.iter().filter(|line| !line.is_same()).count();
        let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let (expected, came) = (segments(&self.path), segments(self.path_of(received)));
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
        let first = |method: &Method, path: &str| format!("{method} {path}");
        put(
            &mut lines,
            Some(first(&self.method, &self.path)),
            Some(first(&received.method, self.path_of(received))),
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

    /// The path of a request, as this one has it if something was removed from it.
    fn path_of<'a>(&'a self, received: &'a Received) -> &'a str {
        let is_same = self.is_same(&self.path, &received.path);
        if is_same { &self.path } else { &received.path }
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
