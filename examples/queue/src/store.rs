//! The tables, and what is written in one transaction.

use pagestream::{Checkpoint, Error, hubspot::Association};
use sqlx::{PgPool, PgTransaction};

/// A worker that began later owns the part now. Nothing was written.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("part {0} was taken over by another worker, and nothing was written")]
pub struct TakenOver(pub i32);

/// A part, as the worker owns it that began last.
#[derive(Debug)]
pub struct Owned {
    part: i32,
    version: i64,
}

/// What is known of a part.
#[derive(Debug)]
pub struct Status {
    /// Its number, from 0.
    pub part: i32,
    /// Where it stands.
    pub checkpoint: Checkpoint,
    /// How often a worker began it.
    pub begun: i32,
}

/// Creates the tables, and a row for each part.
pub async fn create(
    transaction: &mut PgTransaction<'_>,
    ids: &[String],
    parts: &[Checkpoint],
) -> anyhow::Result<()> {
    sqlx::raw_sql(include_str!("schema.sql")).execute(&mut **transaction).await?;
    let reading = sqlx::query("insert into reading (ids) values ($1)");
    reading.bind(ids).execute(&mut **transaction).await?;
    let checkpoints = parts.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    let rows = sqlx::query(
        "insert into parts (part, checkpoint, finished)
         select number - 1, checkpoint::json, false
         from unnest($1::text[]) with ordinality as given (checkpoint, number)",
    );
    rows.bind(checkpoints).execute(&mut **transaction).await?;
    Ok(())
}

/// The ids that are read, in their order.
pub async fn ids(pool: &PgPool) -> anyhow::Result<Vec<String>> {
    Ok(sqlx::query_scalar("select ids from reading").fetch_one(pool).await?)
}

/// Takes a part over from whoever had it, and gives the place where it stands.
pub async fn begin(pool: &PgPool, part: i32) -> anyhow::Result<(Owned, Checkpoint)> {
    let begin = sqlx::query_as::<_, (i64, String)>(
        "update parts set version = version + 1, begun = begun + 1 where part = $1
         returning version, checkpoint::text",
    );
    let (version, checkpoint) = begin.bind(part).fetch_one(pool).await?;
    Ok((Owned { part, version }, serde_json::from_str(&checkpoint)?))
}

/// Writes records and failures with the place behind them: all of it, or nothing.
///
/// # Errors
///
/// [`TakenOver`], if another worker began since.
pub async fn commit(
    pool: &PgPool,
    owned: &mut Owned,
    records: &[Association],
    failures: &[Error],
    checkpoint: &Checkpoint,
) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    // First the fence: it locks the row, so that nobody takes the part over before the commit.
    let place = sqlx::query(
        "update parts set version = version + 1, checkpoint = $3::text::json, finished = $4
         where part = $1 and version = $2",
    );
    let place = place.bind(owned.part).bind(owned.version);
    let place = place.bind(serde_json::to_string(checkpoint)?).bind(checkpoint.is_finished());
    if place.execute(&mut *transaction).await?.rows_affected() == 0 {
        return Err(TakenOver(owned.part).into()); // the transaction is rolled back
    }
    insert_records(&mut transaction, records).await?;
    insert_failures(&mut transaction, failures).await?;
    transaction.commit().await?;
    owned.version += 1;
    Ok(())
}

/// A record that comes twice violates the primary key. It is not passed over: that would hide
/// an error in the place.
async fn insert_records(
    transaction: &mut PgTransaction<'_>,
    records: &[Association],
) -> anyhow::Result<()> {
    let from = records.iter().map(|record| record.from.to_string()).collect::<Vec<_>>();
    let to = records.iter().map(|record| record.to.to_string()).collect::<Vec<_>>();
    let types = records.iter().map(|record| serde_json::to_string(&record.types));
    let insert = sqlx::query(
        "insert into associations (from_id, to_id, types)
         select * from unnest($1::text[], $2::text[], $3::text[]::jsonb[])",
    );
    let insert = insert.bind(from).bind(to).bind(types.collect::<Result<Vec<_>, _>>()?);
    insert.execute(&mut **transaction).await?;
    Ok(())
}

/// A row for each id that failed, and one for a failure that names none.
async fn insert_failures(
    transaction: &mut PgTransaction<'_>,
    failures: &[Error],
) -> anyhow::Result<()> {
    let (mut ids, mut messages) = (Vec::<Option<&str>>::new(), Vec::new());
    for failure in failures {
        let of_failure = failure.ids().iter().map(|id| Some(id.as_str()));
        ids.extend(of_failure.chain(failure.ids().is_empty().then_some(None)));
        messages.resize(ids.len(), failure.to_string());
    }
    let insert = sqlx::query(
        "insert into failures (id, message) select * from unnest($1::text[], $2::text[])",
    );
    insert.bind(ids).bind(messages).execute(&mut **transaction).await?;
    Ok(())
}

/// All parts, in their order.
pub async fn status(pool: &PgPool) -> anyhow::Result<Vec<Status>> {
    let rows = sqlx::query_as::<_, (i32, String, i32)>(
        "select part, checkpoint::text, begun from parts order by part",
    );
    let rows = rows.fetch_all(pool).await?;
    let status = rows.into_iter().map(|(part, checkpoint, begun)| {
        Ok(Status { part, checkpoint: serde_json::from_str(&checkpoint)?, begun })
    });
    status.collect()
}
