//! Any bytes as the headers of rate limits.

#![no_main]

use http::{HeaderName, HeaderValue, Response};
use libfuzzer_sys::fuzz_target;
use pagestream::Error;

const NAMES: [&str; 8] = [
    "ratelimit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-reset",
    "x-ratelimit-reset-after",
    "retry-after-ms",
    "date",
    "ratelimit",
];

// A line for each header.
fuzz_target!(|input: &[u8]| {
    let mut response = Response::builder().status(429).body("").unwrap();
    for (name, line) in NAMES.iter().zip(input.split(|byte| *byte == b'\n')) {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        response.headers_mut().append(HeaderName::from_static(name), value);
    }
    let error = Error::from_response(&response);
    assert!(error.is_throttled() && error.is_retryable());
    // A service that has requests left asks for no wait by its resets.
    if response.headers()["ratelimit"].is_empty()
        && response.headers().get("ratelimit-remaining").is_some_and(|left| left == "1")
        && response.headers().get("retry-after-ms").is_none()
    {
        assert_eq!(error.retry_after(), None);
    }
});
