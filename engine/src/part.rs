use pagestream::Checkpoint;
use serde::{Deserialize, Serialize};

use crate::request::Request;

/// A part of a table: what one task reads.
///
/// It is a value to keep: serialize it with serde, as JSON for example. It holds no
/// credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub(crate) request: Request,
    pub(crate) checkpoint: Checkpoint,
}

impl Part {
    /// The part that begins at this checkpoint of the connector's paginator, where nothing of a
    /// query is in its requests.
    #[must_use]
    pub fn at(checkpoint: Checkpoint) -> Self {
        Self { request: Request::default(), checkpoint }
    }

    /// What of a query is in its requests.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Where it begins.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}
