//! Speculative requests that run ahead of an Alloy action, in virtual time: the records and their
//! order are those of one request at a time, and they come sooner.

use std::{collections::BTreeSet, time::Duration};

use crate::support::{contacts_over, offset, offsets, whole};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::Request;
use pagestream::{
    Checkpoint, Error, Map, PaginatorExt, Progress, Read, Retry, Source, Transport,
    alloy::Action,
    testing::{Alloy, AlloyFlaw, Fault, FaultPosition, Faults},
};
use serde_json::Value;

const LATENCY: Duration = Duration::from_millis(50);

/// Where a service has a flaw, by the offset.
type Flaws = fn(u64) -> Option<AlloyFlaw>;

/// Services that go on in all sorts of ways; each has 230 records and is asked for
/// ten at a time.
const SERVICES: [(&str, Flaws); 14] = [
    ("even", |_| None),
    ("clamped", |_| Some(AlloyFlaw::Clamped(4))),
    ("clamped from its middle on", |at| (at >= 100).then_some(AlloyFlaw::Clamped(3))),
    ("clamped up to its middle", |at| (at < 100).then_some(AlloyFlaw::Clamped(3))),
    ("shrinking", |at| Some(AlloyFlaw::Clamped(10 - at / 25))),
    ("one short page", |at| (at == 70).then_some(AlloyFlaw::Clamped(1))),
    ("some short pages", |at| (at % 7 == 0).then_some(AlloyFlaw::Clamped(at % 5 + 1))),
    ("a leap", |at| (at == 70).then_some(AlloyFlaw::NextOffset(113))),
    ("leaps", |at| (at % 3 == 0 && at < 200).then_some(AlloyFlaw::NextOffset(at + 11))),
    ("empty pages", |at| (50..120).contains(&at).then_some(AlloyFlaw::Empty)),
    ("all that remains at once", |at| (at == 90).then_some(AlloyFlaw::Unlimited)),
    ("a right total", |_| Some(AlloyFlaw::Total(230))),
    ("a total too small", |at| Some(AlloyFlaw::Total(at / 2))),
    ("a total too large", |at| Some(AlloyFlaw::Total(1_000 + at))),
];

fn service(flaws: Flaws) -> Alloy {
    Alloy::new(1).records(230).flawed(flaws).latency(LATENCY)
}

type Ids = Map<Action<Value>, fn(Value) -> u64>;

fn ids(transport: impl Transport + 'static, limit: u64) -> Ids {
    let id = |contact: Value| contact["id"].as_u64().unwrap();
    contacts_over(transport).limit(limit).build().unwrap().map(id)
}

/// A retry that gets over all that passes.
fn patient(seed: u64) -> Retry {
    let day = Duration::from_secs(24 * 60 * 60);
    Retry::default().seed(seed).max_attempts(100).budget(10_000).max_total(day)
}

// ---- The same records in the same order

