//! Removes a secret from a service's text, in whatever form the service writes it.

/// What replaces a secret.
const REDACTED: &str = "[secret]";

/// The shortest credentials that are told from a word.
const SHORTEST_CREDENTIALS: usize = 12;

/// The longest escape that is read, so that a text of escapes takes no longer.
const LONGEST_ESCAPE: usize = 16;

/// Removes a secret from a text: in its plain form, and as JSON, Rust, HTML or a URL
/// escapes it, also one within the other.
pub(crate) fn redact(text: &str, secret: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut remaining = text;
    while let Some(first) = remaining.chars().next() {
        match after_secret(remaining, secret) {
            Some(after) if !secret.is_empty() => {
                redacted.push_str(REDACTED);
                remaining = after;
            }
            _ => {
                redacted.push(first);
                remaining = &remaining[first.len_utf8()..];
            }
        }
    }
    redacted
}

/// Removes what stands behind the name of a scheme of the `Authorization` header: a secret
/// that is not known, but shows itself.
pub(super) fn redact_authorization(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut remaining = text;
    while let Some((begin, secret)) = credentials(remaining) {
        redacted.push_str(&remaining[..begin]);
        redacted.push_str(REDACTED);
        remaining = &remaining[begin + secret..];
    }
    redacted.push_str(remaining);
    redacted
}

/// Where the first credentials of a text begin, and how long they are.
fn credentials(text: &str) -> Option<(usize, usize)> {
    let lower = text.to_ascii_lowercase();
    let begins = ["bearer ", "basic "]
        .into_iter()
        .flat_map(|scheme| lower.match_indices(scheme).map(move |(index, _)| index + scheme.len()));
    let found = begins.filter_map(|begin| {
        let is_part = |it: char| it.is_ascii_alphanumeric() || "-._~+/=".contains(it);
        let length = text[begin..].find(|it| !is_part(it)).unwrap_or(text.len() - begin);
        // A word of a sentence is shorter.
        (length >= SHORTEST_CREDENTIALS).then_some((begin, length))
    });
    found.min()
}

/// The text after the secret, if the text begins with it.
fn after_secret<'t>(text: &'t str, secret: &str) -> Option<&'t str> {
    text.strip_prefix(secret).or_else(|| secret.chars().try_fold(text, after))
}

/// The text after a character, if the text begins with it. Escaped forms are tried
/// first, since some begin with the character itself.
fn after(text: &str, wanted: char) -> Option<&str> {
    let backslashes = text.bytes().take(LONGEST_ESCAPE).take_while(|&byte| byte == b'\\').count();
    let unescaped = &text[backslashes..];
    let is_escaped = backslashes > 0;
    if is_escaped && let Some(after) = after_number(unescaped, wanted) {
        return Some(after);
    }
    if is_escaped && wanted == '\\' {
        return Some(unescaped);
    }
    after_percent(text, wanted)
        .or_else(|| after_entity(text, wanted))
        .or_else(|| unescaped.strip_prefix(wanted))
}

/// The same for the form `%2f` of a URL, or `%c3%a9` of a character with several bytes.
fn after_percent(text: &str, wanted: char) -> Option<&str> {
    wanted.encode_utf8(&mut [0; 4]).bytes().try_fold(text, |text, byte| {
        let (digits, after) = text.strip_prefix('%')?.split_at_checked(2)?;
        (u8::from_str_radix(digits, 16) == Ok(byte)).then_some(after)
    })
}

/// The same for an entity of HTML: `&amp;`, `&#47;`, `&#x2f;`.
fn after_entity(text: &str, wanted: char) -> Option<&str> {
    let (entity, after) = until(text.strip_prefix('&')?, b';')?;
    let is_wanted = match entity {
        "amp" => wanted == '&',
        "lt" => wanted == '<',
        "gt" => wanted == '>',
        "quot" => wanted == '"',
        "apos" => wanted == '\'',
        entity => {
            let number = entity.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']);
            hex.map_or_else(|| numbered(number, 10, wanted), |hex| numbered(hex, 16, wanted))
        }
    };
    is_wanted.then_some(after)
}

