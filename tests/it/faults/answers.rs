//! Faults that are an answer.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use pagestream::{
    Transport, retry_after,
    testing::{Alloy, Fault, Faults, HubSpot},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{BODY, Numbers, met, met_in_memory, met_over_http, request, value};

#[tokio::test]
async fn a_status_stands_for_the_answer_and_the_service_sees_nothing() {
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
        (HubSpot::burst_limit(), fixture!("hubspot/429_burst")),
        (HubSpot::secondly_limit(), fixture!("hubspot/429_search")),
        (HubSpot::daily_limit(), fixture!("hubspot/429_daily")),
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
