//! Tables and readings as JSON, behind a mark that tells them from what Ballista writes.

use std::sync::Arc;

use datafusion::common::{Result, plan_datafusion_err, plan_err};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    connectors::Connectors,
    options::{OnFailure, Options},
    part::Part,
    reader::AnyConnector,
    request::Request,
};

/// No message of Ballista begins so: its first byte would be that of a number, and each of its
/// messages begins with another message.
const MARK: &[u8] = b"pagestream";

/// A connector, where it travels.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connected {
    name: String,
    spec: Value,
}

/// A table, where it travels.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SentTable {
    pub(super) connector: Connected,
    pub(super) parts: usize,
    pub(super) given: Option<Vec<Part>>,
    pub(super) options: Options,
}

/// A reading, where it travels. Its parts are in the rows of its input.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SentReading {
    pub(super) connector: Connected,
    pub(super) options: Options,
    pub(super) projection: Option<Vec<usize>>,
    pub(super) limit: Option<usize>,
    pub(super) request: Request,
    pub(super) total: Option<u64>,
}

impl Connected {
    /// A connector to be sent.
    ///
    /// # Errors
    ///
    /// If its spec is no JSON, and if rows of failures would stay where they are met.
    pub(super) fn of(connector: &dyn AnyConnector, options: &Options) -> Result<Self> {
        let name = connector.name().to_owned();
        if options.on_failure == OnFailure::Row {
            return plan_err!(
                "failures of {name:?} can't become rows in a cluster, since they stay in the \
                 process that meets them: leave `OnFailure::Error`"
            );
        }
        let spec = connector.spec();
        let spec = spec.map_err(|error| plan_datafusion_err!("{name:?} is no JSON: {error}"))?;
        Ok(Self { name, spec })
    }

    pub(super) fn make(self, connectors: &Connectors) -> Result<Arc<dyn AnyConnector>> {
        connectors.make(&self.name, self.spec)
    }
}

pub(super) fn encode(value: &impl Serialize, buffer: &mut Vec<u8>) -> Result<()> {
    buffer.extend_from_slice(MARK);
    serde_json::to_writer(buffer, value)
        .map_err(|error| plan_datafusion_err!("it can't be written as JSON: {error}"))
}

/// `None` if it is Ballista's.
pub(super) fn decode<T: DeserializeOwned>(buffer: &[u8]) -> Option<Result<T>> {
    let text = buffer.strip_prefix(MARK)?;
    let decoded = serde_json::from_slice(text);
    Some(decoded.map_err(|error| plan_datafusion_err!("it is of another version: {error}")))
}
