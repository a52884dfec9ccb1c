//! The jobs, and the worker that runs them: `graphile_worker`.

use std::time::Duration;

use anyhow::Context;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, TaskHandler, WorkerContext, WorkerOptions, WorkerUtils,
};
use pagestream::{PaginatorExt, hubspot::Associations};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::{part, store};

/// The schema of the queue's own tables.
const SCHEMA: &str = "graphile_worker";

/// After how many heartbeats that did not come a worker counts as dead.
const MISSED_HEARTBEATS: u32 = 5;

/// How many parts a worker reads at once.
const CONCURRENCY: usize = 2;

/// The job that reads a part.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ReadPart {
    /// The number of the part.
    pub part: i32,
}

impl TaskHandler for ReadPart {
    const IDENTIFIER: &'static str = "read_part";

    /// A worker whose part was taken over ends with an error too. The queue completes a job by
    /// its id, whoever has it by then: an `Ok` would delete the job of the successor. A failure
    /// counts only for the worker that has the job.
    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let Some(associations) = context.get_ext::<Associations>() else {
            anyhow::bail!("the worker was built without what it reads");
        };
        let result = part::run(context.pg_pool(), associations, self.part).await;
        if let Err(error) = &result {
            eprintln!("part {}: {error:#}", self.part);
        }
        result
    }
}

/// Splits the reading. Creates the tables, the parts and their jobs in one transaction, so that
/// there is no part without a job. Gives how many parts there are.
pub async fn enqueue(
    pool: &PgPool,
    associations: &Associations,
    ids: &[String],
    parts: usize,
) -> anyhow::Result<usize> {
    let utils = WorkerUtils::new(pool.clone(), SCHEMA);
    utils.migrate().await?;
    let parts = associations.split(parts, None)?;
    let spec = JobSpec::default();
    let jobs = (0..i32::try_from(parts.len())?).map(|part| (ReadPart { part }, &spec));
    let jobs = jobs.collect::<Vec<_>>();

    let mut transaction = pool.begin().await?;
    store::create(&mut transaction, ids, &parts).await.context("are the tables there already?")?;
    utils.with_executor(&mut transaction).add_jobs(&jobs).await?;
    transaction.commit().await?;
    Ok(parts.len())
}

/// Runs jobs until the process is told to end (Ctrl-C, SIGTERM).
///
/// The jobs of a worker that died are run again: each worker writes a heartbeat, and looks for
/// workers that do not. By default the queue leaves such jobs for hours.
pub async fn work(
    pool: PgPool,
    associations: Associations,
    heartbeat: Duration,
) -> anyhow::Result<()> {
    let worker = WorkerOptions::default()
        .pg_pool(pool)
        .schema(SCHEMA)
        .concurrency(CONCURRENCY)
        .heartbeat_interval(heartbeat)
        .sweep_interval(heartbeat)
        .sweep_threshold(heartbeat * MISSED_HEARTBEATS)
        .recovery_delay(Duration::ZERO)
        .shutdown_interrupted_job_retry_delay(Duration::ZERO)
        .add_extension(associations)
        .define_job::<ReadPart>()
        .init()
        .await?;
    Ok(worker.run().await?)
}
