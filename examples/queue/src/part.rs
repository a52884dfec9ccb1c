//! One job: a part, read from where it stands to its end.

use futures::TryStreamExt;
use pagestream::{PaginatorExt, hubspot::Associations};
use sqlx::PgPool;

use crate::store;

/// How many records are written at once. A crash makes requests for as many again.
pub const BATCH: usize = 100;

/// How many requests of a part are in flight.
const WINDOW: usize = 4;

/// Reads the part and writes its records, each once, however often it is run.
///
/// # Errors
///
/// [`TakenOver`](store::TakenOver), if another worker began with the part since. Otherwise those
/// of the service and of the database. What was written before the error stays, and the next run
/// goes on behind it.
pub async fn run(pool: &PgPool, associations: &Associations, part: i32) -> anyhow::Result<()> {
    let (mut owned, checkpoint) = store::begin(pool, part).await?;
    let read = associations.clone().into_read().window(WINDOW);
    let read = read.set_failures_aside().resume(checkpoint);
    let mut batches = read.records().batches(BATCH);
    let monitor = batches.monitor();
    while let Some(batch) = batches.try_next().await? {
        // They came before the checkpoint of this batch.
        let failures = monitor.take_failures();
        store::commit(pool, &mut owned, &batch.records, &failures, &batch.checkpoint).await?;
    }
    // What came behind the last record: failures, and the end.
    let (failures, end) = (monitor.take_failures(), monitor.checkpoint()?);
    store::commit(pool, &mut owned, &[], &failures, &end).await
}
