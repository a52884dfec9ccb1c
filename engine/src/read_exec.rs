use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use datafusion::{
    arrow::datatypes::SchemaRef,
    common::{
        Result, Statistics, internal_err, project_schema, stats::Precision,
        tree_node::TreeNodeRecursion,
    },
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::EquivalenceProperties,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PhysicalExpr,
        PlanProperties,
        coop::make_cooperative,
        execution_plan::{EmissionType, SchedulingType},
        metrics::{ExecutionPlanMetricsSet, MetricsSet},
        statistics::StatisticsArgs,
    },
};

use crate::{
    metrics::PartitionMetrics, partition_stream::PartitionStream, reader::Scan, request::Request,
    source::Source,
};

/// Reads the parts that its input hands it: the node of a plan that a
/// [`Table`](crate::Table) becomes.
///
/// It asks for a page when the rows before it are taken, and hands on the rows of a page as
/// soon as it is here. `EXPLAIN ANALYZE` shows `output_rows`, `requests`, `retries` and
/// `waiting`, the time for which nothing came from the service.
#[derive(Clone)]
pub struct ReadExec {
    input: Arc<dyn ExecutionPlan>,
    pub(crate) source: Arc<Source>,
    pub(crate) spec: ReadSpec,
    /// The columns that come.
    schema: SchemaRef,
    metrics: ExecutionPlanMetricsSet,
    properties: Arc<PlanProperties>,
}

/// What is read.
#[derive(Clone, Debug)]
pub(crate) struct ReadSpec {
    pub(crate) table_schema: SchemaRef,
    /// The indices of the columns that come.
    pub(crate) projection: Option<Vec<usize>>,
    /// How many rows of each partition are needed at most.
    pub(crate) limit: Option<usize>,
    pub(crate) request: Request,
    /// About how many rows there are.
    pub(crate) total: Option<u64>,
}

impl ReadExec {
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        source: Arc<Source>,
        spec: ReadSpec,
    ) -> Result<Self> {
        let schema = project_schema(&spec.table_schema, spec.projection.as_ref())?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(SchemaRef::clone(&schema)),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            input.boundedness(),
        );
        let properties = Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative));
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Self { input, source, spec, schema, metrics, properties })
    }

    /// What hands it the parts.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

impl ExecutionPlan for ReadExec {
    fn name(&self) -> &'static str {
        "ReadExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// A sort by a column of the records would be moved below this node, to where the parts
    /// are, if it said yes.
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    /// A part is read by one task, so nothing is won by spreading the parts.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Ok([input]) = <[_; 1]>::try_from(children) else {
            return internal_err!("ReadExec has one input");
        };
        Ok(Arc::new(Self::new(input, Arc::clone(&self.source), self.spec.clone())?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let scan = Scan {
            schema: SchemaRef::clone(&self.schema),
            options: self.source.options.clone(),
            batch_size: context.session_config().batch_size(),
            limit: self.spec.limit,
        };
        let input = self.input.execute(partition, context)?;
        let metrics = PartitionMetrics::new(&self.metrics, partition);
        let position = self.source.positions.begin(partition);
        let source = Arc::clone(&self.source);
        let stream = PartitionStream::new(input, source, scan, metrics, position);
        Ok(make_cooperative(Box::pin(stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        _: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        // A service's total is an estimate, and no more.
        let total = self.spec.total.and_then(|total| usize::try_from(total).ok());
        if let (Some(total), None) = (total, args.partition()) {
            let partitions = self.properties.output_partitioning().partition_count();
            let most = self.spec.limit.map(|limit| limit.saturating_mul(partitions));
            statistics.num_rows = Precision::Inexact(most.map_or(total, |most| total.min(most)));
        }
        Ok(Arc::new(statistics))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let spec = ReadSpec { limit, ..self.spec.clone() };
        Some(Arc::new(Self { spec, ..self.clone() }))
    }

    fn fetch(&self) -> Option<usize> {
        self.spec.limit
    }
}

impl DisplayAs for ReadExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let parts = self.properties.output_partitioning().partition_count();
        let name = self.source.connector.name();
        let window = self.source.options.window;
        if format == DisplayFormatType::TreeRender {
            return writeln!(f, "table={name}\nparts={parts}");
        }
        write!(f, "ReadExec: table={name}, parts={parts}, window={window}")?;
        if let Some(fields) = &self.spec.request.fields {
            write!(f, ", fields=[{}]", fields.join(", "))?;
        }
        let conditions = &self.spec.request.conditions;
        if !conditions.is_empty() {
            let conditions = conditions.iter().map(ToString::to_string).collect::<Vec<_>>();
            write!(f, ", conditions=[{}]", conditions.join(" AND "))?;
        }
        self.spec.limit.map_or(Ok(()), |limit| write!(f, ", fetch={limit}"))
    }
}

impl Debug for ReadExec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadExec")
            .field("table", &self.source.connector.name())
            .field("spec", &self.spec)
            .field("options", &self.source.options)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}
