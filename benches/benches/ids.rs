//! A reading of 1,000,000 ids of HubSpot against one of 100,000, in memory: reading
//! all of them, and dropping the stream behind the first record.

use std::{hint::black_box, time::Duration};

use anyhow::{Result, ensure};
use criterion::{BenchmarkId, Criterion};
use futures::{TryStreamExt, executor::block_on};
use pagestream::{PaginatorExt, hubspot::Associations, testing::HubSpot};
use pagestream_bench::{
    figures::{self, Figures, Measure},
    is_whole_run,
    rounds::ratio,
};

const FEW: u64 = 100_000;
const MANY: u64 = 1_000_000;
const DROPPED: &str = "ids, dropped after the first record";
const TABLE: &str = "**1,000,000 ids of HubSpot in memory**, in times of 100,000";

fn associations(ids: u64) -> Associations {
    let service = HubSpot::new(1)
        .objects(ids)
        .page_size(1)
        .pages(|index| if index % 100 == 0 { 5 } else { 1 })
        .counting_only();
    let ids = service.ids();
    Associations::builder("deals", "companies")
        .ids(ids)
        .token("t")
        .transport(service)
        .build()
        .unwrap()
}

/// Reads all of them.
fn read(associations: &Associations, ids: u64) -> Result<()> {
    let count = associations.records().try_fold(0, async |count, record| {
        black_box(record);
        Ok(count + 1)
    });
    ensure!(block_on(count)? == ids + ids / 100 * 4, "not all were read");
    Ok(())
}

/// Drops the stream behind the first record.
fn read_one(associations: &Associations) -> Result<()> {
    ensure!(block_on(associations.records().try_next())?.is_some(), "there is a record");
    Ok(())
}

fn dropping_the_stream(criterion: &mut Criterion, readings: &[(u64, Associations)]) {
    let mut group = criterion.benchmark_group(DROPPED);
    for (ids, associations) in readings {
        group.bench_function(BenchmarkId::from_parameter(ids), |bencher| {
            bencher.iter(|| read_one(associations).expect("a stream in memory"));
        });
    }
    group.finish();
}

fn main() -> Result<()> {
    let mut criterion = Criterion::default()
        .output_directory(&figures::directory().join("criterion"))
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .configure_from_args();
    let readings = [FEW, MANY].map(|ids| (ids, associations(ids)));
    dropping_the_stream(&mut criterion, &readings);
    criterion.final_summary();
    if is_whole_run() {
        let mut figures = Figures::new()?;
        let [(_, few), (_, many)] = &readings;
        // As many ids either way, so that both take long enough to be measured.
        let ten_times = || (0..10).try_for_each(|_| read(few, FEW));
        let read = ratio(9, || read(many, MANY), ten_times)? * 10.0;
        figures.add(TABLE, "read to the end", "time", Measure::Ratio(read));
        let dropped = ratio(99, || read_one(many), || read_one(few))?;
        figures.add(TABLE, "dropped after the first record", "time", Measure::Ratio(dropped));
        figures.save("ids")?;
    }
    Ok(())
}
