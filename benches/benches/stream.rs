//! What a record costs in a stream where nothing is waited for, as wall time within
//! one run. The instructions are counted by `instructions`.

use std::time::Duration;

use anyhow::{Result, ensure};
use criterion::{BenchmarkId, Criterion, Throughput};
use futures::executor::block_on;
use pagestream_bench::{
    figures::{self, Figures, Measure},
    is_whole_run,
    rounds::ratio,
    stream::{Memory, Reader},
};

const RECORDS: u64 = 100_000;
const ROUNDS: usize = 31;
const TABLE: &str = "**A record in memory, wall time**, in times of the loop by hand";

fn group(per_page: u64) -> String {
    format!("{per_page} records a page")
}

fn compare(criterion: &mut Criterion, per_page: u64) -> Result<()> {
    let memory = Memory { per_page, pages: RECORDS / per_page };
    let expected = block_on(Reader::ByHand.read(memory))?;
    let mut benches = criterion.benchmark_group(group(per_page));
    benches.throughput(Throughput::Elements(RECORDS));
    for reader in Reader::ALL {
        ensure!(block_on(reader.read(memory))? == expected, "{reader} reads something else");
        benches.bench_function(BenchmarkId::from_parameter(reader), |bencher| {
            bencher.iter(|| block_on(reader.read(memory)).expect("it was read before"));
        });
    }
    benches.finish();
    Ok(())
}

fn main() -> Result<()> {
    const PAGE_SIZES: [u64; 3] = [10, 50, 500];
    let mut criterion = Criterion::default()
        .output_directory(&figures::directory().join("criterion"))
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots()
        .configure_from_args();
    PAGE_SIZES.iter().try_for_each(|per_page| compare(&mut criterion, *per_page))?;
    criterion.final_summary();
    if is_whole_run() {
        let mut figures = Figures::new()?;
        for reader in Reader::ALL {
            for per_page in PAGE_SIZES {
                let memory = Memory { per_page, pages: RECORDS / per_page };
                let read = |reader: Reader| move || block_on(reader.read(memory)).map(drop);
                let ratio = ratio(ROUNDS, read(reader), read(Reader::ByHand))?;
                figures.add(TABLE, reader, group(per_page), Measure::Ratio(ratio));
            }
        }
        figures.save("stream")?;
    }
    Ok(())
}
