//! What a request has in it, and where a link may lead.

use http::header::AUTHORIZATION;
use pagestream::{
    ErrorKind, Paginator, PaginatorExt,
    http::Client,
    rest::{NextCursor, NextLink, SinglePage},
    testing::Server,
};
use serde_json::json;

use crate::support::{Script, drain};

fn client(script: &Script) -> Client {
    let client = Client::builder("https://api.example.com/v2").transport(script.transport());
    client.build().unwrap()
}

#[tokio::test]
async fn parameters_and_query_are_percent_encoded() {
    let script = Script::json([json!([])]);
    let request = client(&script).get("/a/{b}").path("b", "c/d?e").query("f g", "h&i=j");
    let list = request.pages(SinglePage).build::<u64>().unwrap();
    drain(list.records()).await.whole();
    assert_eq!(script.request().uri(), "https://api.example.com/v2/a/c%2Fd%3Fe?f%20g=h%26i%3Dj");
}

#[tokio::test]
async fn each_kind_of_credentials_is_where_it_belongs() {
    let builder = || Client::builder("https://api.example.com");
    for (builder, header, value) in [
        (builder().bearer("k-12345678"), "authorization", "Bearer k-12345678"),
        (builder().basic("user", "pass"), "authorization", "Basic dXNlcjpwYXNz"),
        (builder().key_in_header("x-api-key", "k-12345678"), "x-api-key", "k-12345678"),
    ] {
        let script = Script::json([json!([])]);
        let client = builder.transport(script.transport()).build().unwrap();
        client.get("/x").send().await.unwrap();
        assert_eq!(script.request().headers()[header], value);
    }
    let script = Script::json([json!([])]);
    let client = builder().key_in_query("key", "k&12345678").transport(script.transport());
    client.build().unwrap().get("/x").query("a", 1).send().await.unwrap();
    assert_eq!(script.request().uri(), "https://api.example.com/x?a=1&key=k%2612345678");
    assert!(!script.request().headers().contains_key(AUTHORIZATION));
}

#[tokio::test]
async fn a_secret_in_the_query_of_a_link_is_left_out_of_the_cursor() {
    let next = "https://api.example.com/v2/x?key=k-12345678&page=2";
    let script = Script::json([json!({"items": [1], "next": next}), json!({"items": [2]})]);
    let client = Client::builder("https://api.example.com/v2").key_in_query("key", "k-12345678");
    let client = client.transport(script.transport()).build().unwrap();
    let list = client.get("/x").pages(NextLink::at("/next")).records_at("/items");
    let list = list.build::<u64>().unwrap();
    let page = list.fetch(list.start()).await.unwrap();
    let cursor = serde_json::to_string(&page.next()[0]).unwrap();
    assert_eq!(cursor, r#"{"at":"/v2/x?page=2"}"#);
    let _ = list.fetch(page.next()[0].clone()).await.unwrap();
    let sent = script.all_requests();
    assert_eq!(sent[1].uri(), "https://api.example.com/v2/x?page=2&key=k-12345678");
}

#[tokio::test]
async fn a_cursor_goes_into_the_body_as_it_came_and_beside_the_limit() {
    let script = Script::new([
        (200, r#"{"items": [1], "next": [1.10, "b"]}"#.into()),
        (200, r#"{"items": [2]}"#.into()),
    ]);
    let request = client(&script).post("/search").json(&json!({"filter": {"a": 1}}));
    let request = request.limit_in_body("/page/size", 5);
    let style = NextCursor::at("/next").into_body("/page/after");
    let list = request.pages(style).records_at("/items").build::<u64>().unwrap();
    assert_eq!(drain(list.records()).await.whole(), [1, 2]);
    let sent = script.requests();
    assert_eq!(sent[0].body(), r#"{"filter":{"a":1},"page":{"size":5}}"#);
    assert_eq!(sent[1].body(), r#"{"filter":{"a":1},"page":{"after":[1.10, "b"],"size":5}}"#);
}

#[tokio::test]
async fn a_compound_cursor_advances_as_one_and_an_encoded_one_goes_back_as_it_came() {
    let script = Script::json([
        json!({"items": [1], "name": "a%2Fb", "kind": "x/y"}),
        json!({"items": [2]}),
    ]);
    let style = NextCursor::at("/name").into_query_encoded("name").and("/kind").into_query("kind");
    let request = client(&script).get("/x").query("q", "z").limit("limit", 1);
    let list = request.pages(style.alone()).records_at("/items").build::<u64>().unwrap();
    assert_eq!(drain(list.records()).await.whole(), [1, 2]);
    assert_eq!(script.requests()[0].uri().query(), Some("q=z&limit=1"));
    assert_eq!(script.requests()[1].uri().query(), Some("name=a%2Fb&kind=x%2Fy"));
}

#[test]
fn the_identity_tells_two_readings_apart_and_holds_no_secret_and_no_limit() {
    let script = Script::default();
    let identity = |query: &str, limit: u64, token: &str| {
        let client = Client::builder("https://api.example.com").bearer(token);
        let client = client.transport(script.transport()).build().unwrap();
        let request = client.get("/x").query("q", query).limit("limit", limit);
        request.pages(NextLink::at("/next")).build::<u64>().unwrap().identity()
    };
    assert_eq!(identity("a", 1, "token-1"), identity("a", 2, "token-2"));
    assert_ne!(identity("a", 1, "token-1"), identity("b", 1, "token-1"));
}

/// A service on a port of its own that must not be asked.
#[tokio::test]
async fn a_link_that_leads_elsewhere_is_an_error_and_no_credentials_go_there() {
    let stranger = pagestream::testing::Alloy::new(1);
    let other = Server::start(stranger.clone()).await.unwrap();
    let elsewhere = other.base_url();
    let host = elsewhere.trim_start_matches("http://");
    let long = format!("/{}", "x".repeat(100_000));
    let links = [
        format!("{elsewhere}/x"),
        format!("//{host}/x"),
        format!("http://user:pass@{host}/x"),
        "http://api.example.com/v2/x".to_owned(),
        "https://api.example.com:8443/x".to_owned(),
        "https://api.example.com.evil.example/x".to_owned(),
        long,
    ];
    for link in links {
        let script = Script::json([json!({"items": [1], "next": link})]);
        let client = Client::builder("https://api.example.com/v2").bearer("k-123456789");
        let client = client.transport(script.transport()).build().unwrap();
        let list = client.get("/x").pages(NextLink::at("/next")).records_at("/items");
        let outcome = drain(list.build::<u64>().unwrap().records()).await;
        assert_eq!(outcome.errors[0].kind(), ErrorKind::Contradiction, "{link:.60}");
        assert_eq!(script.all_requests().len(), 1);
    }
    assert_eq!(stranger.requests(), 0);
}

#[tokio::test]
async fn no_part_of_a_secret_is_left_where_a_long_message_is_cut() {
    for before in 480..505 {
        let message = format!("{}k-123456789 is refused", "x".repeat(before));
        let body = serde_json::json!({"message": message}).to_string();
        let service = move |_: http::Request<bytes::Bytes>| {
            let response = http::Response::builder().status(400).body(body.clone().into());
            std::future::ready(Ok::<_, pagestream::Error>(response.unwrap()))
        };
        let client = Client::builder("https://api.example.com").bearer("k-123456789");
        let client = client.transport(service).build().unwrap();
        let error = client.get("/x").send().await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("k-1"), "{before}: {error}");
    }
}
