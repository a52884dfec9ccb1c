//! A paginator of a user with an HTTP client of its own: what its errors know.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use pagestream::{
    Error, ErrorKind, Page, Paginator, PaginatorExt, StopReason, async_trait,
    testing::{Fault, FaultPosition, Faults, Server, Service},
};
use tokio::time::{Instant, advance, pause, resume, sleep};

/// The paginator of the README.
struct Issues {
    client: reqwest::Client,
    url: String,
}

#[derive(serde::Deserialize)]
struct Answer {
    issues: Vec<String>,
    next_page: Option<u32>,
}

#[async_trait]
impl Paginator for Issues {
    type Record = String;
    type Cursor = u32;

    fn start(&self) -> u32 {
        1
    }

    async fn fetch(&self, page: u32) -> Result<Page<String, u32>, Error> {
        let url = format!("{}?page={page}", self.url);
        let response = self.client.get(url).send().await?;
        if !response.status().is_success() {
            return Err(Error::from_reqwest(response).await);
        }
        let body = response.bytes().await?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| {
            Error::new(ErrorKind::Decode, "this is no list of issues").with_source(error)
        })?;
        Ok(Page::new(answer.issues, answer.next_page))
    }

    fn identity(&self) -> String {
        format!("issues of {}", self.url)
    }
}

/// Three pages of an issue each, and when they were asked for.
#[derive(Clone, Default)]
struct Tracker(Arc<Mutex<Vec<Instant>>>);

impl Service for Tracker {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.0.lock().unwrap().push(Instant::now());
        let page: u32 = request.uri().query().unwrap()["page=".len()..].parse().unwrap();
        let next = if page < 3 { (page + 1).to_string() } else { "null".to_owned() };
        let body = format!(r#"{{"issues":["issue {page}"],"next_page":{next}}}"#);
        Response::new(body.into())
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }

    fn error(&self, _: http::StatusCode) -> Response<Bytes> {
        self.0.lock().unwrap().push(Instant::now());
        Response::new(r#"{"error":{"code":"busy","message":"not now"}}"#.into())
    }
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never());
    client.timeout(Duration::from_millis(300)).build().unwrap()
}

/// Reads three pages over HTTP, where the second request meets a fault. The time of a wait
/// passes at once. Gives how often it was asked again, and when the pages were asked for.
async fn read_through(fault: Fault) -> (u64, Vec<Instant>) {
    let tracker = Tracker::default();
    let faults = Faults::script([(2, fault)]);
    let server = Server::start(faults.on(tracker.clone())).await.unwrap();
    let issues = Issues { client: client(), url: server.base_url() };
    let mut records = issues.records();
    let monitor = records.monitor();
    let mut read = Vec::new();
    loop {
        let next = tokio::select! {
            next = records.next() => next,
            () = sleep(Duration::from_millis(20)) => {
                if monitor.progress().delayed > 0 {
                    pause();
                    advance(Duration::from_millis(500)).await;
                    resume();
                }
                continue;
            }
        };
        match next {
            Some(record) => read.push(record.unwrap()),
            None => break,
        }
    }
    assert_eq!(read, ["issue 1", "issue 2", "issue 3"]);
    assert_eq!(monitor.progress().stop, Some(StopReason::End));
    (monitor.progress().retries, tracker.0.lock().unwrap().clone())
}

#[tokio::test]
async fn a_paginator_of_a_user_waits_as_long_as_a_429_asks_and_asks_again() {
    let asks = Duration::from_secs(3);
    let (retries, asked) = read_through(Fault::status(429).retry_after(asks)).await;
    assert_eq!((retries, asked.len()), (1, 4));
    assert!(asked[2] - asked[1] >= asks, "{:?}", asked[2] - asked[1]);
}

#[tokio::test]
async fn a_paginator_of_a_user_asks_again_after_a_503_a_timeout_and_a_body_that_was_cut() {
    let cut = [
        Fault::truncated(),
        Fault::reset(FaultPosition::InBody),
        Fault::reset(FaultPosition::BeforeHeaders),
        Fault::stalled(FaultPosition::BeforeHeaders),
        Fault::stalled(FaultPosition::InBody),
        Fault::status(503),
    ];
    for fault in cut {
        let shown = format!("{fault:?}");
        assert_eq!(read_through(fault).await.0, 1, "{shown}");
    }
}