/// The same for the number of a character after a backslash: `u002f`, `u{2f}`, `x2f`.
fn after_number(text: &str, wanted: char) -> Option<&str> {
    let (digits, after) = if let Some(braced) = text.strip_prefix("u{") {
        until(braced, b'}')?
    } else if let Some(digits) = text.strip_prefix('u') {
        digits.split_at_checked(4)?
    } else {
        text.strip_prefix('x')?.split_at_checked(2)?
    };
    numbered(digits, 16, wanted).then_some(after)
}

/// The text before and after the end of an escape.
fn until(text: &str, end: u8) -> Option<(&str, &str)> {
    let index = text.bytes().take(LONGEST_ESCAPE).position(|byte| byte == end)?;
    Some((&text[..index], &text[index + 1..]))
}

fn numbered(digits: &str, radix: u32, wanted: char) -> bool {
    u32::from_str_radix(digits, radix) == Ok(u32::from(wanted))
}

#[cfg(test)]
mod tests {
    use super::{redact, redact_authorization};

    const SECRET: &str = r#"pat-"na1"\/+=&<7>'u"#;

    #[test]
    fn a_secret_is_removed_in_its_plain_form_and_in_each_escaped_form() {
        let json = serde_json::to_string(SECRET).unwrap();
        let percent =
            SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
        let html = SECRET.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let forms = [
            SECRET.to_owned(),
            json.trim_matches('"').to_owned(),
            json.trim_matches('"').replace('/', r"\/"),
            SECRET.escape_debug().to_string(),
            SECRET.escape_debug().to_string().escape_debug().to_string(),
            SECRET.escape_unicode().to_string(),
            SECRET
                .chars()
                .map(|it| format!("\\u{:04X}", u32::from(it)))
                .collect::<Vec<_>>()
                .concat(),
            SECRET
                .chars()
                .map(|it| format!("\\x{:02x}", u32::from(it)))
                .collect::<Vec<_>>()
                .concat(),
            SECRET.replace('=', r"\u003d").replace('&', r"\u0026"),
            percent.to_uppercase(),
            percent,
            html.replace('"', "&quot;").replace('\'', "&apos;"),
            html.replace('"', "&#34;").replace('\'', "&#x27;"),
        ];
        for form in forms {
            let text = format!("The token {form} and {form} again, {form}");
            let redacted = redact(&text, SECRET);
            assert_eq!(redacted, "The token [secret] and [secret] again, [secret]", "{form}");
        }
    }

    #[test]
    fn a_secret_with_a_character_of_several_bytes_is_removed_from_a_url() {
        assert_eq!(redact("?a=%C3%a9t%C3%A9&b", "été"), "?a=[secret]&b");
        assert_eq!(redact("?a=%C3t%C3%A9", "été"), "?a=%C3t%C3%A9");
    }

    #[test]
    fn credentials_behind_their_scheme_are_removed_and_words_are_not() {
        for (text, redacted) in [
            ("the Bearer pat-na1-0123456789 is old", "the Bearer [secret] is old"),
            (
                "\"BEARER abcdefghijkl\", basic YWxpY2U6cGFzcw==",
                "\"BEARER [secret]\", basic [secret]",
            ),
            (
                "a Bearer token is expected, basic or not",
                "a Bearer token is expected, basic or not",
            ),
            ("é bearer ", "é bearer "),
            ("", ""),
        ] {
            assert_eq!(redact_authorization(text), redacted);
        }
    }

    #[test]
    fn a_text_of_escapes_alone_takes_no_longer_than_another() {
        // It would take minutes if each were read to the end of the text.
        for piece in ["\\", "&", "\\u{", "%"] {
            let text = piece.repeat(500_000);
            assert_eq!(redact(&text, r"&\%"), text);
        }
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        let texts = [
            "",
            "pat",
            r#"pat-"na1"\/+=&<7>'"#,
            "%",
            "%e9é",
            "\\",
            r"\u",
            r"\u{",
            r"\uéééé",
            "&#;",
            "&;",
            "&#xzz;",
            "é%é",
            r#"pat-"na2"\/+=&<7>'u"#,
        ];
        for text in texts {
            assert_eq!(redact(text, SECRET), text);
            assert_eq!(redact(text, ""), text);
        }
    }
}
