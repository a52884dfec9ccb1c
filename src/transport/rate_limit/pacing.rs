use std::time::{Duration, Instant};

use super::remaining::Remaining;
use crate::clock::after;

/// The longest wait for a service, however long it asks to wait.
const LONGEST_HOLD: Duration = Duration::from_secs(60);

/// What the service asked for, in addition to the budget.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    /// No request starts before this.
    not_before: Option<Instant>,
    pace: Option<Pace>,
    last_start: Option<Instant>,
}

/// The time between the starts of two requests, and until when it counts.
#[derive(Debug)]
struct Pace {
    distance: Duration,
    until: Instant,
}

impl Pacing {
    /// Until when no request starts, if that is in the future.
    pub(super) fn holds(&self, now: Instant) -> Option<Instant> {
        let pace = self.pace.as_ref().filter(|pace| now < pace.until);
        let paced = pace.and_then(|pace| Some(after(self.last_start?, pace.distance)));
        self.not_before.max(paced).filter(|&until| now < until)
    }

    pub(super) fn started(&mut self, now: Instant) {
        self.last_start = Some(now);
    }

    /// Lets no request start for a while. A hold is never made shorter: one response
    /// may overtake another, and the longest hold is the safe one.
    pub(super) fn hold(&mut self, now: Instant, wait: Duration) {
        self.not_before = self.not_before.max(Some(after(now, wait.min(LONGEST_HOLD))));
    }

    /// Spreads the remaining requests evenly over the interval, if less than a fifth
    /// remains.
    pub(super) fn spread(&mut self, now: Instant, remaining: Remaining, requests: u32) {
        let max = remaining.max.unwrap_or(requests.into());
        self.pace = None;
        if remaining.requests.saturating_mul(5) < max {
            let gaps = u32::try_from(remaining.requests).unwrap_or(u32::MAX).saturating_add(1);
            let distance = (remaining.interval / gaps).min(LONGEST_HOLD);
            self.hold(now, distance);
            let until = after(now, remaining.interval.min(LONGEST_HOLD));
            self.pace = Some(Pace { distance, until });
        }
    }
}
