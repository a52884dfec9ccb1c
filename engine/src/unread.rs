use std::sync::Arc;

use datafusion::{
    common::{Result, exec_err, plan_err},
    datasource::memory::DataSourceExec,
    physical_plan::{
        ExecutionPlan, coop::CooperativeExec, expressions::Column, projection::ProjectionExec,
    },
};

use crate::{part::Part, parts, read_exec::ReadExec};

/// What a plan that was cut left to read: parts for
/// [`Table::with_parts`](crate::Table::with_parts), which give exactly the rows that its
/// streams did not yield.
///
/// The plan selects columns of one table, and does no more: each of its partitions is a part,
/// whose rows come as they are read. Any other node, such as a sort, a join or a filter, holds
/// rows that it has not handed on. What it held when it was cut is lost, so read that query
/// again from the start.
///
/// Ask when the streams are dropped or have ended.
///
/// ```
/// # use std::sync::Arc;
/// use datafusion::{physical_plan::execute_stream_partitioned, prelude::SessionContext};
/// use futures::TryStreamExt;
/// use pagestream_datafusion::{Table, unread};
/// # use datafusion::arrow::datatypes::Schema;
/// # use pagestream::{Error, FromFn, Page, from_fn};
/// # use pagestream_datafusion::{Connector, Environment, Request, schema_of};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Deal { id: u64 }
/// # #[derive(Clone, serde::Serialize, serde::Deserialize)]
/// # struct Deals;
/// # type Fetch = fn(u64) -> std::future::Ready<Result<Page<Deal, u64>, Error>>;
/// # impl Connector for Deals {
/// #     const NAME: &'static str = "deals";
/// #     type Paginator = FromFn<u64, Fetch>;
/// #     fn schema(&self) -> Result<Schema, Error> { schema_of::<Deal>() }
/// #     fn paginator(&self, _: &Request, _: &Environment) -> Result<FromFn<u64, Fetch>, Error> {
/// #         fn page(id: u64) -> std::future::Ready<Result<Page<Deal, u64>, Error>> {
/// #             std::future::ready(Ok(Page::new(vec![Deal { id }], (id < 4).then_some(id + 1))))
/// #         }
/// #         Ok(from_fn(1, page as Fetch).identified_by("deals"))
/// #     }
/// # }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let context = SessionContext::new();
/// let table = Table::new(Deals)?; // 4 deals, one to a page
/// context.register_table("deals", Arc::new(table.clone()))?;
/// let plan = context.table("deals").await?.create_physical_plan().await?;
///
/// let mut streams = execute_stream_partitioned(Arc::clone(&plan), context.task_ctx())?;
/// let first = streams[0].try_next().await?.unwrap();
/// drop(streams);
///
/// let rest = table.with_parts(unread(&plan)?);
/// context.deregister_table("deals")?;
/// context.register_table("deals", Arc::new(rest))?;
/// assert_eq!(first.num_rows() + context.table("deals").await?.count().await?, 4);
/// # Ok::<(), datafusion::error::DataFusionError>(()) }).unwrap();
/// ```
///
/// # Errors
///
/// - If the plan is another one.
/// - If a record did not fit the columns, so that the records before it on its page are in no
///   batch.
/// - If a stream was dropped between a batch and the error of ids that failed behind it, so that
///   nobody knows of them.
pub fn unread(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<Part>> {
    let read = reading(plan)?;
    let Some(leaf) = read.input().downcast_ref::<DataSourceExec>() else {
        return plan_err!("{} does not hold the parts", read.input().name());
    };
    let Some(partitions) = parts::of_leaf(leaf)? else {
        return exec_err!("the leaf does not hold the parts");
    };
    let mut unread = Vec::new();
    for (partition, parts) in partitions.into_iter().enumerate() {
        unread.extend(read.source.positions.unread(partition, parts)?);
    }
    Ok(unread)
}

/// The reading of a plan that hands on each row when it comes.
fn reading(plan: &Arc<dyn ExecutionPlan>) -> Result<&ReadExec> {
    if let Some(read) = plan.downcast_ref::<ReadExec>() {
        return Ok(read);
    }
    if let Some(cooperative) = plan.downcast_ref::<CooperativeExec>() {
        return reading(cooperative.input());
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>()
        // Another expression may fail, and the rows of its batch are lost.
        && projection.expr().iter().all(|it| it.expr.downcast_ref::<Column>().is_some())
    {
        return reading(projection.input());
    }
    plan_err!(
        "{} holds rows that it has not handed on, so nobody can say which of them are left: \
         read the query again from the start",
        plan.name()
    )
}
