use std::time::Duration;

use crate::error::Error;

/// Tells the log that a page is asked for again. A subscriber is the code of a user, so
/// nothing is locked meanwhile.
#[cfg(feature = "tracing")]
pub(super) fn report_retry(error: &Error, delay: Duration, smaller: bool) {
    tracing::warn!(
        %error,
        kind = ?error.kind(),
        status = error.status(),
        delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        smaller,
        "a page failed and is asked for again"
    );
}

/// Tells the log that a cursor has expired and the list is read anew.
#[cfg(feature = "tracing")]
pub(super) fn report_restart(error: &Error) {
    tracing::warn!(%error, "a cursor has expired and the list is read anew");
}

#[cfg(not(feature = "tracing"))]
pub(super) fn report_restart(_: &Error) {}

#[cfg(not(feature = "tracing"))]
pub(super) fn report_retry(_: &Error, _: Duration, _: bool) {}