#[tokio::test(start_paused = true)]
async fn any_window_gives_the_records_of_one_request_at_a_time_in_their_order() {
    for (name, flaws) in SERVICES {
        let expected = whole(ids(service(flaws), 10).read()).await;
        for window in 2..=16 {
            let read = whole(ids(service(flaws), 10).read().window(window)).await;
            assert_eq!(read.records, expected.records, "{name}, window {window}");
            assert_eq!(read.progress.skipped, expected.progress.skipped, "{name}, {window}");
            assert!(read.took <= expected.took, "{name}, window {window}: {:?}", read.took);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_window_gives_them_through_faults_by_chance() {
    for (name, flaws) in SERVICES {
        let expected = whole(ids(service(flaws), 10).read()).await.records;
        for window in 1..=16 {
            let seed = window as u64;
            // A timeout, too, and a gateway that gives up would ask for smaller pages, and a leap depends on the size.
            let passing = [429, 500, 520, 527].map(Fault::status).into_iter();
            let passing = passing.chain([Fault::truncated(), Fault::reset(FaultPosition::InBody)]);
            let faults = Faults::seeded(seed).one_in(4).of(passing).jitter(LATENCY * 3);
            let service = faults.on(service(flaws));
            let read = ids(service, 10).into_read().window(window).retry(patient(seed));
            let read = whole(read).await;
            assert_eq!(read.records, expected, "{name}, window {window}");
            assert!(faults.met() > 0, "{name}, window {window}");
            let Progress { requests, pages, retries, discarded, .. } = read.progress;
            assert_eq!(requests, pages + retries + discarded, "{name}, window {window}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_window_gives_them_in_smaller_pages_where_they_are_too_large() {
    let without_gaps = SERVICES.into_iter().filter(|(name, _)| !name.contains("leap"));
    for (name, flaws) in without_gaps.filter(|(name, _)| *name != "empty pages") {
        for window in 1..=16 {
            let too_large = |it: &Request<Bytes>| {
                let body = serde_json::from_slice::<Value>(it.body()).unwrap();
                let [limit, offset] =
                    ["limit", "offset"].map(|it| body["input"][it].as_u64().unwrap());
                limit > 3 && offset / 20 % 2 == 1
            };
            let faults = Faults::script([]).when(too_large, Fault::status(413)).jitter(LATENCY);
            let service = faults.on(service(flaws));
            let read = ids(service, 10).into_read().window(window).retry(patient(1));
            let read = whole(read).await;
            assert!(read.records.into_iter().eq(0..230), "{name}, window {window}");
            assert!(faults.met() > 0, "{name}, window {window}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_an_error_ends_gives_what_came_before_it_and_goes_on_from_there() {
    for window in 1..=16 {
        let faults = Faults::script([]).when(|it| offset(it.body()) == 120, Fault::status(403));
        let broken = ids(faults.on(service(|_| None)), 10);
        let items = broken.read().window(window).records().collect::<Vec<_>>().await;
        let (errors, records): (Vec<_>, Vec<_>) = items.into_iter().partition(Result::is_err);
        let records = records.into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert!(records.into_iter().eq(0..120), "window {window}");
        let [Err(error)] = &errors[..] else { panic!("window {window}: {errors:?}") };
        assert_eq!(error.status(), Some(403));
        let checkpoint = error.checkpoint().unwrap().clone();
        let remaining = ids(service(|_| None), 10).into_read().window(window).resume(checkpoint);
        assert!(whole(remaining).await.records.into_iter().eq(120..230), "window {window}");
    }
}

// ---- Mispredictions

#[tokio::test(start_paused = true)]
async fn errors_beyond_the_end_never_reach_the_consumer() {
    let mut met = 0;
    for window in 2..=16 {
        for late in [0, 1, 3] {
            let beyond = |it: &Request<Bytes>| offset(it.body()) >= 230;
            let faults = Faults::script([]).when(beyond, Fault::status(400));
            let faults = faults.jitter(LATENCY * late);
            let service = faults.on(service(|_| None));
            let read = whole(ids(service, 10).into_read().window(window)).await;
            assert!(read.records.into_iter().eq(0..230), "window {window}");
            assert_eq!(read.progress.retries, 0, "window {window}");
            assert!(faults.met() < window as u64, "window {window}");
            met += faults.met();
        }
    }
    assert!(met > 0);
}

/// The records of one request at a time, and the offsets that it asks for.
async fn one_at_a_time(flaws: Flaws) -> (Vec<u64>, BTreeSet<u64>) {
    let service = service(flaws);
    let read = whole(ids(service.clone(), 10).into_read()).await;
    (read.records, offsets(&service).into_iter().collect())
}

#[tokio::test(start_paused = true)]
async fn errors_of_mispredictions_never_reach_the_consumer() {
    for (name, flaws) in SERVICES {
        let (expected, asked) = one_at_a_time(flaws).await;
        for window in 2..=16 {
            let asked = asked.clone();
            let elsewhere = move |it: &Request<Bytes>| !asked.contains(&offset(it.body()));
            let faults = Faults::script([]).when(elsewhere, Fault::status(400)).jitter(LATENCY);
            let read = ids(faults.on(service(flaws)), 10).into_read().window(window);
            let read = whole(read).await;
            assert_eq!(read.records, expected, "{name}, window {window}");
            assert_eq!(read.progress.retries, 0, "{name}, window {window}");
            // What was thrown away on its way did not come, or came in vain.
            assert!(faults.met() <= read.progress.discarded, "{name}, window {window}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_mispredictions_bring_never_reaches_the_consumer() {
    for (name, flaws) in SERVICES {
        let (expected, asked) = one_at_a_time(flaws).await;
        for (window, flaw) in
            (2..=16).zip([AlloyFlaw::Empty, AlloyFlaw::SameRecords].iter().cycle())
        {
            let (asked, flaw) = (asked.clone(), *flaw);
            let flaws = move |at| if asked.contains(&at) { flaws(at) } else { Some(flaw) };
            let service = service(|_| None).flawed(flaws);
            let read = Faults::script([]).jitter(LATENCY).on(service);
            let read = whole(ids(read, 10).into_read().window(window)).await;
            assert_eq!(read.records, expected, "{name}, window {window}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fewer_requests_than_the_window_go_beyond_the_end() {
    for window in 1..=16 {
        for late in [0, 3] {
            let service = service(|_| None);
            let faults = Faults::script([]).jitter(LATENCY * late);
            let read = whole(ids(faults.on(service.clone()), 10).into_read().window(window)).await;
            let beyond = offsets(&service).into_iter().filter(|offset| *offset >= 230).count();
            assert!(beyond < window, "{beyond}, window {window}");
            let Progress { requests, pages, discarded, .. } = read.progress;
            assert_eq!((pages, requests), (23, 23 + discarded), "window {window}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_total_none_goes_beyond_the_end() {
    for window in 1..=16 {
        let service = service(|_| Some(AlloyFlaw::Total(230)));
        let read = whole(ids(service.clone(), 10).into_read().window(window)).await;
        assert_eq!(read.progress.discarded, 0, "window {window}");
        assert_eq!(service.requests(), 23, "window {window}");
    }
}

#[tokio::test(start_paused = true)]
async fn discarded_requests_are_counted() {
    let service = service(|at| (at == 70).then_some(AlloyFlaw::NextOffset(113)));
    let read = whole(ids(service.clone(), 10).into_read().window(4)).await;
    let asked = offsets(&service);
    let in_vain = [80, 90, 100].iter().filter(|at| asked.contains(at)).count();
    let beyond = asked.iter().filter(|at| **at >= 230).count();
    assert!(in_vain > 0 && read.progress.discarded >= (in_vain + beyond) as u64);
    assert_eq!(read.progress.requests, read.progress.pages + read.progress.discarded);
}

// ---- Sooner

fn no_faults() -> Faults {
    Faults::script([])
}

/// How many times faster 200 pages of 50 come with a window than without.
async fn speed_up(flaw: Option<AlloyFlaw>, faults: impl Fn() -> Faults, window: usize) -> f64 {
    let read = |window| {
        let service = Alloy::new(1).records(10_000).latency(LATENCY).counting_only();
        let service = faults().on(service.flawed(move |_| flaw));
        whole(ids(service, 50).into_read().window(window))
    };
    let (one, many) = (read(1).await, read(window).await);
    assert_eq!(one.records, many.records);
    one.took.as_secs_f64() / many.took.as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn a_window_of_8_is_at_least_7_5_times_as_fast_and_one_of_16_14_times() {
    let faster = speed_up(None, no_faults, 8).await;
    assert!(faster >= 7.5, "{faster}");
    let faster = speed_up(None, no_faults, 16).await;
    assert!(faster >= 14.0, "{faster}");
}

#[tokio::test(start_paused = true)]
async fn a_total_that_is_0_or_too_small_takes_no_speed() {
    // A total in the middle is believed up to there: one page is then waited for.
    let totals = [(0, 0), (1, 0), (49, 0), (50, 1), (777, 1), (9_999, 1)];
    for window in [4, 8, 16] {
        let read = |flaw: Option<AlloyFlaw>| {
            let service = Alloy::new(1).records(10_000).latency(LATENCY).counting_only();
            whole(ids(service.flawed(move |_| flaw), 50).into_read().window(window))
        };
        let without = read(None).await;
        for (total, pages) in totals {
            let with = read(Some(AlloyFlaw::Total(total))).await;
            assert_eq!(with.records, without.records);
            let most = without.took + LATENCY * pages;
            assert!(with.took <= most, "{total}, window {window}: {:?} of {most:?}", with.took);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_without_bounds_is_bounded() {
    for (records, most) in [(10, 66), (100, 80), (10_000, 2_100)] {
        let service = Alloy::new(1).records(records).latency(LATENCY).counting_only();
        let read = whole(ids(service.clone(), 10).into_read().window(usize::MAX)).await;
        assert!(read.records.into_iter().eq(0..records));
        assert!(service.requests() <= most, "{} requests of {records} records", service.requests());
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_clamps_50_to_20_is_read_at_least_9_times_as_fast_with_16() {
    let faster = speed_up(Some(AlloyFlaw::Clamped(20)), no_faults, 16).await;
    assert!(faster >= 9.0, "{faster}");
}

#[tokio::test(start_paused = true)]
async fn where_a_tenth_of_the_answers_is_five_times_slower_8_are_at_least_6_5_times_as_fast() {
    for seed in 0..8 {
        let slow = || Faults::seeded(seed).of([Fault::late(LATENCY * 4)]);
        let faster = speed_up(None, slow, 8).await;
        assert!(faster >= 6.5, "{faster} with seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_asks_for_fewer_requests_gets_half_of_them_and_slowly_more() {
    let faults = Faults::script([(60, Fault::status(429).retry_after(Duration::from_secs(1)))]);
    let service = Alloy::new(1).records(4_000).latency(LATENCY);
    let action = ids(faults.on(service), 10);
    let stream = action.read().window(8).records();
    let monitor = stream.monitor();
    // How many requests are in flight, in the middle between their arrivals.
    let mut in_flight = Vec::new();
    let sample = async {
        tokio::time::sleep(LATENCY / 2).await;
        while monitor.progress().stop.is_none() {
            in_flight.push(monitor.progress().in_flight);
            tokio::time::sleep(LATENCY).await;
        }
    };
    let (records, ()) = futures::join!(stream.try_collect::<Vec<_>>(), sample);
    assert!(records.unwrap().into_iter().eq(0..4_000));
    let paused = in_flight.iter().rposition(|count| *count == 0).unwrap();
    assert_eq!(in_flight[2..7], [8; 5]);
    assert_eq!(in_flight[paused + 1..paused + 3], [4, 5]);
    assert!(in_flight[paused..].contains(&8), "{in_flight:?}");
}

// ---- Limits and checkpoints

#[tokio::test(start_paused = true)]
async fn a_limit_on_records_or_pages_gives_what_it_gives_without_a_window() {
    for (name, flaws) in SERVICES {
        for window in [2, 4, 8] {
            for limit in [1, 2, 5, 11, 20] {
                let what = format!("{name}, window {window}, limit {limit}");
                let action = ids(service(flaws), 10);
                let pages = |window| action.read().window(window).max_pages(limit);
                let records = |window| action.read().window(window).max_records(limit * 7);
                for (one, many) in [(pages(1), pages(window)), (records(1), records(window))] {
                    let (one, many) = (limited(one).await, limited(many).await);
                    assert_eq!(one.records, many.records, "{what}");
                    assert_eq!(one.progress.stop, many.progress.stop, "{what}");
                    let remaining = one.remaining(&action, 1).await;
                    assert_eq!(remaining, many.remaining(&action, window).await, "{what}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_requests_counts_speculative_ones_and_the_remaining_records_can_be_read() {
    for (name, flaws) in SERVICES {
        let expected = whole(ids(service(flaws), 10).read()).await.records;
        for window in [1, 2, 4, 8] {
            for limit in [0, 1, 2, 5, 11, 20] {
                let what = format!("{name}, window {window}, limit {limit}");
                let action = ids(service(flaws), 10);
                let begin = limited(action.read().window(window).max_requests(limit)).await;
                assert!(begin.progress.requests <= limit, "{what}");
                let remaining = begin.remaining(&action, window).await;
                assert_eq!([begin.records, remaining].concat(), expected, "{what}");
            }
        }
    }
}

/// What a reading gave up to its limit, and where it stood.
struct Limited {
    records: Vec<u64>,
    progress: Progress,
    checkpoint: Checkpoint,
}

async fn limited<S: Source>(read: Read<S>) -> Limited
where
    S::Paginator: pagestream::Paginator<Record = u64>,
{
    let stream = read.records();
    let monitor = stream.monitor();
    let records = stream.try_collect().await.unwrap();
    Limited { records, progress: monitor.progress(), checkpoint: monitor.checkpoint().unwrap() }
}

impl Limited {
    async fn remaining(&self, action: &Ids, window: usize) -> Vec<u64> {
        whole(action.read().window(window).resume(self.checkpoint.clone())).await.records
    }
}

/// The offsets in a checkpoint.
fn known(checkpoint: &Checkpoint) -> BTreeSet<u64> {
    let value = serde_json::to_value(checkpoint).unwrap();
    let requests = value["requests"].as_array().unwrap().iter();
    let waiting = value["waiting"].as_array().unwrap().iter();
    requests
        .map(|request| &request["cursor"])
        .chain(waiting)
        .map(|cursor| cursor["at"]["start"].as_u64().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_reading_cut_at_any_record_goes_on_with_another_window_and_its_checkpoint_holds_no_speculation()
 {
    for (name, flaws) in SERVICES {
        let (expected, asked) = one_at_a_time(flaws).await;
        for (window, other) in [(4, 8), (8, 4), (8, 1), (4, 16)] {
            let action = ids(Faults::script([]).jitter(LATENCY).on(service(flaws)), 10);
            let mut stream = action.read().window(window).records();
            for at in 0..=expected.len() {
                let checkpoint = stream.checkpoint().unwrap();
                let what = format!("{name}, cut at {at}, windows {window} and {other}");
                assert!(known(&checkpoint).is_subset(&asked), "{what}: {checkpoint:?}");
                if at % 3 == window % 3 {
                    let remaining = whole(action.read().window(other).resume(checkpoint)).await;
                    assert_eq!(remaining.records, expected[at..], "{what}");
                }
                let next: Option<Result<u64, Error>> = stream.next().await;
                assert_eq!(next.transpose().unwrap(), expected.get(at).copied(), "{what}");
            }
        }
    }
}
