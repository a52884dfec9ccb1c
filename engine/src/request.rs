use serde::{Deserialize, Serialize};

use crate::condition::Condition;

/// What of a query a connector puts into its requests. By default nothing: every field of
/// every record is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Request {
    /// The columns that the query needs, where the connector
    /// [can ask for fewer](crate::Connector::selects_fields); all of them where absent. A
    /// query that only counts rows needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// The conditions that the connector [applies](crate::Connector::pushdown), all of which
    /// hold for a row that the query needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}
