//! A cursor that was removed as if it were a secret. Its recording could not be played back:
//! all pages would lead to the same one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    names::{Names, Place},
    redaction::Removed,
};
use crate::{
    error::{Error, ErrorKind},
    testing::{
        credential_names::is_surely_secret,
        har::{Entry, Outcome, header},
        url_text::{pairs, percent_decoded, split},
    },
};

/// A value that a request sends, or a response gives.
struct Sent {
    index: usize,
    /// `None` if it is in the path.
    place: Option<Place>,
    name: String,
    value: String,
}

/// # Errors
///
/// A value was removed from a response, and a later request sends it, not as a credential.
pub(super) fn check(entries: &[Entry], names: &Names, removed: &[Removed]) -> Result<(), Error> {
    let sent = entries.iter().enumerate().flat_map(|(index, entry)| sent(index, entry));
    let sent = sent.collect::<Vec<_>>();
    let (in_responses, in_requests): (Vec<_>, Vec<_>) =
        removed.iter().partition(|it| it.is_in_response);
    // What no request sends is no cursor. It may be a field of each record.
    let values = sent.iter().map(|it| &*it.value).collect::<BTreeSet<_>>();
    let in_responses = in_responses
        .into_iter()
        .filter(|it| values.contains(&*it.value) && is_new(it, &in_requests))
        .collect::<Vec<_>>();
    for taken in &in_responses {
        for later in sent.iter().filter(|it| it.index > taken.index && it.value == taken.value) {
            let is_credential =
                later.place.is_some_and(|place| names.is_secret(place, &later.name));
            let may_be_cursor = || {
                !is_surely_secret(&later.name)
                    && (taken.is_in_link || changes(later, &in_responses, &sent))
            };
            let is_cursor = !is_credential || may_be_cursor();
            if is_cursor {
                return Err(error(taken, later, is_credential));
            }
        }
    }
    given_and_sent(entries, names, &in_requests)
}

/// # Errors
///
/// A response gives a value under a name that is none of a secret, and a later request sends
/// it under one that is.
fn given_and_sent(entries: &[Entry], names: &Names, in_requests: &[&Removed]) -> Result<(), Error> {
    let may_be_cursor = |it: &&&Removed| it.place != Place::Header && !is_surely_secret(&it.name);
    let may_be_cursors = in_requests.iter().filter(may_be_cursor).collect::<Vec<_>>();
    let values = may_be_cursors.iter().map(|it| &*it.value).collect::<BTreeSet<_>>();
    let given = entries.iter().enumerate().flat_map(|(index, entry)| given(index, entry));
    let given =
        given.filter(|it| values.contains(&*it.value) && !names.is_secret(Place::Field, &it.name));
    let given = given.collect::<Vec<_>>();
    for taken in may_be_cursors {
        let is_it = |it: &&Sent| it.index < taken.index && it.value == taken.value;
        let before = given.iter().find(is_it).filter(|it| {
            let mut known = in_requests.iter().filter(|at| at.index <= it.index);
            !known.any(|at| at.value == taken.value)
        });
        if let Some(before) = before {
            let (place, name) = (taken.place.word(), &taken.name);
            let message = format!(
                "the recording can't be played back: the value of the {place} {name:?} is removed \
                 from request {}, and response {} gives it as the field {:?}; call \
                 `keep_{place}({name:?})` if it is a cursor, or `redact_field({:?})` if it is a \
                 secret",
                taken.index + 1,
                before.index + 1,
                before.name,
                before.name,
            );
            return Err(Error::new(ErrorKind::Configuration, message));
        }
    }
    Ok(())
}

/// The fields of a response.
fn given(index: usize, entry: &Entry) -> Vec<Sent> {
    let mut all = Vec::new();
    if let Outcome::Response { body, .. } = &entry.outcome
        && let Ok(body) = serde_json::from_slice(body)
    {
        let place = Some(Place::Field);
        fields("", &body, &mut |name, value| all.push(Sent { index, place, name, value }));
    }
    all
}

/// Whether no request sent the value as a credential before. Some services repeat it in their
/// links.
fn is_new(taken: &Removed, in_requests: &[&Removed]) -> bool {
    let is_before = |it: &&&Removed| it.index <= taken.index;
    // A header has the name of a scheme before it.
    let is_same = |it: &&Removed| {
        it.value == taken.value || it.value.split(' ').any(|part| part == taken.value)
    };
    !in_requests.iter().filter(is_before).any(is_same)
}

/// Whether requests send several values from responses under this name.
fn changes(later: &Sent, in_responses: &[&Removed], sent: &[Sent]) -> bool {
    let same = sent.iter().filter(|it| it.place == later.place && it.name == later.name);
    let from_responses =
        same.filter(|it| in_responses.iter().any(|at| at.index < it.index && at.value == it.value));
    from_responses.map(|it| &it.value).collect::<BTreeSet<_>>().len() > 1
}

fn sent(index: usize, entry: &Entry) -> Vec<Sent> {
    let mut all = Vec::new();
    let mut add = |place, name: String, value| all.push(Sent { index, place, name, value });
    let (_, path, query) = split(&entry.url);
    for segment in path.split('/') {
        add(None, String::new(), percent_decoded(segment));
    }
    for (name, value) in pairs(query.unwrap_or_default()) {
        add(Some(Place::Query), name, value);
    }
    for (name, value) in &entry.headers {
        add(Some(Place::Header), name.clone(), value.clone());
    }
    let body = entry.body.as_deref().unwrap_or_default();
    let is_form = header(&entry.headers, "content-type").any(|it| it.contains("form-urlencoded"));
    if is_form {
        for (name, value) in pairs(&String::from_utf8_lossy(body)) {
            add(Some(Place::Field), name, value);
        }
    }
    if let Ok(body) = serde_json::from_slice(body) {
        fields("", &body, &mut |name, value| add(Some(Place::Field), name, value));
    }
    all.retain(|it| !it.value.is_empty());
    all
}

fn fields(name: &str, value: &Value, add: &mut impl FnMut(String, String)) {
    match value {
        Value::String(text) => add(name.to_owned(), text.clone()),
        Value::Number(number) => add(name.to_owned(), number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| fields(name, item, add)),
        Value::Object(items) => items.iter().for_each(|(name, item)| fields(name, item, add)),
        Value::Null | Value::Bool(_) => {}
    }
}

fn error(taken: &Removed, later: &Sent, is_credential: bool) -> Error {
    let (place, name) = (taken.place.word(), &taken.name);
    let link = if taken.is_in_link { " of a link" } else { "" };
    let (sent, keep, redact) = match later.place {
        None => ("in its path".to_owned(), String::new(), String::new()),
        Some(place) => {
            let (word, name) = (place.word(), &later.name);
            let is_other = (place, name) != (taken.place, &taken.name);
            let keep = if is_credential && is_other {
                format!(" and `keep_{word}({name:?})`")
            } else {
                String::new()
            };
            let redact =
                if is_credential { String::new() } else { format!("`redact_{word}({name:?})`") };
            (format!("as the {word} {name:?}"), keep, redact)
        }
    };
    let otherwise =
        if redact.is_empty() { redact } else { format!(", or {redact} if it is a secret") };
    let message = format!(
        "the recording can't be played back: the value of the {place} {name:?}{link} is removed \
         from response {}, and request {} sends it {sent}; call `keep_{place}({name:?})`{keep} if \
         it is a cursor{otherwise}",
        taken.index + 1,
        later.index + 1,
    );
    Error::new(ErrorKind::Configuration, message)
}
