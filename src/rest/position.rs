use serde::{Deserialize, Serialize};

/// A cursor of a [`List`](super::List): a position of its style, and how many records to ask
/// for. With both, a resumed reading asks for the same page.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position<C> {
    pub(super) at: C,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<u64>,
}
