use std::time::{Duration, Instant};

use super::isolation::SplitId;
use crate::{error::Error, retry::Retry};

/// What a retry costs. A page that comes gives back one.
const RETRY_COST: u32 = 10;

/// When a request that failed is made again: the policy, the budget, and the pause of all
/// requests while the service asks for fewer, which has an account of its own.
#[derive(Debug)]
pub(super) struct Retrying {
    policy: Retry,
    budget: u32,
    full_budget: u32,
    random: fastrand::Rng,
    /// Until when nothing is sent, since the service asked for fewer requests.
    paused_until: Option<Instant>,
    /// Whether an answer that brought a page asked for the pause.
    is_pause_asked: bool,
    /// Since when the service asks for fewer requests and no page came.
    throttled_since: Option<Moment>,
    /// How long nobody waited for the stream, while a request had failed.
    busy: Duration,
    /// Whether a request has failed, and no page came since.
    has_failed: bool,
}

/// A moment, and how long nobody had waited for the stream until then.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Instant,
    busy: Duration,
}

/// What an error says about making the request again.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "an error is any mix of these")]
pub(crate) struct FailedAttempt {
    is_retryable: bool,
    is_throttled: bool,
    is_timeout: bool,
    is_gateway: bool,
    is_too_large: bool,
    may_be_partial: bool,
    is_of_credentials: bool,
    retry_after: Option<Duration>,
}

/// The failed attempts of one request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failures {
    attempts: u32,
    /// The attempts that the service answered by asking for fewer requests.
    throttled: u32,
    timeouts: u32,
    /// The attempts that a gateway gave up.
    gateway: u32,
    first: Option<Moment>,
    /// The split that the request is a part of.
    pub(super) part_of: Option<SplitId>,
    /// Whether it is one unit, which fails alone.
    pub(super) fails_alone: bool,
}

/// Why a request is not made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GaveUp {
    /// To make it again would not help, or nobody wants it.
    InVain,
    Attempts,
    Total,
    Budget,
    Throttled,
    RetryAfter,
}

impl GaveUp {
    /// The bound that was hit, as a message says it.
    pub(crate) fn bound(self) -> Option<&'static str> {
        Some(match self {
            Self::InVain => return None,
            Self::Attempts => "that was the last attempt (`Retry::max_attempts`)",
            Self::Total => "the time for one page is over (`Retry::max_total`)",
            Self::Budget => "the retries of the stream are used up (`Retry::budget`)",
            Self::Throttled => "it has waited as long as it may (`Retry::max_throttled`)",
            Self::RetryAfter => "that is longer than it may wait (`Retry::max_retry_after`)",
        })
    }
}

impl FailedAttempt {
    /// Asks the policy about an error, which is the code of a user.
    pub(crate) fn new(error: &Error, policy: &Retry) -> Self {
        // A page that was not asked for is not too large.
        let is_of_page = !error.is_of_credentials();
        Self {
            is_retryable: (policy.when)(error),
            is_throttled: error.is_throttled(),
            is_timeout: is_of_page && error.is_timeout(),
            is_gateway: is_of_page && matches!(error.status(), Some(502 | 503)),
            is_too_large: is_of_page && error.is_too_large(),
            may_be_partial: is_of_page && error.may_be_partial(),
            is_of_credentials: !is_of_page,
            retry_after: error.retry_after(),
        }
    }

    /// The same where a page that was lost can't be asked for again. A service that had too
    /// many requests gave none, nor did one that got no secret.
    pub(crate) fn of_stateful_cursor(self) -> Self {
        if self.is_throttled || self.is_of_credentials {
            return self;
        }
        Self {
            is_retryable: false,
            is_timeout: false,
            is_gateway: false,
            is_too_large: false,
            may_be_partial: false,
            ..self
        }
    }

    pub(super) fn is_throttled(&self) -> bool {
        self.is_throttled
    }
}

impl Failures {
    /// Whether a request was given up because the service can't build what it asks for.
    pub(super) fn are_of_unreadable(&self, attempt: &FailedAttempt, why: GaveUp) -> bool {
        let is_each = self.timeouts + self.gateway == self.attempts;
        attempt.is_too_large || (why == GaveUp::Attempts && is_each)
    }

    /// How often the request was made.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts + self.throttled
    }

    /// The failures of a part of the request: it begins anew, but for the time.
    pub(super) fn of_part(self) -> Self {
        Self { first: self.first, part_of: self.part_of, ..Self::default() }
    }
}

impl Retrying {
    pub(super) fn new(policy: Retry) -> Self {
        let budget = policy.budget.saturating_mul(RETRY_COST);
        Self {
            budget,
            full_budget: budget,
            random: policy.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
            policy,
            paused_until: None,
            is_pause_asked: false,
            throttled_since: None,
            busy: Duration::ZERO,
            has_failed: false,
        }
    }

    pub(super) fn paused_until(&self) -> Option<Instant> {
        self.paused_until
    }

    /// Whether the pause was asked for by an answer that brought a page.
    pub(super) fn is_pause_asked(&self) -> bool {
        self.is_pause_asked
    }

    /// Whether time is counted, for a request that failed.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Nobody waited for the stream for so long.
    pub(super) fn consumer_was_busy(&mut self, duration: Duration) {
        self.busy = self.busy.saturating_add(duration);
    }

    fn moment(&self, at: Instant) -> Moment {
        Moment { at, busy: self.busy }
    }

    /// How long somebody will have waited until then.
    fn waited(&self, since: Moment, until: Instant) -> Duration {
        let busy = self.busy.saturating_sub(since.busy);
        until.saturating_duration_since(since.at).saturating_sub(busy)
    }

