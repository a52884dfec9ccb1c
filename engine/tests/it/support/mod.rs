//! A service in memory, as a table.

mod connector;
mod service;

use std::sync::Arc;

use datafusion::{
    arrow::{array::RecordBatch, util::pretty::pretty_format_batches},
    physical_plan::ExecutionPlan,
    prelude::{SessionConfig, SessionContext},
};
use pagestream_datafusion::Table;

pub(crate) use self::{
    connector::{Kind, Rows},
    service::{Row, Service},
};

/// A context with these tables.
pub(crate) fn context(tables: impl IntoIterator<Item = (&'static str, Table)>) -> SessionContext {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(4));
    for (name, table) in tables {
        context.register_table(name, Arc::new(table)).unwrap();
    }
    context
}

/// What a query gives, as text.
pub(crate) async fn shown(context: &SessionContext, query: &str) -> String {
    text(&context.sql(query).await.unwrap().collect().await.unwrap())
}

pub(crate) fn text(batches: &[RecordBatch]) -> String {
    pretty_format_batches(batches).unwrap().to_string()
}

/// The plan that selects all of a table.
pub(crate) async fn plan(context: &SessionContext, query: &str) -> Arc<dyn ExecutionPlan> {
    context.sql(query).await.unwrap().create_physical_plan().await.unwrap()
}

/// The numbers in a column.
pub(crate) fn ids(batches: &[RecordBatch]) -> Vec<u64> {
    use datafusion::arrow::{array::AsArray, datatypes::UInt64Type};
    let ids = |batch: &RecordBatch| {
        batch.column_by_name("id").unwrap().as_primitive::<UInt64Type>().values().to_vec()
    };
    batches.iter().flat_map(ids).collect()
}
