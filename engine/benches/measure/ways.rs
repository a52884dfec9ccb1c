//! The ways, each of which counts, counts distinct ids, and adds them up.

use std::{collections::HashSet, sync::Arc, time::Instant};

use anyhow::{Context, ensure};
use ballista_core::{
    extension::SessionConfigExt, serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient,
};
use bytes::Bytes;
use datafusion::{
    arrow::{
        array::AsArray,
        compute::cast,
        datatypes::{DataType, UInt64Type},
    },
    execution::SessionStateBuilder,
    prelude::SessionContext,
};
use futures::TryStreamExt;
use http::Request;
use pagestream::{PaginatorExt, Reqwest, Transport};
use pagestream_datafusion::{Connectors, Table, ballista::session_config};

use crate::{
    numbers::{self, Answer, Numbers, PAGE, PAGES},
    report::Measured,
    roles,
};

/// What each way finds.
#[derive(Default)]
struct Sums {
    count: u64,
    distinct: HashSet<u64>,
    sum: u64,
}

impl Sums {
    fn add(&mut self, id: u64) {
        self.count += 1;
        self.distinct.insert(id);
        self.sum += id;
    }

    fn check(&self) -> anyhow::Result<()> {
        check([self.count, self.distinct.len() as u64, self.sum])
    }
}

fn check(found: [u64; 3]) -> anyhow::Result<()> {
    let all = PAGES * PAGE;
    ensure!(found == [all, all, all * (all - 1) / 2], "wrong: {found:?}");
    Ok(())
}

/// One request after the other, and nothing of this crate but its HTTP client.
pub(crate) async fn by_hand(url: &str) -> anyhow::Result<Measured> {
    let client = Reqwest::new()?;
    let begin = Instant::now();
    let (mut sums, mut first_row) = (Sums::default(), None);
    loop {
        let (offset, limit) = (sums.count, PAGE);
        let address = format!("{url}/numbers?offset={offset}&limit={limit}");
        let answer = client.send(Request::get(address).body(Bytes::new())?).await?;
        let Answer { total, items } = serde_json::from_slice(answer.body())?;
        for number in items {
            first_row.get_or_insert_with(|| begin.elapsed());
            sums.add(number.id);
        }
        if sums.count >= total {
            break;
        }
    }
    let time = begin.elapsed();
    sums.check()?;
    Measured::new(time, first_row, numbers::requests(url).await?)
}

/// A stream with a window.
pub(crate) async fn stream(url: &str) -> anyhow::Result<Measured> {
    let list = numbers::list(url)?;
    let begin = Instant::now();
    let (mut sums, mut first_row) = (Sums::default(), None);
    let mut records = list.into_read().window(8).records();
    while let Some(number) = records.try_next().await? {
        first_row.get_or_insert_with(|| begin.elapsed());
        sums.add(number.id);
    }
    let time = begin.elapsed();
    sums.check()?;
    Measured::new(time, first_row, numbers::requests(url).await?)
}

/// A table of DataFusion.
pub(crate) async fn datafusion(url: &str, parts: usize) -> anyhow::Result<Measured> {
    query(&SessionContext::new(), url, parts, true).await
}

/// A scheduler and an executor in this process.
pub(crate) async fn standalone(connectors: &Connectors, url: &str) -> anyhow::Result<Measured> {
    let config = session_config(connectors).with_target_partitions(4);
    let state = SessionStateBuilder::new().with_default_features().with_config(config).build();
    let address =
        ballista_scheduler::standalone::new_standalone_scheduler_from_state(&state).await?;
    let scheduler =
        SchedulerGrpcClient::connect(format!("http://localhost:{}", address.port())).await?;
    let config = state.config().clone().with_ballista_standalone_parallelism(8);
    let vcores = config.ballista_standalone_parallelism();
    ballista_executor::new_standalone_executor_from_state(scheduler, vcores, &state).await?;
    query(&roles::session(connectors, address.port()).await?, url, 8, true).await
}

/// The query over a table, and how long the first row of another one takes.
pub(crate) async fn query(
    context: &SessionContext,
    url: &str,
    parts: usize,
    has_first_row: bool,
) -> anyhow::Result<Measured> {
    let table = Table::new(Numbers { url: url.to_owned() })?.parts(parts);
    context.register_table("numbers", Arc::new(table))?;
    let begin = Instant::now();
    let query = "SELECT count(*), count(DISTINCT id), sum(id) FROM numbers";
    let found = context.sql(query).await?.collect().await?;
    let time = begin.elapsed();
    let requests = numbers::requests(url).await?;
    let row = found.first().context("it gives a row")?;
    let number = |column: usize| {
        let column = cast(row.column(column), &DataType::UInt64)?;
        anyhow::Ok(column.as_primitive::<UInt64Type>().value(0))
    };
    check([number(0)?, number(1)?, number(2)?])?;
    if !has_first_row {
        return Measured::new(time, None, requests);
    }
    let begin = Instant::now();
    let mut rows = context.sql("SELECT id FROM numbers").await?.execute_stream().await?;
    rows.try_next().await?.context("it gives rows")?;
    Measured::new(time, Some(begin.elapsed()), requests)
}
