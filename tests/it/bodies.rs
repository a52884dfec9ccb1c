//! Bodies that no service should send: an error or a value, and never a panic.

use std::future::ready;

use crate::support::{contacts_over, drain};
use bytes::Bytes;
use http::{Request, Response};
use pagestream::{
    Error, ErrorKind, Paginator, PaginatorExt, Retry, Transport,
    alloy::Action,
    hubspot::{Association, Associations},
};
use serde_json::Value;

const ID: u64 = 515_690_208_000;

fn answering(content_type: Option<&'static str>, body: impl Into<Bytes>) -> impl Transport {
    answering_with(200, content_type, body)
}

fn answering_with(
    status: u16,
    content_type: Option<&'static str>,
    body: impl Into<Bytes>,
) -> impl Transport {
    let body = body.into();
    move |_: Request<Bytes>| {
        let response = Response::builder().status(status);
        let response =
            content_type.into_iter().fold(response, |it, value| it.header("content-type", value));
        ready(Ok::<_, Error>(response.body(body.clone()).unwrap()))
    }
}

fn companies(transport: impl Transport + 'static) -> Associations {
    let builder = Associations::builder("deals", "companies").ids([ID]).token("a-test-token");
    builder.transport(transport).build().unwrap()
}

fn contacts(transport: impl Transport + 'static) -> Action<Value> {
    contacts_over(transport).build().unwrap()
}

/// The records, and the first error.
async fn read<P: Paginator>(paginator: P) -> (Vec<P::Record>, Option<Error>) {
    let outcome = drain(paginator.read().retry(Retry::never()).records()).await;
    (outcome.records, outcome.errors.into_iter().next())
}

async fn of_hubspot(body: impl Into<Bytes> + 'static) -> (Vec<Association>, Option<Error>) {
    read(companies(answering(Some("application/json"), body))).await
}

async fn of_alloy(body: impl Into<Bytes> + 'static) -> (Vec<Value>, Option<Error>) {
    read(contacts(answering(Some("application/json"), body))).await
}

fn kind<T>((_, error): &(Vec<T>, Option<Error>)) -> Option<ErrorKind> {
    error.as_ref().map(Error::kind)
}

/// Bodies with something at each position, one at a time.
fn with(positions: &'static [&'static str], what: &str) -> impl Iterator<Item = String> {
    positions.iter().map(move |body| body.replace("WHAT", what))
}

/// Where the decoder of HubSpot looks, and where it does not.
const HUBSPOT: &[&str] = &[
    "WHAT",
    r#"{"results":WHAT}"#,
    r#"{"results":[WHAT]}"#,
    r#"{"results":[{"from":WHAT,"to":[]}]}"#,
    r#"{"results":[{"from":{"id":WHAT},"to":[]}]}"#,
    r#"{"results":[{"from":{"id":"515690208000"},"to":WHAT}]}"#,
    r#"{"results":[{"from":{"id":"515690208000"},"to":[{"toObjectId":WHAT}]}]}"#,
    r#"{"results":[{"from":{"id":"515690208000"},"to":[{"toObjectId":1,"associationTypes":WHAT}]}]}"#,
    r#"{"results":[{"from":{"id":"515690208000"},"to":[],"paging":WHAT}]}"#,
    r#"{"results":[{"from":{"id":"515690208000"},"to":[],"paging":{"next":{"after":WHAT}}}]}"#,
    r#"{"results":[{"from":{"id":"515690208000"},"to":[],"paging":{"next":{"link":WHAT}}}]}"#,
    r#"{"results":[],"errors":WHAT}"#,
    r#"{"results":[],"errors":[{"subCategory":WHAT}]}"#,
    r#"{"results":[],"errors":[{"context":{"fromObjectId":WHAT}}]}"#,
    r#"{"results":[],"errors":[{"context":{"fromObjectId":[WHAT]}}]}"#,
    r#"{"results":[{"from":{"id":"515690208000"},"to":[]}],"more":WHAT}"#,
];

/// The same of Alloy.
const ALLOY: &[&str] = &[
    "WHAT",
    r#"{"data":WHAT,"pagination":{"hasMore":false}}"#,
    r#"{"data":[WHAT],"pagination":{"hasMore":false}}"#,
    r#"{"data":[],"pagination":WHAT}"#,
    r#"{"data":[],"pagination":{"hasMore":WHAT}}"#,
    r#"{"data":[],"pagination":{"hasMore":true,"nextOffset":WHAT}}"#,
    r#"{"data":[],"pagination":{"hasMore":false,"total":WHAT}}"#,
    r#"{"more":WHAT,"data":[],"pagination":{"hasMore":false}}"#,
    r#"{"data":[],"pagination":{"hasMore":false},"more":WHAT}"#,
];

