//! The processes of a cluster: a scheduler, an executor, and the session of a client.

use std::{io::Read, sync::Arc};

use ballista::prelude::SessionContextExt;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::{
    cluster::BallistaCluster,
    config::{SchedulerConfig, TaskDistributionPolicy},
    scheduler_process::start_server,
};
use datafusion::{execution::SessionStateBuilder, prelude::SessionContext};
use pagestream_datafusion::{
    Connectors,
    ballista::{logical_codec, physical_codec, session_config},
};

/// Schedules, until the process ends. It is ready when it knows so many executors.
pub(crate) async fn scheduler(
    connectors: &Connectors,
    port: u16,
    executors: usize,
) -> anyhow::Result<()> {
    end_with_parent();
    let config = SchedulerConfig {
        override_logical_codec: Some(logical_codec(connectors)),
        override_physical_codec: Some(physical_codec(connectors)),
        task_distribution: TaskDistributionPolicy::RoundRobin,
        bind_port: port,
        min_ready_executors: executors,
        // An executor that is gone is noticed after some seconds, and not after three minutes.
        executor_timeout_seconds: 3,
        expire_dead_executor_interval_seconds: 1,
        ..Default::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    start_server(cluster, ([127, 0, 0, 1], port).into(), Arc::new(config)).await?;
    Ok(())
}

/// Executes, until the process ends. It waits most of the time, so it has more tasks at once than a
/// machine has cores: four.
pub(crate) async fn executor(
    connectors: &Connectors,
    scheduler_port: u16,
    [port, grpc_port]: [u16; 2],
    folder: &str,
) -> anyhow::Result<()> {
    end_with_parent();
    let config = ExecutorProcessConfig {
        override_logical_codec: Some(logical_codec(connectors)),
        override_physical_codec: Some(physical_codec(connectors)),
        scheduler_port,
        scheduler_connect_timeout_seconds: 30,
        port,
        grpc_port,
        work_dir: Some(folder.to_owned()),
        vcores: 4,
        executor_heartbeat_interval_seconds: 1,
        ..Default::default()
    };
    start_executor_process(Arc::new(config)).await?;
    Ok(())
}

/// A session whose queries run on the cluster.
pub(crate) async fn session(
    connectors: &Connectors,
    scheduler_port: u16,
) -> anyhow::Result<SessionContext> {
    let state = SessionStateBuilder::new().with_default_features();
    let state = state.with_config(session_config(connectors).with_target_partitions(4)).build();
    let url = format!("df://localhost:{scheduler_port}");
    Ok(SessionContext::remote_with_state(&url, state).await?)
}

/// Ends this process when the one that started it is gone.
fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
}
