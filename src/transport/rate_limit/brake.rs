use std::time::{Duration, Instant};

use super::remaining::Remaining;
use crate::clock::after;

/// However long a service asks to wait, nobody waits longer for it than this.
const LONGEST_HOLD: Duration = Duration::from_secs(60);

/// What the service asked for, beyond the budget.
#[derive(Debug, Default)]
pub(super) struct Brake {
    /// Nothing starts before this.
    not_before: Option<Instant>,
    pace: Option<Pace>,
    last_start: Option<Instant>,
}

/// How far apart requests start, and until when.
#[derive(Debug)]
struct Pace {
    distance: Duration,
    until: Instant,
}

impl Brake {
    /// Until when nothing starts, if that is yet to come.
    pub(super) fn holds(&self, now: Instant) -> Option<Instant> {
        let pace = self.pace.as_ref().filter(|pace| now < pace.until);
        let paced = pace.and_then(|pace| Some(after(self.last_start?, pace.distance)));
        self.not_before.max(paced).filter(|&until| now < until)
    }

    pub(super) fn started(&mut self, now: Instant) {
        self.last_start = Some(now);
    }

    /// Holds everything for a while. A hold is never made shorter: responses may
    /// overtake each other, and the strictest is the safe one.
    pub(super) fn hold(&mut self, now: Instant, wait: Duration) {
        self.not_before = self.not_before.max(Some(after(now, wait.min(LONGEST_HOLD))));
    }

    /// Spreads what is left evenly over the interval, once it is less than a fifth.
    pub(super) fn heed(&mut self, now: Instant, left: Remaining, requests: u32) {
        let max = left.max.unwrap_or(requests.into());
        self.pace = None;
        if left.requests.saturating_mul(5) < max {
            let gaps = u32::try_from(left.requests).unwrap_or(u32::MAX).saturating_add(1);
            let distance = (left.interval / gaps).min(LONGEST_HOLD);
            self.hold(now, distance);
            self.pace = Some(Pace { distance, until: after(now, left.interval.min(LONGEST_HOLD)) });
        }
    }
}
