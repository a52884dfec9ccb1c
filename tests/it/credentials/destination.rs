//! Where it goes.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, Request, Response};
use pagestream::{
    ErrorKind, Paginator, PaginatorExt, Retry,
    testing::{HubSpot, Server, Service},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{build, companies, contacts, read};
use crate::support::Outcome;

#[test]
fn plain_http_is_invalid_but_to_this_machine_unless_it_is_allowed() {
    for url in [
        "http://localhost",
        "http://LOCALHOST:8080/path",
        "http://127.0.0.1:1",
        "http://127.9.8.7",
        "http://[::1]:1",
        "https://example.com",
        "HTTPS://example.com:444/path",
    ] {
        assert!(build(url).0.is_ok(), "{url}");
    }
    for url in [
        "http://example.com",
        "HTTP://example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://128.0.0.1",
        "http://10.0.0.1",
        "http://[::2]",
        "http://0.0.0.0",
    ] {
        let (by_default, allowed) = build(url);
        let error = by_default.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
        assert!(error.to_string().contains("allow_plain_http"), "{error}");
        assert!(allowed.is_ok(), "{url}");
    }
}

#[test]
fn a_base_url_with_a_user_is_invalid_and_not_shown() {
    for url in [
        "https://me:pass-word@example.com",
        "https://pass-word@localhost",
        "http://x:pass-word@[::1]",
    ] {
        let (by_default, allowed) = build(url);
        for error in [by_default.unwrap_err(), allowed.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!format!("{error} {error:?}").contains("pass-word"), "{error:?}");
        }
        let builders = format!(
            "{:?} {:?}",
            companies(&HubSpot::new(1)).base_url(url),
            contacts().base_url(url)
        );
        assert!(!builders.contains("pass-word"), "{builders}");
    }
}

#[test]
fn a_secret_in_the_query_of_a_base_url_is_not_shown() {
    let url = "https://example.com/?hapikey=pass-word";
    let error = build(url).0.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("pass-word"), "{error:?}");
    let builder = format!("{:?}", companies(&HubSpot::new(1)).base_url(url));
    assert!(!builder.contains("pass-word"), "{builder}");
}

/// Answers every request in one way.
#[derive(Clone)]
struct Always {
    status: u16,
    location: Option<String>,
    body: Value,
    heads: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Always {
    fn new(status: u16, location: Option<String>, body: Value) -> Self {
        Self { status, location, body, heads: Arc::default() }
    }
}

impl Service for Always {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.heads.lock().unwrap().push(request.headers().clone());
        let response = Response::builder().status(self.status);
        let response =
            self.location.iter().fold(response, |it, location| it.header("location", location));
        response.body(Bytes::from(self.body.to_string())).unwrap()
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

/// A host that nobody may come to.
struct Elsewhere(TcpListener);

impl Elsewhere {
    async fn start() -> (Self, SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        (Self(listener), address)
    }

    /// Reads while nobody comes.
    async fn read<P: Paginator>(&self, paginator: P) -> Outcome<P::Record> {
        tokio::select! {
            outcome = read(paginator, 1) => outcome,
            _ = self.0.accept() => panic!("somebody came"),
        }
    }

    fn assert_nobody_came(self) {
        // A connection would be waiting to be accepted.
        let accepted = self.0.into_std().unwrap().accept();
        assert_eq!(accepted.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_is_an_error_and_nothing_arrives_there() {
    for status in [301, 302, 303, 307, 308] {
        let (elsewhere, address) = Elsewhere::start().await;
        let location = Some(format!("http://{address}/take-this"));
        let service = Always::new(status, location, json!({"message": "moved"}));
        let server = Server::start(service.clone()).await.unwrap();

        let builder = companies(&HubSpot::new(1)).token("a-token").base_url(server.base_url());
        let error = elsewhere.read(builder.build().unwrap()).await.error();
        assert_eq!((error.status(), error.attempts()), (Some(status), 1));

        let builder = contacts().api_key("a-key").user_id("a-user").base_url(server.base_url());
        let error = elsewhere.read(builder.build().unwrap()).await.error();
        assert_eq!((error.status(), error.attempts()), (Some(status), 1));

        assert_eq!(service.heads.lock().unwrap().len(), 2);
        elsewhere.assert_nobody_came();
    }
}

#[tokio::test]
async fn a_link_to_the_next_page_is_never_followed() {
    let (elsewhere, address) = Elsewhere::start().await;
    let link = format!("http://{address}/next?after=a");
    let id = HubSpot::new(1).ids().next().unwrap().to_string();
    let page = |after: Value| {
        let next = json!({"link": link, "after": after});
        json!({"results": [{"from": {"id": id}, "to": [], "paging": {"next": next}}]})
    };
    // With a cursor it is read on from the same cursor, and without one it is an error.
    let requests = [(json!("a"), 2, ErrorKind::Loop), (Value::Null, 1, ErrorKind::Contradiction)];
    for (after, requests, kind) in requests {
        let service = Always::new(200, None, page(after));
        let server = Server::start(service.clone()).await.unwrap();
        let builder = companies(&HubSpot::new(1).objects(1)).token("a-token");
        let builder = builder.base_url(server.base_url()).build().unwrap();
        let mut records = builder.read().retry(Retry::never()).records();
        let error = records.next().await.unwrap().unwrap_err();
        assert!(error.is_partial() && error.kind() == kind, "{error}");
        assert!(records.next().await.is_none());
        assert_eq!(service.heads.lock().unwrap().len(), requests);
    }
    elsewhere.assert_nobody_came();
}
