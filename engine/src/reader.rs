use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::{Schema, SchemaRef},
    common::Result,
    logical_expr::TableProviderFilterPushDown,
};
use pagestream::{Checkpoint, Error, PaginatorExt, Retry};

use crate::{
    batch_builder::BatchBuilder,
    condition::Condition,
    connector::Connector,
    environment::Environment,
    options::{OnFailure, Options},
    part_stream::{PartBatches, PartStream},
    request::Request,
};

/// A connector without its type.
#[async_trait]
pub(crate) trait AnyConnector: Send + Sync {
    fn name(&self) -> &'static str;

    /// The spec, as JSON.
    #[cfg(feature = "ballista")]
    fn spec(&self) -> Result<serde_json::Value, serde_json::Error>;

    fn schema(&self) -> Result<Schema, Error>;

    fn pushdown(&self, condition: &Condition) -> TableProviderFilterPushDown;

    fn selects_fields(&self) -> bool;

    fn open(&self, request: &Request, environment: &Environment) -> Result<Arc<dyn Reader>, Error>;
}

/// A connector's paginator, without its type.
#[async_trait]
pub(crate) trait Reader: Send + Sync {
    async fn total(&self) -> Result<Option<u64>, Error>;

    fn split(&self, parts: usize, total: Option<u64>) -> Result<Vec<Checkpoint>, Error>;

    fn read(&self, from: Checkpoint, scan: &Scan) -> Result<Box<dyn PartBatches>>;
}

/// How a part is read.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    /// The columns that the query needs.
    pub(crate) schema: SchemaRef,
    pub(crate) options: Options,
    /// The most rows of a batch.
    pub(crate) batch_size: usize,
    /// How many rows the query needs, where it needs not all.
    pub(crate) limit: Option<usize>,
}

pub(crate) struct Erased<C>(pub(crate) Arc<C>);

#[async_trait]
impl<C: Connector> AnyConnector for Erased<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    #[cfg(feature = "ballista")]
    fn spec(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(&*self.0)
    }

    fn schema(&self) -> Result<Schema, Error> {
        self.0.schema()
    }

    fn pushdown(&self, condition: &Condition) -> TableProviderFilterPushDown {
        self.0.pushdown(condition)
    }

    fn selects_fields(&self) -> bool {
        self.0.selects_fields()
    }

    fn open(&self, request: &Request, environment: &Environment) -> Result<Arc<dyn Reader>, Error> {
        let paginator = Arc::new(self.0.paginator(request, environment)?);
        Ok(Arc::new(Opened { connector: Arc::clone(&self.0), paginator }))
    }
}

struct Opened<C: Connector> {
    connector: Arc<C>,
    paginator: Arc<C::Paginator>,
}

#[async_trait]
impl<C: Connector> Reader for Opened<C> {
    async fn total(&self) -> Result<Option<u64>, Error> {
        self.connector.total(&self.paginator).await
    }

    fn split(&self, parts: usize, total: Option<u64>) -> Result<Vec<Checkpoint>, Error> {
        self.paginator.split(parts, total)
    }

    fn read(&self, from: Checkpoint, scan: &Scan) -> Result<Box<dyn PartBatches>> {
        let read = Arc::clone(&self.paginator).into_read().window(scan.options.window);
        let read = match scan.options.attempts {
            Some(attempts) => read.retry(Retry::default().max_attempts(attempts)),
            None => read,
        };
        let mut read = self.connector.options(read).resume(from);
        if scan.options.on_failure == OnFailure::Row {
            read = read.set_failures_aside();
        }
        if let Some(limit) = scan.limit {
            // A page that is asked for ahead may be one that nobody needs.
            read = read.max_records(limit as u64).window(1);
        }
        let builder = BatchBuilder::new(SchemaRef::clone(&scan.schema))?;
        Ok(Box::new(PartStream::new(read.records(), builder, scan.batch_size)))
    }
}
