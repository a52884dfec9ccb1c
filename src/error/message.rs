use std::{
    borrow::Cow,
    fmt::{self, Display, Formatter},
};

use super::{ErrorKind, Inner};

/// How many bytes of a cursor a message shows.
const SHOWN_CURSOR: usize = 120;

/// The text of an error: what, where, and how to go on.
pub(super) struct Message<'a>(pub(super) &'a Inner);

impl Display for Message<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let inner = self.0;
        f.write_str(&inner.message)?;
        if let Some(status) = inner.status {
            write!(f, " (status {status})")?;
        }
        if inner.attempts > 1 {
            write!(f, ", {} times", inner.attempts)?;
        }
        match (inner.page, &inner.cursor) {
            (Some(page), Some(cursor)) => write!(f, ", at page {page}, cursor {}", shown(cursor))?,
            (Some(page), None) => write!(f, ", at page {page}")?,
            (None, _) => {}
        }
        if let Some(delay) = inner.retry_after {
            write!(f, "; the service asks to wait {} s", delay.as_secs_f64().ceil())?;
        }
        if let Some(bound) = inner.bound {
            write!(f, "; {bound}")?;
        }
        if inner.partial {
            f.write_str("; the stream goes on with the rest")?;
        } else if inner.checkpoint.is_some() {
            write!(f, "; {}", advice(inner))?;
        }
        Ok(())
    }
}

/// How to go on after an error that has a checkpoint. Only some errors pass by themselves.
fn advice(inner: &Inner) -> &'static str {
    if inner.is_expired() {
        return "the checkpoint of this error leads to the same cursor, so read from the start, or \
                choose `restarts` if the records have keys";
    }
    if inner.is_retryable() {
        return PASSES;
    }
    let of_credentials = inner.of_credentials;
    match (inner.kind, inner.status) {
        (ErrorKind::Status | ErrorKind::Decode | ErrorKind::TooLarge, _) if of_credentials => RENEW,
        (ErrorKind::TooLarge, _) | (_, Some(413)) => {
            "ask for smaller pages or allow larger ones, then resume from the checkpoint of this \
             error"
        }
        (_, Some(401)) => RENEW,
        (_, Some(403)) => {
            "give the credentials the permission that they lack, then resume from the checkpoint \
             of this error"
        }
        (ErrorKind::Status, Some(300..=428 | 430..=499)) => {
            "the same request gives the same: correct it, then resume from the checkpoint of this \
             error"
        }
        (ErrorKind::Decode, _) => {
            "correct the type of the records or the service, then resume from the checkpoint of \
             this error"
        }
        (ErrorKind::Contradiction, _) => {
            "when the service is corrected, resume from the checkpoint of this error"
        }
        (ErrorKind::Loop, _) => {
            "resume from the checkpoint of this error with an option that allows it, or read from \
             the start when the service is corrected"
        }
        (ErrorKind::Configuration, _) => {
            "when that is corrected, resume from the checkpoint of this error"
        }
        (ErrorKind::Contract, _) => {
            "when the paginator is corrected, resume from the checkpoint of this error"
        }
        _ => PASSES,
    }
}

const RENEW: &str = "renew the credentials, then resume from the checkpoint of this error";

const PASSES: &str = "to go on from here, resume from the checkpoint of this error";

/// The beginning of a cursor, cut where a character ends.
pub(super) fn shown(cursor: &str) -> Cow<'_, str> {
    if cursor.len() <= SHOWN_CURSOR {
        return Cow::Borrowed(cursor);
    }
    let end = (0..=SHOWN_CURSOR).rev().find(|&end| cursor.is_char_boundary(end)).unwrap_or(0);
    Cow::Owned(format!("{}… ({} bytes)", &cursor[..end], cursor.len()))
}
