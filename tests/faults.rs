//! The faults that services meet, a test each: in memory, over HTTP, by a script and
//! by a seed, and readings that get over them.

use std::{
    io,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{HeaderValue, Method, Request, Response, header::CONTENT_TYPE};
use pagestream::{
    Error, ErrorKind, PaginatorExt, Reqwest, Retry, Transport,
    alloy::Action,
    hubspot::Associations,
    retry_after,
    testing::{Alloy, Fault, FaultPosition, Faults, Faulty, HubSpot, Server, Service},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

const PLACES: [FaultPosition; 3] =
    [FaultPosition::BeforeHeaders, FaultPosition::InHeaders, FaultPosition::InBody];
const BODY: &str = r#"{"data":[1,2,3,4,5]}"#;

/// A service of one's own, which gives the same answer each time.
#[derive(Clone, Debug)]
struct Numbers;

impl Service for Numbers {
    fn respond(&self, _: &Request<Bytes>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(BODY));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

fn request(path: &str) -> Request<Bytes> {
    let request = Request::builder().method(Method::POST).uri(path);
    request.body(Bytes::from_static(b"{}")).unwrap()
}

/// The numbers with a fault at the first request.
fn first(fault: Fault) -> Faulty<Numbers> {
    Faults::script([(1, fault)]).on(Numbers)
}

async fn met_in_memory(fault: Fault) -> Result<Response<Bytes>, Error> {
    first(fault).send(request("/")).await
}

async fn met_over_http(fault: Fault) -> Result<Response<Bytes>, Error> {
    let server = Server::start(first(fault)).await.unwrap();
    Reqwest::new().unwrap().send(request(&server.base_url())).await
}

/// The answer to a fault that leaves the connection alone, which is the same in
/// memory and over HTTP.
async fn met(fault: Fault) -> Response<Bytes> {
    let in_memory = met_in_memory(fault.clone()).await.unwrap();
    let over_http = met_over_http(fault).await.unwrap();
    assert_eq!(over_http.status(), in_memory.status());
    assert_eq!(over_http.body(), in_memory.body());
    for (name, value) in in_memory.headers() {
        assert_eq!(over_http.headers().get(name), Some(value), "{name}");
    }
    in_memory
}

fn value(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

// ---- Answers

#[tokio::test]
async fn a_status_stands_in_place_of_the_answer_and_the_service_sees_nothing() {
    for status in [200, 401, 404, 413, 429, 500, 503] {
        let service = Alloy::new(1);
        let faulty = Faults::script([(1, Fault::status(status))]).on(service.clone());
        let response = faulty.send(request("/nowhere")).await.unwrap();
        assert_eq!((response.status().as_u16(), service.requests()), (status, 0));
        assert_eq!(retry_after(response.headers()), None);
        assert_eq!(met(Fault::status(status)).await.status(), status);
    }
}

#[tokio::test]
async fn a_number_that_is_no_status_is_taken_as_500() {
    for number in [0, 99, 1000, u16::MAX] {
        assert_eq!(met(Fault::status(number)).await.status(), 500);
    }
}

#[tokio::test]
async fn a_status_has_the_body_of_its_service() {
    let categories = [
        (401, "INVALID_AUTHENTICATION"),
        (403, "MISSING_SCOPES"),
        (413, "VALIDATION_ERROR"),
        (503, "INTERNAL_ERROR"),
    ];
    for (status, category) in categories {
        let faults = Faults::script([(1, Fault::status(status)), (2, Fault::status(status))]);
        let hubspot = faults.on(HubSpot::new(1)).send(request("/")).await.unwrap();
        assert_eq!(hubspot.headers()["content-type"], "application/json");
        assert_eq!(value(&hubspot)["status"], "error");
        assert_eq!(value(&hubspot)["category"], category);

        let alloy = faults.on(Alloy::new(1)).send(request("/")).await.unwrap();
        let reason = alloy.status().canonical_reason().unwrap();
        assert_eq!(value(&alloy)["error"], reason);
        assert_eq!((hubspot.status(), alloy.status().as_u16()), (alloy.status(), status));
    }
    // A service of one's own says nothing by itself.
    assert_eq!(met(Fault::status(503)).await.body(), "");
}

#[tokio::test]
async fn the_limits_of_hubspot_have_the_bodies_of_the_real_ones() {
    let limits = [
        (HubSpot::burst_limit(), include_str!("fixtures/hubspot/429_burst.json")),
        (HubSpot::secondly_limit(), include_str!("fixtures/hubspot/429_search.json")),
        (HubSpot::daily_limit(), include_str!("fixtures/hubspot/429_daily.json")),
    ];
    for (limit, real) in limits {
        let faults = Faults::script([(1, limit)]);
        let response = faults.on(HubSpot::new(1)).send(request("/")).await.unwrap();
        assert_eq!(response.status(), 429);
        let (body, real) = (value(&response), serde_json::from_str::<Value>(real).unwrap());
        for field in ["status", "message", "errorType", "policyName", "category"] {
            assert_eq!(body.get(field), real.get(field), "{field}");
        }
    }
}

#[tokio::test]
async fn retry_after_is_sent_in_seconds_or_as_a_date() {
    let fault = Fault::status(429).retry_after(Duration::from_millis(2_900));
    let response = met(fault).await;
    assert_eq!(response.headers()["retry-after"], "2");

    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let response = met(Fault::status(503).retry_after_date(date)).await;
    assert_eq!(response.headers()["retry-after"], "Fri, 15 Jan 2027 08:00:00 GMT");
}

#[tokio::test]
async fn a_date_that_no_header_can_say_is_left_out() {
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    for date in [SystemTime::UNIX_EPOCH - year, SystemTime::UNIX_EPOCH + year * 9_000] {
        let response = met(Fault::status(503).retry_after_date(date)).await;
        assert!(!response.headers().contains_key("retry-after"));
    }
}

#[tokio::test]
async fn a_success_may_hold_what_is_no_answer() {
    let html = met(Fault::html()).await;
    assert_eq!(
        (html.status().as_u16(), &html.headers()["content-type"]),
        (200, &"text/html".parse().unwrap())
    );
    assert!(html.body().starts_with(b"<!DOCTYPE html>"));

    let empty = met(Fault::empty()).await;
    assert_eq!((empty.status().as_u16(), empty.body().len()), (200, 0));

    let error = met(Fault::error_envelope()).await;
    assert_eq!(
        (error.status().as_u16(), &value(&error)["error"]["code"]),
        (200, &json!("INTERNAL"))
    );
}

#[tokio::test]
async fn a_redirect_names_its_url() {
    let response = met(Fault::redirect("http://127.0.0.1:9/elsewhere")).await;
    assert_eq!(response.status(), 307);
    assert_eq!(response.headers()["location"], "http://127.0.0.1:9/elsewhere");
    assert!(!met(Fault::redirect("a\nb")).await.headers().contains_key("location"));
}

#[tokio::test]
async fn the_content_type_may_be_wrong_and_the_body_good() {
    let response = met(Fault::content_type("text/plain")).await;
    assert_eq!(response.headers().get_all("content-type").iter().count(), 1);
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(response.body(), BODY);
    assert_eq!(met(Fault::content_type("\n")).await.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn the_json_of_an_answer_may_be_changed() {
    let response = met(Fault::json(|body| body["data"][1].take())).await;
    assert_eq!(value(&response), json!({"data": [1, null, 3, 4, 5]}));
    // What is no JSON stays.
    let faults = Faults::script([(1, Fault::json(|body| *body = Value::Null))]);
    let html = faults.on(Faults::script([(1, Fault::html())]).on(Numbers));
    let response = html.send(request("/")).await.unwrap();
    assert!(response.body().starts_with(b"<!DOCTYPE html>"));
}

#[tokio::test]
async fn half_a_body_may_say_that_it_is_whole() {
    let response = met(Fault::halved()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.body(), &BODY[..BODY.len() / 2]);
}

#[tokio::test]
async fn an_oversized_body_is_the_same_json() {
    let response = met(Fault::oversized(1 << 20)).await;
    assert_eq!(response.body().len(), 1 << 20);
    assert_eq!(value(&response), serde_json::from_str::<Value>(BODY).unwrap());
    // One that is long enough already loses nothing.
    assert_eq!(met(Fault::oversized(3)).await.body(), BODY);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_takes_its_time() {
    let start = Instant::now();
    let response = met_in_memory(Fault::late(Duration::from_secs(90))).await.unwrap();
    assert_eq!((start.elapsed().as_secs(), response.body()), (90, &Bytes::from(BODY)));
}

#[tokio::test]
async fn a_late_answer_takes_its_time_over_http() {
    let (start, wait) = (Instant::now(), Duration::from_millis(20));
    assert_eq!(met_over_http(Fault::late(wait)).await.unwrap().body(), BODY);
    assert!(start.elapsed() >= wait);
}

// ---- Connections in memory

#[tokio::test]
async fn a_connection_that_breaks_is_an_error_of_the_transport() {
    for fault in PLACES.map(Fault::reset).into_iter().chain([Fault::truncated()]) {
        // The service did its part.
        let service = Alloy::new(1);
        let faulty = Faults::script([(1, fault.clone())]).on(service.clone());
        let error = faulty.send(request("/")).await.unwrap_err();
        assert_eq!((error.kind(), service.requests()), (ErrorKind::Transport, 1));
        assert!(error.is_retryable());

        let over_http = met_over_http(fault).await.unwrap_err();
        assert_eq!(over_http.kind(), ErrorKind::Transport);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_answer_never_comes() {
    let day = Duration::from_secs(24 * 60 * 60);
    for fault in PLACES.map(Fault::stalled) {
        assert!(timeout(day, met_in_memory(fault)).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn behind_the_deadline_a_request_has_taken_too_long() {
    let deadline = Duration::from_secs(30);
    let slow = Fault::trickling(Duration::from_secs(2));
    for fault in PLACES.map(Fault::stalled).into_iter().chain([slow, Fault::late(deadline * 2)]) {
        let start = Instant::now();
        let error = first(fault).deadline(deadline).send(request("/")).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed().as_secs()), (ErrorKind::Timeout, 30));
    }
    let in_time = first(Fault::late(deadline / 2)).deadline(deadline).send(request("/")).await;
    assert_eq!(in_time.unwrap().body(), BODY);
}

#[tokio::test(start_paused = true)]
async fn a_trickling_answer_takes_its_pause_for_each_byte() {
    let start = Instant::now();
    let response = met_in_memory(Fault::trickling(Duration::from_secs(1))).await.unwrap();
    assert_eq!(response.body(), BODY);
    assert_eq!(start.elapsed().as_secs(), BODY.len() as u64);
}

#[tokio::test]
async fn a_bomb_is_too_large_in_memory() {
    let error = met_in_memory(Fault::gzip_bomb(1 << 40)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

// ---- Connections over HTTP, as bytes

/// A connection on which the numbers were asked for.
async fn asked(fault: Fault) -> (Server, TcpStream) {
    let server = Server::start(first(fault)).await.unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    (server, stream)
}

/// What came on a connection, and how it ended.
async fn came(fault: Fault) -> (String, io::Result<usize>) {
    let (_server, mut stream) = asked(fault).await;
    let mut bytes = Vec::new();
    let end = loop {
        match stream.read_buf(&mut bytes).await {
            Ok(1..) => {}
            end => break end,
        }
    };
    (String::from_utf8(bytes).unwrap(), end)
}

/// Whether this is the head of the answer, and what stands behind it.
fn behind_head(text: &str) -> Option<&str> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let length = format!("content-length: {}", BODY.len());
    assert!(head.lines().any(|line| line == length), "{head}");
    assert!(head.lines().any(|line| line == "content-type: application/json"), "{head}");
    Some(body)
}

/// Whether this is what comes up to a place.
fn assert_comes_up_to(place: FaultPosition, text: &str) {
    match place {
        FaultPosition::BeforeHeaders => assert_eq!(text, ""),
        FaultPosition::InHeaders => {
            assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
            assert_eq!(behind_head(text), None);
        }
        _ => assert_eq!(behind_head(text), Some(&BODY[..BODY.len() / 2])),
    }
}

#[tokio::test]
async fn a_reset_goes_over_the_wire_at_its_place() {
    for place in PLACES {
        let (text, end) = came(Fault::reset(place)).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset, "{place:?}");
        assert_comes_up_to(place, &text);
    }
}

#[tokio::test]
async fn a_truncated_body_ends_the_connection_before_its_length() {
    let (text, end) = came(Fault::truncated()).await;
    assert_eq!(end.unwrap(), 0);
    assert_comes_up_to(FaultPosition::InBody, &text);
}

#[tokio::test]
async fn a_stalled_connection_stays_open_and_says_nothing_more() {
    for place in PLACES {
        // As much as before a reset.
        let (expected, _) = came(Fault::reset(place)).await;
        let (_server, mut stream) = asked(Fault::stalled(place)).await;
        let mut bytes = vec![0; expected.len()];
        stream.read_exact(&mut bytes).await.unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        let more = timeout(Duration::from_millis(50), stream.read(&mut [0])).await;
        assert!(more.is_err(), "{place:?}: {more:?}");
    }
}

#[tokio::test]
async fn a_trickling_body_comes_whole_a_byte_at_a_time() {
    let (start, pause) = (Instant::now(), Duration::from_millis(2));
    let (text, end) = came(Fault::trickling(pause)).await;
    assert_eq!((end.unwrap(), behind_head(&text)), (0, Some(BODY)));
    assert!(start.elapsed() >= pause * u32::try_from(BODY.len()).unwrap());
}

#[tokio::test]
async fn a_bomb_is_small_on_the_wire_and_huge_behind_it() {
    const HUGE: u64 = 16 << 20;
    let (_server, mut stream) = asked(Fault::gzip_bomb(HUGE)).await;
    let mut bytes = vec![0; 1 << 16];
    let mut length = 0;
    let begins = loop {
        length += stream.read(&mut bytes[length..]).await.unwrap();
        let head = bytes[..length].windows(4).position(|it| it == b"\r\n\r\n");
        if let Some(head) = head {
            break String::from_utf8(bytes[..head].to_vec()).unwrap();
        }
    };
    assert!(begins.lines().any(|line| line == "content-encoding: gzip"), "{begins}");
    let on_the_wire = begins.lines().find_map(|line| line.strip_prefix("content-length: "));
    let on_the_wire = on_the_wire.unwrap().parse::<u64>().unwrap();
    assert!(on_the_wire * 500 < HUGE, "{on_the_wire}");

    // One that fits is the answer, with spaces behind it.
    let response = met_over_http(Fault::gzip_bomb(1 << 20)).await.unwrap();
    assert_eq!(response.body().len(), 1 << 20);
    assert_eq!(value(&response), serde_json::from_str::<Value>(BODY).unwrap());
}

#[tokio::test]
async fn behind_a_broken_connection_the_server_goes_on() {
    let faults = [Fault::reset(FaultPosition::InBody), Fault::truncated(), Fault::status(503)];
    let server = Server::start(Faults::script((1..).zip(faults)).on(Numbers)).await.unwrap();
    let (client, url) = (Reqwest::new().unwrap(), server.base_url());
    let mut met = Vec::new();
    for _ in 0..5 {
        let status = client.send(request(&url)).await.map(|response| response.status().as_u16());
        met.push(status.map_err(|error| error.kind()));
    }
    let lost = Err(ErrorKind::Transport);
    assert_eq!(met, [lost, lost, Ok(503), Ok(200), Ok(200)]);
}

#[tokio::test(start_paused = true)]
async fn faults_around_a_service_with_faults_keep_both() {
    let inner = [
        Fault::reset(FaultPosition::InBody),
        Fault::late(Duration::from_secs(3)),
        Fault::status(503),
        Fault::halved(),
    ];
    let inner = Faults::script((1..).zip(inner)).on(HubSpot::new(1));
    let outer = [(2, Fault::late(Duration::from_secs(4))), (5, Fault::status(401))];
    let both = Faults::script(outer).on(inner);

    let error = both.send(request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let start = Instant::now();
    assert_eq!(both.send(request("/")).await.unwrap().status(), 404);
    assert_eq!(start.elapsed().as_secs(), 7);
    assert_eq!(both.send(request("/")).await.unwrap().status(), 503);
    let halved = both.send(request("/")).await.unwrap();
    assert!(serde_json::from_slice::<Value>(halved.body()).is_err());
    let refused = both.send(request("/")).await.unwrap();
    assert_eq!(value(&refused)["category"], "INVALID_AUTHENTICATION");
}

// ---- Which requests

/// The statuses of so many answers.
async fn statuses(service: &impl Transport, requests: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for number in 0..requests {
        let response = service.send(request(&format!("/{number}"))).await.unwrap();
        statuses.push(response.status().as_u16());
    }
    statuses
}

#[tokio::test]
async fn a_script_tells_which_requests_meet_which_faults() {
    let faults = Faults::script([(4, Fault::status(504)), (2, Fault::status(502))]);
    let (service, clone) = (faults.on(Numbers), faults.on(Alloy::new(1)).clone());
    assert_eq!(statuses(&service, 3).await, [200, 502, 200]);
    // The count is that of all clones.
    assert_eq!(statuses(&clone, 1).await, [504]);
    assert_eq!(statuses(&service, 3).await, [200, 200, 200]);
    assert_eq!((faults.met(), faults.clone().met()), (2, 2));
}

#[tokio::test]
async fn a_rule_holds_each_time_and_goes_before_the_script() {
    let faults = Faults::script([(1, Fault::status(502)), (2, Fault::status(502))])
        .when(|request| request.uri().path() != "/1", Fault::status(413))
        .when(|_| true, Fault::status(500));
    assert_eq!(statuses(&faults.on(Numbers), 4).await, [413, 500, 413, 413]);
    assert_eq!(faults.met(), 4);
}

fn drawn(seed: u64) -> Faults {
    Faults::seeded(seed).one_in(3).of([429, 500, 503].map(Fault::status))
}

#[tokio::test]
async fn what_is_drawn_follows_from_the_seed() {
    let (one, again) = (drawn(7), drawn(7));
    let met = statuses(&one.on(Numbers), 300).await;
    assert_eq!(statuses(&again.on(Numbers), 300).await, met);
    assert_ne!(statuses(&drawn(8).on(Numbers), 300).await, met);
    for status in [200, 429, 500, 503] {
        assert!(met.contains(&status), "{status}");
    }
    let faults = met.iter().filter(|status| **status != 200).count();
    assert!((70..130).contains(&faults), "{faults} of 300 are not one in three");
    assert_eq!(one.met(), faults as u64);
}

#[tokio::test]
async fn one_in_0_and_nothing_to_draw_from_are_no_faults() {
    for faults in [drawn(7).one_in(0), drawn(7).of([])] {
        assert_eq!(statuses(&faults.on(Numbers), 100).await, [200; 100]);
        assert_eq!(faults.met(), 0);
    }
}

#[tokio::test]
async fn a_request_that_is_made_again_gets_through_in_the_end() {
    for at_most in [1, 3] {
        let service = drawn(7).one_in(1).in_a_row(at_most).on(Numbers);
        for path in ["/a", "/b", "/a"] {
            for _ in 0..at_most {
                assert_ne!(service.send(request(path)).await.unwrap().status(), 200);
                // Another one between them changes nothing.
                service.send(request("/other")).await.unwrap();
            }
            assert_eq!(service.send(request(path)).await.unwrap().status(), 200);
        }
    }
}

#[tokio::test]
async fn what_is_given_twice_comes_twice_as_often() {
    let faults = drawn(7).one_in(1).of([429, 429, 503].map(Fault::status));
    let met = statuses(&faults.on(Numbers), 900).await;
    let busy = met.iter().filter(|status| **status == 503).count();
    assert!((240..360).contains(&busy), "{busy}");
}

#[tokio::test(start_paused = true)]
async fn jitter_is_a_time_by_chance_for_each_answer() {
    let most = Duration::from_secs(10);
    let service = Faults::script([]).jitter(most).on(Numbers);
    let mut times = Vec::new();
    for _ in 0..50 {
        let start = Instant::now();
        service.send(request("/")).await.unwrap();
        times.push(start.elapsed());
    }
    // The clock of a test goes on in whole milliseconds.
    assert!(times.iter().all(|time| *time <= most + Duration::from_millis(2)), "{times:?}");
    assert!(times.iter().min() < Some(&Duration::from_secs(2)), "{times:?}");
    assert!(times.iter().max() > Some(&Duration::from_secs(8)), "{times:?}");
}

// ---- Readings

fn hubspot() -> HubSpot {
    HubSpot::new(7).objects(40).pages(|place| place % 5)
}

fn associations(service: &HubSpot, faults: &Faults) -> pagestream::hubspot::AssociationsBuilder {
    Associations::builder("deals", "companies")
        .ids(service.ids())
        .token("a-test-token")
        .batch_size(7)
        .transport(faults.on(service.clone()))
}

fn all_of(service: &HubSpot) -> Vec<String> {
    let all = |id| service.associations(id).into_iter().map(move |to| format!("{id} -> {to}"));
    let mut all = service.ids().flat_map(all).collect::<Vec<_>>();
    all.sort();
    all
}

fn contacts() -> pagestream::alloy::ActionBuilder<Value> {
    Action::builder("crm", "listContacts")
        .api_key("a-test-key")
        .credential_id("68d9876543210fedcba98765")
        .limit(10)
}

#[tokio::test(start_paused = true)]
async fn hubspot_is_read_whole_through_faults_by_chance() {
    for seed in 0..40 {
        let (service, faults) = (hubspot(), Faults::seeded(seed).one_in(3));
        let associations = associations(&service, &faults).build().unwrap();
        let read = associations.read().window(3).retry(Retry::default().seed(seed)).records();
        let told = read.map_ok(|it| format!("{} -> {}", it.from, it.to));
        let mut records = told.try_collect::<Vec<_>>().await.unwrap();
        records.sort();
        assert_eq!(records, all_of(&service), "seed {seed}");
        assert!(faults.met() > 0, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn alloy_is_read_whole_through_faults_by_chance() {
    for seed in 0..40 {
        let faults = Faults::seeded(seed).one_in(3).jitter(Duration::from_secs(1));
        let service = faults.on(Alloy::new(seed).records(230));
        let action = contacts().transport(service).build().unwrap();
        let records = action.read().retry(Retry::default().seed(seed)).records();
        let records = records.try_collect::<Vec<_>>().await.unwrap();
        let ids = records.iter().map(|record| record["id"].as_u64().unwrap());
        assert!(ids.eq(0..230), "seed {seed}");
        assert!(faults.met() > 0, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reading_gets_over_answers_that_stall() {
    let faults = Faults::seeded(7).one_in(3).of(PLACES.map(Fault::stalled));
    let service = faults.on(Alloy::new(7).records(230)).deadline(Duration::from_secs(30));
    let action = contacts().transport(service).build().unwrap();
    let records = action.read().retry(Retry::default().seed(7)).records();
    assert_eq!(records.try_collect::<Vec<_>>().await.unwrap().len(), 230);
    assert!(faults.met() > 0);
}

#[tokio::test]
async fn both_are_read_whole_over_http_through_faults_by_chance() {
    // No delay in real time: what a service asks to wait is left out.
    let brief = Retry::default().first_delay(Duration::from_micros(1)).budget(1_000);
    let broken = PLACES.map(Fault::reset).into_iter().chain([Fault::truncated()]);
    let faults = Faults::seeded(7).one_in(3).of(broken.chain([500, 503].map(Fault::status)));

    let service = hubspot();
    let server = Server::start(faults.on(service.clone())).await.unwrap();
    let associations = associations(&service, &faults).base_url(server.base_url());
    let associations = associations.transport(Reqwest::new().unwrap()).build().unwrap();
    let records = associations.read().window(3).retry(brief.clone()).records();
    let told = records.map(|it| it.map(|it| format!("{} -> {}", it.from, it.to)));
    let mut records = told.try_collect::<Vec<_>>().await.unwrap();
    records.sort();
    assert_eq!(records, all_of(&service));
    let met = faults.met();

    let server = Server::start(faults.on(Alloy::new(7).records(230))).await.unwrap();
    let action = contacts().base_url(server.base_url()).build().unwrap();
    let records = action.read().retry(brief).records().try_collect::<Vec<_>>().await.unwrap();
    assert!(records.iter().map(|record| record["id"].as_u64().unwrap()).eq(0..230));
    assert!(met > 0 && faults.met() > met);
}
