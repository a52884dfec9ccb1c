//! What the stream costs, as ratios within one run: `cargo bench`.
//!
//! - a record of `records()` over an in-memory paginator, against a loop written
//!   by hand and against `try_unfold` with `try_flatten`;
//! - a reading of 1,000,000 ids of HubSpot against one of 100,000, in memory;
//! - the first record of each, and dropping the stream behind it.

use std::{
    fs,
    hint::black_box,
    path::Path,
    pin::pin,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput};
use futures::{StreamExt, TryStreamExt, executor::block_on, stream};
use pagestream::{Error, Page, Paginator, PaginatorExt, async_trait};
use pagestream::{hubspot::Associations, testing::HubSpot};

const PAGES: u64 = 200;
const FEW: u64 = 100_000;
const MANY: u64 = 1_000_000;
const DROPPED: &str = "ids, dropped after the first record";

/// 24 bytes.
#[derive(Clone, Copy)]
struct Record([u64; 3]);

/// Pages of records in memory.
struct Memory {
    per_page: u64,
}

#[async_trait]
impl Paginator for Memory {
    type Record = Record;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: &u64) -> Result<Page<Record, u64>, Error> {
        let records = (0..self.per_page).map(|n| Record([*page, n, page ^ n])).collect();
        Ok(Page::new(records, (page + 1 < PAGES).then_some(page + 1)))
    }
}

/// The record, as a consumer would use it.
fn digest(sum: u64, record: Record) -> u64 {
    let [page, n, mixed] = black_box(record).0;
    sum.wrapping_add(page ^ n ^ mixed)
}

async fn by_hand(memory: &Memory) -> Result<u64, Error> {
    let (mut sum, mut cursor) = (0, Some(memory.start()));
    while let Some(at) = cursor {
        let page = memory.fetch(&at).await?;
        cursor = page.next().first().copied();
        for record in page.into_records() {
            sum = digest(sum, record);
        }
    }
    Ok(sum)
}

async fn by_unfold(memory: &Memory) -> Result<u64, Error> {
    let pages = stream::try_unfold(Some(memory.start()), |cursor| async move {
        let Some(at) = cursor else { return Ok(None) };
        let page = memory.fetch(&at).await?;
        let next = page.next().first().copied();
        let records = stream::iter(page.into_records().into_iter().map(Ok::<_, Error>));
        Ok::<_, Error>(Some((records, next)))
    });
    let mut records = pin!(pages.try_flatten());
    let mut sum = 0;
    while let Some(record) = records.try_next().await? {
        sum = digest(sum, record);
    }
    Ok(sum)
}

async fn by_records(memory: &Memory) -> Result<u64, Error> {
    let mut records = memory.records();
    let mut sum = 0;
    while let Some(record) = records.try_next().await? {
        sum = digest(sum, record);
    }
    Ok(sum)
}

fn cost_of_a_record(criterion: &mut Criterion) {
    for per_page in [50, 500] {
        let memory = Memory { per_page };
        let expected = block_on(by_hand(&memory)).unwrap();
        let mut group = criterion.benchmark_group(format!("{per_page} records a page"));
        group.throughput(Throughput::Elements(per_page * PAGES));
        group.bench_function("by hand", |bencher| {
            bencher.iter(|| assert_eq!(block_on(by_hand(&memory)).unwrap(), expected));
        });
        group.bench_function("try_unfold + try_flatten", |bencher| {
            bencher.iter(|| assert_eq!(block_on(by_unfold(&memory)).unwrap(), expected));
        });
        group.bench_function("records()", |bencher| {
            bencher.iter(|| assert_eq!(block_on(by_records(&memory)).unwrap(), expected));
        });
        group.finish();
    }
}

fn associations(ids: u64) -> Associations {
    let service = HubSpot::new(1)
        .objects(ids)
        .page_size(1)
        .pages(|place| if place % 100 == 0 { 5 } else { 1 })
        .counting_only();
    let ids = service.ids();
    Associations::builder("deals", "companies")
        .ids(ids)
        .token("t")
        .transport(service)
        .build()
        .unwrap()
}

fn read_ids(associations: &Associations, ids: u64) -> Duration {
    let begin = Instant::now();
    let count = associations.records().fold(0, async |count, record| {
        black_box(record.unwrap());
        count + 1
    });
    assert_eq!(block_on(count), ids + ids / 100 * 4);
    begin.elapsed()
}

/// How many times as long 1,000,000 ids take as 100,000: the median of rounds in
/// which both are read in turn, so that a machine that slows down slows both.
fn ratio_of_ids(few: &Associations, many: &Associations) -> f64 {
    let ratios = (0..9).map(|_| {
        let few = (0..10).map(|_| read_ids(few, FEW)).sum::<Duration>() / 10;
        read_ids(many, MANY).as_secs_f64() / few.as_secs_f64()
    });
    let mut ratios = ratios.collect::<Vec<_>>();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn dropping_the_stream(criterion: &mut Criterion, readings: &[(u64, Associations)]) {
    let mut group = criterion.benchmark_group(DROPPED);
    for (ids, associations) in readings {
        group.bench_function(BenchmarkId::from_parameter(ids), |bencher| {
            bencher.iter(|| block_on(associations.records().try_next()).unwrap());
        });
    }
    group.finish();
}

/// The median of a benchmark that ran, in nanoseconds.
fn median(group: &str, name: &str) -> Option<f64> {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let directory = Path::new(&target).join("criterion").join(group).join(name);
    let estimates = fs::read(directory.join("new/estimates.json")).ok()?;
    let estimates: serde_json::Value = serde_json::from_slice(&estimates).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}

/// Prints the figures that count, from the medians of this run.
fn print_ratios() -> Option<()> {
    println!("cost of a record above the loop written by hand, ns");
    for per_page in [50_u32, 500] {
        let group = format!("{per_page} records a page");
        let records = f64::from(per_page) * 200.0;
        let by_hand = median(&group, "by hand")?;
        let above = |name| Some((median(&group, name)? - by_hand) / records);
        let (unfold, ours) = (above("try_unfold + try_flatten")?, above("records()")?);
        println!("  {group}: records() {ours:.2}, try_unfold + try_flatten {unfold:.2}");
    }
    let ratio = median(DROPPED, "1000000")? / median(DROPPED, "100000")?;
    println!("{DROPPED}: 1,000,000 take {ratio:.2} times as long as 100,000");
    Some(())
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let readings = [FEW, MANY].map(|ids| (ids, associations(ids)));
    cost_of_a_record(&mut criterion);
    dropping_the_stream(&mut criterion, &readings);
    criterion.final_summary();
    if std::env::args().any(|argument| argument == "--bench") {
        print_ratios().expect("the benchmarks wrote their estimates");
        let ratio = ratio_of_ids(&readings[0].1, &readings[1].1);
        println!("ids read: 1,000,000 take {ratio:.2} times as long as 100,000");
    }
}
