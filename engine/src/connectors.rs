use std::{
    collections::BTreeMap,
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

#[cfg(feature = "ballista")]
use datafusion::common::{Result, config_datafusion_err};
use serde_json::Value;

use crate::{
    connector::Connector,
    environment::Environment,
    reader::{AnyConnector, Erased},
};

/// The connectors that a process knows by their names, and its environment. A plan that comes
/// from another process is read with them.
///
/// ```
/// # use datafusion::arrow::datatypes::Schema;
/// # use pagestream::{Error, hubspot::Objects};
/// # use pagestream_datafusion::{Connector, Request, schema_of};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Deals;
/// # impl Connector for Deals {
/// #     const NAME: &'static str = "deals";
/// #     type Paginator = Objects;
/// #     fn schema(&self) -> Result<Schema, Error> { Ok(Schema::empty()) }
/// #     fn paginator(&self, _: &Request, _: &Environment) -> Result<Objects, Error> {
/// #         Objects::builder("deals").token("...").build()
/// #     }
/// # }
/// use pagestream_datafusion::{Connectors, Environment};
///
/// let connectors = Connectors::new(Environment::new()).with::<Deals>();
/// assert_eq!(connectors.names().collect::<Vec<_>>(), ["deals"]);
/// ```
#[derive(Clone)]
pub struct Connectors {
    makers: BTreeMap<&'static str, Maker>,
    environment: Environment,
}

type Maker = fn(Value) -> Result<Arc<dyn AnyConnector>, serde_json::Error>;

impl Connectors {
    /// No connector, and where each of them gets its credentials and budgets.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self { makers: BTreeMap::new(), environment }
    }

    /// Adds a connector, by its [name](Connector::NAME). The last one of a name counts.
    #[must_use]
    pub fn with<C: Connector>(mut self) -> Self {
        self.makers.insert(C::NAME, make::<C>);
        self
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.makers.keys().copied()
    }

    /// Where each of them gets its credentials and budgets.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The connector of this name with this spec.
    #[cfg(feature = "ballista")]
    pub(crate) fn make(&self, name: &str, spec: Value) -> Result<Arc<dyn AnyConnector>> {
        let make = self.makers.get(name).ok_or_else(|| {
            config_datafusion_err!("no connector {name:?} in this process: call `Connectors::with`")
        })?;
        make(spec).map_err(|error| config_datafusion_err!("this is no spec of {name:?}: {error}"))
    }
}

fn make<C: Connector>(spec: Value) -> Result<Arc<dyn AnyConnector>, serde_json::Error> {
    Ok(Arc::new(Erased(Arc::new(serde_json::from_value::<C>(spec)?))))
}

impl Debug for Connectors {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connectors")
            .field("names", &self.makers.keys())
            .field("environment", &self.environment)
            .finish()
    }
}
