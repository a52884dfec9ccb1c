use std::{
    fmt::{self, Debug, Formatter},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::RecordBatch,
        datatypes::{FieldRef, Schema, SchemaRef},
    },
    catalog::{Session, TableProvider},
    common::{Result, exec_datafusion_err},
    datasource::memory::MemorySourceConfig,
    logical_expr::{Expr, TableType},
    physical_plan::ExecutionPlan,
};
use pagestream::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_arrow::schema::{SchemaLike, TracingOptions};

/// The errors of a table that concern some ids alone, as a table of its own:
/// [`Table::failures`](crate::Table::failures). A clone has the same rows.
///
/// | column | type | what it is |
/// |---|---|---|
/// | `ids` | list of strings | the ids that it is about; empty if it is about a record without one |
/// | `kind` | string | the [`ErrorKind`], such as `Rejected` |
/// | `status` | number, or null | the HTTP status |
/// | `page` | number, or null | the page of its part, from 1 |
/// | `message` | string | what happened |
///
/// Each reading of the table adds its rows when it meets them, so select from it when the
/// query is done. They are held until [`clear`](Self::clear), some hundred bytes each.
#[derive(Clone)]
pub struct Failures {
    rows: Arc<Mutex<Vec<Failure>>>,
    schema: SchemaRef,
    fields: Arc<[FieldRef]>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Failure {
    ids: Vec<String>,
    kind: String,
    status: Option<u16>,
    page: Option<u64>,
    message: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self {
            ids: error.ids().to_vec(),
            kind: format!("{:?}", error.kind()),
            status: error.status(),
            page: error.page(),
            message: error.to_string(),
        }
    }
}

impl Failures {
    pub(crate) fn new() -> Result<Self, Error> {
        let options =
            TracingOptions::default().strings_as_large_utf8(false).sequence_as_large_list(false);
        let fields = Vec::<FieldRef>::from_type::<Failure>(options).map_err(|error| {
            Error::new(ErrorKind::Configuration, "failures have no columns")
                .with_source(error.to_string())
        })?;
        let schema = Arc::new(Schema::new(fields.clone()));
        Ok(Self { rows: Arc::default(), schema, fields: fields.into() })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock(|rows| rows.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all of them, so that the next query's stand alone.
    pub fn clear(&self) {
        self.lock(Vec::clear);
    }

    pub(crate) fn add(&self, errors: &[Error]) {
        let new = errors.iter().map(Failure::from).collect::<Vec<_>>();
        self.lock(|rows| rows.extend(new));
    }

    fn lock<T>(&self, f: impl FnOnce(&mut Vec<Failure>) -> T) -> T {
        f(&mut self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl TableProvider for Failures {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = self.lock(|rows| rows.clone());
        let columns = serde_arrow::to_arrow(&self.fields, &rows)
            .map_err(|error| exec_datafusion_err!("failures are no rows: {error}"))?;
        let batch = RecordBatch::try_new(self.schema(), columns)?;
        let partitions = [vec![batch]];
        let plan =
            MemorySourceConfig::try_new_exec(&partitions, self.schema(), projection.cloned())?;
        Ok(plan)
    }
}

impl Debug for Failures {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failures").field("rows", &self.len()).finish_non_exhaustive()
    }
}
