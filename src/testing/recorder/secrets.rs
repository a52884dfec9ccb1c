use std::collections::BTreeSet;

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};

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

/// The secrets that are known, and are removed wherever they occur.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// The longest is first, since it may have another in it.
    plain: Vec<String>,
    /// The same as other encodings write them.
    encoded: Vec<String>,
}

impl Secrets {
    /// `of` gives the name of the header, if it is in one.
    pub(super) fn new<'a>(values: impl IntoIterator<Item = (Option<&'a str>, &'a str)>) -> Self {
        let mut known = BTreeSet::new();
        for (header, value) in values {
            let is_cookie = header.is_some_and(|it| it.to_ascii_lowercase().contains("cookie"));
            let shortest = if is_cookie { SHORTEST_COOKIE } else { SHORTEST };
            known.extend(forms(value).into_iter().filter(|it| it.len() >= shortest));
        }
        // A name of a secret is none, or the names would be removed too.
        known.retain(|it: &String| !REMOVED.contains(it.as_str()) && !is_word(it));
        let mut plain = known.into_iter().collect::<Vec<_>>();
        plain.sort_by_key(|it| std::cmp::Reverse(it.len()));
        let base64 = plain.iter().flat_map(|it| {
            let standard = BASE64_STANDARD.encode(it);
            [
                encoded(&standard),
                standard,
                BASE64_STANDARD_NO_PAD.encode(it),
                BASE64_URL_SAFE_NO_PAD.encode(it),
            ]
        });
        // With two backslashes in a row, an escaped form is one of its own.
        let json = plain.iter().filter(|it| it.contains('\\')).flat_map(|it| {
            let once = json_text::encoded(it);
            [json_text::encoded(&once), once]
        });
        let encoded = base64.chain(json).collect();
        Self { plain, encoded }
    }

    /// A text without them.
    pub(super) fn remove(&self, text: &str) -> String {
        let text = self.plain.iter().fold(text.to_owned(), |text, it| redact(&text, it));
        self.encoded
            .iter()
            .fold(text, |text, it| if text.contains(it) { text.replace(it, REMOVED) } else { text })
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
            Part::Other(number) => self.plain.iter().any(|it| it == number).then(|| "0".to_owned()),
        })
    }

    /// Bytes that are no text, without them as they are.
    pub(super) fn remove_from_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let all = self.plain.iter().chain(&self.encoded);
        all.fold(bytes.to_vec(), |bytes, it| replaced(&bytes, it.as_bytes()))
    }
}

fn replaced(bytes: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut remaining = bytes;
    while let [first, after @ ..] = remaining {
        if let Some(behind) = remaining.strip_prefix(secret) {
            replaced.extend_from_slice(REMOVED.as_bytes());
            remaining = behind;
        } else {
            replaced.push(*first);
            remaining = after;
        }
    }
    replaced
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
    use super::Secrets;

    #[test]
    fn a_secret_is_removed_in_each_form_and_json_stays_json() {
        let secrets = Secrets::new([
            (Some("authorization"), "Bearer tok-1+2/3"),
            (Some("authorization"), "Basic YWxpY2U6c3dvcmRmaXNo"),
            (None, "8675309"),
            (None, "short"),
        ]);
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
