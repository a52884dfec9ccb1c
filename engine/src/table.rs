use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::{Session, TableProvider},
    common::{Result, plan_datafusion_err, plan_err},
    logical_expr::{Expr, TableProviderFilterPushDown, TableType},
    physical_plan::ExecutionPlan,
};

use crate::{
    condition::Condition,
    connector::Connector,
    environment::Environment,
    error::engine_error,
    failures::Failures,
    options::{OnFailure, Options},
    part::Part,
    parts,
    read_exec::{ReadExec, ReadSpec},
    reader::{AnyConnector, Erased},
    request::Request,
    source::Source,
};

/// A paginated API as a table of DataFusion: each of its parts is a partition, which streams
/// its rows as their pages come.
///
/// Register it with [`SessionContext::register_table`]:
///
/// [`SessionContext::register_table`]: datafusion::prelude::SessionContext::register_table
///
/// ```
/// use std::sync::Arc;
/// use datafusion::prelude::SessionContext;
/// # use datafusion::arrow::datatypes::Schema;
/// # use pagestream::{Error, FromFn, Page, from_fn};
/// # use pagestream_datafusion::{Connector, Environment, Request, Table, schema_of};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Deal { id: u64, amount: f64 }
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Deals;
/// # type Fetch = fn(u64) -> std::future::Ready<Result<Page<Deal, u64>, Error>>;
/// # impl Connector for Deals {
/// #     const NAME: &'static str = "deals";
/// #     type Paginator = FromFn<u64, Fetch>;
/// #     fn schema(&self) -> Result<Schema, Error> { schema_of::<Deal>() }
/// #     fn paginator(&self, _: &Request, _: &Environment) -> Result<FromFn<u64, Fetch>, Error> {
/// #         fn page(id: u64) -> std::future::Ready<Result<Page<Deal, u64>, Error>> {
/// #             std::future::ready(Ok(Page::new(vec![Deal { id, amount: 2.0 }], (id < 4).then_some(id + 1))))
/// #         }
/// #         Ok(from_fn(1, page as Fetch).identified_by("deals"))
/// #     }
/// # }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let context = SessionContext::new();
/// context.register_table("deals", Arc::new(Table::new(Deals)?.parts(8).window(4)))?;
/// let sums = context.sql("SELECT sum(amount) FROM deals").await?.collect().await?;
/// # assert_eq!(sums[0].num_rows(), 1);
/// # Ok::<(), datafusion::error::DataFusionError>(()) }).unwrap();
/// ```
///
/// # What it promises
///
/// Requests at least once; records exactly once within a query that succeeds, because a failed
/// task's output is thrown away; a task that failed reads its part from the part's beginning,
/// so many small parts.
#[derive(Clone)]
pub struct Table {
    connector: Arc<dyn AnyConnector>,
    schema: SchemaRef,
    environment: Environment,
    parts: usize,
    /// The parts, where they are given.
    given: Option<Arc<[Part]>>,
    options: Options,
    failures: Failures,
    /// Whether it is planned for other processes.
    is_for_cluster: bool,
}

impl Table {
    /// A table that is read in one part, with one request at a time.
    ///
    /// # Errors
    ///
    /// That of [`Connector::schema`].
    pub fn new<C: Connector>(connector: C) -> Result<Self> {
        Self::of(Arc::new(Erased(Arc::new(connector))), Environment::new())
    }

    pub(crate) fn of(connector: Arc<dyn AnyConnector>, environment: Environment) -> Result<Self> {
        let schema = Arc::new(connector.schema().map_err(engine_error)?);
        let failures = Failures::new().map_err(engine_error)?;
        let (parts, given, options, is_for_cluster) = (1, None, Options::default(), false);
        Ok(Self { connector, schema, environment, parts, given, options, failures, is_for_cluster })
    }

    /// Into how many parts it is split: 1 by default. There may be fewer, as
    /// [`PaginatorExt::split`](pagestream::PaginatorExt::split) says.
    #[must_use]
    pub fn parts(mut self, parts: usize) -> Self {
        self.parts = parts.max(1);
        self
    }

    /// The parts, where they are known: those that a cut query [left](crate::unread), or
    /// [`split`](Self::split) ahead. The table is these parts and no more.
    ///
    /// What of a query is in their requests is fixed then. Another filter is applied by the
    /// engine. A query that lacks one of their conditions, or needs a field that they do not
    /// ask for, is an error.
    #[must_use]
    pub fn with_parts(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.given = Some(parts.into_iter().collect());
        self
    }

    /// How many requests of each part may be on their way at once: 1 by default, as
    /// [`Read::window`](pagestream::Read::window). A query with a limit asks for one page at a
    /// time.
    #[must_use]
    pub fn window(mut self, requests: usize) -> Self {
        self.options.window = requests;
        self
    }