    /// Whether nothing may be sent now.
    #[inline]
    pub(super) fn is_paused(&mut self, now: impl Fn() -> Instant) -> bool {
        let Some(until) = self.paused_until else { return false };
        let is_paused = now() < until;
        if !is_paused {
            self.paused_until = None;
        }
        is_paused
    }

    /// Sends nothing until then.
    pub(super) fn pause_until(&mut self, until: Instant) {
        if self.paused_until < Some(until) {
            self.paused_until = Some(until);
            self.is_pause_asked = true;
        }
    }

    /// Counts an attempt that failed. One that the service answered by asking for fewer
    /// requests costs nothing but the time.
    pub(super) fn add(&mut self, failures: &mut Failures, attempt: &FailedAttempt, now: Instant) {
        self.has_failed = true;
        if attempt.is_throttled && attempt.is_retryable {
            failures.throttled += 1;
            return;
        }
        failures.attempts += 1;
        failures.timeouts += u32::from(attempt.is_timeout);
        failures.gateway += u32::from(attempt.is_gateway);
        failures.first.get_or_insert(self.moment(now));
    }

    /// Whether a smaller page may succeed. A service that took too long once may have
    /// been busy, and so may a gateway. One that does so twice has too much to do.
    pub(super) fn wants_smaller(&self, failures: &Failures, attempt: &FailedAttempt) -> bool {
        let took_too_long = attempt.is_timeout && failures.timeouts >= 2;
        let is_too_heavy = attempt.is_gateway && failures.gateway >= 2;
        self.policy.max_attempts > 1 && (attempt.is_too_large || took_too_long || is_too_heavy)
    }

    /// Whether the service may have refused the whole request because of one unit.
    pub(super) fn may_be_partial(&self, attempt: &FailedAttempt) -> bool {
        attempt.may_be_partial && !attempt.is_retryable && self.policy.max_attempts > 1
    }

    /// When to ask again for a unit that was refused, while others are asked for.
    pub(super) fn suspect_until(&mut self, failures: &Failures, now: Instant) -> Instant {
        let longest = self.policy.first_delay.saturating_mul(1 << failures.attempts.min(16));
        now.checked_add(longest.min(self.policy.max_delay)).unwrap_or(now)
    }

    /// When to make a request again that failed.
    ///
    /// # Errors
    ///
    /// Why it is not made again.
    pub(super) fn retry_at(
        &mut self,
        failures: &Failures,
        attempt: &FailedAttempt,
        now: Instant,
    ) -> Result<Instant, GaveUp> {
        if !attempt.is_retryable || self.policy.max_attempts <= 1 {
            return Err(GaveUp::InVain);
        }
        let tries = if attempt.is_throttled { failures.throttled } else { failures.attempts };
        if !attempt.is_throttled && tries >= self.policy.max_attempts {
            return Err(GaveUp::Attempts);
        }
        let delay = match attempt.retry_after {
            Some(delay) if delay > self.policy.max_retry_after => return Err(GaveUp::RetryAfter),
            Some(delay) => delay,
            None => self.backoff(tries, attempt),
        };
        // Throttling has no bound but time, so time must pass.
        let is_again = attempt.is_throttled && tries > 1;
        let delay = if is_again { delay.max(self.policy.shortest_throttled) } else { delay };
        let mut due = now.checked_add(delay).ok_or(GaveUp::RetryAfter)?;
        if !attempt.is_throttled {
            let first = failures.first.unwrap_or(self.moment(now));
            if self.waited(first, due) > self.policy.max_total {
                return Err(GaveUp::Total);
            }
            return if self.spend() { Ok(due) } else { Err(GaveUp::Budget) };
        }
        if let Some(pause) = self.paused_until {
            // It was sent before the pause began, and says nothing new.
            due = if attempt.retry_after.is_some() { due.max(pause) } else { pause };
        }
        let moment = self.moment(now);
        let since = *self.throttled_since.get_or_insert(moment);
        if self.waited(since, due) > self.policy.max_throttled {
            return Err(GaveUp::Throttled);
        }
        self.paused_until = Some(due);
        self.is_pause_asked = false;
        Ok(due)
    }

    /// Pauses all requests if the service asks for fewer, in the answer to a request that
    /// may not be made again.
    pub(super) fn pause_for(&mut self, attempt: &FailedAttempt, now: Instant) {
        if attempt.is_throttled && self.paused_until.is_none() {
            let delay = attempt.retry_after.unwrap_or_else(|| self.backoff(1, attempt));
            self.paused_until = now.checked_add(delay.min(self.policy.max_retry_after));
            self.is_pause_asked = false;
        }
    }

    /// Pays for one more request, if the budget allows it.
    pub(super) fn spend(&mut self) -> bool {
        let left = self.budget.checked_sub(RETRY_COST);
        self.budget = left.unwrap_or(self.budget);
        left.is_some()
    }

    /// A page came.
    #[inline]
    pub(super) fn page_came(&mut self) {
        if self.budget < self.full_budget {
            self.budget += 1;
        }
        self.throttled_since = None;
    }

    /// No request has failed and waits to be made again.
    pub(super) fn all_came(&mut self) {
        self.has_failed = false;
    }

    /// A random part of a delay that doubles. Where the service asked for fewer
    /// requests, at least half of it: to ask again at once would be in vain.
    fn backoff(&mut self, attempts: u32, attempt: &FailedAttempt) -> Duration {
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let longest = self.policy.first_delay.saturating_mul(doubled).min(self.policy.max_delay);
        let part = self.random.f64();
        let part = if attempt.is_throttled { part.midpoint(1.0) } else { part };
        Duration::try_from_secs_f64(longest.as_secs_f64() * part).unwrap_or(longest)
    }
}
