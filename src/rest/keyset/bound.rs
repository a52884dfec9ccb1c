use serde::{Deserialize, Serialize};

use crate::opaque_cursor::OpaqueCursor;

/// A cursor of [`Keyset`](super::Keyset): the key behind which the page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<OpaqueCursor>,
    /// What was read of the records with this key, if the bound includes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) seen: Vec<u64>,
    /// The most records that a page had, if the bound is inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) most: Option<u64>,
    /// The first key of this reading, where keys descend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) newest: Option<Box<Mark>>,
    /// Where this reading ends, since the one before it began there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Box<Mark>>,
}

/// A key, and which of the records that share it were read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    pub(crate) key: OpaqueCursor,
    pub(crate) seen: Vec<u64>,
}

impl Mark {
    /// Adds records with its key.
    pub(crate) fn add(&mut self, digests: Vec<u64>) {
        for digest in digests {
            if !self.seen.contains(&digest) {
                self.seen.push(digest);
            }
        }
    }
}
