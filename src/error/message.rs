use std::{
    borrow::Cow,
    fmt::{self, Display, Formatter},
};

use super::Inner;

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
        if inner.partial {
            f.write_str("; the stream goes on with the other ids")?;
        } else if inner.checkpoint.is_some() {
            f.write_str("; to go on from here, resume from the checkpoint of this error")?;
        }
        Ok(())
    }
}

/// The beginning of a cursor, cut where a character ends.
pub(super) fn shown(cursor: &str) -> Cow<'_, str> {
    if cursor.len() <= SHOWN_CURSOR {
        return Cow::Borrowed(cursor);
    }
    let end = (0..=SHOWN_CURSOR).rev().find(|&end| cursor.is_char_boundary(end)).unwrap_or(0);
    Cow::Owned(format!("{}… ({} bytes)", &cursor[..end], cursor.len()))
}
