use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
    time::Duration,
};

use crate::error::Error;

/// When and how often a page that failed is asked for again.
///
/// A stream does this by itself, with these defaults. The records do not show it. An attempt is the
/// whole page: the request, the response and its decoding. It is made again with the same cursor.
///
/// ```
/// use std::time::Duration;
/// use pagestream::{Page, PaginatorExt, Retry, from_fn};
///
/// # let service = from_fn(0, |_: u64| async { Ok(Page::<u64, _>::last(vec![])) });
/// let patient = Retry::default().max_attempts(20).max_total(Duration::from_secs(3600));
/// let records = service.read().retry(patient).records();
/// ```
///
/// # What is retried
///
/// By default, what [`Error::is_retryable`] says: failed connections, broken and truncated
/// responses, timeouts, and these statuses. [`when`](Retry::when) changes that for a stream, and
/// [`Error::with_retryable`] for a paginator of your own.
///
/// | status | what it means |
/// |---|---|
/// | 408, 423, 477, 500, 502, 503, 504, 509 | it may pass: retried |
/// | 520, 521, 522, 523, 524, 525, 527, 529, 530, 598, 599 | a proxy did not get through: retried |
/// | 429 | throttled |
/// | 403, 420 with `Retry-After`, or with a limit that has no requests left | throttled |
/// | 202 with `Retry-After`, or without content | not ready: throttled |
/// | 413 | too large: asked for in halves |
/// | all others | an error at once |
///
/// # When
///
/// If the service says how long to wait ([`Error::retry_after`]), the retry comes after that time.
/// Otherwise it comes after a random part of a delay, which doubles each time. So clients that failed
/// together do not come back together. If a success has a `Retry-After`, the next request waits.
///
/// # Throttling
///
/// If a service asks for fewer requests, all requests of the stream wait, and not only the one that
/// got the answer. That is no failure: it costs neither attempts nor the budget. Its bound is
/// [`max_throttled`](Retry::max_throttled). How long to wait is read from the first of these
/// headers that is there. If several limits have no requests left, the longest wait counts.
///
/// | header | example |
/// |---|---|
/// | `Retry-After` | `3`, `1.5`, `Wed, 21 Oct 2026 07:28:30 GMT` |
/// | `retry-after-ms` | `700` |
/// | `RateLimit` | `"burst";r=0;t=30` or `limit=100, remaining=0, reset=30` |
/// | `RateLimit-Reset`, `x-ratelimit-reset`, `x-rate-limit-reset` | `5`, or a time: `1767225600` |
/// | `x-ratelimit-reset-after` | `0.4` |
///
/// # Smaller pages
///
/// A page is asked for in halves if it is [too large](Error::is_too_large), if it takes too long
/// twice, or if a gateway fails twice (502, 503). The paginator must
/// [be able](crate::Paginator::pack) to do that. The halves go down to a single record or id. The
/// size grows again when all goes well. A page that a resumed stream reads again can only be
/// divided into its units, such as the ids of a batch.
///
/// A request that may be refused [because of one unit](Error::may_be_partial) is split until
/// that unit is alone, and fails alone.
#[derive(Clone)]
#[must_use = "give it to `Read::retry`"]
pub struct Retry {
    pub(crate) max_attempts: u32,
    pub(crate) first_delay: Duration,
    pub(crate) max_delay: Duration,
    pub(crate) max_total: Duration,
    pub(crate) max_retry_after: Duration,
    pub(crate) max_throttled: Duration,
    /// How long a request waits at least that is throttled again, whatever the service says.
    pub(crate) shortest_throttled: Duration,
    pub(crate) budget: u32,
    pub(crate) seed: Option<u64>,
    pub(crate) when: Arc<dyn Fn(&Error) -> bool + Send + Sync>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: 8,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            max_total: Duration::from_secs(5 * 60),
            max_retry_after: Duration::from_secs(2 * 60),
            max_throttled: Duration::from_secs(60 * 60),
            shortest_throttled: Duration::from_millis(100),
            budget: 100,
            seed: None,
            when: Arc::new(Error::is_retryable),
        }
    }
}

impl Retry {
    /// No retry, and no smaller pages: the first error is delivered.
    pub fn never() -> Self {
        Self::default().max_attempts(1)
    }

    /// How often one page is asked for, the first time among them: 8 by default;
    /// 0 is taken as 1.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The delay before the second attempt at most: 500 ms by default. It doubles
    /// with each further one.
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay;
        self
    }

    /// How long the delay may become: 30 s by default.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// How long after its first failure a page may be asked for again: 5 min by
    /// default. The time counts only while somebody waits for the stream.
    pub fn max_total(mut self, duration: Duration) -> Self {
        self.max_total = duration;
        self
    }

    /// How long the service may ask to wait: 2 min by default. If it asks for
    /// more, the error is delivered at once, and says so
    /// ([`Error::retry_after`]).
    pub fn max_retry_after(mut self, delay: Duration) -> Self {
        self.max_retry_after = delay;
        self
    }

    /// How long the stream may wait in a row for a service that asks for fewer requests
    /// ([`Error::is_throttled`]), without a page coming through: 1 h by default. Such waits
    /// cost neither attempts nor the budget.
    pub fn max_throttled(mut self, duration: Duration) -> Self {
        self.max_throttled = duration;
        self
    }

    /// How many retries the whole stream may make: 100 by default. Ten pages that
    /// come through give one back, so a long reading of a service that
    /// stumbles now and then goes on, and one that is broken is left alone.
    pub fn budget(mut self, retries: u32) -> Self {
        self.budget = retries;
        self
    }

    /// Which errors are retried: [`Error::is_retryable`] by default.
    ///
    /// ```
    /// use pagestream::{Error, Retry};
    ///
    /// let also_conflicts =
    ///     Retry::default().when(|error| error.is_retryable() || error.status() == Some(409));
    /// ```
    pub fn when(mut self, retries: impl Fn(&Error) -> bool + Send + Sync + 'static) -> Self {
        self.when = Arc::new(retries);
        self
    }

    /// Draws the delays from a seed, so that a test can repeat them. By default
    /// they are different each time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

impl Debug for Retry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("max_attempts", &self.max_attempts)
            .field("first_delay", &self.first_delay)
            .field("max_delay", &self.max_delay)
            .field("max_total", &self.max_total)
            .field("max_retry_after", &self.max_retry_after)
            .field("max_throttled", &self.max_throttled)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}
