//! A HAR file as browsers and proxies write it: what it lacks is left out.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use super::{Entry, Outcome};
use crate::{
    error::{Error, ErrorKind},
    testing::url_text::encoded_form,
};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The entries with an address of HTTP.
pub(in crate::testing) fn read(text: &str) -> Result<Vec<Entry>, Error> {
    // Some tools write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let har = serde_json::from_str::<Value>(text)
        .map_err(|error| invalid("the recording is not JSON").with_source(error))?;
    let entries = har.pointer("/log/entries").and_then(Value::as_array);
    let entries = entries.ok_or_else(|| invalid("the recording has no list log.entries"))?;
    let read = entries.iter().enumerate().map(|(index, entry)| Part { index, entry }.read());
    read.filter_map(Result::transpose).collect()
}

struct Part<'a> {
    index: usize,
    entry: &'a Value,
}

impl Part<'_> {
    fn read(&self) -> Result<Option<Entry>, Error> {
        let url = self.text("/request/url")?;
        let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        let is_http = url.starts_with('/') || matches!(scheme.as_deref(), Some("http" | "https"));
        if !is_http {
            return Ok(None);
        }
        let method = Method::from_bytes(self.text("/request/method")?.as_bytes())
            .map_err(|error| self.invalid("no method at request.method").with_source(error))?;
        let milliseconds = self.entry.get("time").and_then(Value::as_f64).unwrap_or_default();
        Ok(Some(Entry {
            number: self.index + 1,
            method,
            url: self.url(url),
            headers: self.headers("/request/headers"),
            body: self.request_body()?,
            outcome: self.outcome()?,
            milliseconds,
        }))
    }

    /// The address, with the query of `queryString` if it has none.
    fn url(&self, url: &str) -> String {
        let pairs = self.pairs("/request/queryString");
        if url.contains('?') || pairs.is_empty() {
            return url.to_owned();
        }
        format!("{}?{}", url.split('#').next().unwrap_or_default(), encoded_form(&pairs))
    }

    fn request_body(&self) -> Result<Option<Bytes>, Error> {
        let Some(data) = self.entry.pointer("/request/postData").filter(|it| it.is_object()) else {
            return Ok(None);
        };
        let text = data.get("text").and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(text) = text else {
            let form = self.pairs("/request/postData/params");
            return Ok((!form.is_empty()).then(|| encoded_form(&form).into()));
        };
        self.decoded(text, data, "request.postData.text").map(Some)
    }

    fn outcome(&self) -> Result<Outcome, Error> {
        let status = self.entry.pointer("/response/status");
        let status = status.and_then(|status| match status {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64().map(|status| status.clamp(0.0, 1_000.0).round()),
        });
        let status = status.ok_or_else(|| self.invalid("no number at response.status"))?;
        if status == 0.0 {
            return Ok(self.failure());
        }
        // It is a whole number below 1,001.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let status = StatusCode::from_u16(status as u16)
            .map_err(|error| self.invalid("no status at response.status").with_source(error))?;
        let none = Value::Null;
        let content = self.entry.pointer("/response/content").unwrap_or(&none);
        let text = content.get("text").and_then(Value::as_str).unwrap_or_default();
        let body = self.decoded(text, content, "response.content.text")?;
        Ok(Outcome::Response { status, headers: self.headers("/response/headers"), body })
    }

    /// A request without a response has the status 0.
    fn failure(&self) -> Outcome {
        let entry = |name| self.entry.pointer(name).and_then(Value::as_str);
        let text = entry("/response/_error").or_else(|| entry("/_error")).unwrap_or_default();
        let lower = text.to_ascii_lowercase();
        let kind = if lower.starts_with("toolarge") {
            ErrorKind::TooLarge
        } else if lower.contains("timeout") || lower.contains("timed_out") {
            ErrorKind::Timeout
        } else {
            ErrorKind::Transport
        };
        let message = format!("no response came when it was recorded: {text}");
        Outcome::Failure { kind, message: message.trim_end_matches([':', ' ']).to_owned() }
    }

    fn decoded(&self, text: &str, content: &Value, place: &str) -> Result<Bytes, Error> {
        let encoding = content.get("encoding").and_then(Value::as_str).unwrap_or_default();
        if !encoding.eq_ignore_ascii_case("base64") {
            return Ok(Bytes::from(text.to_owned()));
        }
        let text = text.split_ascii_whitespace().collect::<String>();
        let decoded = BASE64
            .decode(text)
            .map_err(|error| self.invalid(&format!("no base64 at {place}")).with_source(error))?;
        Ok(decoded.into())
    }

    /// Headers, without the pseudo headers of HTTP/2.
    fn headers(&self, pointer: &str) -> Vec<(String, String)> {
        let pairs = self.pairs(pointer);
        let pairs = pairs.into_iter().filter(|(name, _)| !name.starts_with(':'));
        // Chromium puts several of one name into one, with a line break between them.
        let several = pairs.flat_map(|(name, value)| {
            let of = |value: &str| (name.clone(), value.trim().to_owned());
            value.split('\n').map(of).collect::<Vec<_>>()
        });
        several.collect()
    }

    fn pairs(&self, pointer: &str) -> Vec<(String, String)> {
        let list = self.entry.pointer(pointer).and_then(Value::as_array);
        let pairs = list.into_iter().flatten().filter_map(|pair| {
            let text = |name| pair.get(name).and_then(Value::as_str);
            Some((text("name")?.to_owned(), text("value").unwrap_or_default().to_owned()))
        });
        pairs.collect()
    }

    fn text(&self, pointer: &str) -> Result<&str, Error> {
        let place = pointer.trim_start_matches('/').replace('/', ".");
        let text = self.entry.pointer(pointer).and_then(Value::as_str);
        text.ok_or_else(|| self.invalid(&format!("no text at {place}")))
    }

    fn invalid(&self, what: &str) -> Error {
        invalid(&format!("entry {} of the recording has {what}", self.index + 1))
    }
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Decode, message.to_owned()).with_retryable(false)
}
