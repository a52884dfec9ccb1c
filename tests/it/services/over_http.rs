//! The services over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use pagestream::{
    ErrorKind, Reqwest, Transport,
    testing::{Alloy, HubSpot, Server, Service},
};
use tokio::time::Instant;

use super::{batch, list, post, with, with_header};

/// The request with the server's address.
fn at(server: &Server, request: Request<Bytes>) -> Request<Bytes> {
    let uri = format!("{}{}", server.base_url(), request.uri());
    with(request, |request| *request.uri_mut() = uri.parse().unwrap())
}

/// Sends requests over HTTP and in memory, and compares.
async fn same_over_http<S: Service + Transport>(service: S, requests: Vec<Request<Bytes>>) {
    let server = Server::start(service.clone()).await.unwrap();
    assert!(server.address().ip().is_loopback());
    assert_eq!(server.base_url(), format!("http://{}", server.address()));
    let client = Reqwest::new().unwrap();
    for request in requests {
        let over_http = client.send(at(&server, request.clone())).await.unwrap();
        let in_memory = service.send(request).await.unwrap();
        assert_eq!(over_http.status(), in_memory.status());
        assert_eq!(over_http.headers()["content-type"], in_memory.headers()["content-type"]);
        assert_eq!(over_http.body(), in_memory.body());
    }
}

#[tokio::test]
async fn hubspot_answers_the_same_over_http() {
    let service = HubSpot::new(7).objects(1001).pages(|index| index % 3);
    let requests = vec![
        batch(service.ids().take(1000)),
        batch(service.ids()),
        with_header(batch([]), "authorization", None),
        post("/nowhere", ""),
    ];
    same_over_http(service.clone(), requests).await;
    assert_eq!(service.requests(), 8);
}

#[tokio::test]
async fn alloy_answers_the_same_over_http() {
    let service = Alloy::new(7);
    let requests = vec![
        list(50, 0),
        list(50, 50),
        list(51, 0),
        with_header(list(50, 0), "x-api-version", None),
        with(list(50, 0), |request| *request.method_mut() = Method::PUT),
    ];
    same_over_http(service.clone(), requests).await;
    assert_eq!(service.requests(), 10);
}

#[tokio::test]
async fn the_latency_is_that_of_a_server_too() {
    let latency = Duration::from_millis(20);
    let server = Server::start(Alloy::new(7).latency(latency)).await.unwrap();
    let start = Instant::now();
    let response = Reqwest::new().unwrap().send(at(&server, list(50, 0))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(start.elapsed() >= latency, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_server_serves_a_service_of_ones_own() {
    #[derive(Clone)]
    struct Teapot;

    impl Service for Teapot {
        fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
            Response::builder().status(418).body(request.body().clone()).unwrap()
        }

        fn latency(&self) -> Duration {
            Duration::ZERO
        }
    }

    let server = Server::start(Teapot).await.unwrap();
    let request = at(&server, post("/tea", "short and stout"));
    let response = Reqwest::new().unwrap().send(request).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.body()[..]), (418, &b"short and stout"[..]));
}

#[tokio::test]
async fn two_servers_have_an_address_each() {
    let one = Server::start(Alloy::new(7)).await.unwrap();
    let other = Server::start(Alloy::new(7)).await.unwrap();
    assert_ne!(one.address(), other.address());
}

#[tokio::test]
async fn a_server_that_is_dropped_answers_no_more() {
    let service = Alloy::new(7);
    let server = Server::start(service.clone()).await.unwrap();
    let (address, request) = (server.address(), at(&server, list(50, 0)));
    let client = Reqwest::new().unwrap();
    assert_eq!(client.send(request.clone()).await.unwrap().status(), 200);

    drop(server);
    // Neither over the connection that was open nor over a new one.
    let error = client.send(request.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let error = Reqwest::new().unwrap().send(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let error = tokio::net::TcpStream::connect(address).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(service.requests(), 1);
}
