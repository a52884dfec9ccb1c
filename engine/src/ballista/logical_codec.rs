use std::sync::Arc;

use ballista_core::serde::BallistaLogicalExtensionCodec;
use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::TableProvider,
    common::{Result, TableReference},
    datasource::file_format::FileFormatFactory,
    execution::TaskContext,
    logical_expr::{AggregateUDF, Extension, LogicalPlan, ScalarUDF, WindowUDF},
};
use datafusion_proto::logical_plan::LogicalExtensionCodec;

use super::wire::{self, Connected, SentTable};
use crate::{connectors::Connectors, table::Table};

/// Carries tables to the scheduler.
#[derive(Debug)]
pub(super) struct TableCodec {
    connectors: Connectors,
    ballista: BallistaLogicalExtensionCodec,
}

impl TableCodec {
    pub(super) fn new(connectors: Connectors) -> Self {
        Self { connectors, ballista: BallistaLogicalExtensionCodec::default() }
    }
}

impl LogicalExtensionCodec for TableCodec {
    fn try_decode_table_provider(
        &self,
        buffer: &[u8],
        name: &TableReference,
        schema: SchemaRef,
        context: &TaskContext,
    ) -> Result<Arc<dyn TableProvider>> {
        let Some(sent) = wire::decode::<SentTable>(buffer) else {
            return self.ballista.try_decode_table_provider(buffer, name, schema, context);
        };
        let SentTable { connector, parts, given, options } = sent?;
        let connector = connector.make(&self.connectors)?;
        let environment = self.connectors.environment().clone();
        Ok(Arc::new(Table::of(connector, environment)?.received(parts, given, options)))
    }

    fn try_encode_table_provider(
        &self,
        name: &TableReference,
        node: Arc<dyn TableProvider>,
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        let Some(table) = node.downcast_ref::<Table>() else {
            return self.ballista.try_encode_table_provider(name, node, buffer);
        };
        let (connector, parts, given, options) = table.to_send();
        let connector = Connected::of(connector, options)?;
        let given = given.map(<[_]>::to_vec);
        wire::encode(&SentTable { connector, parts, given, options: options.clone() }, buffer)
    }

    fn try_decode(
        &self,
        buffer: &[u8],
        inputs: &[LogicalPlan],
        context: &TaskContext,
    ) -> Result<Extension> {
        self.ballista.try_decode(buffer, inputs, context)
    }

    fn try_encode(&self, node: &Extension, buffer: &mut Vec<u8>) -> Result<()> {
        self.ballista.try_encode(node, buffer)
    }

    fn try_decode_file_format(
        &self,
        buffer: &[u8],
        context: &TaskContext,
    ) -> Result<Arc<dyn FileFormatFactory>> {
        self.ballista.try_decode_file_format(buffer, context)
    }

    fn try_encode_file_format(
        &self,
        buffer: &mut Vec<u8>,
        node: Arc<dyn FileFormatFactory>,
    ) -> Result<()> {
        self.ballista.try_encode_file_format(buffer, node)
    }

    fn try_decode_udf(&self, name: &str, buffer: &[u8]) -> Result<Arc<ScalarUDF>> {
        self.ballista.try_decode_udf(name, buffer)
    }

    fn try_encode_udf(&self, node: &ScalarUDF, buffer: &mut Vec<u8>) -> Result<()> {
        self.ballista.try_encode_udf(node, buffer)
    }

    fn try_decode_udaf(&self, name: &str, buffer: &[u8]) -> Result<Arc<AggregateUDF>> {
        self.ballista.try_decode_udaf(name, buffer)
    }

    fn try_encode_udaf(&self, node: &AggregateUDF, buffer: &mut Vec<u8>) -> Result<()> {
        self.ballista.try_encode_udaf(node, buffer)
    }

    fn try_decode_udwf(&self, name: &str, buffer: &[u8]) -> Result<Arc<WindowUDF>> {
        self.ballista.try_decode_udwf(name, buffer)
    }

    fn try_encode_udwf(&self, node: &WindowUDF, buffer: &mut Vec<u8>) -> Result<()> {
        self.ballista.try_encode_udwf(node, buffer)
    }
}