/// Reads something at every position, of a success and of an error response; how many
/// were read without an error.
async fn at_every_position(what: &str) -> [usize; 2] {
    let [mut hubspot, mut alloy] = [0, 0];
    for body in with(HUBSPOT, what) {
        hubspot += usize::from(of_hubspot(body.clone()).await.1.is_none());
        let (_, error) = read(companies(answering_with(400, None, body))).await;
        assert_eq!(error.unwrap().status(), Some(400));
    }
    for body in with(ALLOY, what) {
        alloy += usize::from(of_alloy(body.clone()).await.1.is_none());
        let (_, error) = read(contacts(answering_with(400, None, body))).await;
        assert_eq!(error.unwrap().status(), Some(400));
    }
    [hubspot, alloy]
}

#[tokio::test]
async fn json_that_nests_10_000_deep_is_an_error_or_passed_over() {
    let arrays = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    for deep in [arrays, objects, "[".repeat(10_000), r#"{"a":"#.repeat(10_000)] {
        let is_whole = deep.ends_with([']', '}']);
        // What stands beside is passed over, however deep it is.
        let [hubspot, alloy] = at_every_position(&deep).await;
        assert_eq!((hubspot > 0, alloy), (is_whole, if is_whole { 3 } else { 0 }));
    }
}

