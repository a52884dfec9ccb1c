use serde::{Deserialize, Serialize};

/// A range of offsets, or of pages. Without an end, it ends where the service says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    pub(super) start: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<u64>,
}

impl Interval {
    pub(super) fn from(start: u64) -> Self {
        Self { start, end: None }
    }

    /// The same range without what is before `start`. `None` if nothing is left.
    pub(super) fn after(self, start: u64) -> Option<Self> {
        self.end.is_none_or(|end| start < end).then_some(Self { start, ..self })
    }

    /// The same range without its first position. `None` for the last one.
    pub(super) fn behind_first(self) -> Option<Self> {
        self.after(self.start.checked_add(1)?)
    }

    /// Most services advance by the same step each time, even if it is not the limit.
    pub(super) fn predicted(self, before: Self, total: Option<u64>) -> Option<Self> {
        let step = self.start.checked_sub(before.start)?;
        let start = self.start.checked_add(step)?;
        // A service that leads to the total or beyond it has a wrong one.
        let total = total.filter(|total| self.start < *total);
        let is_there = [total, self.end].into_iter().flatten().all(|end| start < end);
        is_there.then_some(Self { start, ..self })
    }

    /// Parts whose lengths are a multiple of `step`, but for the last one, which keeps the
    /// end. `expected` is where it probably ends, if it has no end.
    pub(super) fn split(self, step: u64, parts: usize, expected: Option<u64>) -> Vec<Self> {
        let Some(end) = self.end.or(expected).filter(|end| *end > self.start) else {
            return vec![self];
        };
        let parts = u64::try_from(parts).unwrap_or(u64::MAX).max(1);
        let length = (end - self.start).div_ceil(parts);
        let length = length.checked_next_multiple_of(step.max(1)).unwrap_or(u64::MAX);
        let mut remaining = self;
        let mut split = Vec::new();
        while let Some(begin) = remaining.start.checked_add(length).filter(|it| *it < end) {
            split.push(Self { end: Some(begin), ..remaining });
            remaining.start = begin;
        }
        split.push(remaining);
        split
    }
}
