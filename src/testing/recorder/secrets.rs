use std::{cmp::Reverse, collections::BTreeMap};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use rustc_hash::FxHashMap;

use super::json_text::{self, Part, decoded, edit};
use crate::{
    testing::{
        credential_names::{REMOVED, is_word},
        url_text::encoded,
    },
    transport::redact,
};

/// The shortest secret that is told from a word, and removed wherever it occurs.
const SHORTEST: usize = 6;

/// The same for a value of a cookie, which is often no secret.
const SHORTEST_COOKIE: usize = 12;

/// How many secrets are looked for in each escaped form. One that only responses had, beyond
/// these, is looked for as it is.
const ESCAPED: usize = 64;

/// The secrets that are known, and are removed wherever they occur.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// Those that are looked for in each form. The longest is first, since it may have another
    /// in it.
    escaped: Vec<String>,
    /// All of them, and their other encodings.
    plain: Patterns,
}

/// A secret as it was found.
pub(super) struct Found<'a> {
    pub(super) value: &'a str,
    pub(super) is_cookie: bool,
    /// Whether a request had it, or the caller gave it.
    pub(super) was_sent: bool,
}

impl Secrets {
    pub(super) fn new<'a>(found: impl IntoIterator<Item = Found<'a>>) -> Self {
        let mut known = BTreeMap::new();
        for Found { value, is_cookie, was_sent } in found {
            let shortest = if is_cookie { SHORTEST_COOKIE } else { SHORTEST };
            for form in forms(value) {
                // A name of a secret is none, or the names would be removed too.
                let is_known = form.len() >= shortest && !REMOVED.contains(&*form);
                if is_known && !is_word(&form) {
                    *known.entry(form).or_default() |= was_sent;
                }
            }
        }
        let mut known = known.into_iter().collect::<Vec<(String, bool)>>();
        known.sort_by_key(|(it, was_sent)| (!was_sent, Reverse(it.len())));
        let mut plain = known.iter().map(|(it, _)| it.clone()).collect::<Vec<_>>();
        let sent = known.iter().take_while(|(_, was_sent)| *was_sent).count();
        known.truncate(sent.max(ESCAPED));
        let mut escaped = known.into_iter().map(|(it, _)| it).collect::<Vec<_>>();
        escaped.sort_by_key(|it| Reverse(it.len()));
        plain.extend(escaped.iter().flat_map(|it| encodings(it)));
        Self { escaped, plain: Patterns::new(plain) }
    }

    /// A text without them.
    pub(super) fn remove(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // Escaped forms take long to look for, and most texts have no escape.
        if text.contains(['\\', '%', '&']) {
            for secret in &self.escaped {
                text = redact(&text, secret);
            }
        }
        match self.plain.removed(text.as_bytes()) {
            // It is text still: a whole text is cut out of another.
            Some(removed) => String::from_utf8_lossy(&removed).into_owned(),
            None => text,
        }
    }

    /// A body without them. JSON stays JSON.
    pub(super) fn remove_from_body(&self, text: &str) -> String {
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return self.remove(text);
        }
        edit(text, |_, part| match part {
            Part::Name(inner) | Part::Text(inner) => {
                let text = decoded(inner);
                let is_json = text.starts_with(['{', '[']);
                let removed =
                    if is_json { self.remove_from_body(&text) } else { self.remove(&text) };
                (removed != text).then(|| json_text::encoded(&removed))
            }
            Part::Other(number) => self.plain.has(number).then(|| "0".to_owned()),
        })
    }

    /// Bytes that are no text, without them as they are.
    pub(super) fn remove_from_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.plain.removed(bytes).unwrap_or_else(|| bytes.to_vec())
    }
}

/// Texts that are looked for all at once, each at least as long as [`SHORTEST`].
#[derive(Debug, Default)]
struct Patterns {
    /// By how they begin, the longest first.
    all: FxHashMap<[u8; SHORTEST], Vec<String>>,
}

