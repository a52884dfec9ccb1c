//! What was removed from a recording fits anything, and is not shown.

use serde_json::Value;

use crate::testing::{
    credential_names::{REMOVED, is_secret_field, is_secret_query},
    url_text::form_decoded,
};

/// Whether a text is one of which parts were removed.
pub(super) fn fits_removed(expected: &str, came: &str) -> bool {
    let Some((before, after)) = expected.split_once(REMOVED) else { return expected == came };
    let Some(mut remaining) = came.strip_prefix(before) else { return false };
    let mut parts = after.split(REMOVED).peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return remaining.ends_with(part);
        }
        match remaining.find(part) {
            Some(index) => remaining = remaining.get(index + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// What came, with what was removed in place of what fits it.
pub(super) fn overlaid(expected: &Value, came: &Value) -> Value {
    match (expected, came) {
        (Value::String(expected), _) if expected == REMOVED => Value::from(REMOVED),
        (Value::String(expected), Value::String(came)) if fits_removed(expected, came) => {
            Value::from(expected.as_str())
        }
        (Value::Array(expected), Value::Array(came)) => {
            let null = Value::Null;
            let expected = expected.iter().chain(std::iter::repeat(&null));
            came.iter().zip(expected).map(|(came, expected)| overlaid(expected, came)).collect()
        }
        (Value::Object(expected), Value::Object(came)) => {
            let overlay = |(name, came): (&String, &Value)| {
                let value = expected.get(name).map(|expected| overlaid(expected, came));
                (name.clone(), value.unwrap_or_else(|| came.clone()))
            };
            Value::Object(came.iter().map(overlay).collect())
        }
        _ => came.clone(),
    }
}

/// Without what looks like a secret.
pub(super) fn masked(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(masked).collect(),
        Value::Object(fields) => {
            let mask = |(name, value): (String, Value)| {
                let is_secret = is_secret_field(&name) && !value.is_null();
                let value = if is_secret { Value::from(REMOVED) } else { masked(value) };
                (name, value)
            };
            Value::Object(fields.into_iter().map(mask).collect())
        }
        other => other,
    }
}

/// A form without what looks like a secret.
pub(super) fn masked_form(text: &str) -> String {
    let mask = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_secret_query(&form_decoded(name)) => format!("{name}={REMOVED}"),
        _ => pair.to_owned(),
    };
    text.split('&').map(mask).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::fits_removed;

    #[test]
    fn what_was_removed_fits_anything_and_the_rest_only_itself() {
        for (expected, came) in [
            ("[secret]", ""),
            ("[secret]", "é"),
            ("Bearer [secret]", "Bearer x"),
            ("a [secret] b [secret] c", "a 1 b 2 c"),
            ("[secret][secret]", "x"),
            ("a", "a"),
        ] {
            assert!(fits_removed(expected, came), "{expected} {came}");
        }
        for (expected, came) in [
            ("Bearer [secret]", "Basic x"),
            ("a [secret] b [secret] c", "a 1 c"),
            ("[secret] b", "x"),
            ("a", "b"),
        ] {
            assert!(!fits_removed(expected, came), "{expected} {came}");
        }
    }
}
