//! A service with offsets, whose steps and answers go wrong as they are told to.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use proptest::{collection::vec, prelude::*};

use super::super::Hooks;
use crate::error::{Error, ErrorKind};

/// How many records a request asks for.
pub(super) const LIMIT: u64 = 8;

/// The numbers below `end`, by offset.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) end: u64,
    /// It gives so many records at most.
    pub(super) most: u64,
    /// How many it gives at these offsets, whatever it is asked for.
    pub(super) odd: BTreeMap<u64, u64>,
    /// How many records it says there are.
    pub(super) total: Option<u64>,
    pub(super) beyond: Beyond,
}

/// What it says beyond its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beyond {
    Empty,
    Error,
    /// An empty page that leads on.
    More,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Offset {
    pub(super) at: u64,
    pub(super) limit: u64,
}

impl Offset {
    pub(super) const START: Self = Self { at: 0, limit: LIMIT };
}

/// A paginator that expects the last step once more.
pub(super) struct SameStep;

impl Hooks<Offset> for SameStep {
    fn pack(&self, waiting: &mut VecDeque<Offset>, halvings: u32) {
        if let Some(next) = waiting.front_mut() {
            next.limit = LIMIT.checked_shr(halvings).unwrap_or(0).max(1);
        }
    }

    fn predict(&self, before: &Offset, at: &Offset, total: Option<u64>) -> Option<Offset> {
        let next = at.at + (at.at - before.at);
        total.is_none_or(|total| next < total).then_some(Offset { at: next, ..*at })
    }

    fn is_full(&self, _: &Offset, _: u32) -> bool {
        true
    }

    fn pass_over(&self, _: &Offset) -> Option<Vec<Offset>> {
        None
    }

    fn narrow(&self, cursor: &Offset, _: &[usize]) -> Offset {
        cursor.clone()
    }
}

impl Service {
    pub(super) fn even(end: u64) -> Self {
        Self { end, most: LIMIT, odd: BTreeMap::new(), total: None, beyond: Beyond::Empty }
    }

    /// How many records a page holds, and where it leads.
    pub(super) fn page(&self, offset: &Offset) -> Result<(u64, Option<u64>), Error> {
        let &Offset { at, limit } = offset;
        if self.is_beyond(at) {
            return match self.beyond {
                Beyond::Empty => Ok((0, None)),
                Beyond::More => Ok((0, Some(at + limit))),
                Beyond::Error => Err(Fault::Fatal.error()),
            };
        }
        let next = at + self.odd.get(&at).copied().unwrap_or_else(|| limit.min(self.most));
        Ok((next.min(self.end) - at, (next < self.end).then_some(next)))
    }

    pub(super) fn is_beyond(&self, at: u64) -> bool {
        at > 0 && at >= self.end
    }
}

pub(super) fn services() -> impl Strategy<Value = Service> {
    let beyond = prop_oneof![Just(Beyond::Empty), Just(Beyond::Error), Just(Beyond::More)];
    let odd = prop_oneof![3 => 0..4_usize, 1 => Just(300)];
    let odd = odd.prop_flat_map(|count| vec((0..200_u64, 1..30_u64), count));
    let total = prop_oneof![2 => Just(None), 1 => (0..250_u64).prop_map(Some)];
    (0..200_u64, 1..=LIMIT, odd, total, beyond).prop_map(|(end, most, odd, total, beyond)| {
        // Half of the totals are right.
        let total = total.map(|total| if total % 2 == 0 { end } else { total });
        Service { end, most, odd: odd.into_iter().collect(), total, beyond }
    })
}

/// What happens to a request on its way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Busy,
    RateLimited,
    RateLimitedForASecond,
    TooLarge,
    TimedOut,
    Fatal,
}

impl Fault {
    pub(super) const ALL: [Self; 6] = [
        Self::Busy,
        Self::RateLimited,
        Self::RateLimitedForASecond,
        Self::TooLarge,
        Self::TimedOut,
        Self::Fatal,
    ];

    pub(super) fn error(self) -> Error {
        let status = |status| Error::new(ErrorKind::Status, "for a test").with_status(status);
        match self {
            Self::Busy => status(503).with_retry_after(Duration::ZERO),
            Self::RateLimited => status(429).with_retry_after(Duration::ZERO),
            Self::RateLimitedForASecond => status(429).with_retry_after(Duration::from_secs(1)),
            Self::TooLarge => status(413),
            Self::TimedOut => Error::new(ErrorKind::Timeout, "for a test"),
            Self::Fatal => status(400),
        }
    }
}
