//! The key is shown nowhere.

use futures::StreamExt;
use pagestream::{Error, ErrorKind, Paginator, PaginatorExt};
use serde_json::json;

use super::{KEY, action, builder, error_of_json, last, read};
use crate::support::Script;

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
    let script = Script::json([last(0..1)]);
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
            let shown = shown(&outcome.error());
            assert!(!shown.contains(&KEY[..6]), "{shown}");
        }
    }
}

#[tokio::test]
async fn the_api_key_is_not_shown_by_a_decode_error_that_quotes_the_response() {
    let bodies = [
        json!({"data": KEY}),
        json!({"data": [KEY, KEY]}),
        json!({"data": [], "pagination": {"hasMore": KEY}}),
        json!({"data": [], "pagination": {"hasMore": true, "nextOffset": KEY}}),
    ];
    for body in bodies {
        let shown = shown(&error_of_json(ErrorKind::Decode, &body).await);
        assert!(!shown.contains(KEY), "{shown}");
    }
}

#[test]
fn the_api_key_is_not_shown_by_an_invalid_configuration() {
    let script = Script::default();
    let builders = [
        builder::<u64>(&script).api_key(format!("{KEY}\n{KEY}")),
        builder(&script).limit(0),
        builder(&script).base_url("nowhere"),
        builder(&script).user_id("\n"),
    ];
    for builder in builders {
        let shown = shown(&builder.build().unwrap_err());
        assert!(!shown.contains(KEY), "{shown}");
    }
}
