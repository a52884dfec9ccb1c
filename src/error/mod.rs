mod identity;
mod kind;
mod message;
mod service_error;

use std::{
    borrow::Cow,
    error::Error as StdError,
    fmt::{self, Debug, Formatter},
    time::Duration,
};

use self::message::{Message, shown};
pub use self::{kind::ErrorKind, service_error::ServiceError};
use crate::checkpoint::Checkpoint;

/// The error type of this crate.
///
/// - What happened: [`kind`](Error::kind) and the methods `is_...`.
/// - Where: [`page`](Error::page), [`cursor`](Error::cursor), [`ids`](Error::ids).
/// - What the service wrote: [`status`](Error::status),
///   [`service_error`](Error::service_error).
/// - How to go on: [`is_partial`](Error::is_partial),
///   [`checkpoint`](Error::checkpoint).
///
/// Its `Display` has no line break. It does not repeat the text of its
/// [`source`](StdError::source).
///
/// A paginator of your own makes an error with [`Error::new`], or from an error of its own with
/// [`Error::other`].
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
#[error("{}", Message(self))]
#[expect(clippy::struct_excessive_bools, reason = "an error is any mix of these")]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
    retryable: Option<bool>,
    throttled: bool,
    may_be_partial: bool,
    /// Whether it is about the secret, and so about no page.
    of_credentials: bool,
    partial: bool,
    status: Option<u16>,
    service_error: ServiceError,
    retry_after: Option<Duration>,
    attempts: u32,
    /// Why the request is not made again, where a bound says so.
    bound: Option<&'static str>,
    ids: Vec<String>,
    page: Option<u64>,
    cursor: Option<String>,
    checkpoint: Option<Checkpoint>,
}

/// The statuses of errors that pass. From 520 on they are those of proxies.
const RETRIED: [u16; 19] =
    [408, 423, 477, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524, 525, 527, 529, 530, 598, 599];

impl Inner {
    fn is_retryable(&self) -> bool {
        self.retryable.unwrap_or_else(|| match self.kind {
            _ if self.is_throttled() => true,
            ErrorKind::Transport | ErrorKind::Timeout => true,
            ErrorKind::Status => self.status.is_some_and(|status| RETRIED.contains(&status)),
            _ => false,
        })
    }

    fn is_throttled(&self) -> bool {
        self.throttled || self.status == Some(429)
    }

    fn is_expired(&self) -> bool {
        self.kind == ErrorKind::Expired || (self.status == Some(410) && !self.of_credentials)
    }
}

