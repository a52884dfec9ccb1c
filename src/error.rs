use std::{
    borrow::Cow,
    error::Error as StdError,
    fmt::{self, Debug, Display, Formatter},
    time::Duration,
};

use crate::checkpoint::Checkpoint;

/// What a cursor shows of itself in a message, in bytes at most.
const SHOWN_CURSOR: usize = 120;

/// The one error of this crate.
///
/// It says what happened ([`kind`](Error::kind) and the predicates), where
/// ([`page`](Error::page), [`cursor`](Error::cursor), [`ids`](Error::ids)), and
/// how to go on ([`is_partial`](Error::is_partial),
/// [`checkpoint`](Error::checkpoint)). Its `Display` is one line that does not
/// repeat the text of its [`source`](StdError::source).
///
/// A paginator of your own makes one with [`Error::new`] or puts its own error
/// inside with [`Error::other`].
///
/// ```
/// use pagestream::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Contradiction, "there is more, but no cursor to it");
/// assert_eq!(error.kind(), ErrorKind::Contradiction);
/// assert!(!error.is_retryable());
/// ```
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

#[derive(Debug, thiserror::Error)]
#[error("{}", Line(self))]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
    retryable: Option<bool>,
    partial: bool,
    status: Option<u16>,
    said: ServiceError,
    retry_after: Option<Duration>,
    attempts: u32,
    ids: Vec<String>,
    page: Option<u64>,
    cursor: Option<String>,
    checkpoint: Option<Checkpoint>,
}

/// What sort of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request or the response did not come through.
    Transport,
    /// The service took too long.
    Timeout,
    /// The page is too large: for the service, or for the bound on a body.
    TooLarge,
    /// The service answered with a status that is no success.
    Status,
    /// The service no longer knows the cursor.
    Expired,
    /// The body is not what the service documents.
    Decode,
    /// The service contradicts itself.
    Contradiction,
    /// The service leads in a circle.
    Loop,
    /// The service refused some ids of a batch.
    Rejected,
    /// A page that a resumed reading read again holds fewer records than it did.
    Changed,
    /// A checkpoint that this reading can't resume from.
    Checkpoint,
    /// A builder was given something that can't work.
    Configuration,
    /// A paginator broke the [contract](crate::Paginator#contract).
    Contract,
    /// An error of the paginator's own.
    Other,
}

/// What a service said about an error, in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The sort of error: HubSpot's `category` or `errorType`, such as
    /// `VALIDATION_ERROR`; Alloy's `error` or `error.code`.
    pub category: Option<String>,
    /// The sort within the sort: HubSpot's `subCategory` or `policyName`, such as
    /// `TEN_SECONDLY_ROLLING`.
    pub sub_category: Option<String>,
    /// The message, up to 500 characters.
    pub message: Option<String>,
    /// What the service's support asks for: HubSpot's `correlationId`.
    pub correlation_id: Option<String>,
}

