use std::time::{Duration, SystemTime};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{Entry, Outcome, header};
use crate::testing::url_text::{pairs, split};

/// The text of a HAR file, with when each entry began.
pub(in crate::testing) fn write<'a>(
    entries: impl IntoIterator<Item = (SystemTime, &'a Entry)>,
) -> String {
    let entries = entries.into_iter().map(|(began, it)| entry(began, it)).collect::<Vec<_>>();
    let creator = json!({"name": "pagestream", "version": env!("CARGO_PKG_VERSION")});
    let har = json!({"log": {"version": "1.2", "creator": creator, "entries": entries}});
    serde_json::to_string_pretty(&har).unwrap_or_default() + "\n"
}

fn entry(began: SystemTime, entry: &Entry) -> Value {
    let (_, _, query) = split(&entry.url);
    let mut request = json!({
        "method": entry.method.as_str(),
        "url": entry.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": named(&entry.headers),
        "queryString": named(&pairs(query.unwrap_or_default())),
        "headersSize": -1,
        "bodySize": entry.body.as_ref().map_or(0, bytes::Bytes::len),
    });
    if let Some(body) = entry.body.as_ref().filter(|body| !body.is_empty()) {
        request["postData"] = content(&entry.headers, body);
    }
    let response = match &entry.outcome {
        Outcome::Response { status, headers, body } => {
            let mut content = content(headers, body);
            content["size"] = body.len().into();
            json!({
                "status": status.as_u16(),
                "statusText": status.canonical_reason().unwrap_or_default(),
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": named(headers),
                "content": content,
                "redirectURL": header(headers, "location").next().unwrap_or_default(),
                "headersSize": -1,
                "bodySize": body.len(),
            })
        }
        Outcome::Failure { kind, message } => json!({
            "status": 0,
            "statusText": "",
            "httpVersion": "",
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": ""},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
            "_error": format!("{kind:?}: {message}"),
        }),
    };
    json!({
        "startedDateTime": date(began),
        "time": entry.milliseconds,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": entry.milliseconds, "receive": 0},
    })
}

fn named(pairs: &[(String, String)]) -> Vec<Value> {
    pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// A body, as base64 if it is no text.
fn content(headers: &[(String, String)], body: &[u8]) -> Value {
    let kind = header(headers, "content-type").next().unwrap_or_default();
    match std::str::from_utf8(body) {
        Ok(text) => json!({"mimeType": kind, "text": text}),
        Err(_) => {
            json!({"mimeType": kind, "text": BASE64_STANDARD.encode(body), "encoding": "base64"})
        }
    }
}

/// A time as of ISO 8601, to the millisecond.
fn date(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Years begin in March here, so that the day of a leap year is the last.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let milliseconds = since.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::date;

    #[test]
    fn a_time_is_written_as_a_date() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (1_735_689_599, "2024-12-31T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_millis(seconds * 1_000 + 7);
            assert_eq!(date(time), text);
        }
    }
}
