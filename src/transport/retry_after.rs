use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderName,
    header::{DATE, RETRY_AFTER},
};

use super::rate_limit_headers::as_number;

/// How long a service asks to wait, from the `Retry-After` header of its response
/// (RFC 9110): a number of seconds or an HTTP date. Some services write fractions of a
/// second, and some a `retry-after-ms`, which is read where there is no `Retry-After`. Give
/// it to [`Error::with_retry_after`](crate::Error::with_retry_after), or to
/// [`Page::with_retry_after`](crate::Page::with_retry_after).
///
/// A date is compared with the `Date` of the response, since the clocks of both sides
/// may differ. Without a `Date` it is compared with the clock of this machine. A date
/// that has passed is a wait of zero. `None` if the header is missing or invalid.
///
/// ```
/// use std::time::Duration;
/// use pagestream::retry_after;
///
/// let mut headers = http::HeaderMap::new();
/// assert_eq!(retry_after(&headers), None);
/// headers.insert("retry-after", "120".parse().unwrap());
/// assert_eq!(retry_after(&headers), Some(Duration::from_secs(120)));
/// headers.insert("retry-after", "1.5".parse().unwrap());
/// assert_eq!(retry_after(&headers), Some(Duration::from_millis(1_500)));
///
/// headers.insert("date", "Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap());
/// headers.insert("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT".parse().unwrap());
/// assert_eq!(retry_after(&headers), Some(Duration::from_secs(30)));
/// ```
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let Some(value) = headers.get(RETRY_AFTER) else {
        let milliseconds = as_number(headers.get("retry-after-ms")?.to_str().ok()?)?;
        return Some(seconds(milliseconds / 1_000.0));
    };
    let value = value.to_str().ok()?.trim();
    if let Some(number) = as_number(value) {
        return Some(seconds(number));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let from = date(headers, &DATE).unwrap_or_else(SystemTime::now);
    Some(until.duration_since(from).unwrap_or_default())
}

/// A number that is too large becomes the largest one.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or(Duration::from_secs(u64::MAX))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok()
}
