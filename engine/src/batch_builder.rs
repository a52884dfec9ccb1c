use datafusion::{
    arrow::{
        array::{RecordBatch, RecordBatchOptions},
        datatypes::SchemaRef,
    },
    common::{DataFusionError, Result, exec_datafusion_err, exec_err},
};
use serde::Serialize;
use serde_arrow::ArrayBuilder;

use crate::names::has_names;

/// Records as the columns that a query needs.
pub(crate) struct BatchBuilder {
    schema: SchemaRef,
    /// None where no column is needed.
    arrays: Option<ArrayBuilder>,
    rows: usize,
}

impl BatchBuilder {
    pub(crate) fn new(schema: SchemaRef) -> Result<Self> {
        let has_columns = !schema.fields().is_empty();
        let arrays = has_columns.then(|| ArrayBuilder::from_arrow(schema.fields()));
        let arrays = arrays.transpose().map_err(|error| as_error(&error))?;
        Ok(Self { schema, arrays, rows: 0 })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn push(&mut self, record: &impl Serialize) -> Result<()> {
        if let Some(arrays) = &mut self.arrays {
            // The fields of a tuple are taken in their order, whatever columns are asked for.
            if !has_names(record) {
                return exec_err!(
                    "a record of a table is a struct or a map, with names for columns"
                );
            }
            arrays.push(record).map_err(|error| as_error(&error))?;
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows that were pushed since the last time.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch> {
        let rows = std::mem::take(&mut self.rows);
        let columns = match &mut self.arrays {
            Some(arrays) => arrays.to_arrow().map_err(|error| as_error(&error))?,
            None => Vec::new(),
        };
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }
}

fn as_error(error: &serde_arrow::Error) -> DataFusionError {
    exec_datafusion_err!("a record does not fit the columns of its table: {error}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::{
        array::{Array, AsArray},
        datatypes::{Int64Type, Schema},
    };
    use serde::{Deserialize, Serialize};

    use super::BatchBuilder;
    use crate::schema_of;

    #[derive(Serialize, Deserialize)]
    struct Deal {
        id: i64,
        name: Option<String>,
    }

    fn deal(id: i64) -> Deal {
        Deal { id, name: (id % 2 == 0).then(|| format!("deal {id}")) }
    }

    #[test]
    fn only_the_columns_that_are_asked_for_are_built() {
        let schema = schema_of::<Deal>().unwrap().project(&[1]).unwrap();
        let mut builder = BatchBuilder::new(Arc::new(schema)).unwrap();
        builder.push(&deal(1)).unwrap();
        builder.push(&deal(2)).unwrap();
        let batch = builder.finish().unwrap();
        assert_eq!((batch.num_columns(), batch.num_rows()), (1, 2));
        let names = batch.column(0).as_string::<i32>();
        assert!(names.is_null(0) && names.value(1) == "deal 2");
    }

    #[test]
    fn rows_are_counted_where_no_column_is_needed() {
        let mut builder = BatchBuilder::new(Arc::new(Schema::empty())).unwrap();
        builder.push(&deal(1)).unwrap();
        assert_eq!(builder.finish().unwrap().num_rows(), 1);
        assert_eq!(builder.finish().unwrap().num_rows(), 0);
    }

    #[test]
    fn a_builder_begins_anew_after_each_batch() {
        let mut builder = BatchBuilder::new(Arc::new(schema_of::<Deal>().unwrap())).unwrap();
        for id in 0..3 {
            builder.push(&deal(id)).unwrap();
            let batch = builder.finish().unwrap();
            assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[id]);
        }
    }

    #[test]
    fn a_record_without_names_is_an_error() {
        let mut builder = BatchBuilder::new(Arc::new(schema_of::<Deal>().unwrap())).unwrap();
        builder.push(&deal(1)).unwrap();
        assert!(builder.push(&(1, "deal")).unwrap_err().to_string().contains("a struct or a map"));
    }
}
