//! Tables in a Ballista cluster.

mod codecs;
mod part_reads;
mod processes;

use std::sync::Arc;

use ballista::prelude::SessionContextExt;
use ballista_core::{
    extension::SessionConfigExt, serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient,
};
use datafusion::{
    execution::SessionStateBuilder,
    prelude::{SessionConfig, SessionContext},
};
use pagestream_datafusion::{Connectors, Environment, Table, ballista::session_config};

use crate::support::Rows;

fn connectors() -> Connectors {
    Connectors::new(Environment::new().with_secret("ROWS_TOKEN", "planted-secret-4242"))
        .with::<Rows>()
}

/// A cluster in this process: a scheduler and two executors, with tables.
async fn cluster(tables: impl IntoIterator<Item = (&'static str, Table)>) -> SessionContext {
    cluster_of(session_config(&connectors()), tables).await
}

/// The same with this configuration of its sessions.
async fn cluster_of(
    config: SessionConfig,
    tables: impl IntoIterator<Item = (&'static str, Table)>,
) -> SessionContext {
    let config = config.with_target_partitions(4).with_ballista_standalone_parallelism(2);
    let state = SessionStateBuilder::new().with_default_features().with_config(config).build();
    let address =
        ballista_scheduler::standalone::new_standalone_scheduler_from_state(&state).await.unwrap();
    let url = format!("http://localhost:{}", address.port());
    for _ in 0..2 {
        let scheduler = SchedulerGrpcClient::connect(url.clone()).await.unwrap();
        ballista_executor::new_standalone_executor_from_state(scheduler, 2, &state).await.unwrap();
    }
    let url = format!("df://localhost:{}", address.port());
    let context = SessionContext::remote_with_state(&url, state).await.unwrap();
    for (name, table) in tables {
        context.register_table(name, Arc::new(table)).unwrap();
    }
    context
}
