//! Any bytes as the headers that say how long to wait.

#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use pagestream::retry_after;

// Two lines: the `Retry-After` and the `Date`.
fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let mut line = || HeaderValue::from_bytes(lines.next().unwrap_or_default());
    let (Ok(until), Ok(date)) = (line(), line()) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", until.clone());
    let without_date = retry_after(&headers);
    headers.insert("date", date);
    let with_date = retry_after(&headers);
    // Seconds are seconds, whatever the date.
    if let Some(seconds) = until.to_str().ok().and_then(|text| text.trim().parse::<u32>().ok())
        && !until.as_bytes().contains(&b'+')
    {
        assert_eq!(without_date.map(|delay| delay.as_secs()), Some(seconds.into()));
        assert_eq!(with_date, without_date);
    }
});
