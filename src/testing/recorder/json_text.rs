//! Changes the values of a JSON text and leaves the rest as it is: the order of the fields,
//! the spaces, and numbers of any size. A text that is cut is read as far as it goes.

/// A part of a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// The name of a field, as it is written between its quotes.
    Name(&'a str),
    /// A string, as it is written between its quotes.
    Text(&'a str),
    /// A number, a word, or what is no JSON.
    Other(&'a str),
}

/// Calls `change` for each part, with the names of the fields in which it is. What it gives
/// replaces the part: between the quotes, if it has some.
pub(super) fn edit(
    text: &str,
    mut change: impl FnMut(&[String], Part<'_>) -> Option<String>,
) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut names: Vec<String> = Vec::new();
    let mut is_object = Vec::new();
    let mut is_name_next = false;
    let mut remaining = text;
    while let Some(first) = remaining.chars().next() {
        match first {
            '{' | '[' => {
                is_object.push(first == '{');
                is_name_next = first == '{';
                if is_name_next {
                    names.push(String::new());
                }
            }
            '}' | ']' => {
                if is_object.pop() == Some(true) {
                    names.pop();
                }
                is_name_next = false;
            }
            ',' => is_name_next = is_object.last() == Some(&true),
            _ => {}
        }
        let length = match first {
            '"' => quoted(remaining),
            '{' | '[' | '}' | ']' | ',' | ':' => 1,
            first if first.is_whitespace() => first.len_utf8(),
            _ => {
                let ends = |it: char| it.is_whitespace() || "{}[],:\"".contains(it);
                remaining.find(ends).unwrap_or(remaining.len())
            }
        };
        let (token, after) = remaining.split_at(length);
        remaining = after;
        if first == '"' {
            let inner = token.strip_prefix('"').unwrap_or(token);
            let is_closed = is_closed(inner);
            let inner = if is_closed { inner.strip_suffix('"').unwrap_or(inner) } else { inner };
            let part = if is_name_next { Part::Name(inner) } else { Part::Text(inner) };
            if is_name_next && let Some(name) = names.last_mut() {
                *name = decoded(inner);
                is_name_next = false;
            }
            let changed = change(&names, part);
            edited.push('"');
            edited.push_str(changed.as_deref().unwrap_or(inner));
            if is_closed {
                edited.push('"');
            }
        } else if first.is_whitespace() || "{}[],:".contains(first) {
            edited.push_str(token);
        } else {
            let changed = change(&names, Part::Other(token));
            edited.push_str(changed.as_deref().unwrap_or(token));
        }
    }
    edited
}

/// How long the string is with which a text begins, with its quotes.
fn quoted(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether a string has its last quote.
fn is_closed(inner: &str) -> bool {
    let before = inner.strip_suffix('"').map(|it| it.bytes().rev());
    before.is_some_and(|before| before.take_while(|byte| *byte == b'\\').count() % 2 == 0)
}

/// The text that is written so between quotes.
pub(super) fn decoded(inner: &str) -> String {
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    serde_json::from_str(&format!("\"{inner}\"")).unwrap_or_else(|_| inner.to_owned())
}

/// A text as it is written between quotes.
pub(super) fn encoded(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Part, edit};

    #[test]
    fn each_part_comes_with_the_names_around_it() {
        let text = r#" {"a": [1, {"b\u0021": "x\"y"}], "c": {"d": true}} "#;
        let mut parts = Vec::new();
        let edited = edit(text, |names, part| {
            parts.push(format!("{} {part:?}", names.join(".")));
            (part == Part::Other("1")).then(|| "2".to_owned())
        });
        assert_eq!(edited, text.replace("[1", "[2"));
        let expected = [
            r#"a Name("a")"#,
            r#"a Other("1")"#,
            r#"a.b! Name("b\\u0021")"#,
            r#"a.b! Text("x\\\"y")"#,
            r#"c Name("c")"#,
            r#"c.d Name("d")"#,
            r#"c.d Other("true")"#,
        ];
        assert_eq!(parts, expected);
    }

    proptest! {
        #[test]
        fn any_text_stays_as_it_is_without_a_change(
            text in "[\\[\\]{}\",:\\\\ a1é\u{a0}]{0,40}",
        ) {
            prop_assert_eq!(edit(&text, |_, _| None), text);
        }
    }
}