impl Patterns {
    fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let mut all = FxHashMap::<_, Vec<String>>::default();
        for text in texts {
            if let Some(begin) = text.as_bytes().first_chunk() {
                all.entry(*begin).or_default().push(text);
            }
        }
        for texts in all.values_mut() {
            texts.sort_by_key(|it| Reverse(it.len()));
        }
        Self { all }
    }

    fn has(&self, text: &str) -> bool {
        let texts = text.as_bytes().first_chunk().and_then(|begin| self.all.get(begin));
        texts.is_some_and(|texts| texts.iter().any(|it| it == text))
    }

    /// The bytes without them; `None` if there are none.
    fn removed(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let (mut removed, mut kept, mut at) = (Vec::new(), 0, 0);
        while let Some(remaining) = bytes.get(at..).filter(|it| !it.is_empty()) {
            let texts = remaining.first_chunk().and_then(|begin| self.all.get(begin));
            let mut texts = texts.into_iter().flatten();
            let Some(text) = texts.find(|it| remaining.starts_with(it.as_bytes())) else {
                at += 1;
                continue;
            };
            removed.extend_from_slice(bytes.get(kept..at).unwrap_or_default());
            removed.extend_from_slice(REMOVED.as_bytes());
            at += text.len();
            kept = at;
        }
        if kept == 0 {
            return None;
        }
        removed.extend_from_slice(bytes.get(kept..).unwrap_or_default());
        Some(removed)
    }
}

/// A secret in base64, and as JSON writes it.
fn encodings(secret: &str) -> Vec<String> {
    let base64 = BASE64_STANDARD.encode(secret);
    let mut encodings = vec![
        encoded(&base64),
        base64,
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
    ];
    // With two backslashes in a row, an escaped form is one of its own.
    if secret.contains('\\') {
        let once = json_text::encoded(secret);
        encodings.extend([json_text::encoded(&once), once]);
    }
    encodings
}

/// The secret, without the name of a scheme, and what is in it.
fn forms(value: &str) -> Vec<String> {
    let value = value.trim();
    let mut forms = vec![value.to_owned()];
    let (scheme, credentials) = value.split_once(' ').unwrap_or(("", value));
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|it| it.is_ascii_alphanumeric());
    if is_scheme {
        forms.push(credentials.trim().to_owned());
    }
    // The user and the password of the scheme Basic.
    let pair = BASE64_STANDARD.decode(credentials.trim()).ok();
    let pair = pair.and_then(|it| String::from_utf8(it).ok());
    if scheme.eq_ignore_ascii_case("basic")
        && let Some(pair) = pair
    {
        forms.extend(pair.split_once(':').map(|(_, password)| password.to_owned()));
        forms.push(pair);
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::{Found, Secrets};

    #[test]
    fn of_many_secrets_the_longest_that_begins_at_a_place_is_removed() {
        let values = (0..2_000).map(|it| format!("secret-é-{it}")).collect::<Vec<_>>();
        let found = |value| Found { value, is_cookie: false, was_sent: false };
        let secrets = Secrets::new(values.iter().map(|it| found(it.as_str())));
        let text = "secret-é-1999, secret-é-19, secret-é-x, secret-é-7";
        assert_eq!(secrets.remove(text), "[secret], [secret], secret-é-x, [secret]");
    }

    #[test]
    fn a_secret_is_removed_in_each_form_and_json_stays_json() {
        let found = |value| Found { value, is_cookie: false, was_sent: true };
        let values =
            ["Bearer tok-1+2/3", "Basic YWxpY2U6c3dvcmRmaXNo", "8675309", "short", "password"];
        let secrets = Secrets::new(values.map(found));
        for text in [
            "a tok-1+2/3 b",
            "a tok-1%2B2%2F3 b",
            "a dG9rLTErMi8z b",
            "a swordfish b",
            "a YWxpY2U6c3dvcmRmaXNo b",
            r"a tok-1+2\/3 b",
        ] {
            assert_eq!(secrets.remove(text), "a [secret] b");
        }
        assert_eq!(secrets.remove("a short b"), "a short b");
        let json = r#"{"tok-1+2/3": [8675309, 86753091, "8675309"], "n": 12345678901234567890123}"#;
        let expected = r#"{"[secret]": [0, 86753091, "[secret]"], "n": 12345678901234567890123}"#;
        assert_eq!(secrets.remove_from_body(json), expected);
        assert_eq!(secrets.remove_from_bytes(b"\xffswordfish\xff"), b"\xff[secret]\xff");
    }
}