/// The error of a request whose answer is this fault.
async fn error_of(fault: Fault, path: &str) -> Error {
    let server = Server::start(Faults::script([(1, fault)]).on(Tracker::default())).await.unwrap();
    let response = match client().get(format!("{}{path}", server.base_url())).send().await {
        Ok(response) => response,
        Err(error) => return error.into(),
    };
    if !response.status().is_success() {
        return Error::from_reqwest(response).await;
    }
    response.bytes().await.unwrap_err().into()
}

#[tokio::test]
async fn an_error_of_reqwest_has_its_kind_and_not_its_address() {
    for (fault, kind) in [
        (Fault::truncated(), ErrorKind::Transport),
        (Fault::reset(FaultPosition::BeforeHeaders), ErrorKind::Transport),
        (Fault::stalled(FaultPosition::BeforeHeaders), ErrorKind::Timeout),
        (Fault::stalled(FaultPosition::InBody), ErrorKind::Timeout),
        (Fault::status(403), ErrorKind::Status),
        (Fault::status(500), ErrorKind::Status),
    ] {
        let error = error_of(fault, "/path?page=1").await;
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(error.is_retryable(), error.status() != Some(403), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("/path"), "{error:?}");
    }
    let error = Error::from(client().get("no address").build().unwrap_err());
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Configuration, false));
    assert!(!format!("{error} {error:?}").contains("no address"), "{error:?}");
}

#[tokio::test]
async fn a_status_that_reqwest_reports_is_kept() {
    for (status, is_retryable) in [(404, false), (503, true)] {
        let server =
            Server::start(Faults::script([(1, Fault::status(status))]).on(Tracker::default()));
        let server = server.await.unwrap();
        let response = client().get(format!("{}?page=1", server.base_url())).send().await.unwrap();
        let error = Error::from(response.error_for_status().unwrap_err());
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(status)));
        assert_eq!(error.is_retryable(), is_retryable);
    }
}

#[tokio::test]
async fn a_secret_in_the_query_or_behind_bearer_is_not_shown() {
    let body = r#"{"message":"the key abc-1234 of Bearer pat-na1-0123456789 is unknown"}"#;
    let error = error_of(Fault::status(401).body(body), "/?page=1&api_key=abc-1234").await;
    assert_eq!(error.status(), Some(401));
    let message = error.service_error().message.as_deref().unwrap();
    assert_eq!(message, "the key [secret] of Bearer [secret] is unknown");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("abc-1234") && !shown.contains("pat-na1"), "{shown}");
}

#[test]
fn what_the_service_says_is_found_where_most_services_say_it() {
    let said = |content_type: &str, body: &str| {
        let response = Response::builder().status(422).header("content-type", content_type);
        let error = Error::from_response(&response.body(body).unwrap());
        let said = error.service_error().clone();
        (said.category.unwrap_or_default(), said.message.unwrap_or_default())
    };
    for (body, category, message) in [
        (r#"{"message":"m","category":"c"}"#, "c", "m"),
        (r#"{"error":"c","message":"m"}"#, "c", "m"),
        (r#"{"error":"m"}"#, "m", "m"),
        (r#"{"error":{"code":"c","message":"m"}}"#, "c", "m"),
        (r#"{"errors":[{"code":7,"detail":"m"}]}"#, "7", "m"),
        (r#"[{"errorCode":"x","message":"m"}]"#, "", "m"),
        (r#"{"type":"c","title":"t","detail":"m"}"#, "c", "m"),
        (r#"{"error":"c","error_description":"m"}"#, "c", "m"),
        ("{}", "", ""),
        ("null", "", ""),
        ("", "", ""),
        ("<html>", "", ""),
    ] {
        let expected = (category.to_owned(), message.to_owned());
        assert_eq!(said("application/json", body), expected, "{body}");
    }
    assert_eq!(said("text/plain; charset=utf-8", " too many requests\n").1, "too many requests");
    assert_eq!(said("text/html", "too many requests").1, "");
    let long = format!(r#"{{"message":"{}"}}"#, "é".repeat(9_000));
    assert_eq!(said("application/json", &long).1.chars().count(), 500);
}

#[test]
fn a_secret_is_removed_from_an_error_with_its_source() {
    let source = std::io::Error::other("the token t-1234567 is old");
    let error = Error::new(ErrorKind::Other, "t-1234567 is unknown").with_source(source);
    let error = error.with_ids(["t-1234567"]).without_secret("t-1234567\n");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("t-1234567") && error.ids() == ["[secret]"], "{shown}");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the token [secret] is old");

    // A source without it stays what it is.
    let error = Error::other(std::io::Error::other("busy")).without_secret("t-1234567");
    assert!(error.downcast_ref::<std::io::Error>().is_some());
}
