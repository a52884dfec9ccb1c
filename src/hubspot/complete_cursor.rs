use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{
    batch::{Batch, Input},
    inputs::Inputs,
    object::Object,
    wire::ObjectId,
};
use crate::{opaque_cursor::OpaqueCursor, rest::Position};

/// The largest number of inputs of a batch read of associations (HubSpot's changelog).
pub(super) const BATCH_SIZE: usize = 1000;

/// Where a reading of [`CompleteObjects`](super::CompleteObjects) goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CompleteObjectsCursor {
    /// In the list of objects.
    List {
        /// The cursor of the list.
        at: Position<Vec<Option<OpaqueCursor>>>,
        /// The objects that wait for the rest of their associations.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        waiting: Vec<Object>,
    },
    /// In the associations of some objects.
    Associations {
        /// The type of object that they are associated with.
        to: String,
        /// Where the associations of each go on.
        batch: Batch,
        /// The objects.
        objects: Vec<Object>,
    },
}

/// How batches of associations are packed. Their ids are in the cursors.
pub(super) fn inputs() -> Inputs {
    Inputs { ids: Vec::new(), left_out: HashSet::new(), batch_size: BATCH_SIZE }
}

/// The objects by the first type whose associations are incomplete.
pub(super) fn by_type(objects: Vec<Object>) -> BTreeMap<String, Vec<Object>> {
    let mut by_type = BTreeMap::<_, Vec<_>>::new();
    for object in objects {
        if let Some(to) = object.incomplete() {
            by_type.entry(to.to_owned()).or_default().push(object);
        }
    }
    by_type
}

/// A cursor at the first associations of objects.
pub(super) fn fresh(to: String, objects: Vec<Object>) -> CompleteObjectsCursor {
    let inputs = objects.iter().map(|object| Input::fresh(&object.id)).collect();
    CompleteObjectsCursor::Associations { to, batch: Batch { inputs, fresh: 0..0 }, objects }
}

/// Objects by their ids.
pub(super) struct Pool(pub(super) HashMap<ObjectId, Object>);

impl Pool {
    pub(super) fn of(objects: Vec<Object>) -> Self {
        Self(objects.into_iter().map(|object| (object.id.clone(), object)).collect())
    }

    /// The cursor of a batch, with its objects.
    pub(super) fn cursor(&mut self, to: &str, batch: Batch) -> CompleteObjectsCursor {
        let objects = batch.inputs.iter().filter_map(|input| self.0.remove(&input.id)).collect();
        CompleteObjectsCursor::Associations { to: to.to_owned(), batch, objects }
    }
}
