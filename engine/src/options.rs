use serde::{Deserialize, Serialize};

/// What becomes of an error that [concerns some ids alone](pagestream::Error::is_partial).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OnFailure {
    /// The query fails with it.
    #[default]
    Error,
    /// It becomes a row of a second table, and the query goes on:
    /// [`Table::failures`](crate::Table::failures). Only within one process.
    Row,
}

/// How each part is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// How many requests of a part may be on their way at once.
    pub(crate) window: usize,
    /// How often a page is asked for.
    pub(crate) attempts: Option<u32>,
    pub(crate) on_failure: OnFailure,
}

impl Default for Options {
    fn default() -> Self {
        Self { window: 1, attempts: None, on_failure: OnFailure::default() }
    }
}