impl Error {
    /// An error of a kind, with a message that says what is wrong.
    ///
    /// Write the message as one sentence without a full stop. `Display` adds the page,
    /// the cursor and how to go on.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            source: None,
            retryable: None,
            throttled: false,
            may_be_partial: false,
            of_credentials: false,
            partial: false,
            status: None,
            service_error: ServiceError::default(),
            retry_after: None,
            attempts: 0,
            bound: None,
            ids: Vec::new(),
            page: None,
            cursor: None,
            checkpoint: None,
        }))
    }

    /// An error of your own type. [`Error::downcast_ref`] returns it.
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

    /// Says that the service asks for fewer requests, whatever its status: some services write it
    /// into a 200. The error is retryable then, unless [`with_retryable`](Error::with_retryable)
    /// says that it is not.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Other, "the quota of this minute is used up")
    ///     .with_throttled()
    ///     .with_retry_after(Duration::from_secs(20));
    /// assert!(error.is_throttled() && error.is_retryable());
    /// ```
    #[must_use]
    pub fn with_throttled(mut self) -> Self {
        self.0.throttled = true;
        self
    }

    /// Says that the service refuses a whole request, perhaps because of one of its units, such as
    /// an id that does not exist, and that it does not say which. Then the stream splits the
    /// request until that unit is alone, by [`Paginator::pack`](crate::Paginator::pack). The
    /// error concerns this unit alone, and the others are read. If the service refuses 25 requests
    /// in a row, the error is fatal.
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Status, "an id is malformed").with_status(400);
    /// assert!(error.with_may_be_partial().may_be_partial());
    /// ```
    #[must_use]
    pub fn with_may_be_partial(mut self) -> Self {
        self.0.may_be_partial = true;
        self
    }

    /// Adds the HTTP status that the service answered with.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds what the service wrote about the error.
    #[must_use]
    pub fn with_service_error(mut self, service_error: ServiceError) -> Self {
        self.0.service_error = service_error;
        self
    }

    /// Adds how long the service asks to wait. [`retry_after`](crate::retry_after) reads
    /// it from the headers of a response.
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

    /// Sets whether the same request may succeed later, whatever the kind and the status
    /// suggest.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = Some(retryable);
        self
    }

    /// The same error for another reader, with the text of its source.
    #[cfg(feature = "rest")]
    pub(crate) fn without_source(&self) -> Self {
        let Inner { kind, message, retryable, throttled, partial, status, attempts, .. } = &*self.0;
        Self(Box::new(Inner {
            kind: *kind,
            message: message.clone(),
            source: self.0.source.as_ref().map(|source| source.to_string().into()),
            retryable: *retryable,
            throttled: *throttled,
            may_be_partial: self.0.may_be_partial,
            of_credentials: self.0.of_credentials,
            partial: *partial,
            status: *status,
            service_error: self.0.service_error.clone(),
            retry_after: self.0.retry_after,
            attempts: *attempts,
            bound: self.0.bound,
            ids: self.0.ids.clone(),
            page: self.0.page,
            cursor: self.0.cursor.clone(),
            checkpoint: self.0.checkpoint.clone(),
        }))
    }

    /// The same error with other texts, each made from one of its own. The source becomes a
    /// text where its own changes.
    pub(crate) fn map_texts(mut self, map: impl Fn(&str) -> String) -> Self {
        let inner = &mut *self.0;
        inner.message = map(&inner.message).into();
        inner.cursor = inner.cursor.as_deref().map(&map);
        for id in &mut inner.ids {
            *id = map(id);
        }
        let ServiceError { category, sub_category, message, correlation_id } =
            &mut inner.service_error;
        for text in [category, sub_category, message, correlation_id] {
            *text = text.as_deref().map(&map);
        }
        if let Some(source) = &inner.source {
            // Its `Debug` may show more than its `Display`.
            let texts = source_texts(&**source);
            let mapped = texts.iter().map(|text| map(text));
            if !mapped.clone().eq(texts.iter().cloned()) {
                inner.source = Some(mapped.step_by(2).collect::<Vec<_>>().join(": ").into());
            }
        }
        self
    }

    /// Says that there is no secret, whatever the status: it is not the page's.
    #[cfg(feature = "rest")]
    pub(crate) fn of_credentials(mut self) -> Self {
        self.0.of_credentials = true;
        self
    }

    pub(crate) fn is_of_credentials(&self) -> bool {
        self.0.of_credentials
    }

    /// The same error with a message that begins with what failed.
    #[cfg(feature = "rest")]
    pub(crate) fn in_context(mut self, what: &str) -> Self {
        self.0.message = format!("{what}: {}", self.0.message).into();
        self
    }

    /// Changes the kind to [`ErrorKind::Expired`].
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

    /// Adds the bound that keeps the request from being made again.
    pub(crate) fn with_bound(mut self, bound: Option<&'static str>) -> Self {
        self.0.bound = bound;
        self
    }

    pub(crate) fn with_checkpoint(mut self, checkpoint: Option<Checkpoint>) -> Self {
        self.0.checkpoint = checkpoint;
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same request may succeed later. A stream then retries it by itself
    /// ([`Retry`](crate::Retry)).
    ///
    /// True for [`ErrorKind::Transport`], for [`ErrorKind::Timeout`], for what is
    /// [throttled](Error::is_throttled), and for the statuses that [`Retry`](crate::Retry) lists.
    /// A paginator may [set it](Error::with_retryable) to something else.
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
        self.0.is_retryable()
    }

    /// Whether the error is about some ids or one record of a page only. The stream goes on after
    /// such an error. Any other error is the last item of the stream.
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind, Page};
    ///
    /// let rejected = Error::new(ErrorKind::Rejected, "no access to object 7").with_ids(["7"]);
    /// assert!(!rejected.is_partial());
    /// let page = Page::<(), u64>::last(vec![]).with_failure(None, rejected);
    /// assert!(page.failures().all(|failure| failure.is_partial()));
    /// ```
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.0.partial
    }

    /// Whether the whole request may have failed because of one of its units:
    /// [`with_may_be_partial`](Error::with_may_be_partial).
    #[must_use]
    pub fn may_be_partial(&self) -> bool {
        self.0.may_be_partial
    }

    /// Whether the service contradicts itself, or its cursors form a cycle. A retry does
    /// not help. The maker of the service has to correct it.
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

    /// Whether a smaller page may succeed: true for [`ErrorKind::TooLarge`] and the
    /// status 413.
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

    /// Whether it took too long: true for [`ErrorKind::Timeout`] and the statuses 408, 504
    /// and 524. If a retry takes too long too, a smaller page may succeed.
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

    /// Whether the service asks for fewer requests, or for patience: the status 429, and what
    /// [`with_throttled`](Error::with_throttled) says. The stream then holds back all of its
    /// requests, and waits up to [`Retry::max_throttled`](crate::Retry::max_throttled).
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Status, "too many requests").with_status(429);
    /// assert!(error.is_throttled());
    /// ```
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.0.is_throttled()
    }

    /// Whether the service no longer knows the cursor: true for [`ErrorKind::Expired`] and
    /// the status 410. Only a reading from the start can succeed.
    ///
    /// ```
    /// use pagestream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Expired, "the cursor is an hour old").with_status(410);
    /// assert!(error.is_expired() && !error.is_retryable());
    /// ```
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.0.is_expired()
    }

    /// Whether it is a checkpoint mismatch: true for [`ErrorKind::Checkpoint`].
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

    /// What the service wrote about the error, without secrets. It is empty if the service
    /// wrote nothing.
    #[must_use]
    pub fn service_error(&self) -> &ServiceError {
        &self.0.service_error
    }

    /// How long the service asks to wait, counted from its response.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How often the page was requested. 0 if the error is not from a stream.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The ids that this error is about. Empty if it is about no id, or about all.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.0.ids
    }

    /// The page at which it happened, counted from 1 over the whole reading.
    #[must_use]
    pub fn page(&self) -> Option<u64> {
        self.0.page
    }

    /// The cursor at which it happened, as JSON.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.0.cursor.as_deref()
    }

    /// Where to resume. A fatal error of a stream has it, if the paginator has an
    /// [identity](crate::Paginator::identity).
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
        if inner.service_error != ServiceError::default() {
            debug.field("service_error", &inner.service_error);
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

/// The `Display` and the `Debug` of an error and of its sources.
fn source_texts(error: &(dyn StdError + 'static)) -> Vec<String> {
    let mut texts = Vec::new();
    let mut source = Some(error);
    while let Some(error) = source {
        texts.extend([error.to_string(), format!("{error:?}")]);
        source = error.source();
    }
    texts
}
