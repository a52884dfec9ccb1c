//! What a service says about its rate limits, in the headers that are in use.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header::DATE};

/// From this number of seconds on, a reset is a time and no wait: 2001.
const FIRST_TIME: f64 = 1e9;

/// From this number on, that time is in milliseconds.
const FIRST_MILLISECONDS: f64 = 1e11;

/// The headers that say how many requests are left.
const REMAINING: [&str; 3] =
    ["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining"];

/// The headers that say when there are more.
const RESET: [&str; 4] =
    ["ratelimit-reset", "x-ratelimit-reset-after", "x-ratelimit-reset", "x-rate-limit-reset"];

/// A limit, as a `RateLimit` header has it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Limit {
    remaining: Option<f64>,
    /// Seconds from now on.
    reset: Option<f64>,
}

/// Whether a header says that no request is left.
pub(super) fn is_used_up(headers: &HeaderMap) -> bool {
    REMAINING.iter().any(|name| number(headers, name).is_some_and(|left| left <= 0.0))
        || limits(headers).iter().any(|limit| limit.remaining.is_some_and(|left| left <= 0.0))
}

/// How long it takes until there are requests again: the longest wait of the limits of which
/// none is left. `None` where no header says so.
pub(super) fn reset_after(headers: &HeaderMap) -> Option<Duration> {
    let used_up =
        limits(headers).into_iter().filter(|limit| limit.remaining.is_none_or(|left| left <= 0.0));
    let of_limits = used_up.filter_map(|limit| limit.reset);
    let is_left = |name: &&str| number(headers, name).is_some_and(|left| left > 0.0);
    let of_headers = RESET.iter().filter(|_| !REMAINING.iter().any(is_left));
    let of_headers = of_headers.filter_map(|name| Some(from_now(number(headers, name)?, headers)));
    let longest = of_limits.chain(of_headers).reduce(f64::max)?;
    Some(Duration::try_from_secs_f64(longest.max(0.0)).unwrap_or(Duration::MAX))
}

/// Seconds from now on, of a number that is that, or a time.
fn from_now(reset: f64, headers: &HeaderMap) -> f64 {
    if reset < FIRST_TIME {
        return reset;
    }
    let at = if reset < FIRST_MILLISECONDS { reset } else { reset / 1_000.0 };
    let date =
        headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let now = date.unwrap_or_else(SystemTime::now).duration_since(UNIX_EPOCH).unwrap_or_default();
    at - now.as_secs_f64()
}

/// A number that is no less than 0.
fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    as_number(headers.get(name)?.to_str().ok()?)
}

pub(super) fn as_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = if is_plain { text.parse::<f64>().ok()? } else { return None };
    number.is_finite().then_some(number)
}

/// The limits of the `RateLimit` headers. Draft 11 of the HTTP API group has a list of
/// policies, `"burst";r=0;t=30`; draft 7 has one limit, `limit=100, remaining=0, reset=30`.
fn limits(headers: &HeaderMap) -> Vec<Limit> {
    let mut limits = Vec::new();
    let mut draft_7 = Limit::default();
    for value in headers.get_all("ratelimit") {
        for item in value.to_str().unwrap_or_default().split(',') {
            let mut limit = Limit::default();
            for parameter in item.split(';') {
                let Some((name, value)) = parameter.split_once('=') else { continue };
                match name.trim() {
                    "r" => limit.remaining = as_number(value),
                    "t" => limit.reset = as_number(value),
                    "remaining" => draft_7.remaining = as_number(value),
                    "reset" => draft_7.reset = as_number(value),
                    _ => {}
                }
            }
            limits.push(limit);
        }
    }
    limits.push(draft_7);
    limits.retain(|limit| *limit != Limit::default());
    limits
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, HeaderName, HeaderValue};
    use proptest::{collection::vec, prelude::*};

    use super::{is_used_up, reset_after};

    type Pairs<'a> = &'a [(&'static str, &'a str)];

    fn headers(pairs: Pairs<'_>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_longest_wait_of_the_limits_that_are_used_up_counts() {
        let date = ("date", "Thu, 01 Jan 2026 00:00:00 GMT");
        let cases: [(Pairs<'_>, Option<f64>, bool); 14] = [
            (&[("ratelimit-reset", "5")], Some(5.0), false),
            (&[("x-ratelimit-reset", "1767225630"), date], Some(30.0), false),
            (&[("x-ratelimit-reset", "1767225630500"), date], Some(30.5), false),
            (&[("x-ratelimit-reset", "1767225000"), date], Some(0.0), false),
            (&[("x-ratelimit-reset-after", "0.4")], Some(0.4), false),
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "7")], Some(7.0), true),
            (&[("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "7")], None, false),
            (&[("ratelimit", "\"burst\";r=0;t=30")], Some(30.0), true),
            (&[("ratelimit", "\"burst\";r=0;t=3, \"day\";r=0;t=90")], Some(90.0), true),
            (
                &[("ratelimit", "\"burst\";r=0;t=3"), ("ratelimit", "\"day\";r=9;t=90")],
                Some(3.0),
                true,
            ),
            (&[("ratelimit", "limit=100, remaining=0, reset=30")], Some(30.0), true),
            (&[("ratelimit", "limit=100, remaining=5, reset=30")], None, false),
            (&[("ratelimit-policy", "\"burst\";q=100;w=60")], None, false),
            (&[("ratelimit-reset", "-5")], None, false),
        ];
        for (pairs, seconds, used_up) in cases {
            let headers = headers(pairs);
            assert_eq!(reset_after(&headers), seconds.map(Duration::from_secs_f64), "{pairs:?}");
            assert_eq!(is_used_up(&headers), used_up, "{pairs:?}");
        }
    }

    proptest! {
        #[test]
        fn headers_of_any_text_cause_no_panic(values in vec("[ -~]{0,40}", 6), digits in "[0-9.e]{0,400}") {
            let names = ["ratelimit", "ratelimit-reset", "x-ratelimit-reset", "x-ratelimit-remaining", "date", "x-ratelimit-reset-after"];
            let mut headers = HeaderMap::new();
            for (name, value) in names.iter().zip(values.iter().chain([&digits])) {
                headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
            }
            headers.append("x-rate-limit-reset", HeaderValue::from_str(&digits).unwrap());
            let _ = (reset_after(&headers), is_used_up(&headers));
        }
    }
}
