//! Removes the values of names that stand for secrets, and says which they were.

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::{
    json_text::{Part, decoded, edit, encoded},
    names::{Names, Place},
};
use crate::testing::{
    credential_names::REMOVED,
    har::{Entry, Outcome, header},
    url_text::{form_decoded, raw_pairs},
};

/// A value that was removed because of its name.
#[derive(Clone, Debug)]
pub(super) struct Removed {
    /// Which entry it was in.
    pub(super) index: usize,
    pub(super) is_in_response: bool,
    pub(super) place: Place,
    pub(super) name: String,
    /// As it is without encoding.
    pub(super) value: String,
    /// Whether it was in a link of a body or a header.
    pub(super) is_in_link: bool,
}

/// Removes values from an entry.
pub(super) struct Redaction<'a> {
    pub(super) names: &'a Names,
    pub(super) index: usize,
    pub(super) is_in_response: bool,
    pub(super) removed: &'a mut Vec<Removed>,
}

impl Redaction<'_> {
    pub(super) fn redact(mut self, entry: &mut Entry) {
        entry.url = self.url(&entry.url);
        entry.body = entry.body.take().map(|body| self.body(&entry.headers, &body));
        self.headers(&mut entry.headers);
        self.is_in_response = true;
        match &mut entry.outcome {
            Outcome::Response { headers, body, .. } => {
                *body = self.body(headers, body);
                self.headers(headers);
            }
            Outcome::Failure { message, .. } => *message = self.links(message),
        }
    }

    fn remove(&mut self, place: Place, name: &str, value: String, is_in_link: bool) {
        if !value.is_empty() && value != REMOVED {
            self.removed.push(Removed {
                index: self.index,
                is_in_response: self.is_in_response,
                place,
                name: name.to_owned(),
                value,
                is_in_link,
            });
        }
    }

    /// The address of a request, also without a user and a password.
    fn url(&mut self, url: &str) -> String {
        let mut url = url.to_owned();
        if let Some((scheme, rest)) = url.split_once("://") {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(end);
            if let Some((user, host)) = host.rsplit_once('@') {
                let (user, host, path) = (user.to_owned(), host.to_owned(), path.to_owned());
                let password = user.split_once(':').map_or(&*user, |(_, password)| password);
                self.remove(Place::Header, "authorization", form_decoded(password), false);
                url = format!("{scheme}://{host}{path}");
            }
        }
        let Some((path, query)) = url.split_once('?') else { return url };
        format!("{path}?{}", self.form(query, Place::Query))
    }

    /// The pairs of a query, or of a form in a body.
    fn form(&mut self, form: &str, place: Place) -> String {
        let redact = |(name, value): (&str, &str)| {
            let plain = form_decoded(name);
            let is_secret = self.names.is_secret(Place::Query, &plain)
                || (place == Place::Field && self.names.is_secret(Place::Field, &plain));
            if !is_secret {
                return if value.is_empty() { name.to_owned() } else { format!("{name}={value}") };
            }
            self.remove(place, &plain, form_decoded(value), false);
            format!("{name}={REMOVED}")
        };
        raw_pairs(form).map(redact).collect::<Vec<_>>().join("&")
    }

    fn headers(&mut self, headers: &mut [(String, String)]) {
        for (name, value) in headers {
            *value = if self.names.is_secret(Place::Header, name) {
                self.header(name, value)
            } else {
                self.links(value)
            };
        }
    }

    /// A header with a secret. The scheme, and the names of cookies, stay.
    fn header(&mut self, name: &str, value: &str) -> String {
        let lower = name.to_ascii_lowercase();
        if lower == "cookie" || lower == "set-cookie" {
            let redact = |(index, pair): (usize, &str)| match pair.split_once('=') {
                Some((cookie, value)) if lower == "cookie" || index == 0 => {
                    self.remove(Place::Header, name, value.trim_matches('"').to_owned(), false);
                    format!("{cookie}={REMOVED}")
                }
                // A cookie without a name is a value.
                None if !pair.trim().is_empty() && (lower == "cookie" || index == 0) => {
                    self.remove(Place::Header, name, pair.trim().to_owned(), false);
                    REMOVED.to_owned()
                }
                _ => pair.to_owned(),
            };
            return value.split(';').enumerate().map(redact).collect::<Vec<_>>().join(";");
        }
        self.remove(Place::Header, name, value.to_owned(), false);
        match value.split_once(' ') {
            Some((scheme, _)) if lower.ends_with("authorization") && is_scheme(scheme) => {
                format!("{scheme} {REMOVED}")
            }
            _ => REMOVED.to_owned(),
        }
    }

    fn body(&mut self, headers: &[(String, String)], body: &Bytes) -> Bytes {
        let Ok(text) = std::str::from_utf8(body) else { return body.clone() };
        let is_form = header(headers, "content-type")
            .any(|value| value.to_ascii_lowercase().contains("x-www-form-urlencoded"));
        let redacted = if is_form { self.form(text, Place::Field) } else { self.json(text) };
        if redacted == text { body.clone() } else { redacted.into() }
    }

    fn json(&mut self, text: &str) -> String {
        let is_json = text.trim_start().starts_with(['{', '[', '"']);
        // The same few names come again and again.
        let mut known = FxHashMap::<String, bool>::default();
        let mut is_secret = |name: &&String| {
            known.get(*name).copied().unwrap_or_else(|| {
                let is_secret = self.names.is_secret(Place::Field, name);
                known.insert((*name).clone(), is_secret);
                is_secret
            })
        };
        let edited = edit(text, |names, part| {
            let secret = names.iter().find(&mut is_secret);
            match (part, secret) {
                (Part::Text(inner), Some(name)) if !inner.is_empty() => {
                    self.remove(Place::Field, name, decoded(inner), false);
                    Some(REMOVED.to_owned())
                }
                (Part::Other(number), Some(name)) if number.parse::<f64>().is_ok() => {
                    self.remove(Place::Field, name, number.to_owned(), false);
                    // Whoever reads a response may want a number.
                    let is_read = self.is_in_response;
                    Some(if is_read { "0".to_owned() } else { format!("\"{REMOVED}\"") })
                }
                (Part::Text(inner), None) if is_json => {
                    let text = decoded(inner);
                    // JSON in a text of JSON has names too.
                    let is_json = text.starts_with(['{', '[']);
                    let redacted = if is_json { self.json(&text) } else { self.links(&text) };
                    (redacted != text).then(|| encoded(&redacted))
                }
                _ => None,
            }
        });
        if is_json { edited } else { self.links(&edited) }
    }

    /// A text without the secrets in the queries and the fragments of its links.
    fn links(&mut self, text: &str) -> String {
        if !text.contains('=') {
            return text.to_owned();
        }
        let mut redacted = String::with_capacity(text.len());
        let mut remaining = text;
        while let Some(index) = remaining.find(['?', '&', '#']) {
            let (before, after) = remaining.split_at(index + 1);
            redacted.push_str(before);
            remaining = after;
            // An ampersand in HTML.
            if let Some(after) = remaining.strip_prefix("amp;") {
                redacted.push_str("amp;");
                remaining = after;
            }
            let is_part = |it: char| it.is_alphanumeric() || "-_.~%$[]+".contains(it);
            let end = remaining.find(|it| !is_part(it)).unwrap_or(remaining.len());
            let (name, after) = remaining.split_at(end);
            let Some(value) = after.strip_prefix('=') else { continue };
            let plain = form_decoded(name);
            if !self.names.is_secret(Place::Query, &plain) {
                continue;
            }
            let ends = |it: char| it.is_whitespace() || "&#\"'<>\\,;)}".contains(it);
            let end = value.find(ends).unwrap_or(value.len());
            let (value, after) = value.split_at(end);
            self.remove(Place::Query, &plain, form_decoded(value), true);
            redacted.extend([name, "=", REMOVED]);
            remaining = after;
        }
        redacted.push_str(remaining);
        redacted
    }
}

/// Whether the first word of a header is the name of a scheme, and not a pair with a secret.
fn is_scheme(word: &str) -> bool {
    word.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
}
