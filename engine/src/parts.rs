//! The parts of a scan, as rows: what the node that reads them is handed.
//!
//! A leaf of its own would be read whole by every task of Ballista, since its scheduler can cut
//! no leaf that it does not know. It cuts rows in memory, and a plan carries them.

use std::sync::{Arc, LazyLock};

use datafusion::{
    arrow::{
        array::{AsArray, RecordBatch, StringArray},
        datatypes::{DataType, Field, Schema, SchemaRef},
    },
    common::{DataFusionError, Result, internal_datafusion_err, plan_datafusion_err},
    datasource::memory::{DataSourceExec, MemorySourceConfig},
};

use crate::part::Part;

static SCHEMA: LazyLock<SchemaRef> =
    LazyLock::new(|| Arc::new(Schema::new(vec![Field::new("part", DataType::Utf8, false)])));

/// A leaf with a partition for each part, and empty ones up to this number.
pub(crate) fn leaf(parts: &[Part], at_least: usize) -> Result<Arc<DataSourceExec>> {
    let batch = |part| {
        let text = serde_json::to_string(part)
            .map_err(|error| plan_datafusion_err!("a part can't be written as JSON: {error}"))?;
        let column = StringArray::from(vec![text]);
        Ok(vec![RecordBatch::try_new(Arc::clone(&SCHEMA), vec![Arc::new(column)])?])
    };
    let mut partitions = parts.iter().map(batch).collect::<Result<Vec<_>>>()?;
    partitions.resize(parts.len().max(at_least), Vec::new());
    let source = MemorySourceConfig::try_new(&partitions, Arc::clone(&SCHEMA), None)?;
    Ok(DataSourceExec::from_data_source(source.with_show_sizes(false)))
}

/// The parts that a batch of the leaf holds.
pub(crate) fn of_batch(batch: &RecordBatch) -> Result<Vec<Part>> {
    let column = batch.columns().first().and_then(|column| column.as_string_opt::<i32>());
    let column = column.ok_or_else(|| internal_datafusion_err!("this batch holds no parts"))?;
    let parts = column.iter().map(|text| {
        serde_json::from_str(text.unwrap_or_default()).map_err(|error| {
            DataFusionError::External(format!("this is no part of a table: {error}").into())
        })
    });
    parts.collect()
}

/// The parts of each partition of a leaf, if it is one.
pub(crate) fn of_leaf(leaf: &DataSourceExec) -> Result<Option<Vec<Vec<Part>>>> {
    let source: &dyn std::any::Any = leaf.data_source().as_ref();
    let Some(source) = source.downcast_ref::<MemorySourceConfig>() else { return Ok(None) };
    let partitions = source.partitions().iter().map(|batches| {
        let parts = batches.iter().map(of_batch).collect::<Result<Vec<_>>>()?;
        Ok(parts.into_iter().flatten().collect())
    });
    partitions.collect::<Result<Vec<_>>>().map(Some)
}
