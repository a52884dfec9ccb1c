//! When a request that carries less than it may waits for company.

use std::time::{Duration, Instant};

/// It waits for such a part of the time that requests take.
const PART: u32 = 5;

/// A request that is not full waits a little while others are about to come, which
/// may bring what fills it. It is the rule at the end of a batch reading: each of
/// many responses leads on for a few ids, which fit into one request.
///
/// Each that comes prolongs the wait, as they come one after the other; but in all it
/// waits no longer than a request takes.
#[derive(Debug, Default)]
pub(super) struct Company {
    /// How long requests take, smoothed.
    latency: Option<Duration>,
    /// Since when the foremost request waits.
    since: Option<Instant>,
    /// Until when it waits.
    pub(super) until: Option<Instant>,
}

impl Company {
    /// Takes in that a request came that was sent then.
    pub(super) fn came(&mut self, sent: Instant, now: Instant) {
        let time = now.saturating_duration_since(sent);
        let latency = self.latency.map_or(time, |latency| (latency * 7 + time) / 8);
        self.latency = Some(latency);
        self.until = self.since.map(|since| (now + latency / PART).min(since + latency));
    }

    /// Whether the foremost request waits. It does so only for requests that will
    /// probably come in that time; `sent` is when those on their way went out.
    pub(super) fn is_awaited(
        &mut self,
        mut sent: impl Iterator<Item = Instant>,
        now: Instant,
    ) -> bool {
        let Some(latency) = self.latency else { return false };
        self.since.get_or_insert(now);
        let until = *self.until.get_or_insert(now + latency / PART);
        now < until && sent.any(|sent| sent + latency <= until)
    }

    /// Takes in that a request went out.
    pub(super) fn left(&mut self) {
        self.since = None;
        self.until = None;
    }
}
