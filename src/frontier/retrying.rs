use std::time::{Duration, Instant};

use crate::{error::Error, retry::Retry};

/// What a retry costs. A page that comes gives back one.
const RETRY_COST: u32 = 10;

/// When a request that failed is made again: the policy, the budget, and the pause of
/// all requests while the service asks for fewer.
#[derive(Debug)]
pub(super) struct Retrying {
    policy: Retry,
    budget: u32,
    full_budget: u32,
    random: fastrand::Rng,
    /// Until when nothing is sent, since the service asked for fewer requests.
    paused_until: Option<Instant>,
}

/// What an error says about making the request again.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "an error is any mix of these")]
pub(crate) struct FailedAttempt {
    is_retryable: bool,
    is_rate_limited: bool,
    is_timeout: bool,
    is_too_large: bool,
    retry_after: Option<Duration>,
}

/// The failed attempts of one request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failures {
    attempts: u32,
    timeouts: u32,
    first: Option<Instant>,
}

impl FailedAttempt {
    /// Asks the policy about an error, which is the code of a user.
    pub(crate) fn new(error: &Error, policy: &Retry) -> Self {
        Self {
            is_retryable: (policy.when)(error),
            is_rate_limited: error.is_rate_limited(),
            is_timeout: error.is_timeout(),
            is_too_large: error.is_too_large(),
            retry_after: error.retry_after(),
        }
    }

    /// The same where a page that was lost can't be asked for again. A service that had too
    /// many requests gave none.
    pub(crate) fn of_stateful_cursor(self) -> Self {
        if self.is_rate_limited {
            return self;
        }
        Self { is_retryable: false, is_timeout: false, is_too_large: false, ..self }
    }

    pub(super) fn is_rate_limited(&self) -> bool {
        self.is_rate_limited
    }
}

impl Failures {
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    pub(super) fn add(&mut self, attempt: &FailedAttempt, now: Instant) {
        self.attempts += 1;
        self.timeouts += u32::from(attempt.is_timeout);
        self.first.get_or_insert(now);
    }

    /// The failures of a part of the request: it begins anew, but for the time.
    pub(super) fn of_part(self) -> Self {
        Self { first: self.first, ..Self::default() }
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
        }
    }

    pub(super) fn paused_until(&self) -> Option<Instant> {
        self.paused_until
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

    /// Whether a smaller page may succeed. A service that took too long once may have
    /// been busy. One that does so twice has too much to do.
    pub(super) fn wants_smaller(&self, failures: &Failures, attempt: &FailedAttempt) -> bool {
        let took_too_long = attempt.is_timeout && failures.timeouts >= 2;
        self.policy.max_attempts > 1 && (attempt.is_too_large || took_too_long)
    }

    /// When to make a request again that failed. `None` where it is not made again.
    pub(super) fn retry_at(
        &mut self,
        failures: &Failures,
        attempt: &FailedAttempt,
        now: Instant,
    ) -> Option<Instant> {
        if failures.attempts >= self.policy.max_attempts || !attempt.is_retryable {
            return None;
        }
        let delay = match attempt.retry_after {
            Some(delay) => (delay <= self.policy.max_retry_after).then_some(delay)?,
            None => self.backoff(failures.attempts, attempt),
        };
        let mut due = now.checked_add(delay)?;
        if let Some(pause) = self.paused_until.filter(|_| attempt.is_rate_limited) {
            // It was sent before the pause began, and says nothing new.
            due = if attempt.retry_after.is_some() { due.max(pause) } else { pause };
        }
        let first = failures.first.unwrap_or(now);
        if due.duration_since(first) > self.policy.max_total || !self.spend() {
            return None;
        }
        if attempt.is_rate_limited {
            self.paused_until = Some(due);
        }
        Some(due)
    }

    /// Pauses all requests if the service asks for fewer, in the answer to a request that
    /// may not be made again.
    pub(super) fn pause_for(&mut self, attempt: &FailedAttempt, now: Instant) {
        if attempt.is_rate_limited && self.paused_until.is_none() {
            let delay = attempt.retry_after.unwrap_or_else(|| self.backoff(1, attempt));
            self.paused_until = now.checked_add(delay.min(self.policy.max_retry_after));
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
    }

    /// A random part of a delay that doubles. Where the service asked for fewer
    /// requests, at least half of it: to ask again at once would be in vain.
    fn backoff(&mut self, attempts: u32, attempt: &FailedAttempt) -> Duration {
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let longest = self.policy.first_delay.saturating_mul(doubled).min(self.policy.max_delay);
        let part = self.random.f64();
        let part = if attempt.is_rate_limited { part.midpoint(1.0) } else { part };
        Duration::try_from_secs_f64(longest.as_secs_f64() * part).unwrap_or(longest)
    }
}
