use std::{
    collections::VecDeque,
    hash::{Hash, Hasher},
    ops::Range,
    sync::Arc,
};

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use super::{
    history::History,
    wire::{Associated, ObjectId},
};
use crate::{cursor::is_for_checkpoint, opaque_cursor::OpaqueCursor};

/// A cursor of a batch read: the inputs of one request.
///
/// Ids that were not requested yet are a range of the paginator's list. So a million
/// of them cost as much as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Ids with a cursor of their own, and ids outside of any range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) inputs: Vec<Input>,
    /// Ids to read from their first page, as indices in the paginator's list. They
    /// come after the inputs.
    #[serde(default, skip_serializing_if = "Range::is_empty")]
    pub(super) fresh: Range<usize>,
}

/// One id of a batch, and the cursor of its next page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub(super) id: ObjectId,
    /// How often it was begun anew, since what was gathered is in no checkpoint.
    #[serde(default)]
    pub(super) restarts: u32,
    #[serde(default)]
    pub(super) after: Option<OpaqueCursor>,
    /// What came of this id before `after`.
    #[serde(default)]
    pub(super) history: History,
    /// The pages that were read so far; empty unless records are grouped.
    #[serde(default)]
    pub(super) gathered: Vec<Arc<Vec<Associated>>>,
}

/// A checkpoint does not hold what was gathered, which may be many megabytes: the object is
/// read again from its first page.
impl Serialize for Input {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let begins_anew = !self.gathered.is_empty() && is_for_checkpoint();
        let restarts = self.restarts.saturating_add(begins_anew.into());
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        if restarts > 0 {
            map.serialize_entry("restarts", &restarts)?;
        }
        if !begins_anew {
            if let Some(after) = &self.after {
                map.serialize_entry("after", after)?;
            }
            if !self.history.is_empty() {
                map.serialize_entry("history", &self.history)?;
            }
            if !self.gathered.is_empty() {
                map.serialize_entry("gathered", &self.gathered)?;
            }
        }
        map.end()
    }
}

impl Batch {
    pub(super) fn of_all(ids: &[ObjectId]) -> Self {
        Self { inputs: Vec::new(), fresh: 0..ids.len() }
    }

    pub(super) fn len(&self) -> usize {
        self.inputs.len() + self.fresh.len()
    }

    /// The inputs in order. A range that goes beyond the list ends with the list.
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

    /// Keeps only the inputs at these indices.
    pub(super) fn narrow(&self, ids: &[ObjectId], units: &[usize]) -> Self {
        let mut units = units.iter().peekable();
        let chosen =
            self.inputs(ids).enumerate().filter(|(unit, _)| units.next_if_eq(&unit).is_some());
        let inputs =
            chosen.map(|(_, (id, input))| input.cloned().unwrap_or_else(|| Input::fresh(id)));
        Self { inputs: inputs.collect(), fresh: 0..0 }
    }

    /// Splits it into this many parts, or fewer. If there are enough inputs, each part
    /// but the last fills its requests of `most` inputs.
    pub(super) fn split(&self, parts: usize, most: usize) -> Vec<Self> {
        let length = self.len().div_ceil(parts.max(1)).max(1);
        let length = if length > most { length.next_multiple_of(most) } else { length };
        let mut split = vec![self.clone()];
        while let Some(remaining) = split.last_mut().map(|last| last.split_off(length))
            && remaining.len() > 0
        {
            split.push(remaining);
        }
        split
    }

    /// Keeps `most` inputs and returns the remaining ones.
    pub(super) fn split_off(&mut self, most: usize) -> Self {
        let from_fresh = most.saturating_sub(self.inputs.len()).min(self.fresh.len());
        let remaining = Self {
            inputs: self.inputs.split_off(most.min(self.inputs.len())),
            fresh: range(self.fresh.start + from_fresh, self.fresh.end),
        };
        self.fresh = range(self.fresh.start, self.fresh.start + from_fresh);
        remaining
    }

    /// Adds the inputs of another batch.
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

/// A range. All empty ranges are equal, since a checkpoint has one form for them.
fn range(start: usize, end: usize) -> Range<usize> {
    if start < end { start..end } else { 0..0 }
}

/// Without `gathered`, which may be large and does not say where to read. With
/// its cycles, so that a cycle of one object makes that object fail, and not the whole
/// reading.
impl Hash for Input {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.id, &self.after, self.history.cycles, self.restarts).hash(state);
    }
}

impl Input {
    pub(super) fn fresh(id: &ObjectId) -> Self {
        Self {
            id: id.clone(),
            restarts: 0,
            after: None,
            history: History::default(),
            gathered: Vec::new(),
        }
    }

    /// The input for the next page, at `after`.
    pub(super) fn after(
        id: &ObjectId,
        after: OpaqueCursor,
        history: History,
        before: Option<&Self>,
    ) -> Self {
        let restarts = before.map_or(0, |before| before.restarts);
        Self { restarts, after: Some(after), history, ..Self::fresh(id) }
    }
}

/// Fills the first batch up to `most` inputs, from the batches after it. It touches
/// as many inputs as fit into one request, however many wait.
pub(super) fn pack(waiting: &mut VecDeque<Batch>, most: usize, ids: &[ObjectId]) {
    let mut full = Batch::default();
    while full.len() < most {
        let Some(mut next) = waiting.pop_front() else { break };
        // A range goes beyond the list only if somebody changed the checkpoint.
        next.fresh = range(next.fresh.start, next.fresh.end.min(ids.len()));
        let remaining = next.split_off(most - full.len());
        full.append(next, ids);
        if remaining.len() > 0 {
            waiting.push_front(remaining);
        }
    }
    if full.len() > 0 {
        waiting.push_front(full);
    }
}
