//! Readings at random: of both vendors and of a table that changes, with faults, windows, cuts and resumes that
//! follow from a seed, in virtual time. Whatever happens on the way, each record
//! comes once, and reading ends.
//!
//! A seed that fails is printed, and replays alone:
//!
//! ```sh
//! SIMULATION_SEED=1234 SIMULATION_READINGS=1 cargo test --test simulation
//! ```
//!
//! `tests/simulate` runs it for as long as wanted.

use std::{
    collections::BTreeSet,
    env,
    fmt::Debug,
    ops::Bound,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use fastrand::Rng;
use futures::StreamExt;
use http::{HeaderValue, header::DATE};
use pagestream::{
    ChangedPage, Checkpoint, Error, ErrorKind, Page, Paginator, PaginatorExt, Retry, StopReason,
    alloy::Action,
    from_fn,
    hubspot::{Associations, Group},
    testing::{Alloy, Fault, FaultPosition, Faults, Faulty, HubSpot, Service},
};
use serde::Deserialize;
use serde_json::Value;

/// How many readings one run of the tests makes.
const READINGS: u64 = 2_000;

/// Longer than any reading takes; one that hangs is noticed by it, at once in
/// virtual time.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[test]
fn no_record_is_lost_or_repeated_and_reading_ends_whatever_happens_on_the_way() {
    let number = |name, default| env::var(name).map_or(default, |text| text.parse().unwrap());
    let first = number("SIMULATION_SEED", 1);
    let mut all = Tally::default();
    for seed in first..first + number("SIMULATION_READINGS", READINGS) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let reading = std::panic::AssertUnwindSafe(|| runtime.block_on(simulate(seed)));
        match std::panic::catch_unwind(reading) {
            Ok(Ok(tally)) => all.add(&tally),
            Ok(Err(fault)) => panic!("seed {seed}: {fault}"),
            Err(panic) => {
                eprintln!("seed {seed} panicked");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{all:?}");
    // The faults are there, or nothing is shown.
    assert!(all.readings < 100 || (all.faults > all.readings && all.cuts > all.readings));
}

/// What happened.
#[derive(Debug, Default)]
struct Tally {
    readings: u64,
    records: u64,
    requests: u64,
    faults: u64,
    retries: u64,
    cuts: u64,
    fatal_errors: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.readings += other.readings;
        self.records += other.records;
        self.requests += other.requests;
        self.faults += other.faults;
        self.retries += other.retries;
        self.cuts += other.cuts;
        self.fatal_errors += other.fatal_errors;
    }
}

async fn simulate(seed: u64) -> Result<Tally, String> {
    let mut rng = Rng::with_seed(seed);
    let way = Way::draw(&mut rng);
    let faults = way.faults.clone();
    let mut tally = match rng.u8(0..5) {
        0 | 1 => associations(&mut rng, way).await?,
        2 => groups(&mut rng, way).await?,
        3 => table(&mut rng).await?,
        _ => contacts(&mut rng, way).await?,
    };
    tally.faults = faults.met();
    Ok(tally)
}

// ---- The services

/// A HubSpot of random shape; an object may have no page, and every tenth may fail.
fn hubspot(rng: &mut Rng) -> HubSpot {
    let (seed, deepest) = (rng.u64(..), rng.usize(1..8));
    let pages = move |index| Rng::with_seed(seed ^ index as u64).usize(0..=deepest);
    let failing = rng.bool().then(|| rng.usize(0..10));
    HubSpot::new(seed)
        .objects(rng.u64(0..60))
        .page_size(rng.usize(1..5))
        .pages(pages)
        .failing(move |index| failing == Some(index % 10))
        .latency(Duration::from_millis(rng.u64(0..3)))
        .counting_only()
}

fn read_of(service: &HubSpot, rng: &mut Rng, way: &Way) -> Associations {
    Associations::builder("deals", "companies")
        .ids(service.ids())
        .token("a-test-token")
        .batch_size(rng.usize(1..30))
        .transport(way.to(service.clone()))
        .build()
        .unwrap()
}

/// The ids that the service reads, and those that it rejects.
async fn by_failure(service: &HubSpot) -> (Vec<u64>, Vec<String>) {
    let whole = Associations::builder("deals", "companies")
        .ids(service.ids())
        .token("a-test-token")
        .transport(service.clone())
        .build()
        .unwrap()
        .into_records();
    let monitor = whole.monitor();
    whole.for_each(|_| async {}).await;
    let failed = monitor.failed_ids();
    let read = service.ids().filter(|id| !failed.contains(&id.to_string()));
    (read.collect(), failed)
}

async fn associations(rng: &mut Rng, way: Way) -> Result<Tally, String> {
    let service = hubspot(rng);
    let (read, failed) = by_failure(&service).await;
    let expected = read.iter().flat_map(|&id| {
        service.associations(id).into_iter().map(move |to| format!("{id} -> {to}"))
    });
    let expected = Expected { records: expected.collect(), failed, is_ordered: false };
    let told =
        |record: pagestream::hubspot::Association| format!("{} -> {}", record.from, record.to);
    let make = |rng: &mut Rng| read_of(&service, rng, &way).map(told);
    read_whole(rng, make, expected).await
}

async fn groups(rng: &mut Rng, way: Way) -> Result<Tally, String> {
    let service = hubspot(rng);
    let (read, failed) = by_failure(&service).await;
    let group = |id: &u64| format!("{id} -> {:?}", service.associations(*id));
    let expected =
        Expected { records: read.iter().map(group).collect(), failed, is_ordered: false };
    let told = |group: Group| {
        let to =
            group.to.iter().map(|associated| associated.to.to_string().parse::<u64>().unwrap());
        format!("{} -> {:?}", group.from, to.collect::<Vec<_>>())
    };
    let make = |rng: &mut Rng| read_of(&service, rng, &way).grouped().map(told);
    read_whole(rng, make, expected).await
}

async fn contacts(rng: &mut Rng, way: Way) -> Result<Tally, String> {
    #[derive(Deserialize)]
    struct Contact {
        id: u64,
    }

    let count = rng.u64(0..300);
    let service = Alloy::new(rng.u64(..))
        .records(count)
        .latency(Duration::from_millis(rng.u64(0..3)))
        .counting_only();
    let expected = (0..count).map(|id| id.to_string()).collect();
    let expected = Expected { records: expected, failed: Vec::new(), is_ordered: true };
    let make = |rng: &mut Rng| {
        let action = Action::<Contact>::builder("crm", "listContacts")
            .api_key("a-test-key")
            .credential_id("68d9876543210fedcba98765")
            .limit(rng.u64(1..=50))
            .transport(way.to(service.clone()))
            .build();
        action.unwrap().map(|contact: Contact| contact.id.to_string())
    };
    read_whole(rng, make, expected).await
}

/// A table that changes between the cuts: rows come, go and move, and pages become larger or
/// smaller. The service throttles, fails, and forgets a cursor for a while.
async fn table(rng: &mut Rng) -> Result<Tally, String> {
    let ids = (0..rng.u32(0..150)).map(|_| rng.u32(0..400)).collect::<BTreeSet<_>>();
    let (mut stayed, ids) = (ids.clone(), Arc::new(Mutex::new(ids)));
    let mut limit = rng.usize(1..30);
    let window = rng.usize(1..5);
    let cuts = rng.u64(0..30);
    let mut tally = Tally { readings: 1, ..Tally::default() };
    let (mut came, mut has_changed) = (Vec::new(), false);
    let mut checkpoint: Option<Checkpoint> = None;
    loop {
        let faults = Arc::new(Mutex::new(Rng::with_seed(rng.u64(..))));
        let rows = Arc::clone(&ids);
        let pages = from_fn(None, move |after: Option<u32>| {
            let fault = faults.lock().unwrap().u8(0..40);
            let page = || {
                let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
                let rows = rows.lock().unwrap();
                let mut page = rows.range((behind, Bound::Unbounded)).copied().collect::<Vec<_>>();
                let goes_on = page.len() > limit;
                page.truncate(limit);
                let next = page.last().copied().filter(|_| goes_on).map(Some);
                Page::new(page, next)
            };
            let status = |status| Error::new(ErrorKind::Status, "no").with_status(status);
            std::future::ready(match fault {
                0..5 => Err(status(429).with_retry_after(Duration::from_secs(3))),
                5 => Err(status(403).with_throttled()),
                6..9 => Err(status(500)),
                9 => Err(status(410)),
                _ => Ok(page()),
            })
        });
        let pages = pages.identified_by("a table").keyed(|id| *id);
        let retry = Retry::default().seed(rng.u64(..)).max_attempts(rng.u32(1..10));
        let mut read = pages.read().window(window).retry(retry).changed_page(ChangedPage::Skip);
        if let Some(checkpoint) = &checkpoint {
            let text = serde_json::to_string(checkpoint).map_err(|error| error.to_string())?;
            read = read.resume(serde_json::from_str(&text).map_err(|error| error.to_string())?);
        }
        let drop_after = if tally.cuts < cuts { rng.usize(0..20) } else { usize::MAX };
        let mut stream = read.records();
        for _ in 0..drop_after {
            let item = tokio::time::timeout(LONGEST, stream.next());
            match item.await.map_err(|_| "it hangs".to_owned())? {
                None => break,
                Some(Ok(id)) => came.push(id),
                Some(Err(error)) if error.is_partial() && error.kind() == ErrorKind::Changed => {
                    has_changed = true;
                }
                Some(Err(_)) => tally.fatal_errors += 1,
            }
        }
        let progress = stream.monitor().progress();
        tally.requests += progress.requests;
        tally.retries += progress.retries;
        if progress.stop == Some(StopReason::End) {
            break;
        }
        tally.cuts += 1;
        if tally.cuts > 20_000 {
            return Err(format!("it does not end: {progress:?}"));
        }
        checkpoint = Some(stream.checkpoint().map_err(|error| error.to_string())?);
        if tally.cuts > cuts {
            continue;
        }
        let mut rows = ids.lock().unwrap();
        for _ in 0..rng.usize(0..4) {
            match rng.u8(0..4) {
                0 => drop(rows.insert(rng.u32(0..400))),
                1 => limit = rng.usize(1..30),
                _ => {
                    // A row that moves goes here, and comes elsewhere as another one.
                    if let Some(id) = rows.iter().nth(rng.usize(0..=rows.len())).copied() {
                        rows.remove(&id);
                        stayed.remove(&id);
                        if rng.bool() {
                            rows.insert(400 + rng.u32(0..400));
                        }
                    }
                }
            }
        }
    }
    tally.records = came.len() as u64;
    for id in &stayed {
        let times = came.iter().filter(|it| *it == id).count();
        if times != 1 && !has_changed {
            return Err(format!("row {id} came {times} times: {came:?}"));
        }
    }
    Ok(tally)
}

// ---- The way to them

/// A way on which requests and responses are lost, broken and delayed.
#[derive(Clone)]
struct Way {
    faults: Faults,
    /// After this time, an answer is not waited for.
    deadline: Duration,
}

impl Way {
    fn draw(rng: &mut Rng) -> Self {
        let at_most = rng.u32(1..12);
        let too_large = if rng.u8(0..4) == 0 { rng.usize(40..300) } else { usize::MAX };
        let faults = Faults::seeded(rng.u64(..))
            .one_in(rng.u32(2..30))
            .in_a_row(at_most)
            .of(kinds())
            .jitter(Duration::from_millis(rng.u64(1..200)))
            .when(
                move |request| request.body().len() > too_large && inputs(request.body()) > 1,
                Fault::status(413),
            );
        Self { faults, deadline: Duration::from_secs(rng.u64(10..120)) }
    }

    fn to<S: Service>(&self, service: S) -> Faulty<S> {
        self.faults.on(service).deadline(self.deadline)
    }
}

/// What goes wrong on the way. What mostly ends a stream at once is rarer.
fn kinds() -> Vec<Fault> {
    const EPOCH: HeaderValue = HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT");
    let seconds = Duration::from_secs;
    let often = [
        Fault::status(503)
            .header(DATE, EPOCH)
            .retry_after_date(SystemTime::UNIX_EPOCH + seconds(5)),
        Fault::status(429).retry_after(seconds(3)),
        Fault::status(500).retry_after(seconds(1)).body("<html>"),
        Fault::stalled(FaultPosition::BeforeHeaders),
        Fault::stalled(FaultPosition::InBody),
        Fault::trickling(seconds(1)),
        Fault::late(seconds(20)),
        HubSpot::burst_limit(),
        HubSpot::secondly_limit(),
        // It was read, and the answer is cut in the middle.
        Fault::halved(),
    ];
    let rare = [
        Fault::html(),
        Fault::empty(),
        Fault::error_envelope(),
        Fault::redirect("http://127.0.0.1:9/elsewhere"),
        Fault::gzip_bomb(1 << 40),
        HubSpot::daily_limit(),
        Fault::status(429).retry_after(seconds(3_600)),
        Fault::status(413),
        Fault::status(401),
        // A 400 would be taken for one of an id.
        Fault::status(402).body(r#"{"message":"for once"}"#),
        // These two change nothing of what is read.
        Fault::oversized(1 << 12),
        Fault::content_type("text/plain"),
    ];
    let often = often.into_iter().chain(Fault::passing());
    let often = often.flat_map(|fault| std::iter::repeat_n(fault, 8));
    often.chain(rare).collect()
}

/// How many things a request asks for.
fn inputs(body: &Bytes) -> usize {
    let body = serde_json::from_slice::<Value>(body).unwrap();
    body["inputs"].as_array().map_or(1, Vec::len)
}

// ---- The reading

/// What there is to read.
struct Expected {
    records: Vec<String>,
    failed: Vec<String>,
    is_ordered: bool,
}

/// Reads to the end over any number of streams, each of which goes on where the one
/// before stopped, for whatever reason.
async fn read_whole<P: Paginator<Record = String>>(
    rng: &mut Rng,
    make: impl Fn(&mut Rng) -> P,
    expected: Expected,
) -> Result<Tally, String> {
    let mut tally = Tally { readings: 1, ..Tally::default() };
    let (mut records, mut failed) = (Vec::new(), Vec::new());
    let mut checkpoint: Option<Checkpoint> = None;
    let window = if rng.bool() { 1 } else { rng.usize(1..17) };
    let patience = Duration::from_secs(rng.u64(1..600));
    // The more often it is cut, the longer a reading lasts; in the end it is not.
    let cuts = rng.u64(0..20);
    loop {
        let paginator = make(rng);
        let retry = Retry::default()
            .seed(rng.u64(..))
            .max_attempts(rng.u32(1..10))
            .budget(rng.u32(0..60))
            .max_total(patience);
        let mut read = paginator.read().window(window).retry(retry);
        if let Some(checkpoint) = &checkpoint {
            let text = serde_json::to_string(checkpoint).map_err(|error| error.to_string())?;
            read = read.resume(serde_json::from_str(&text).map_err(|error| error.to_string())?);
        }
        let mut drop_after = usize::MAX;
        if tally.cuts < cuts {
            match rng.u8(0..6) {
                0 => read = read.max_records(rng.u64(0..40)),
                1 => read = read.max_pages(rng.u64(0..8)),
                2 => read = read.max_requests(rng.u64(0..12)),
                3 => read = read.max_duration(Duration::from_millis(rng.u64(0..5_000))),
                _ => drop_after = rng.usize(0..60),
            }
        }
        let mut stream = read.records();
        let monitor = stream.monitor();
        let mut ended = false;
        for _ in 0..drop_after {
            // Some futures of `next` are dropped before they are ready.
            while rng.u8(0..8) == 0 && !ended {
                let brief = Duration::from_millis(rng.u64(0..20));
                match tokio::time::timeout(brief, stream.next()).await {
                    Ok(item) => ended = take(item, &mut records, &mut failed, &mut tally)?,
                    Err(_) => break,
                }
            }
            if ended {
                break;
            }
            let item = tokio::time::timeout(LONGEST, stream.next());
            let item = item.await.map_err(|_| format!("it hangs: {:?}", monitor.progress()))?;
            ended = take(item, &mut records, &mut failed, &mut tally)?;
        }
        let progress = monitor.progress();
        if progress.records != records.len() as u64 {
            return Err(format!("{} records came, and {progress:?}", records.len()));
        }
        tally.requests += progress.requests;
        tally.retries += progress.retries;
        if progress.stop == Some(StopReason::End) {
            break;
        }
        tally.cuts += 1;
        if tally.cuts > 20_000 {
            return Err(format!("it does not end: {progress:?}"));
        }
        checkpoint = Some(monitor.checkpoint().map_err(|error| error.to_string())?);
    }
    tally.records = records.len() as u64;
    if expected.is_ordered && records != expected.records {
        return Err(format!("{records:?} came, and not {:?}", expected.records));
    }
    same("records", records, expected.records)?;
    same("failed ids", failed, expected.failed)?;
    Ok(tally)
}

/// Takes an item; whether it was the last.
fn take(
    item: Option<Result<String, Error>>,
    records: &mut Vec<String>,
    failed: &mut Vec<String>,
    tally: &mut Tally,
) -> Result<bool, String> {
    match item {
        None => return Ok(true),
        Some(Ok(record)) => records.push(record),
        Some(Err(error)) if error.is_partial() => failed.extend_from_slice(error.ids()),
        Some(Err(error)) if error.checkpoint().is_none() => {
            return Err(format!("{error} has no checkpoint"));
        }
        Some(Err(_)) => tally.fatal_errors += 1,
    }
    Ok(false)
}

fn same<T: Ord + Debug>(what: &str, mut came: Vec<T>, mut expected: Vec<T>) -> Result<(), String> {
    came.sort_unstable();
    expected.sort_unstable();
    if came == expected {
        return Ok(());
    }
    let lost = expected.iter().filter(|it| came.binary_search(it).is_err()).collect::<Vec<_>>();
    let twice = came.windows(2).filter(|it| it[0] == it[1]).collect::<Vec<_>>();
    Err(format!("{what}: {} of {}, lost {lost:?}, twice {twice:?}", came.len(), expected.len()))
}
