//! The rules of reading an Alloy action, a test each.

use std::{
    collections::VecDeque,
    future::ready,
    ops::Range,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{Method, Request, Response};
use pagestream::{
    Checkpoint, Error, ErrorKind, Paginator, PaginatorExt, Progress, Read, Retry, Source,
    StopReason, Transport,
    alloy::{Action, ActionBuilder, ParameterPosition, WithoutPagination},
    testing::{self, Server},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

const KEY: &str = "sk-a-key-that-nobody-may-see";
const CREDENTIAL: &str = "68d9876543210fedcba98765";
const NONE: [u64; 0] = [];
const USER: &str = "68c3229752345278627ae373";

const GUIDE_REQUEST: &str = include_str!("fixtures/alloy/guide_request.json");
const GUIDE_RESPONSE: &str = include_str!("fixtures/alloy/guide_response.json");
const GUIDE_RESPONSE_LAST: &str = include_str!("fixtures/alloy/guide_response_last.json");
const REFERENCE_REQUEST: &str = include_str!("fixtures/alloy/reference_request.json");
const REFERENCE_RESPONSE: &str = include_str!("fixtures/alloy/reference_response.json");
const DEMO_RESPONSE: &str = include_str!("fixtures/alloy/demo_response.json");
const ERROR_WITH_MESSAGE: &str = include_str!("fixtures/alloy/error_with_message.json");
const ERROR_WITH_CODE: &str = include_str!("fixtures/alloy/error_with_code.json");

/// A service that answers what it was told to, in order, and keeps what it was
/// asked. A request too many fails the test.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Scripted>>);

#[derive(Default)]
struct Scripted {
    answers: VecDeque<(u16, Bytes)>,
    requests: Vec<Request<Bytes>>,
}

impl Script {
    /// Answers with these bodies, each with status 200.
    fn new(bodies: impl IntoIterator<Item = Value>) -> Self {
        bodies.into_iter().fold(Self::default(), |script, body| script.then(200, body.to_string()))
    }

    /// Answers with this status and body after the others.
    fn then(self, status: u16, body: impl Into<Bytes>) -> Self {
        self.0.lock().unwrap().answers.push_back((status, body.into()));
        self
    }

    fn transport(&self) -> impl Transport + use<> {
        let scripted = Arc::clone(&self.0);
        move |request: Request<Bytes>| {
            let mut scripted = scripted.lock().unwrap();
            scripted.requests.push(request);
            let (status, body) = scripted.answers.pop_front().expect("a request too many");
            ready(Ok::<_, Error>(Response::builder().status(status).body(body).unwrap()))
        }
    }

    /// The only request there was.
    fn request(&self) -> Request<Bytes> {
        let scripted = self.0.lock().unwrap();
        assert_eq!(scripted.requests.len(), 1);
        scripted.requests[0].clone()
    }

    fn bodies(&self) -> Vec<Value> {
        let scripted = self.0.lock().unwrap();
        scripted.requests.iter().map(|it| serde_json::from_slice(it.body()).unwrap()).collect()
    }

    /// The offset of each request, as the guide places it.
    fn offsets(&self) -> Vec<u64> {
        self.bodies().iter().map(|body| body["input"]["offset"].as_u64().unwrap()).collect()
    }
}

/// A page with more behind it; its records are numbers.
fn page(records: Range<u64>, next_offset: u64) -> Value {
    let data = records.collect::<Vec<_>>();
    json!({"data": data, "pagination": {"hasMore": true, "nextOffset": next_offset}})
}

fn last(records: Range<u64>) -> Value {
    json!({"data": records.collect::<Vec<_>>(), "pagination": {"hasMore": false}})
}

fn builder<T>(script: &Script) -> ActionBuilder<T> {
    Action::builder("hubspot", "listContacts")
        .api_key(KEY)
        .credential_id(CREDENTIAL)
        .transport(script.transport())
}

fn action(script: &Script) -> Action<u64> {
    builder(script).build().unwrap()
}

#[derive(Debug, PartialEq, Deserialize)]
struct Contact {
    id: u64,
}

fn contacts(ids: Range<u64>) -> Vec<Contact> {
    ids.map(|id| Contact { id }).collect()
}

/// What came of a stream.
#[derive(Debug)]
struct Outcome<T> {
    records: Vec<T>,
    error: Option<Error>,
    progress: Progress,
}

async fn read<T: DeserializeOwned + Send + 'static>(action: &Action<T>) -> Outcome<T> {
    drain(action.read()).await
}

/// Reads to the end or to the one error, and a little beyond.
async fn drain<S: Source>(
    reading: Read<S>,
) -> Outcome<<<S as Source>::Paginator as Paginator>::Record> {
    let mut stream = Box::pin(reading.retry(Retry::never()).records());
    let (mut records, mut error) = (Vec::new(), None);
    while let Some(item) = stream.next().await {
        assert!(error.is_none(), "an item after the error");
        match item {
            Ok(record) => records.push(record),
            Err(it) => error = Some(it),
        }
    }
    assert!(stream.next().await.is_none(), "an item after the end");
    let progress = stream.monitor().progress();
    Outcome { records, error, progress }
}

impl<T> Outcome<T> {
    /// All the records of a reading that came to its end.
    fn whole(self) -> Vec<T> {
        assert!(self.error.is_none(), "{:?}", self.error);
        assert_eq!(self.progress.stop, Some(StopReason::End));
        self.records
    }

    /// The error of a reading that failed, with all that it has to say of where.
    fn failed(self, kind: ErrorKind, page: u64, offset: u64) -> Error {
        assert_eq!(self.progress.stop, Some(StopReason::Failed));
        let error = self.error.expect("an error");
        assert_eq!((error.kind(), error.page()), (kind, Some(page)), "{error:?}");
        let cursor = serde_json::from_str::<Value>(error.cursor().unwrap()).unwrap();
        assert_eq!(cursor["offset"], offset);
        let records = error.checkpoint().map(Checkpoint::records);
        assert_eq!(records, Some(self.records.len() as u64));
        error
    }
}

/// Reads a single body, which is an error of this kind.
async fn refuse(kind: ErrorKind, body: impl Into<Bytes>) -> Error {
    let outcome = read(&action(&Script::default().then(200, body))).await;
    assert_eq!(outcome.records, NONE);
    outcome.failed(kind, 1, 0)
}

async fn refuse_json(kind: ErrorKind, body: &Value) -> Error {
    refuse(kind, body.to_string()).await
}

/// Why a builder does not build.
fn refusal(builder: ActionBuilder<u64>) -> String {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

// The request.

#[tokio::test]
async fn the_request_is_the_one_of_the_guide() {
    let script = Script::default().then(200, GUIDE_RESPONSE_LAST);
    read(&builder::<Contact>(&script).user_id(USER).build().unwrap()).await.whole();

    let request = script.request();
    assert_eq!(request.method(), Method::POST);
    let url = "https://production.runalloy.com/connectors/hubspot/actions/listContacts/execute";
    assert_eq!(request.uri(), url);
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.headers()["x-api-version"], "2025-09");
    assert_eq!(request.headers()["x-alloy-userid"], USER);
    assert_eq!(request.headers()["authorization"], format!("Bearer {KEY}"));
    let body = serde_json::from_slice::<Value>(request.body()).unwrap();
    assert_eq!(body, serde_json::from_str::<Value>(GUIDE_REQUEST).unwrap());
}

#[tokio::test]
async fn the_responses_of_the_guide_are_read_to_their_end() {
    let script = Script::default().then(200, GUIDE_RESPONSE).then(200, GUIDE_RESPONSE_LAST);
    let read = read(&builder::<Contact>(&script).build().unwrap()).await.whole();
    assert_eq!(read, contacts(0..52));
    assert_eq!(script.offsets(), [0, 50]);
}

#[tokio::test]
async fn every_page_has_the_headers() {
    let script = Script::new([page(0..1, 1), last(1..2)]);
    let action = builder::<u64>(&script).user_id(USER).build().unwrap();
    read(&action).await.whole();
    let scripted = script.0.lock().unwrap();
    assert_eq!(scripted.requests[0].headers(), scripted.requests[1].headers());
    assert_eq!(scripted.requests[0].uri(), scripted.requests[1].uri());
    assert_eq!(scripted.requests[1].method(), Method::POST);
}

#[tokio::test]
async fn the_user_id_is_sent_only_where_it_is_given() {
    let script = Script::new([last(0..1)]);
    read(&action(&script)).await.whole();
    assert_eq!(script.request().headers().get("x-alloy-userid"), None);
}

#[tokio::test]
async fn the_api_version_can_be_set() {
    let script = Script::new([last(0..1)]);
    read(&builder::<u64>(&script).api_version("2026-01").build().unwrap()).await.whole();
    let request = script.request();
    let versions = request.headers().get_all("x-api-version").iter().collect::<Vec<_>>();
    assert_eq!(versions, ["2026-01"]);
}

#[tokio::test]
async fn the_base_url_can_be_set_and_may_have_a_path() {
    for base_url in ["http://127.0.0.1:9/proxy", "http://127.0.0.1:9/proxy/"] {
        let script = Script::new([last(0..1)]);
        read(&builder::<u64>(&script).base_url(base_url).build().unwrap()).await.whole();
        let url = "http://127.0.0.1:9/proxy/connectors/hubspot/actions/listContacts/execute";
        assert_eq!(script.request().uri(), url);
    }
}

#[tokio::test]
async fn further_inputs_are_sent_with_every_page() {
    let script = Script::new([page(0..1, 1), last(1..2)]);
    let action = builder::<u64>(&script)
        .limit(7)
        .input("properties", json!(["email", "phone"]))
        .input("archived", false)
        .build()
        .unwrap();
    read(&action).await.whole();
    let input = |offset: u64| json!({"limit": 7, "offset": offset, "properties": ["email", "phone"], "archived": false});
    let inputs = script.bodies().into_iter().map(|mut body| body["input"].take());
    assert_eq!(inputs.collect::<Vec<_>>(), [input(0), input(1)]);
}

#[tokio::test]
async fn the_parameters_go_where_the_builder_says() {
    let places = [
        (ParameterPosition::Input, "input"),
        (ParameterPosition::QueryParameters, "queryParameters"),
        (ParameterPosition::RequestBody, "requestBody"),
    ];
    for (place, field) in places {
        let script = Script::new([page(0..1, 1), last(1..2)]);
        let action =
            builder::<u64>(&script).parameters_in(place).input("archived", true).build().unwrap();
        assert_eq!(read(&action).await.whole(), [0, 1]);
        let body = |offset: u64| {
            let mut body = json!({"credentialId": CREDENTIAL, "actionId": "listContacts"});
            body[field] = json!({"limit": 50, "offset": offset, "archived": true});
            body
        };
        assert_eq!(script.bodies(), [body(0), body(1)]);
    }
}

#[tokio::test]
async fn further_fields_are_sent_with_every_page_as_in_the_reference() {
    let script = Script::new([page(0..1, 1), last(1..2)]);
    let action = builder::<u64>(&script)
        .parameters_in(ParameterPosition::QueryParameters)
        .field("requestBody", json!({"archived": false}))
        .field("pathParams", json!({"objectType": "contacts"}))
        .field("additionalHeaders", json!({"x-trace": "1"}))
        .build()
        .unwrap();
    read(&action).await.whole();

    // The reference has no `actionId` in the body, the guide has one.
    let mut body = serde_json::from_str::<Value>(REFERENCE_REQUEST).unwrap();
    body["actionId"] = json!("listContacts");
    let first = body.clone();
    body["queryParameters"]["offset"] = json!(1);
    assert_eq!(script.bodies(), [first, body]);
}

// The limit.

#[tokio::test]
async fn the_limit_is_50_by_default() {
    let script = Script::new([page(0..50, 50), last(50..51)]);
    read(&action(&script)).await.whole();
    let limits = script.bodies().into_iter().map(|mut body| body["input"]["limit"].take());
    assert_eq!(limits.collect::<Vec<_>>(), [50, 50]);
}

#[test]
fn limit_0_and_51_are_refused() {
    for limit in [0, 51, u64::MAX] {
        let refusal = refusal(builder(&Script::default()).limit(limit));
        assert!(refusal.contains(&limit.to_string()) && refusal.contains("1 to 50"), "{refusal}");
    }
}

#[tokio::test]
async fn limits_1_and_50_are_asked_for_on_every_page() {
    for limit in [1, 50] {
        let script = Script::new([page(0..1, 1), last(1..2)]);
        read(&builder::<u64>(&script).limit(limit).build().unwrap()).await.whole();
        let limits = script.bodies().into_iter().map(|mut body| body["input"]["limit"].take());
        assert_eq!(limits.collect::<Vec<_>>(), [limit, limit]);
    }
}

#[tokio::test]
async fn a_clamped_limit_loses_no_record() {
    // Asked for 50 each, the service gives 20.
    let script = Script::new([page(0..20, 20), page(20..40, 40), last(40..45)]);
    assert!(read(&action(&script)).await.whole().into_iter().eq(0..45));
    assert_eq!(script.offsets(), [0, 20, 40]);
}

#[tokio::test]
async fn a_page_above_the_limit_loses_no_record() {
    let script = Script::new([page(0..80, 80), last(80..90)]);
    assert!(read(&action(&script)).await.whole().into_iter().eq(0..90));
    assert_eq!(script.offsets(), [0, 80]);
}

// The end.

#[tokio::test]
async fn has_more_false_is_the_end_whatever_next_offset_says() {
    let next_offsets = [json!(null), json!(0), json!(1), json!(50), json!(u64::MAX)];
    let pagination = next_offsets.map(|next| json!({"hasMore": false, "nextOffset": next}));
    for pagination in pagination.into_iter().chain([json!({"hasMore": false})]) {
        let script = Script::new([json!({"data": [0, 1], "pagination": pagination})]);
        let outcome = read(&action(&script)).await;
        assert_eq!(outcome.progress.skipped, 0);
        assert_eq!(outcome.whole(), [0, 1]);
        assert_eq!(script.offsets(), [0]);
    }
}

#[tokio::test]
async fn has_more_false_is_the_end_though_next_offset_is_minus_1() {
    let pagination = json!({"hasMore": false, "nextOffset": -1});
    let script = Script::new([json!({"data": [0, 1], "pagination": pagination})]);
    assert_eq!(read(&action(&script)).await.whole(), [0, 1]);
}

#[tokio::test]
async fn a_full_last_page_causes_no_extra_request() {
    let script = Script::new([page(0..50, 50), last(50..100)]);
    assert!(read(&action(&script)).await.whole().into_iter().eq(0..100));
    assert_eq!(script.offsets(), [0, 50]);
}

#[tokio::test]
async fn a_short_page_in_the_middle_is_not_the_end() {
    let script = Script::new([page(0..50, 50), page(50..53, 53), last(53..60)]);
    assert!(read(&action(&script)).await.whole().into_iter().eq(0..60));
    assert_eq!(script.offsets(), [0, 50, 53]);
}

#[tokio::test]
async fn an_empty_page_with_more_is_not_the_end() {
    let pages = [page(0..0, 50), page(0..0, 100), page(3..5, 102), page(0..0, 150), last(5..6)];
    let script = Script::new(pages.clone());
    assert_eq!(read(&action(&script)).await.whole(), [3, 4, 5]);
    assert_eq!(script.offsets(), [0, 50, 100, 102, 150]);

    let pages = action(&Script::new(pages)).into_pages().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(pages, [vec![], vec![], vec![3, 4], vec![], vec![5]]);
}

#[tokio::test]
async fn an_empty_last_page_is_the_end() {
    let script = Script::new([page(0..2, 2), last(0..0)]);
    assert_eq!(read(&action(&script)).await.whole(), [0, 1]);
    assert_eq!(script.offsets(), [0, 2]);

    let script = Script::new([last(0..0)]);
    assert_eq!(read(&action(&script)).await.whole(), NONE);
    assert_eq!(script.offsets(), [0]);
}

#[tokio::test]
async fn a_filter_that_drops_a_whole_page_does_not_end_the_reading() {
    let script = Script::new([page(0..10, 10), page(10..20, 20), last(20..30)]);
    let action = action(&script);
    let records = action.records().try_filter(|record| ready(!(5..25).contains(record)));
    let records = records.try_collect::<Vec<_>>().await.unwrap();
    assert!(records.into_iter().eq((0..5).chain(25..30)));
    assert_eq!(script.offsets(), [0, 10, 20]);
}

#[tokio::test]
async fn a_total_that_shrinks_or_grows_decides_nothing() {
    let with_total = |mut page: Value, total: Value| {
        page["pagination"]["total"] = total;
        page
    };
    let script = Script::new([
        with_total(page(0..2, 2), json!(6)),
        with_total(page(2..4, 4), json!(2)),
        with_total(page(4..6, 6), json!(0)),
        with_total(page(6..8, 8), json!(1000)),
        with_total(last(8..10), json!(9)),
    ]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.progress.total, Some(9));
    assert!(outcome.whole().into_iter().eq(0..10));
    assert_eq!(script.offsets(), [0, 2, 4, 6, 8]);
}

#[tokio::test]
async fn a_total_that_is_no_number_decides_nothing() {
    for total in [json!(null), json!("12"), json!(-1), json!({"value": 2, "relation": "gte"})] {
        let pagination = json!({"hasMore": false, "total": total});
        let script = Script::new([json!({"data": [0, 1], "pagination": pagination})]);
        let outcome = read(&action(&script)).await;
        assert_eq!(outcome.progress.total, None);
        assert_eq!(outcome.whole(), [0, 1]);
    }
}

// Where the next offset contradicts.

#[tokio::test]
async fn more_without_a_next_offset_is_an_error() {
    for pagination in [json!({"hasMore": true}), json!({"hasMore": true, "nextOffset": null})] {
        let body = json!({"data": [0], "pagination": pagination});
        refuse_json(ErrorKind::Contradiction, &body).await;
    }
}

#[tokio::test]
async fn a_next_offset_at_the_requested_one_is_an_error() {
    for at_0 in [page(0..2, 0), page(0..0, 0)] {
        refuse_json(ErrorKind::Loop, &at_0).await;
    }
    for at_2 in [page(2..4, 2), page(0..0, 2)] {
        let script = Script::new([page(0..2, 2), at_2]);
        let outcome = read(&action(&script)).await;
        assert_eq!(outcome.records, [0, 1]);
        let error = outcome.failed(ErrorKind::Loop, 2, 2);
        assert!(error.is_service_fault() && !error.is_retryable());
        assert_eq!(script.offsets(), [0, 2]);
    }
}

#[tokio::test]
async fn a_next_offset_below_the_requested_one_is_an_error() {
    for next_offset in [0, 1, 2] {
        let script = Script::new([page(0..3, 3), page(3..6, next_offset)]);
        let outcome = read(&action(&script)).await;
        assert_eq!(outcome.records, [0, 1, 2]);
        outcome.failed(ErrorKind::Loop, 2, 3);
        assert_eq!(script.offsets(), [0, 3]);
    }
}

#[tokio::test]
async fn a_next_offset_among_the_records_of_its_page_is_an_error() {
    for next_offset in [3, 4] {
        let script = Script::new([page(0..2, 2), page(2..5, next_offset)]);
        let outcome = read(&action(&script)).await;
        assert_eq!(outcome.records, [0, 1]);
        let error = outcome.failed(ErrorKind::Contradiction, 2, 2);
        assert!(error.is_service_fault() && !error.is_retryable());
        assert_eq!(script.offsets(), [0, 2]);
    }
}

#[tokio::test]
async fn a_leap_is_followed_and_counted() {
    let script = Script::new([page(0..2, 10), page(10..12, 12), page(12..13, 20), last(20..21)]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.progress.skipped, 8 + 7);
    assert_eq!(outcome.whole(), [0, 1, 10, 11, 12, 20]);
    assert_eq!(script.offsets(), [0, 10, 12, 20]);
}

#[tokio::test]
async fn a_leap_is_counted_once_wherever_the_reading_is_cut() {
    let pages = || [page(0..2, 10), page(10..12, 20), last(20..21)];
    for cut in 0..=5_usize {
        // A page that is out whole is not asked for again.
        let again = pages().into_iter().skip(cut / 2);
        let begin = action(&Script::new(pages()));
        let mut records = begin.records();
        for _ in 0..cut {
            records.next().await.unwrap().unwrap();
        }
        let checkpoint = records.checkpoint().unwrap();
        let rest = action(&Script::new(again));
        let outcome = drain(rest.read().resume(checkpoint)).await;
        assert_eq!(outcome.progress.skipped, 16, "cut after {cut}");
        assert_eq!(outcome.whole(), [0, 1, 10, 11, 20][cut..]);
    }
}

#[tokio::test]
async fn the_largest_next_offset_does_no_harm() {
    let script = Script::new([page(0..1, u64::MAX), last(1..2)]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.progress.skipped, u64::MAX - 1);
    assert_eq!(outcome.whole(), [0, 1]);
    assert_eq!(script.offsets(), [0, u64::MAX]);

    let script = Script::new([page(0..1, u64::MAX), page(1..3, u64::MAX)]);
    read(&action(&script)).await.failed(ErrorKind::Loop, 2, u64::MAX);
}

#[tokio::test]
async fn a_next_offset_that_is_no_offset_is_a_decode_error() {
    for next in ["-1", "10.5", "10.0", "1e2", "18446744073709551616", "\"10\"", "true", "[10]"] {
        let body =
            format!(r#"{{"data": [0], "pagination": {{"hasMore": true, "nextOffset": {next}}}}}"#);
        refuse(ErrorKind::Decode, body).await;
    }
}

// The same page again.

#[tokio::test]
async fn the_same_page_again_whatever_the_offset_is_caught() {
    let script = Script::new([page(0..2, 2), page(0..2, 4)]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.records, [0, 1]);
    let error = outcome.failed(ErrorKind::Loop, 2, 2);
    assert!(error.is_service_fault() && !error.is_retryable());
    assert_eq!(script.offsets(), [0, 2]);
}

#[tokio::test]
async fn the_same_page_again_is_caught_on_a_later_page() {
    let script = Script::new([page(0..2, 2), page(2..4, 4), page(2..4, 6)]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.records, [0, 1, 2, 3]);
    outcome.failed(ErrorKind::Loop, 3, 4);
}

#[tokio::test]
async fn the_same_page_again_is_caught_though_it_says_that_it_is_the_last() {
    let script = Script::new([page(0..2, 2), last(0..2)]);
    let outcome = read(&action(&script)).await;
    assert_eq!(outcome.records, [0, 1]);
    outcome.failed(ErrorKind::Loop, 2, 2);
}

#[tokio::test]
async fn the_same_page_again_is_caught_though_what_is_beside_it_differs() {
    let page = |id: &str, next: u64| {
        json!({
            "executionId": id,
            "data": [{"id": 0}, {"id": 1}],
            "meta": {"took": next},
            "pagination": {"hasMore": true, "nextOffset": next},
        })
    };
    let script = Script::new([page("a", 2), page("b", 4)]);
    let outcome = read(&builder::<Contact>(&script).build().unwrap()).await;
    assert_eq!(outcome.records, contacts(0..2));
    outcome.failed(ErrorKind::Loop, 2, 2);
}

#[tokio::test]
async fn the_same_page_again_is_caught_though_other_fields_are_beside_it() {
    let mut again = page(0..2, 4);
    again["warnings"] = json!(["slow"]);
    let outcome = read(&action(&Script::new([page(0..2, 2), again]))).await;
    assert_eq!(outcome.records, [0, 1]);
    outcome.failed(ErrorKind::Loop, 2, 2);
}

#[tokio::test]
async fn the_same_page_again_is_caught_with_a_wider_window() {
    let script = Script::new([page(0..2, 2), page(2..4, 4), page(2..4, 6), last(6..7)]);
    let outcome = drain(action(&script).read().window(4)).await;
    assert_eq!(outcome.records, [0, 1, 2, 3]);
    outcome.failed(ErrorKind::Loop, 3, 4);
}

/// Resumes a reading whose first page was 0 and 1, and gets that page for ever.
async fn meet_the_first_page_again(checkpoint: Checkpoint, answers: &[Value], rest: &[u64]) {
    let script = Script::new(answers.iter().cloned());
    let outcome = drain(action(&script).read().resume(checkpoint)).await;
    assert_eq!(outcome.records, rest);
    assert_eq!(outcome.error.map(|error| error.kind()), Some(ErrorKind::Loop));
}

#[tokio::test]
async fn the_same_page_again_is_caught_after_a_resume_in_its_middle() {
    let (_, checkpoint) = cut(&action(&Script::new([page(0..2, 2)])), 1).await;
    meet_the_first_page_again(checkpoint, &[page(0..2, 2), page(0..2, 4)], &[1]).await;
}

#[tokio::test]
async fn the_same_page_again_is_caught_after_a_resume_behind_its_last_record() {
    let (_, checkpoint) = cut(&action(&Script::new([page(0..2, 2)])), 2).await;
    meet_the_first_page_again(checkpoint, &[page(0..2, 4)], &[]).await;
}

#[tokio::test]
async fn the_same_page_again_is_caught_after_a_resume_behind_max_pages() {
    let begin = action(&Script::new([page(0..2, 2)]));
    let mut first = begin.read().max_pages(1).records();
    assert_eq!(first.by_ref().try_collect::<Vec<_>>().await.unwrap(), [0, 1]);
    let checkpoint = first.checkpoint().unwrap();
    meet_the_first_page_again(checkpoint, &[page(0..2, 4)], &[]).await;
}

#[tokio::test]
async fn the_same_record_in_pages_of_other_lengths_is_no_repeated_page() {
    let body = |data: Value, next: u64| json!({"data": data, "pagination": {"hasMore": next < 6, "nextOffset": next}});
    let script = Script::new([body(json!([7]), 1), body(json!([7, 7]), 3), body(json!([7]), 6)]);
    assert_eq!(read(&action(&script)).await.whole(), [7, 7, 7, 7]);
}

#[tokio::test]
async fn accept_repeated_pages_takes_them() {
    let script = Script::new([page(0..2, 2), page(0..2, 4), last(0..2)]);
    let action = builder::<u64>(&script).accept_repeated_pages().build().unwrap();
    assert_eq!(read(&action).await.whole(), [0, 1, 0, 1, 0, 1]);
    assert_eq!(script.offsets(), [0, 2, 4]);
}

#[tokio::test]
async fn accept_repeated_pages_still_catches_an_offset_that_does_not_advance() {
    let script = Script::new([page(0..2, 2), page(0..2, 2)]);
    let action = builder::<u64>(&script).accept_repeated_pages().build().unwrap();
    read(&action).await.failed(ErrorKind::Loop, 2, 2);
}

// The paging object.

fn without_paging_object() -> [Value; 2] {
    [json!({"data": [0, 1]}), json!({"data": [0, 1], "pagination": null})]
}

#[tokio::test]
async fn a_missing_or_null_paging_object_is_an_error_by_default() {
    for body in without_paging_object() {
        let error = refuse_json(ErrorKind::Contradiction, &body).await;
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn a_paging_object_that_goes_missing_on_a_later_page_is_an_error_by_default() {
    for body in without_paging_object() {
        let outcome = read(&action(&Script::new([page(5..7, 2), body]))).await;
        assert_eq!(outcome.records, [5, 6]);
        outcome.failed(ErrorKind::Contradiction, 2, 2);
    }
}

#[tokio::test]
async fn a_missing_or_null_paging_object_is_a_single_page_by_choice() {
    for body in without_paging_object() {
        let script = Script::new([body]);
        let action = builder::<u64>(&script).without_pagination(WithoutPagination::SinglePage);
        assert_eq!(read(&action.build().unwrap()).await.whole(), [0, 1]);
        assert_eq!(script.offsets(), [0]);
    }
}

#[tokio::test]
async fn a_paging_object_is_followed_though_a_single_page_was_chosen() {
    let script = Script::new([page(0..2, 2), last(2..3)]);
    let action = builder::<u64>(&script).without_pagination(WithoutPagination::SinglePage);
    assert_eq!(read(&action.build().unwrap()).await.whole(), [0, 1, 2]);
}

#[tokio::test]
async fn a_paging_object_that_contradicts_itself_is_an_error_though_a_single_page_was_chosen() {
    for pagination in [json!({}), json!({"hasMore": true})] {
        let script = Script::new([json!({"data": [0], "pagination": pagination})]);
        let action = builder::<u64>(&script).without_pagination(WithoutPagination::SinglePage);
        read(&action.build().unwrap()).await.failed(ErrorKind::Contradiction, 1, 0);
    }
}

#[tokio::test]
async fn a_paging_object_without_has_more_is_an_error() {
    let objects = [
        json!({}),
        json!({"hasMore": null}),
        json!({"nextOffset": 1}),
        json!({"nextOffset": null}),
        json!({"has_more": false}),
    ];
    for pagination in objects {
        let body = json!({"data": [0], "pagination": pagination});
        refuse_json(ErrorKind::Contradiction, &body).await;
    }
}

#[tokio::test]
async fn has_more_that_is_no_boolean_is_a_decode_error() {
    for has_more in [json!("false"), json!(0), json!(1), json!({})] {
        let body = json!({"data": [0], "pagination": {"hasMore": has_more, "nextOffset": 1}});
        refuse_json(ErrorKind::Decode, &body).await;
    }
}

#[tokio::test]
async fn a_paging_object_that_is_no_object_is_a_decode_error() {
    for pagination in [json!("none"), json!(false), json!(0)] {
        refuse_json(ErrorKind::Decode, &json!({"data": [0], "pagination": pagination})).await;
    }
}

#[tokio::test]
async fn a_paging_object_that_is_an_array_is_a_decode_error() {
    // An array that is read as the fields in their order would be an end.
    for pagination in [json!([false]), json!([false, 1, 2]), json!([])] {
        refuse_json(ErrorKind::Decode, &json!({"data": [0], "pagination": pagination})).await;
    }
}

// The data.

#[tokio::test]
async fn null_data_with_a_paging_object_is_an_empty_page() {
    let null = json!({"data": null, "pagination": {"hasMore": true, "nextOffset": 50}});
    let script = Script::new([null, last(50..51)]);
    assert_eq!(read(&action(&script)).await.whole(), [50]);
    assert_eq!(script.offsets(), [0, 50]);

    let null = json!({"data": null, "pagination": {"hasMore": false}});
    assert_eq!(read(&action(&Script::new([null]))).await.whole(), NONE);
}

#[tokio::test]
async fn null_data_without_a_paging_object_is_an_error() {
    for body in [json!({"data": null}), json!({}), json!({"data": null, "pagination": null})] {
        let script = Script::new([body.clone()]);
        let single = builder::<u64>(&script).without_pagination(WithoutPagination::SinglePage);
        read(&single.build().unwrap()).await.failed(ErrorKind::Decode, 1, 0);
        refuse_json(ErrorKind::Decode, &body).await;
    }
}

#[tokio::test]
async fn missing_data_with_a_paging_object_is_an_error() {
    // Else a mistake in the place of the data would read as no records at all.
    let body = json!({"results": [0, 1], "pagination": {"hasMore": false}});
    refuse_json(ErrorKind::Decode, &body).await;
}

#[tokio::test]
async fn data_that_is_no_array_of_records_is_a_decode_error() {
    for data in [json!({}), json!("none"), json!(0), json!([0, "one"]), json!([null])] {
        let body = json!({"data": data, "pagination": {"hasMore": false}});
        let error = refuse_json(ErrorKind::Decode, &body).await;
        assert_eq!((error.status(), error.is_retryable()), (Some(200), false));
    }
}

#[tokio::test]
async fn a_page_with_one_bad_record_gives_none_of_its_records() {
    let bad = json!({"data": [2, 3, "four"], "pagination": {"hasMore": false}});
    let outcome = read(&action(&Script::new([page(0..2, 2), bad]))).await;
    assert_eq!(outcome.records, [0, 1]);
    outcome.failed(ErrorKind::Decode, 2, 2);
}

#[tokio::test]
async fn records_keep_integers_above_2_to_53() {
    let ids = [(1 << 53) + 1, u64::MAX];
    let body =
        || json!({"data": [{"id": ids[0]}, {"id": ids[1]}], "pagination": {"hasMore": false}});
    let typed = builder::<Contact>(&Script::new([body()])).build().unwrap();
    assert_eq!(read(&typed).await.whole(), ids.map(|id| Contact { id }));
    let untyped = builder::<Value>(&Script::new([body()])).build().unwrap();
    assert_eq!(read(&untyped).await.whole(), ids.map(|id| json!({"id": id})));
}

#[tokio::test]
async fn the_order_of_the_fields_does_not_matter() {
    let script = Script::default()
        .then(200, r#"{"pagination":{"nextOffset":1,"hasMore":true},"x":[{"data":9}],"data":[0]}"#)
        .then(200, "\n{ \"d\\u0061ta\" : [ 1 ] , \"pagination\" : { \"hasMore\" : false } }\n");
    assert_eq!(read(&action(&script)).await.whole(), [0, 1]);
}

#[tokio::test]
async fn unknown_fields_are_tolerated_everywhere() {
    let body = json!({
        "data": [{"id": 0, "email": "a@example.com", "tags": [[{}]]}],
        "pagination": {"hasMore": false, "limit": 50, "prev": {"offset": null}},
        "requestId": 1.5,
        "pagination2": {"hasMore": true},
    });
    let action = builder::<Contact>(&Script::new([body])).build().unwrap();
    assert_eq!(read(&action).await.whole(), contacts(0..1));
}

// Where the envelope lies.

#[tokio::test]
async fn the_shape_of_the_reference_can_be_read() {
    let script = Script::default().then(200, REFERENCE_RESPONSE);
    let action =
        builder::<Contact>(&script).data_at("/result/data").pagination_at("/result/pagination");
    assert_eq!(read(&action.build().unwrap()).await.whole(), contacts(0..2));
}

#[tokio::test]
async fn the_shape_of_the_demos_can_be_read() {
    let script = Script::default().then(200, DEMO_RESPONSE);
    let action = builder::<Contact>(&script)
        .data_at("/responseData/data")
        .pagination_at("/responseData/pagination");
    assert_eq!(read(&action.build().unwrap()).await.whole(), contacts(0..2));
}

#[tokio::test]
async fn the_shapes_of_the_reference_and_the_demos_are_errors_by_default() {
    for body in [REFERENCE_RESPONSE, DEMO_RESPONSE] {
        refuse(ErrorKind::Decode, body).await;
    }
}

#[tokio::test]
async fn the_data_and_the_paging_object_may_lie_at_any_pointer() {
    let more = json!({"hasMore": true, "nextOffset": 2});
    let places = [
        ("/a/b/c", "/a/p", json!({"a": {"p": more, "b": {"c": [0, 1], "p": {}}}})),
        ("/a", "/b/a", json!({"b": {"a": more}, "a": [0, 1]})),
        ("/0/data", "/1", json!([{"data": [0, 1]}, more])),
        ("/steps/1/out", "/steps/1/page", json!({"steps": [0, {"out": [0, 1], "page": more}, {}]})),
        ("/a~1b", "/m~0n", json!({"a/b": [0, 1], "m~n": more})),
        ("/~01", "/", json!({"~1": [0, 1], "": more})),
    ];
    for (data, pagination, first) in places {
        let mut second = first.clone();
        *second.pointer_mut(data).unwrap() = json!([2, 3]);
        *second.pointer_mut(pagination).unwrap() = json!({"hasMore": false});
        let script = Script::new([first, second]);
        let action = builder::<u64>(&script).data_at(data).pagination_at(pagination);
        assert_eq!(read(&action.build().unwrap()).await.whole(), [0, 1, 2, 3], "{data}");
        assert_eq!(script.offsets(), [0, 2]);
    }
}

#[tokio::test]
async fn the_same_page_again_is_caught_wherever_the_data_lies() {
    let page = |id: u64, next: u64| {
        let pagination = json!({"hasMore": true, "nextOffset": next});
        json!({"id": id, "out": [{"took": id, "data": [0, 1]}, {"page": pagination}]})
    };
    let script = Script::new([page(1, 2), page(2, 4)]);
    let action = builder::<u64>(&script).data_at("/out/0/data").pagination_at("/out/1/page");
    let outcome = read(&action.build().unwrap()).await;
    assert_eq!(outcome.records, [0, 1]);
    outcome.failed(ErrorKind::Loop, 2, 2);
}

#[tokio::test]
async fn the_whole_response_may_be_the_data_of_a_single_page() {
    let script = Script::new([json!([0, 1, 2])]);
    let action =
        builder::<u64>(&script).data_at("").without_pagination(WithoutPagination::SinglePage);
    assert_eq!(read(&action.build().unwrap()).await.whole(), [0, 1, 2]);
}

#[tokio::test]
async fn a_value_that_does_not_lead_to_the_data_is_a_decode_error() {
    for body in [json!({"result": "done"}), json!({"result": [0, 1]}), json!({"result": null})] {
        let script = Script::new([body]);
        let action = builder::<u64>(&script)
            .data_at("/result/data")
            .without_pagination(WithoutPagination::SinglePage);
        read(&action.build().unwrap()).await.failed(ErrorKind::Decode, 1, 0);
    }
}

// Responses that are no page.

#[tokio::test]
async fn an_error_has_its_status_the_services_message_and_says_whether_to_retry() {
    let bodies = [
        (ERROR_WITH_MESSAGE, "Invalid API key"),
        (ERROR_WITH_CODE, "CREDENTIAL_NOT_FOUND"),
        (r#"{"error":{"code":"E1","message":"No such action"}}"#, "No such action"),
        (r#"{"error":"Too long ago"}"#, "Too long ago"),
    ];
    let retryable = [(400, false), (401, false), (404, false), (429, true), (503, true)];
    for (status, is_retryable) in retryable {
        for (body, message) in bodies {
            let script = Script::new([page(0..2, 2)]).then(status, body);
            let outcome = read(&action(&script)).await;
            assert_eq!(outcome.records, [0, 1]);
            let error = outcome.failed(ErrorKind::Status, 2, 2);
            assert_eq!((error.status(), error.is_retryable()), (Some(status), is_retryable));
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.to_string().contains(&status.to_string()), "{error}");
        }
    }
}

#[tokio::test]
async fn an_error_without_a_readable_body_has_its_status() {
    for body in [&b""[..], b"<html>", b"\xff", b"[]", b"{\"error\":1}", b"null"] {
        let script = Script::default().then(500, body);
        let error = read(&action(&script)).await.failed(ErrorKind::Status, 1, 0);
        assert_eq!((error.status(), error.is_retryable()), (Some(500), true));
    }
}

#[tokio::test]
async fn a_redirect_is_an_error_of_its_status() {
    let script = Script::default().then(302, "");
    let error = read(&action(&script)).await.failed(ErrorKind::Status, 1, 0);
    assert_eq!((error.status(), error.is_retryable()), (Some(302), false));
}

#[tokio::test]
async fn any_status_of_success_is_one() {
    let script =
        Script::default().then(201, page(0..1, 1).to_string()).then(207, last(1..2).to_string());
    assert_eq!(read(&action(&script)).await.whole(), [0, 1]);
}

#[tokio::test]
async fn an_error_with_status_200_is_a_decode_error_that_shows_the_message() {
    let bodies =
        [(ERROR_WITH_MESSAGE, "Invalid API key"), (ERROR_WITH_CODE, "CREDENTIAL_NOT_FOUND")];
    for (body, message) in bodies {
        let error = refuse(ErrorKind::Decode, body).await;
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!((error.status(), error.is_retryable()), (Some(200), false));
    }
}

#[tokio::test]
async fn html_with_status_200_is_a_decode_error() {
    let error = refuse(ErrorKind::Decode, "<!doctype html><title>Sign in</title>").await;
    assert!(error.downcast_ref::<serde_json::Error>().is_some());
    assert_eq!((error.status(), error.is_retryable()), (Some(200), false));
}

#[tokio::test]
async fn invalid_utf_8_is_a_decode_error() {
    let body = b"{\"data\":[],\"pagination\":{\"hasMore\":false},\"x\":\"\xff\"}";
    let error = refuse(ErrorKind::Decode, &body[..]).await;
    assert!(error.downcast_ref::<std::str::Utf8Error>().is_some());
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_a_decode_error_wherever_it_is_cut() {
    let body = page(0..3, 3).to_string();
    for end in 0..body.len() {
        refuse(ErrorKind::Decode, body[..end].to_owned()).await;
    }
}

#[tokio::test]
async fn a_body_with_something_behind_it_is_a_decode_error() {
    refuse(ErrorKind::Decode, format!("{}{}", last(0..1), last(1..2))).await;
}

#[tokio::test]
async fn a_body_that_is_nested_too_deep_is_a_decode_error() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [format!(r#"{{"data": {deep}}}"#), format!(r#"{{"data": [0], "x": {deep}"#)] {
        refuse(ErrorKind::Decode, body).await;
    }
}

#[tokio::test]
async fn an_error_of_the_transport_keeps_its_kind_and_says_where() {
    let action = Action::<u64>::builder("hubspot", "listContacts")
        .api_key(KEY)
        .credential_id(CREDENTIAL)
        .transport(|_: Request<Bytes>| {
            ready(Err(Error::new(ErrorKind::Transport, "the line is dead")))
        })
        .build()
        .unwrap();
    let error = read(&action).await.failed(ErrorKind::Transport, 1, 0);
    assert!(error.is_retryable());
    assert!(error.to_string().contains("the line is dead"), "{error}");
}

// Going on.

#[tokio::test]
async fn after_a_fatal_error_its_checkpoint_gives_exactly_the_rest() {
    let script = Script::new([page(0..10, 10), page(10..20, 20)])
        .then(503, ERROR_WITH_MESSAGE)
        .then(200, page(20..30, 30).to_string())
        .then(200, last(30..33).to_string());
    let action = action(&script);
    let outcome = read(&action).await;
    assert!(outcome.records.iter().copied().eq(0..20));
    let error = outcome.failed(ErrorKind::Status, 3, 20);
    let checkpoint = error.checkpoint().unwrap();
    assert_eq!((checkpoint.pages(), checkpoint.records()), (2, 20));

    let rest = drain(action.read().resume(checkpoint.clone())).await;
    assert_eq!((rest.progress.pages, rest.progress.records), (4, 33));
    assert!(rest.whole().into_iter().eq(20..33));
    assert_eq!(script.offsets(), [0, 10, 20, 20, 30]);
}

fn emulated(service: testing::Alloy) -> ActionBuilder<Contact> {
    Action::builder("hubspot", "listContacts")
        .api_key(KEY)
        .credential_id(CREDENTIAL)
        .transport(service)
}

/// Reads some records and gives the checkpoint, through its text.
async fn cut<T: DeserializeOwned + Send + 'static>(
    action: &Action<T>,
    records: usize,
) -> (Vec<T>, Checkpoint) {
    let mut stream = action.records();
    let mut out = Vec::new();
    while out.len() < records {
        out.push(stream.next().await.unwrap().unwrap());
    }
    let text = serde_json::to_string(&stream.checkpoint().unwrap()).unwrap();
    (out, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn a_cut_at_any_record_and_a_resume_give_the_whole() {
    let action = emulated(testing::Alloy::new(3).records(57)).limit(10).build().unwrap();
    for at in 0..=57 {
        let (mut records, checkpoint) = cut(&action, at).await;
        assert_eq!(checkpoint.records(), at as u64);
        records.extend(drain(action.read().resume(checkpoint)).await.whole());
        assert_eq!(records, contacts(0..57), "cut after {at}");
    }
}

#[tokio::test]
async fn a_cut_by_max_records_and_a_resume_give_the_whole() {
    let action = emulated(testing::Alloy::new(3).records(57)).limit(10).build().unwrap();
    for window in [1, 3] {
        for at in 0..=57 {
            let mut begin = action.read().window(window).max_records(at).records();
            let mut records = begin.by_ref().try_collect::<Vec<_>>().await.unwrap();
            assert_eq!(records, contacts(0..at));
            let checkpoint = begin.checkpoint().unwrap();
            records.extend(drain(action.read().window(window).resume(checkpoint)).await.whole());
            assert_eq!(records, contacts(0..57), "cut after {at}, window {window}");
        }
    }
}

#[tokio::test]
async fn a_cut_and_a_resume_after_every_single_record_give_the_whole() {
    let action = emulated(testing::Alloy::new(3).records(57)).limit(10).build().unwrap();
    let (mut records, mut checkpoint) = cut(&action, 0).await;
    while !checkpoint.is_finished() {
        let mut stream = action.read().resume(checkpoint).records();
        records.push(stream.next().await.unwrap().unwrap());
        checkpoint = stream.checkpoint().unwrap();
        assert_eq!(checkpoint.records(), records.len() as u64);
    }
    assert_eq!(records, contacts(0..57));
}

#[tokio::test]
async fn an_error_right_after_a_resume_loses_and_repeats_nothing() {
    let script = Script::new([page(0..5, 5)])
        .then(503, ERROR_WITH_MESSAGE)
        .then(200, page(0..5, 5).to_string())
        .then(200, last(5..7).to_string());
    let action = action(&script);
    let (_, checkpoint) = cut(&action, 3).await;
    let outcome = drain(action.read().resume(checkpoint)).await;
    assert_eq!(outcome.records, NONE);
    let error = outcome.error.unwrap();
    assert_eq!((error.status(), error.page()), (Some(503), Some(1)));
    let rest = drain(action.read().resume(error.checkpoint().unwrap().clone())).await;
    assert_eq!(rest.whole(), [3, 4, 5, 6]);
    assert_eq!(script.offsets(), [0, 0, 0, 5]);
}

#[tokio::test]
async fn a_resume_asks_for_no_page_that_is_out_whole() {
    for at in 0..=57_usize {
        let service = testing::Alloy::new(3).records(57);
        let action = emulated(service.clone()).limit(10).build().unwrap();
        let (_, checkpoint) = cut(&action, at).await;
        let before = service.requests();
        drain(action.read().resume(checkpoint)).await.whole();
        let whole_pages = if at == 57 { 6 } else { at / 10 };
        assert_eq!(service.requests() - before, 6 - whole_pages, "cut after {at}");
    }
}

#[tokio::test]
async fn the_counts_go_on_where_a_checkpoint_left_off() {
    let action = emulated(testing::Alloy::new(3).records(57)).limit(10).build().unwrap();
    for at in 0..=57 {
        let (_, checkpoint) = cut(&action, at).await;
        let progress = drain(action.read().resume(checkpoint)).await.progress;
        assert_eq!((progress.pages, progress.records), (6, 57), "cut after {at}");
    }
}

#[tokio::test]
async fn a_checkpoint_outlives_a_change_of_key_version_and_base_url() {
    let service = testing::Alloy::new(3).records(57);
    let before = emulated(service.clone()).limit(10).build().unwrap();
    let after = emulated(service)
        .limit(10)
        .api_key("another")
        .api_version("2026-01")
        .base_url("http://127.0.0.1:9")
        .build()
        .unwrap();
    let (_, checkpoint) = cut(&before, 23).await;
    assert_eq!(drain(after.read().resume(checkpoint)).await.whole(), contacts(23..57));
}

#[tokio::test]
async fn a_checkpoint_outlives_a_change_of_limit_and_still_gives_exactly_the_rest() {
    let service = testing::Alloy::new(3).records(57);
    let before = emulated(service.clone()).limit(10).build().unwrap();
    for limit in [1, 7, 11, 25, 50] {
        let after = emulated(service.clone()).limit(limit).build().unwrap();
        for at in 0..=57 {
            let (_, checkpoint) = cut(&before, at).await;
            let rest = drain(after.read().resume(checkpoint)).await.whole();
            assert_eq!(rest, contacts(at as u64..57), "cut after {at}, resumed with {limit}");
        }
    }
}

#[tokio::test]
async fn a_resume_without_the_type_takes_a_change_of_limit_too() {
    let service = testing::Alloy::new(3).records(57);
    let before = emulated(service.clone()).limit(10).build().unwrap();
    let (_, checkpoint) = cut(&before, 23).await;
    let after = emulated(service.clone()).limit(25).build().unwrap().boxed();
    let begun = service.requests();
    assert_eq!(drain(after.read().resume(checkpoint)).await.whole(), contacts(23..57));
    // The page that was cut, as it was, and then 25 and 2 records.
    assert_eq!(service.requests() - begun, 3);
}

#[tokio::test]
async fn a_page_that_failed_is_asked_for_again_with_the_limit_of_today() {
    // A smaller page is the way out where a large one takes the service too long.
    let script = Script::new([page(0..50, 50)]).then(504, "").then(200, last(50..60).to_string());
    let error = read(&action(&script)).await.failed(ErrorKind::Status, 2, 50);
    let smaller = builder::<u64>(&script).limit(10).build().unwrap();
    let rest = drain(smaller.read().resume(error.checkpoint().unwrap().clone())).await;
    assert!(rest.whole().into_iter().eq(50..60));
    let inputs = script.bodies().into_iter().map(|mut body| body["input"].take());
    let input = |limit: u64, offset: u64| json!({"limit": limit, "offset": offset});
    assert_eq!(inputs.collect::<Vec<_>>(), [input(50, 0), input(50, 50), input(10, 50)]);
}

#[tokio::test]
async fn a_checkpoint_is_refused_by_a_reading_of_something_else() {
    let service = testing::Alloy::new(3).records(57);
    let before = emulated(service.clone()).input("archived", false).build().unwrap();
    let (_, checkpoint) = cut(&before, 5).await;
    let begun = service.requests();

    let same = || emulated(service.clone()).input("archived", false);
    let connector = |connector, action| {
        Action::<Contact>::builder(connector, action)
            .api_key(KEY)
            .credential_id(CREDENTIAL)
            .input("archived", false)
            .transport(service.clone())
    };
    let others = [
        connector("hubspot", "listCompanies"),
        connector("salesforce", "listContacts"),
        same().input("archived", true),
        same().input("archived", "false"),
        same().input("since", 0),
        emulated(service.clone()),
        same().user_id(USER),
        same().credential_id("aaaaaaaaaaaaaaaaaaaaaaaa"),
        same().field("pathParams", json!({"objectType": "deals"})),
        same().parameters_in(ParameterPosition::RequestBody),
    ];
    for (index, other) in others.into_iter().enumerate() {
        let other = other.build().unwrap();
        let outcome = drain(other.read().resume(checkpoint.clone())).await;
        assert!(outcome.records.is_empty(), "reading {index}");
        let error = outcome.error.unwrap();
        assert!(error.is_checkpoint() && !error.is_retryable(), "reading {index}: {error:?}");
    }
    assert_eq!(service.requests(), begun);

    let again = drain(same().build().unwrap().read().resume(checkpoint)).await;
    assert_eq!(again.whole(), contacts(5..57));
}

#[tokio::test]
async fn a_wider_window_reads_the_same_and_asks_little_beyond_the_end() {
    for window in [1, 2, 8] {
        let service = testing::Alloy::new(3).records(57);
        let action = emulated(service.clone()).limit(10).build().unwrap();
        assert_eq!(drain(action.read().window(window)).await.whole(), contacts(0..57));
        assert!((6..6 + window).contains(&service.requests()), "{}", service.requests());
    }
}

#[tokio::test]
async fn an_action_without_its_type_reads_the_same_and_takes_its_checkpoints() {
    let action = emulated(testing::Alloy::new(3).records(57)).limit(10).build().unwrap();
    let boxed = action.clone().boxed();
    assert_eq!(drain(boxed.read()).await.whole(), contacts(0..57));
    let (_, checkpoint) = cut(&action, 23).await;
    assert_eq!(drain(boxed.read().resume(checkpoint)).await.whole(), contacts(23..57));
}

/// Reads that many records over HTTP and gives the number of requests.
async fn read_over_http(records: u64) -> usize {
    let service = testing::Alloy::new(1).records(records).counting_only();
    let server = Server::start(service.clone()).await.unwrap();
    let action = Action::<Contact>::builder("hubspot", "listContacts")
        .api_key(KEY)
        .credential_id(CREDENTIAL)
        .base_url(server.base_url())
        .build()
        .unwrap();
    assert_eq!(read(&action).await.whole(), contacts(0..records));
    service.requests()
}

#[tokio::test]
async fn records_100_000_come_complete_and_in_order_in_2000_requests() {
    assert_eq!(read_over_http(100_000).await, 2000);
}

#[tokio::test]
async fn records_100_001_come_complete_and_in_order_in_2001_requests() {
    assert_eq!(read_over_http(100_001).await, 2001);
}

// The secret.

/// All that an error shows of itself and of what caused it.
fn shown(error: &Error) -> String {
    let mut shown = vec![format!("{error} {error:?} {error:#?}")];
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        shown.push(format!("{cause} {cause:?}"));
        source = cause.source();
    }
    let checkpoint = error.checkpoint();
    shown.push(format!("{checkpoint:?} {}", serde_json::to_string(&checkpoint).unwrap()));
    shown.join(" ")
}

#[tokio::test]
async fn the_api_key_is_shown_nowhere() {
    let script = Script::new([last(0..1)]);
    let builder = builder::<u64>(&script).field("additionalHeaders", json!({"x-key": KEY}));
    let built = format!("{builder:?} {builder:#?}");
    let action = builder.build().unwrap();
    let reading = action.read();
    let paginator = format!("{action:?} {action:#?} {reading:?} {}", action.identity());
    let mut records = reading.records();
    records.next().await.unwrap().unwrap();
    let stream = format!("{records:?} {:?} {:?}", action.pages(), records.monitor());
    let checkpoint = records.checkpoint().unwrap();
    let checkpoint = format!("{checkpoint:?} {}", serde_json::to_string(&checkpoint).unwrap());
    for shown in [built, paginator, stream, checkpoint] {
        assert!(!shown.contains(KEY), "{shown}");
    }
    let request = script.request();
    assert!(request.headers()["authorization"].is_sensitive());
}

#[tokio::test]
async fn the_api_key_is_not_shown_by_a_service_that_repeats_it() {
    let cut = format!("{}{KEY}", "x".repeat(495));
    let bodies = [
        json!({"error": "Unauthorized", "message": format!("Invalid API key: Bearer {KEY}")}),
        json!({"error": {"code": KEY}}),
        json!({"error": {"message": format!("{KEY}{KEY}")}}),
        json!({"error": KEY}),
        json!({"message": cut}),
    ];
    for body in bodies {
        for status in [200, 401, 503] {
            let script = Script::default().then(status, body.to_string());
            let outcome = read(&action(&script)).await;
            let shown = shown(&outcome.error.unwrap());
            assert!(!shown.contains(&KEY[..6]), "{shown}");
        }
    }
}

#[tokio::test]
async fn the_api_key_is_not_shown_by_a_decode_error_that_quotes_the_response() {
    let bodies = [
        json!({"data": KEY}),
        json!({"data": [KEY]}),
        json!({"data": [], "pagination": {"hasMore": KEY}}),
        json!({"data": [], "pagination": {"hasMore": true, "nextOffset": KEY}}),
        json!({"data": [], "pagination": format!("Bearer {KEY}")}),
    ];
    for body in bodies {
        let shown = shown(&refuse_json(ErrorKind::Decode, &body).await);
        assert!(!shown.contains(KEY), "{shown}");
    }
}

#[test]
fn the_api_key_is_not_shown_by_a_refusal() {
    let script = Script::default();
    let refused = [
        builder::<u64>(&script).api_key(format!("{KEY}\n")),
        builder(&script).limit(0),
        builder(&script).base_url("nowhere"),
        builder(&script).user_id("\n"),
    ];
    for builder in refused {
        let shown = shown(&builder.build().unwrap_err());
        assert!(!shown.contains(KEY), "{shown}");
    }
}

// What a builder refuses.

#[test]
fn a_missing_api_key_is_refused() {
    let builder = Action::builder("hubspot", "listContacts").credential_id(CREDENTIAL);
    let refusal = refusal(builder.transport(Script::default().transport()));
    assert!(refusal.contains("API key"), "{refusal}");
}

#[test]
fn an_empty_api_key_is_refused() {
    let refusal = refusal(builder(&Script::default()).api_key(""));
    assert!(refusal.contains("API key"), "{refusal}");
}

#[test]
fn a_missing_or_empty_credential_id_is_refused() {
    let builder = || {
        let script = Script::default();
        Action::builder("hubspot", "listContacts").api_key(KEY).transport(script.transport())
    };
    for builder in [builder(), builder().credential_id("")] {
        let refusal = refusal(builder);
        assert!(refusal.contains("credential id"), "{refusal}");
    }
}

#[test]
fn a_connector_or_an_action_that_can_not_stand_in_a_path_is_refused() {
    for bad in ["", ".", "..", "a/b", "a?b", "a#b", "a%2Fb", "a b", "ä", "a\n"] {
        for (connector, action, what) in [(bad, "list", "connector"), ("hubspot", bad, "action")] {
            let builder = Action::builder(connector, action).api_key(KEY);
            let builder = builder.credential_id(CREDENTIAL);
            let refusal = refusal(builder.transport(Script::default().transport()));
            assert!(refusal.contains(what), "{refusal}");
        }
    }
}

#[test]
fn an_input_or_a_field_that_is_set_by_itself_is_refused() {
    let script = Script::default();
    for name in ["limit", "offset"] {
        let refusal = refusal(builder(&script).input(name, 1));
        assert!(refusal.contains(name), "{refusal}");
    }
    for name in ["credentialId", "actionId", "input"] {
        let refusal = refusal(builder(&script).field(name, 1));
        assert!(refusal.contains(name), "{refusal}");
    }
    let places = [
        (ParameterPosition::QueryParameters, "queryParameters"),
        (ParameterPosition::RequestBody, "requestBody"),
    ];
    for (place, name) in places {
        let refusal = refusal(builder(&script).field(name, json!({})).parameters_in(place));
        assert!(refusal.contains(name), "{refusal}");
    }
}

#[test]
fn a_place_that_is_no_pointer_is_refused() {
    for bad in ["data", "$.data", "data/items", " /data"] {
        for builder in [
            builder(&Script::default()).data_at(bad),
            builder(&Script::default()).pagination_at(bad),
        ] {
            let refusal = refusal(builder);
            assert!(refusal.contains("JSON pointer"), "{refusal}");
        }
    }
}

#[test]
fn a_pointer_with_a_bad_escape_is_refused() {
    // RFC 6901: a tilde stands only before 0 or 1.
    for bad in ["/a~", "/a~2b", "/~~0"] {
        let refusal = refusal(builder(&Script::default()).data_at(bad));
        assert!(refusal.contains("JSON pointer"), "{refusal}");
    }
}

#[test]
fn a_bad_base_url_is_refused() {
    let bad =
        ["", "/", "production.runalloy.com", "ftp://host", "https://", "http://a b", "//host"];
    for bad in bad {
        let refusal = refusal(builder(&Script::default()).base_url(bad));
        assert!(refusal.contains("base URL"), "{refusal}");
    }
}

#[test]
fn a_base_url_with_a_query_or_a_fragment_is_refused() {
    // The path of the action would end up in it.
    for bad in ["https://host?a=b", "https://host/?a=b", "https://host/#top"] {
        let refusal = refusal(builder(&Script::default()).base_url(bad));
        assert!(refusal.contains("base URL"), "{refusal}");
    }
}

#[test]
fn a_header_that_can_not_be_sent_is_refused() {
    let script = Script::default();
    let refusals = [
        (builder(&script).user_id("a\nb"), "x-alloy-userid"),
        (builder(&script).api_version("a\nb"), "x-api-version"),
    ];
    for (builder, header) in refusals {
        let refusal = refusal(builder);
        assert!(refusal.contains(header), "{refusal}");
    }
}

#[test]
fn building_and_making_a_stream_ask_nothing_of_the_service() {
    let script = Script::default();
    let action = action(&script);
    drop((action.records(), action.pages(), action.clone().into_records()));
    assert_eq!(script.bodies(), Vec::<Value>::new());
}
