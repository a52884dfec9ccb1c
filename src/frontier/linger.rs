use std::time::{Duration, Instant};

/// A request lingers for such a part of the time that requests take.
const PART: u32 = 5;

/// A request that is not full lingers a moment while others are about to come, whose
/// next cursors may fill it. It is the rule at the end of a batch reading: each of
/// many responses goes on for a few ids, which fit into one request.
///
/// Each response that comes extends the wait, since they come one after the other. In
/// all, a request lingers no longer than a request takes.
#[derive(Debug, Default)]
pub(super) struct Linger {
    /// How long requests take, smoothed.
    latency: Option<Duration>,
    /// Since when the first request lingers.
    since: Option<Instant>,
    /// Until when it lingers.
    until: Option<Instant>,
}

impl Linger {
    /// Until when a request lingers, if one does.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// A response came to a request that was sent then.
    pub(super) fn response_came(&mut self, sent: Instant, now: Instant) {
        let time = now.saturating_duration_since(sent);
        let latency = self.latency.map_or(time, |latency| (latency * 7 + time) / 8);
        self.latency = Some(latency);
        self.until = self.since.map(|since| (now + latency / PART).min(since + latency));
    }

    /// Whether the first request lingers. It does so only for responses that will
    /// probably come in that time; `sent` is when the requests in flight were sent.
    pub(super) fn lingers(
        &mut self,
        mut sent: impl Iterator<Item = Instant>,
        now: Instant,
    ) -> bool {
        let Some(latency) = self.latency else { return false };
        self.since.get_or_insert(now);
        let until = *self.until.get_or_insert(now + latency / PART);
        now < until && sent.any(|sent| sent + latency <= until)
    }

    /// Nothing lingers any more.
    #[inline]
    pub(super) fn end(&mut self) {
        self.since = None;
        self.until = None;
    }
}