#[tokio::test]
async fn numbers_of_a_thousand_digits_are_an_error_or_passed_over() {
    let digits = "7".repeat(1_000);
    for number in [
        digits.clone(),
        format!("-{digits}"),
        format!("0.{digits}"),
        format!("1e{digits}"),
        format!("1e-{digits}"),
        format!("{digits}.{digits}E+{digits}"),
    ] {
        let [hubspot, alloy] = at_every_position(&number).await;
        assert!(hubspot >= 1 && alloy >= 2, "{hubspot} {alloy} of {}", &number[..9]);
    }
    // An id is exact or an error, and an offset too.
    let body =
        format!(r#"{{"results":[{{"from":{{"id":"{ID}"}},"to":[{{"toObjectId":{digits}}}]}}]}}"#);
    assert_eq!(kind(&of_hubspot(body).await), Some(ErrorKind::Decode));
    let body = format!(r#"{{"data":[],"pagination":{{"hasMore":true,"nextOffset":{digits}}}}}"#);
    assert_eq!(kind(&of_alloy(body).await), Some(ErrorKind::Decode));
    // As a string, it is an id like another.
    let body =
        format!(r#"{{"results":[{{"from":{{"id":"{ID}"}},"to":[{{"toObjectId":"{digits}"}}]}}]}}"#);
    let (records, error) = of_hubspot(body).await;
    assert!(error.is_none() && records[0].to.to_string() == digits);
}

#[tokio::test]
async fn broken_utf_8_is_an_error_wherever_it_stands() {
    for broken in [&b"\xff"[..], b"\xc3(", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xc0\xaf"] {
        let quoted = [b"\"", broken, b"\""].concat();
        for (positions, is_hubspot) in [(HUBSPOT, true), (ALLOY, false)] {
            for position in positions {
                let (before, behind) = position.split_once("WHAT").unwrap();
                let body = [before.as_bytes(), &quoted, behind.as_bytes()].concat();
                let kind = if is_hubspot {
                    kind(&of_hubspot(body).await)
                } else {
                    kind(&of_alloy(body).await)
                };
                assert_eq!(kind, Some(ErrorKind::Decode), "{position}");
            }
        }
        let (_, error) = read(contacts(answering_with(400, None, quoted))).await;
        assert_eq!(error.unwrap().status(), Some(400));
    }
    // A surrogate alone is no character either.
    at_every_position(r#""\ud800""#).await;
}

#[tokio::test]
async fn a_key_that_comes_twice_is_an_error_where_it_decides() {
    let row = format!(r#"{{"from":{{"id":"{ID}"}},"to":[]}}"#);
    for body in [
        format!(r#"{{"results":[{row}],"results":[{row}]}}"#),
        format!(r#"{{"results":[{row}],"results":[]}}"#),
        format!(r#"{{"results":[{{"from":{{"id":"1"}},"from":{{"id":"{ID}"}},"to":[]}}]}}"#),
        format!(r#"{{"results":[{{"from":{{"id":"{ID}","id":"{ID}"}},"to":[]}}]}}"#),
        format!(r#"{{"results":[{{"from":{{"id":"{ID}"}},"to":[],"to":[]}}]}}"#),
        format!(
            r#"{{"results":[{{"from":{{"id":"{ID}"}},"to":[],"paging":null,"paging":null}}]}}"#
        ),
        format!(r#"{{"results":[{row}],"errors":[],"errors":[]}}"#),
    ] {
        assert_eq!(kind(&of_hubspot(body.clone()).await), Some(ErrorKind::Decode), "{body}");
    }
    let end = r#""pagination":{"hasMore":false}"#;
    for body in [
        format!(r#"{{"data":[1],"data":[2],{end}}}"#),
        format!(r#"{{"data":[1],{end},"data":[1]}}"#),
        format!(r#"{{"data":[1],"pagination":{{"hasMore":true,"nextOffset":1}},{end}}}"#),
        r#"{"data":[1],"pagination":{"hasMore":true,"nextOffset":1,"hasMore":false}}"#.to_owned(),
    ] {
        assert_eq!(kind(&of_alloy(body.clone()).await), Some(ErrorKind::Decode), "{body}");
    }
    // What decides nothing may come as often as it likes.
    let body = format!(r#"{{"results":[{row}],"status":1,"status":"2"}}"#);
    assert_eq!(kind(&of_hubspot(body).await), None);
    let body = format!(r#"{{"data":[7,8],{end},"more":1,"more":2}}"#);
    assert_eq!(of_alloy(body).await.0, [7, 8]);
}

#[tokio::test]
async fn keys_with_brackets_are_keys_like_others() {
    for body in [
        r#"{"errors]for[":"none"}"#,
        r#"{"errors]for[":"none","more":1}"#,
        r#"{"a":1,"]b[":null}"#,
        r#"{"]":{"[":0}}"#,
        r#"{"]data[":[],"pagination":{"hasMore":false}}"#,
    ] {
        assert_eq!(kind(&of_alloy(body).await), Some(ErrorKind::Decode), "{body}");
    }
    let body = r#"{"a]":0,"]b[":1,"data":[7],"]c[":2,"pagination":{"hasMore":false}}"#;
    let (records, error) = of_alloy(body).await;
    assert!(error.is_none() && records == [7]);
}

#[tokio::test]
async fn a_success_that_is_no_answer_shows_its_content_type_and_how_it_begins() {
    let html = "<!DOCTYPE html><title>Sign in</title>";
    let long = format!("{{\"a\":\"{}\"}}", "é".repeat(100_000));
    let cases: [(Option<&str>, &str, &[&str]); 7] = [
        (Some("text/html; charset=utf-8"), html, &["text/html; charset=utf-8", "<!DOCTYPE html>"]),
        (None, html, &["of no content type", "<!DOCTYPE html>"]),
        (Some("application/json"), "", &["application/json", "is empty"]),
        (None, r#"{"error":"Down","message":"Come back"}"#, &["Come back", r#"{\"error\":"#]),
        (None, r#"{"status":"error","message":"Come back"}"#, &["Come back", r#"{\"status\":"#]),
        (Some("text/plain"), "null", &["text/plain", "\"null\""]),
        (None, &long, &["begins with", "éééé"]),
    ];
    for (content_type, body, shown) in cases {
        let body = Bytes::from(body.to_owned());
        let (_, error) = read(companies(answering(content_type, body.clone()))).await;
        let of_hubspot = error.unwrap();
        let (_, error) = read(contacts(answering(content_type, body))).await;
        for error in [of_hubspot, error.unwrap()] {
            assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)), "{error}");
            let message = error.to_string();
            for it in shown {
                assert!(message.contains(it), "{it} in {message}");
            }
            assert!(message.len() < 1_000, "{} bytes", message.len());
        }
    }
}

#[tokio::test]
async fn a_message_without_end_is_cut() {
    let body = format!(r#"{{"message":"{}","category":"C"}}"#, "€".repeat(1_000_000));
    let (_, error) = read(companies(answering_with(400, None, body.clone()))).await;
    assert_eq!(error.unwrap().service_error().message.as_ref().unwrap().chars().count(), 500);
    let (_, error) = read(contacts(answering_with(400, None, body))).await;
    assert!(error.unwrap().to_string().len() < 3_000);
}

#[tokio::test]
async fn json_is_read_whatever_its_content_type() {
    let types = ["text/html", "text/plain; charset=latin-1", "application/octet-stream", "*", ""];
    for content_type in types.map(Some).into_iter().chain([None]) {
        let body = r#"{"data":[1,2],"pagination":{"hasMore":false}}"#;
        let (records, error) = read(contacts(answering(content_type, body))).await;
        assert!(error.is_none() && records == [1, 2], "{content_type:?}");

        let body =
            format!(r#"{{"results":[{{"from":{{"id":"{ID}"}},"to":[{{"toObjectId":1}}]}}]}}"#);
        let (records, error) = read(companies(answering(content_type, body))).await;
        assert!(error.is_none() && records.len() == 1, "{content_type:?}");
    }
}
