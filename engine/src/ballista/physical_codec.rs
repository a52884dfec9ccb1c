use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::{
    common::{Result, plan_err},
    execution::TaskContext,
    physical_plan::ExecutionPlan,
};
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use super::wire::{self, Connected, SentReading};
use crate::{
    connectors::Connectors,
    error::engine_error,
    read_exec::{ReadExec, ReadSpec},
    source::Source,
};

/// Carries readings to the executors.
#[derive(Debug)]
pub(super) struct ReadCodec {
    connectors: Connectors,
    ballista: BallistaPhysicalExtensionCodec,
}

impl ReadCodec {
    pub(super) fn new(connectors: Connectors) -> Self {
        Self { connectors, ballista: BallistaPhysicalExtensionCodec::default() }
    }
}

impl PhysicalExtensionCodec for ReadCodec {
    fn try_decode(
        &self,
        buffer: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(sent) = wire::decode::<SentReading>(buffer) else {
            return self.ballista.try_decode(buffer, inputs, context, converter);
        };
        let SentReading { connector, options, projection, limit, request, total } = sent?;
        let [input] = inputs else { return plan_err!("a reading has one input") };
        let connector = connector.make(&self.connectors)?;
        let schema = connector.schema();
        let schema = schema.map_err(engine_error)?;
        let spec = ReadSpec { table_schema: Arc::new(schema), projection, limit, request, total };
        let environment = self.connectors.environment().clone();
        let source = Source::new(connector, environment, options, None);
        Ok(Arc::new(ReadExec::new(Arc::clone(input), Arc::new(source), spec)?))
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buffer: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(read) = node.downcast_ref::<ReadExec>() else {
            return self.ballista.try_encode(node, buffer, converter);
        };
        let ReadSpec { projection, limit, request, total, .. } = read.spec.clone();
        let options = read.source.options.clone();
        let connector = Connected::of(&*read.source.connector, &options)?;
        wire::encode(&SentReading { connector, options, projection, limit, request, total }, buffer)
    }
}
