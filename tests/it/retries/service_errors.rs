//! What a service says in an error response, typed, and what follows from it.

use bytes::Bytes;
use http::Request;
use pagestream::{
    Error, PaginatorExt, Retry, ServiceError,
    testing::{Alloy, HubSpot},
};

use super::vendors::{Faulty, answer, companies, contacts};
use crate::support::drain;

fn service_error(
    category: &str,
    sub_category: Option<&str>,
    message: &str,
    id: &str,
) -> ServiceError {
    let mut error = ServiceError::default();
    error.category = Some(category.to_owned());
    error.sub_category = sub_category.map(str::to_owned);
    error.message = Some(message.to_owned());
    error.correlation_id = Some(id.to_owned());
    error
}

/// What a HubSpot says that gives this body once, without retry, and how many requests
/// it takes to read it with retries.
async fn error_response_once(status: u16, body: &'static str) -> (Error, usize) {
    let hubspot = HubSpot::new(1).objects(3);
    let fault = move |n, _: &Request<Bytes>| (n == 1).then(|| answer(status, &[], body));
    let service = Faulty::new(hubspot.clone(), fault);
    let associations = companies(&hubspot, 10, service.transport());
    let error = drain(associations.read().retry(Retry::never()).records()).await.error();

    let service = Faulty::new(hubspot.clone(), fault);
    drain(companies(&hubspot, 10, service.transport()).records()).await;
    (error, service.requests())
}

#[tokio::test(start_paused = true)]
async fn a_burst_limit_of_hubspot_is_retried_and_a_daily_limit_is_an_error_at_once() {
    let (error, requests) = error_response_once(429, fixture!("hubspot/429_burst")).await;
    let message = "You have reached your ten_secondly_rolling limit.";
    let id = "20f98dfa-05b6-4d27-8d96-ecfde54ca211";
    assert_eq!(
        *error.service_error(),
        service_error("RATE_LIMIT", Some("TEN_SECONDLY_ROLLING"), message, id)
    );
    assert!(error.is_throttled() && error.is_retryable());
    assert_eq!(requests, 2);

    let (error, requests) = error_response_once(429, fixture!("hubspot/429_search")).await;
    let message = "You have reached your secondly limit.";
    let id = "de61843f-b3ab-4bc1-8c54-358e37eb0621";
    assert_eq!(*error.service_error(), service_error("RATE_LIMITS", None, message, id));
    assert_eq!((error.is_retryable(), requests), (true, 2));

    let (error, requests) = error_response_once(429, fixture!("hubspot/429_daily")).await;
    let message = "You have reached your daily limit.";
    let id = "c033cdaa-2c40-4a64-ae48-b4cec88dad24";
    assert_eq!(*error.service_error(), service_error("RATE_LIMIT", Some("DAILY"), message, id));
    assert!(error.is_throttled() && !error.is_retryable());
    assert_eq!(requests, 1);
}

#[tokio::test(start_paused = true)]
async fn a_daily_limit_is_one_by_its_policy_or_by_its_message() {
    for body in [
        r#"{"policyName":"DAILY"}"#,
        r#"{"message":"You have reached your daily limit.","category":"RATE_LIMITS"}"#,
    ] {
        assert_eq!(error_response_once(429, body).await.1, 1, "{body}");
        // It is about the number of requests, so another status is what it is.
        assert_eq!(error_response_once(503, body).await.1, 2, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_hubspot_answers_to_a_bad_request_is_typed() {
    let (error, requests) = error_response_once(400, fixture!("hubspot/400_too_many_inputs")).await;
    let message = "The maximum number of inputs supported in a batch is 1000. Please reduce the \
                   number of items and try again";
    let id = "3784ea30-07ce-4866-98e8-bf691d18899e";
    assert_eq!(*error.service_error(), service_error("VALIDATION_ERROR", None, message, id));
    // It may be about one of the ids, so each is asked for alone.
    assert_eq!(requests, 3);

    let sub = r#"{"category":"C","subCategory":"S.T","policyName":"P","errorType":"E"}"#;
    let (error, _) = error_response_once(400, sub).await;
    assert_eq!(error.service_error().category.as_deref(), Some("C"));
    assert_eq!(error.service_error().sub_category.as_deref(), Some("S.T"));
}

#[tokio::test(start_paused = true)]
async fn what_alloy_answers_is_typed_in_both_of_its_forms() {
    let forms = [
        (fixture!("alloy/error_with_message"), Some("Unauthorized"), Some("Invalid API key")),
        (fixture!("alloy/error_with_code"), Some("CREDENTIAL_NOT_FOUND"), None),
        (r#"{"error":{"code":"C","message":"M"}}"#, Some("C"), Some("M")),
        (r#"{"error":7,"message":[]}"#, None, None),
        ("<html>", None, None),
    ];
    for (body, category, message) in forms {
        let service = Faulty::new(Alloy::new(1), move |_, _| Some(answer(422, &[], body)));
        let error = drain(contacts(&service).records()).await.error();
        assert_eq!(error.service_error().category.as_deref(), category, "{body}");
        assert_eq!(error.service_error().message.as_deref(), message, "{body}");
        assert_eq!(
            (error.status(), error.service_error().correlation_id.as_deref()),
            (Some(422), None)
        );
    }
}
