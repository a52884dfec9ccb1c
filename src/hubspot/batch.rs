use std::{
    collections::VecDeque,
    hash::{Hash, Hasher},
    ops::Range,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::wire::{Associated, ObjectId};
use crate::{
    cycle_detector::{CycleDetector, fingerprint},
    opaque_cursor::OpaqueCursor,
};

/// A cursor of a batch read: the inputs of one request.
///
/// Ids that were not asked for yet stand as a range of the paginator's list, so
/// a million of them cost as much as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Ids with a cursor of their own, or apart from any range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) inputs: Vec<Input>,
    /// Ids to be read from their start, as places in the paginator's list. They
    /// come after the inputs.
    #[serde(default, skip_serializing_if = "Range::is_empty")]
    pub(super) fresh: Range<usize>,
}

/// One id of a batch, and where its associations go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub(super) id: ObjectId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<OpaqueCursor>,
    /// The way on which `after` was reached.
    #[serde(default, skip_serializing_if = "CycleDetector::is_empty")]
    pub(super) trail: CycleDetector,
    /// The pages that were read so far, where they are gathered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) gathered: Vec<Arc<Vec<Associated>>>,
}

impl Batch {
    pub(super) fn of_all(ids: &[ObjectId]) -> Self {
        Self { inputs: Vec::new(), fresh: 0..ids.len() }
    }

    pub(super) fn len(&self) -> usize {
        self.inputs.len() + self.fresh.len()
    }

    /// The inputs in order; a range beyond the list ends with it.
    pub(super) fn inputs<'a>(
        &'a self,
        ids: &'a [ObjectId],
    ) -> impl Iterator<Item = (&'a ObjectId, Option<&'a Input>)> {
        let fresh = self.fresh.start.min(ids.len())..self.fresh.end.min(ids.len());
        let fresh = ids.get(fresh).unwrap_or_default();
        self.inputs
            .iter()
            .map(|input| (&input.id, Some(input)))
            .chain(fresh.iter().map(|id| (id, None)))
    }

    /// The inputs at some indices alone.
    pub(super) fn narrow(&self, ids: &[ObjectId], units: &[usize]) -> Self {
        let mut units = units.iter().peekable();
        let chosen =
            self.inputs(ids).enumerate().filter(|(unit, _)| units.next_if_eq(&unit).is_some());
        let inputs =
            chosen.map(|(_, (id, input))| input.cloned().unwrap_or_else(|| Input::fresh(id)));
        Self { inputs: inputs.collect(), fresh: 0..0 }
    }

    /// In so many parts, or fewer; each but the last fills its requests of `most`
    /// inputs, if there are enough.
    pub(super) fn split(&self, parts: usize, most: usize) -> Vec<Self> {
        let length = self.len().div_ceil(parts.max(1)).max(1);
        let length = if length > most { length.next_multiple_of(most) } else { length };
        let mut split = vec![self.clone()];
        while let Some(rest) = split.last_mut().map(|last| last.split_off(length))
            && rest.len() > 0
        {
            split.push(rest);
        }
        split
    }

    /// Splits off what is more than `most` inputs.
    fn split_off(&mut self, most: usize) -> Self {
        let from_fresh = most.saturating_sub(self.inputs.len()).min(self.fresh.len());
        let rest = Self {
            inputs: self.inputs.split_off(most.min(self.inputs.len())),
            fresh: range(self.fresh.start + from_fresh, self.fresh.end),
        };
        self.fresh = range(self.fresh.start, self.fresh.start + from_fresh);
        rest
    }

    /// Takes in the inputs of another batch.
    fn append(&mut self, mut other: Self, ids: &[ObjectId]) {
        if self.fresh.is_empty() {
            self.fresh = other.fresh;
        } else if !other.fresh.is_empty() {
            let fresh = other.narrow(ids, &(other.inputs.len()..other.len()).collect::<Vec<_>>());
            other.inputs.extend(fresh.inputs);
        }
        self.inputs.append(&mut other.inputs);
    }
}

/// A range; all that are empty are the same, as they are in a checkpoint.
fn range(start: usize, end: usize) -> Range<usize> {
    if start < end { start..end } else { 0..0 }
}

/// What was gathered says nothing about where to read, and may be much. The trail
/// tells an object that goes in a circle from a reading that does: it fails alone.
impl Hash for Input {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.id, &self.after, self.trail).hash(state);
    }
}

impl Input {
    pub(super) fn fresh(id: &ObjectId) -> Self {
        Self { id: id.clone(), after: None, trail: CycleDetector::default(), gathered: Vec::new() }
    }

    /// The input behind a page of `input`. `None` if it leads in a circle.
    pub(super) fn after(id: &ObjectId, after: OpaqueCursor, input: Option<&Self>) -> Option<Self> {
        let before = input.and_then(|input| Some((input.trail, input.after.as_ref()?)));
        let trail = before.map_or_else(CycleDetector::default, |(trail, before)| {
            trail.visit(fingerprint(&before))
        });
        let is_same = before.is_some_and(|(_, before)| *before == after);
        if is_same || trail.is_cycle(fingerprint(&after)) {
            return None;
        }
        Some(Self { id: id.clone(), after: Some(after), trail, gathered: Vec::new() })
    }
}

/// Makes the foremost batch as full as `most` allows, from those behind it. It
/// touches as many inputs as fit into one request, however many wait.
pub(super) fn pack(waiting: &mut VecDeque<Batch>, most: usize, ids: &[ObjectId]) {
    let mut full = Batch::default();
    while full.len() < most {
        let Some(mut next) = waiting.pop_front() else { break };
        // Beyond the list there is only what an altered checkpoint says.
        next.fresh = range(next.fresh.start, next.fresh.end.min(ids.len()));
        let rest = next.split_off(most - full.len());
        full.append(next, ids);
        if rest.len() > 0 {
            waiting.push_front(rest);
        }
    }
    if full.len() > 0 {
        waiting.push_front(full);
    }
}