impl Error {
    /// An error of a kind, with a message that says what is wrong.
    ///
    /// Write the message in one sentence without a full stop; the page, the
    /// cursor and the way to go on are added to it.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            source: None,
            retryable: None,
            partial: false,
            status: None,
            said: ServiceError::default(),
            retry_after: None,
            attempts: 0,
            ids: Vec::new(),
            page: None,
            cursor: None,
            checkpoint: None,
        }))
    }

    /// An error of the paginator's own, which [`Error::downcast_ref`] gives back.
    ///
    /// ```
    /// # #[derive(Debug)] struct QuotaUsedUp;
    /// # impl std::fmt::Display for QuotaUsedUp {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("quota") }
    /// # }
    /// # impl std::error::Error for QuotaUsedUp {}
    /// use pagestream::Error;
    ///
    /// let error = Error::other(QuotaUsedUp);
    /// assert!(error.downcast_ref::<QuotaUsedUp>().is_some());
    /// ```
    #[must_use]
    pub fn other(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Other, "the paginator failed").with_source(source)
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds the HTTP status that the service answered with.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds what the service said.
    #[must_use]
    pub fn with_service_error(mut self, said: ServiceError) -> Self {
        self.0.said = said;
        self
    }

    /// Adds how long the service asks to wait: [`retry_after`](crate::retry_after)
    /// reads it from the headers of a response.
    #[must_use]
    pub fn with_retry_after(mut self, delay: impl Into<Option<Duration>>) -> Self {
        self.0.retry_after = delay.into();
        self
    }

    /// Adds the ids that this error is about.
    #[must_use]
    pub fn with_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.ids = ids.into_iter().map(Into::into).collect();
        self
    }

    /// Says whether the same request may succeed later, against what the kind
    /// and the status suggest.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = Some(retryable);
        self
    }

    /// Says that the service no longer knows the cursor.
    #[cfg(feature = "hubspot")]
    pub(crate) fn expired(mut self) -> Self {
        self.0.kind = ErrorKind::Expired;
        self
    }

    pub(crate) fn partial(mut self) -> Self {
        self.0.partial = true;
        self
    }

    pub(crate) fn at(mut self, page: u64, cursor: Option<String>) -> Self {
        self.0.page = Some(page);
        self.0.cursor = cursor;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_checkpoint(mut self, checkpoint: Option<Checkpoint>) -> Self {
        self.0.checkpoint = checkpoint;
        self
    }

    /// What sort of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same request may succeed if it is made again later: true for
    /// [`ErrorKind::Transport`], [`ErrorKind::Timeout`] and the statuses 408, 423,
    /// 429, 477, 500, 502, 503, 504, 521 and 524, unless the paginator said
    /// otherwise. A stream makes it again by itself ([`Retry`](crate::Retry)).
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let busy = Error::new(ErrorKind::Status, "the service is busy").with_status(503);
    /// assert!(busy.is_retryable());
    /// let unknown = Error::new(ErrorKind::Status, "no such object type").with_status(404);
    /// assert!(!unknown.is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable.unwrap_or(match self.0.kind {
            ErrorKind::Transport | ErrorKind::Timeout => true,
            ErrorKind::Status => matches!(
                self.0.status,
                Some(408 | 423 | 429 | 477 | 500 | 502 | 503 | 504 | 521 | 524)
            ),
            _ => false,
        })
    }

    /// Whether only some ids of a page are concerned, so that the stream goes
    /// on after this error. All other errors are the stream's last item.
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind, Page};
    ///
    /// let refusal = Error::new(ErrorKind::Rejected, "no access to object 7").with_ids(["7"]);
    /// assert!(!refusal.is_partial());
    /// let page = Page::<(), u64>::last(vec![]).with_failure(None, refusal);
    /// assert!(page.failures().all(|failure| failure.is_partial()));
    /// ```
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.0.partial
    }

    /// Whether the service contradicts itself or leads in a circle: asking
    /// again will not help, its maker has to.
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Loop, "the offset does not advance");
    /// assert!(error.is_service_fault());
    /// ```
    #[must_use]
    pub fn is_service_fault(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Contradiction | ErrorKind::Loop)
    }

    /// Whether a smaller page may succeed where this one failed: true for
    /// [`ErrorKind::TooLarge`] and the status 413.
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Status, "the page is too large").with_status(413);
    /// assert!(error.is_too_large() && !error.is_retryable());
    /// ```
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.0.kind == ErrorKind::TooLarge || self.0.status == Some(413)
    }

    /// Whether it took too long: true for [`ErrorKind::Timeout`] and the statuses
    /// 408, 504 and 524. Where it happens again, a smaller page may succeed.
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Status, "the gateway gave up").with_status(504);
    /// assert!(error.is_timeout());
    /// ```
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout || matches!(self.0.status, Some(408 | 504 | 524))
    }

    /// Whether the service asks for fewer requests: the status 429.
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Status, "too many requests").with_status(429);
    /// assert!(error.is_rate_limited());
    /// ```
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.0.status == Some(429)
    }

    /// Whether the service no longer knows the cursor, so that only a reading
    /// from the start can succeed: true for [`ErrorKind::Expired`] and the status
    /// 410.
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Expired, "the cursor is an hour old").with_status(410);
    /// assert!(error.is_expired() && !error.is_retryable());
    /// ```
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.0.kind == ErrorKind::Expired || self.0.status == Some(410)
    }

    /// Whether a checkpoint was refused.
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Checkpoint, "it is from another paginator");
    /// assert!(error.is_checkpoint());
    /// ```
    #[must_use]
    pub fn is_checkpoint(&self) -> bool {
        self.0.kind == ErrorKind::Checkpoint
    }

    /// The HTTP status that the service answered with.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// What the service said, in its own words and without secrets.
    #[must_use]
    pub fn service_error(&self) -> &ServiceError {
        &self.0.said
    }

    /// How long the service asks to wait, counted from its answer.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How often the page was asked for; 0 where no stream did.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The ids that this error is about; empty where it is about none, or all.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.0.ids
    }

    /// The page it happened at, counted from 1 over the whole reading.
    #[must_use]
    pub fn page(&self) -> Option<u64> {
        self.0.page
    }

    /// The cursor it happened at, as JSON.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.0.cursor.as_deref()
    }

    /// Where to resume: a fatal error of a stream carries it.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.0.checkpoint.as_ref()
    }

    /// The first error of type `T` among the sources.
    #[must_use]
    pub fn downcast_ref<T: StdError + 'static>(&self) -> Option<&T> {
        let mut source = self.source();
        while let Some(error) = source {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            source = error.source();
        }
        None
    }
}

impl Debug for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &inner.kind).field("message", &inner.message);
        if let Some(status) = &inner.status {
            debug.field("status", status);
        }
        if inner.said != ServiceError::default() {
            debug.field("said", &inner.said);
        }
        if let Some(retry_after) = &inner.retry_after {
            debug.field("retry_after", retry_after);
        }
        if inner.attempts > 0 {
            debug.field("attempts", &inner.attempts);
        }
        if !inner.ids.is_empty() {
            debug.field("ids", &inner.ids);
        }
        if let Some(page) = &inner.page {
            debug.field("page", page);
        }
        if let Some(cursor) = &inner.cursor {
            debug.field("cursor", &shown(cursor));
        }
        if let Some(source) = &inner.source {
            debug.field("source", source);
        }
        debug.finish_non_exhaustive()
    }
}

/// The one line of a message: what, where, and how to go on.
struct Line<'a>(&'a Inner);

impl Display for Line<'_> {
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
fn shown(cursor: &str) -> Cow<'_, str> {
    if cursor.len() <= SHOWN_CURSOR {
        return Cow::Borrowed(cursor);
    }
    let end = (0..=SHOWN_CURSOR).rev().find(|&end| cursor.is_char_boundary(end)).unwrap_or(0);
    Cow::Owned(format!("{}… ({} bytes)", &cursor[..end], cursor.len()))
}
