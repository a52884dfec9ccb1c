//! What a reading knows of its failures: what it may still spend on retries, and
//! until when all of its requests are held back.

use std::time::{Duration, Instant};

use crate::{error::Error, retry::Retry};

/// What a retry costs, in parts of which a page that comes through gives back one.
const COST: u32 = 10;

#[derive(Debug)]
pub(super) struct Retries {
    policy: Retry,
    budget: u32,
    full: u32,
    random: fastrand::Rng,
    /// Until when nothing is sent, since the service asked for fewer requests.
    pub(super) pause: Option<Instant>,
}

/// The failures of one request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failures {
    pub(super) count: u32,
    timeouts: u32,
    first: Option<Instant>,
}

impl Failures {
    pub(super) fn add(&mut self, error: &Error, now: Instant) {
        self.count += 1;
        self.timeouts += u32::from(error.is_timeout());
        self.first.get_or_insert(now);
    }

    /// The failures of a part of the request: it begins anew, but for the time.
    pub(super) fn of_part(self) -> Self {
        Self { first: self.first, ..Self::default() }
    }
}

impl Retries {
    pub(super) fn new(policy: Retry) -> Self {
        Self {
            budget: policy.budget.saturating_mul(COST),
            full: policy.budget.saturating_mul(COST),
            random: policy.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
            policy,
            pause: None,
        }
    }

    /// Whether a smaller page is called for. A service that took too long once
    /// may have been busy; one that does so twice has too much to do.
    pub(super) fn ask_for_less(&self, failures: &Failures, error: &Error) -> bool {
        let took_too_long = error.is_timeout() && failures.timeouts >= 2;
        self.policy.max_attempts > 1 && (error.is_too_large() || took_too_long)
    }

    /// When to make a request again that failed; `None` if that is over.
    pub(super) fn again(
        &mut self,
        failures: &Failures,
        error: &Error,
        now: Instant,
    ) -> Option<Instant> {
        if failures.count >= self.policy.max_attempts || !(self.policy.when)(error) {
            return None;
        }
        let delay = match error.retry_after() {
            Some(delay) => (delay <= self.policy.max_retry_after).then_some(delay)?,
            None => self.backoff(failures, error),
        };
        let mut due = now.checked_add(delay)?;
        if let Some(pause) = self.pause.filter(|_| error.is_rate_limited()) {
            // It was sent before the pause began, and says nothing new.
            due = if error.retry_after().is_some() { due.max(pause) } else { pause };
        }
        let first = failures.first.unwrap_or(now);
        if due.duration_since(first) > self.policy.max_total || !self.spend() {
            return None;
        }
        if error.is_rate_limited() {
            self.pause = Some(due);
        }
        Some(due)
    }

    /// Holds all requests back if the service asks for fewer, by a request that may
    /// not be made again.
    pub(super) fn hold(&mut self, error: &Error, now: Instant) {
        if error.is_rate_limited() && self.pause.is_none() {
            let failures = Failures { count: 1, ..Failures::default() };
            let delay = error.retry_after().unwrap_or_else(|| self.backoff(&failures, error));
            self.pause = now.checked_add(delay.min(self.policy.max_retry_after));
        }
    }

    /// Pays for one more request than there are pages.
    pub(super) fn spend(&mut self) -> bool {
        let left = self.budget.checked_sub(COST);
        self.budget = left.unwrap_or(self.budget);
        left.is_some()
    }

    /// Takes in that a page came through.
    #[inline]
    pub(super) fn succeed(&mut self) {
        if self.budget < self.full {
            self.budget += 1;
        }
    }

    /// A random part of a delay that doubles. Where the service asked for fewer
    /// requests, at least half of it: to ask again at once would be in vain.
    fn backoff(&mut self, failures: &Failures, error: &Error) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.count.saturating_sub(1));
        let longest = self.policy.first_delay.saturating_mul(doubled).min(self.policy.max_delay);
        let part = self.random.f64();
        let part = if error.is_rate_limited() { part.midpoint(1.0) } else { part };
        Duration::try_from_secs_f64(longest.as_secs_f64() * part).unwrap_or(longest)
    }
}
