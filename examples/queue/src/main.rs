//! The roles: `enqueue`, `work` and `status`. README.md says how to run them.

use std::{env, io, time::Duration};

use anyhow::Context;
use pagestream::hubspot::Associations;
use pagestream_queue::{queue, store};
use sqlx::{PgPool, postgres::PgPoolOptions};

/// Connections of a process: one for each job in hand, and some for the queue.
const CONNECTIONS: u32 = 5;

fn variable(name: &str) -> anyhow::Result<String> {
    env::var(name).with_context(|| format!("{name} is not set"))
}

/// What is read. It is built alike in all processes.
fn associations(ids: &[String]) -> anyhow::Result<Associations> {
    let associations = Associations::builder("deals", "companies");
    let mut associations =
        associations.ids(ids.iter().map(String::as_str)).token(variable("HUBSPOT_TOKEN")?);
    if let Ok(base_url) = env::var("HUBSPOT_BASE_URL") {
        associations = associations.base_url(base_url);
    }
    Ok(associations.build()?)
}

async fn enqueue(pool: &PgPool, parts: &str) -> anyhow::Result<()> {
    let parts = parts.parse().context("into how many parts?")?;
    let ids = io::stdin().lines().collect::<Result<Vec<_>, _>>()?;
    let parts = queue::enqueue(pool, &associations(&ids)?, &ids, parts).await?;
    println!("{} ids in {parts} parts", ids.len());
    Ok(())
}

async fn work(pool: PgPool, heartbeat: &str) -> anyhow::Result<()> {
    let heartbeat = heartbeat.parse().context("how many milliseconds between heartbeats?")?;
    let ids = store::ids(&pool).await.context("nothing is enqueued")?;
    queue::work(pool, associations(&ids)?, Duration::from_millis(heartbeat)).await
}

async fn status(pool: &PgPool) -> anyhow::Result<()> {
    for status in store::status(pool).await? {
        let end = if status.checkpoint.is_finished() { ", finished" } else { "" };
        let records = status.checkpoint.records();
        println!("part {}: {records} records, begun {} times{end}", status.part, status.begun);
    }
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS);
    let pool = pool.connect(&variable("DATABASE_URL")?).await?;
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["enqueue", parts] => enqueue(&pool, parts).await,
        ["work"] => work(pool, "1000").await,
        ["work", heartbeat] => work(pool, heartbeat).await,
        ["status"] => status(&pool).await,
        _ => anyhow::bail!("enqueue PARTS, work [MILLISECONDS] or status"),
    }
}