    /// How often a page that fails is asked for, as
    /// [`Retry::max_attempts`](pagestream::Retry::max_attempts): 8 times by default.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.options.attempts = Some(attempts);
        self
    }

    /// What becomes of an error that concerns some ids alone: the query fails by default.
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.options.on_failure = on_failure;
        self
    }

    /// Where credentials and budgets come from: the variables of the process by default.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The failures of this table's readings in this process, as a table:
    /// [`OnFailure::Row`].
    #[must_use]
    pub fn failures(&self) -> Failures {
        self.failures.clone()
    }

    /// Splits it now, so that nobody else does: the scheduler of a cluster needs no
    /// credentials then, and no query puts a condition into the requests.
    ///
    /// # Errors
    ///
    /// As [`Connector::paginator`], [`Connector::total`] and
    /// [`PaginatorExt::split`](pagestream::PaginatorExt::split).
    pub async fn split(self) -> Result<Self> {
        let (parts, _) = self.split_for(&self.source(), &Request::default()).await?;
        Ok(self.with_parts(parts))
    }

    async fn split_for(
        &self,
        source: &Source,
        request: &Request,
    ) -> Result<(Vec<Part>, Option<u64>)> {
        let reader = source.reader(request)?;
        let total = match self.parts {
            1 => None,
            _ => reader.total().await.map_err(engine_error)?,
        };
        let split = reader.split(self.parts, total).map_err(engine_error)?;
        let part = |checkpoint| Part { request: request.clone(), checkpoint };
        Ok((split.into_iter().map(part).collect(), total))
    }

    fn source(&self) -> Source {
        Source::new(
            Arc::clone(&self.connector),
            self.environment.clone(),
            self.options.clone(),
            Some(self.failures.clone()),
        )
    }

    /// What of it travels.
    #[cfg(feature = "ballista")]
    pub(crate) fn to_send(&self) -> (&dyn AnyConnector, usize, Option<&[Part]>, &Options) {
        (&*self.connector, self.parts, self.given.as_deref(), &self.options)
    }

    /// The same table with what has travelled.
    #[cfg(feature = "ballista")]
    pub(crate) fn received(self, parts: usize, given: Option<Vec<Part>>, options: Options) -> Self {
        let given = given.map(Into::into);
        Self { parts, given, options, is_for_cluster: true, ..self }
    }

    /// The request of the given parts.
    fn given_request(&self) -> Option<Request> {
        let given = self.given.as_ref()?;
        Some(given.first().map(|part| part.request.clone()).unwrap_or_default())
    }

    /// How a filter of a query is taken, and the condition that it is.
    fn taken(&self, filter: &Expr) -> Option<(Condition, TableProviderFilterPushDown)> {
        let condition = Condition::of(filter)?;
        let pushdown = self.connector.pushdown(&condition);
        let is_taken = pushdown != TableProviderFilterPushDown::Unsupported
            && self.given_request().is_none_or(|given| given.conditions.contains(&condition));
        is_taken.then_some((condition, pushdown))
    }

    fn request(&self, projection: Option<&Vec<usize>>, filters: &[Expr]) -> Result<Request> {
        let taken = filters.iter().filter_map(|filter| self.taken(filter));
        let conditions = taken.map(|(condition, _)| condition).collect::<Vec<_>>();
        let names = |columns: &Vec<usize>| {
            let fields = columns.iter().filter_map(|index| self.schema.fields().get(*index));
            fields.map(|field| field.name().clone()).collect::<Vec<_>>()
        };
        let fields = projection.map(names).filter(|_| self.connector.selects_fields());
        let Some(given) = self.given_request() else { return Ok(Request { fields, conditions }) };
        if let Some(missing) = given.conditions.iter().find(|it| !conditions.contains(it)) {
            return plan_err!("these parts were read where {missing}, so a query needs it too");
        }
        if let Some(given) = &given.fields {
            let needed = projection.map_or_else(
                || self.schema.fields().iter().map(|field| field.name().clone()).collect(),
                names,
            );
            if let Some(missing) = needed.iter().find(|name| !given.contains(name)) {
                return plan_err!("these parts were read without {missing:?}");
            }
        }
        Ok(given)
    }
}

#[async_trait]
impl TableProvider for Table {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushdown = |filter: &&Expr| {
            let taken = self.taken(filter).map(|(_, pushdown)| pushdown);
            taken.unwrap_or(TableProviderFilterPushDown::Unsupported)
        };
        Ok(filters.iter().map(pushdown).collect())
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let request = self.request(projection, filters)?;
        let source = Arc::new(self.source());
        let (parts, total) = match &self.given {
            Some(parts) => {
                if parts.iter().any(|part| part.request != request) {
                    return Err(plan_datafusion_err!("these parts are of several queries"));
                }
                (parts.to_vec(), None)
            }
            None => self.split_for(&source, &request).await?,
        };
        let spec = ReadSpec {
            table_schema: Arc::clone(&self.schema),
            projection: projection.cloned(),
            limit,
            request,
            total,
        };
        // In a cluster, a stage ends where partitions are brought together. The one side of a
        // join that is held in memory would else be read by each task of the other side.
        let at_least = if self.is_for_cluster { 2 } else { 1 };
        let leaf = parts::leaf(&parts, at_least)?;
        Ok(Arc::new(ReadExec::new(leaf, source, spec)?))
    }
}

impl Debug for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("connector", &self.connector.name())
            .field("parts", &self.given.as_ref().map_or(self.parts, |given| given.len()))
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
