//! Any bytes as the headers and the body of an answer: what fits is told in code whose
//! pointers are literals on one line.

#![no_main]

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use libfuzzer_sys::fuzz_target;
use pagestream::rest::detect;

const NAMES: [&str; 4] = ["link", "x-total-pages", "x-next-cursor", "x-total-count"];

// A line for each header, and the body behind them.
fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(NAMES.len() + 1, |byte| *byte == b'\n');
    let mut headers = Vec::new();
    for (name, line) in NAMES.iter().zip(lines.by_ref()) {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        headers.push((HeaderName::from_static(name), value));
    }
    let mut response = Response::new(Bytes::copy_from_slice(lines.next().unwrap_or_default()));
    response.headers_mut().extend(headers);
    for found in detect(&response) {
        assert!(found.code().starts_with("client\n    .") && found.code().ends_with("()?"));
        assert!(found.code().lines().skip(1).all(|line| line.starts_with("    ")));
        assert_eq!(found.reason().lines().count(), 1);
    }
});
