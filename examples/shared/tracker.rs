//! A made-up issue tracker, for the examples: over HTTP, on the loopback interface.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use pagestream::testing::Service;
use serde_json::{Value, json};

/// The tracker. Clones share what they hold.
#[derive(Clone, Default)]
pub(crate) struct Tracker {
    /// How many events there are. It grows.
    events: Arc<Mutex<u64>>,
    fails_once_at: Arc<Mutex<Option<u64>>>,
}

#[allow(dead_code, reason = "each example uses some of it")]
impl Tracker {
    pub(crate) const ISSUES: u64 = 45;

    pub(crate) fn new() -> Self {
        Self { events: Arc::new(Mutex::new(100)), fails_once_at: Arc::default() }
    }

    /// More has happened.
    pub(crate) fn add_events(&self, count: u64) {
        *self.events.lock().expect("no thread panics with it") += count;
    }

    /// Answers 500 from this event on, once.
    pub(crate) fn fail_once_at(&self, event: u64) {
        *self.fails_once_at.lock().expect("no thread panics with it") = Some(event);
    }

    /// How many comments an issue has.
    pub(crate) fn comments_of(issue: u64) -> u64 {
        issue * 7 % 31
    }

    /// `/issues?page=2`: ten to a page, and a header `Link`.
    fn issues(page: u64) -> Response<Bytes> {
        let first = (page - 1) * 10;
        let last = Self::ISSUES.min(first + 10);
        let issues = (first..last).map(|id| json!({"id": id, "title": format!("Issue {id}")}));
        let body = issues.collect::<Value>().to_string();
        let mut response = Response::builder();
        if last < Self::ISSUES {
            response =
                response.header("link", format!("</issues?page={}>; rel=\"next\"", page + 1));
        }
        response.body(body.into()).expect("the header is valid")
    }

    /// `/issues/7/comments?cursor=20`: ten to a page, and a cursor.
    fn comments(issue: u64, from: u64) -> Response<Bytes> {
        let count = Self::comments_of(issue);
        let comments = (from..count.min(from + 10)).map(|it| json!({"issue": issue, "number": it}));
        let next = (from + 10 < count).then(|| (from + 10).to_string());
        let comments = comments.collect::<Vec<_>>();
        Response::new(json!({"comments": comments, "next": next}).to_string().into())
    }

    /// `/events?above=20`: what happened after event 20, ten at a time.
    fn events(&self, above: Option<u64>) -> Response<Bytes> {
        let first = above.map_or(0, |above| above + 1);
        let fails_at = &mut *self.fails_once_at.lock().expect("no thread panics with it");
        if fails_at.is_some_and(|event| first >= event) {
            *fails_at = None;
            let body = Bytes::from_static(br#"{"message": "the disk is full"}"#);
            return Response::builder().status(501).body(body).expect("the status is valid");
        }
        let last = (*self.events.lock().expect("no thread panics with it")).min(first + 10);
        let events = (first..last).map(|id| json!({"id": id, "what": format!("event {id}")}));
        Response::new(events.collect::<Value>().to_string().into())
    }
}

impl Service for Tracker {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let query = request.uri().query().unwrap_or_default();
        let number = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(it, _)| *it == name).and_then(|(_, value)| value.parse().ok())
        };
        let path = request.uri().path().split('/').skip(1).collect::<Vec<_>>();
        match (&path[..], path.get(1).and_then(|id| id.parse().ok())) {
            (["issues"], _) => Self::issues(number("page").unwrap_or(1)),
            (["issues", _, "comments"], Some(issue)) => {
                Self::comments(issue, number("cursor").unwrap_or(0))
            }
            (["events"], _) => self.events(number("above")),
            _ => Response::builder().status(404).body(Bytes::new()).expect("the status is valid"),
        }
    }

    fn latency(&self) -> Duration {
        Duration::from_millis(5)
    }
}
