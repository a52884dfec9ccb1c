use std::{collections::BTreeSet, fmt::Debug, iter, marker::PhantomData, time::Duration};

use futures::stream::TryStreamExt;

use super::{
    Conformance,
    hook::Hook,
    probe::{Fault, Probe},
    reading::{Drive, Mark, Reading, Until, drive},
    violation::{Rule, Violation, compare, ensure},
};
use crate::{
    checkpoint::Checkpoint,
    ext::PaginatorExt,
    paginator::Paginator,
    retry::Retry,
    stream::{Read, StopReason},
};

/// The windows with which every position of a reading is tried.
pub(super) const WINDOWS: [usize; 2] = [1, 4];

/// What all checks share: what is checked, what is expected, and how to read it once.
pub(super) struct Suite<'a, P: Paginator, B> {
    pub(super) build: &'a B,
    pub(super) options: &'a Conformance<P::Record>,
    /// The errors of single ids in a whole reading, sorted.
    pub(super) failures: Vec<String>,
    /// How many records each page of a whole reading has.
    pub(super) pages: Vec<usize>,
    pub(super) paginator: PhantomData<fn() -> P>,
}

/// How a reading is made.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan<'a> {
    pub(super) window: usize,
    pub(super) by_pages: bool,
    pub(super) from: Option<&'a Checkpoint>,
    pub(super) fault: Option<Fault>,
    pub(super) limit: Option<Limit>,
    pub(super) until: Until,
    /// After how many items checkpoints are taken.
    pub(super) marks: BTreeSet<usize>,
    pub(super) drops_next: bool,
    /// Asks the monitor, or panics.
    pub(super) hook: Option<&'a Hook>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    Records(u64),
    Pages(u64),
    Requests(u64),
}

impl<P, B> Suite<'_, P, B>
where
    P: Paginator,
    P::Record: PartialEq + Debug,
    B: Fn() -> P,
{
    /// A newly built paginator.
    pub(super) fn probe(&self, fault: Option<Fault>) -> Probe<P> {
        self.probe_of((self.build)(), fault)
    }

    pub(super) fn probe_of(&self, paginator: P, fault: Option<Fault>) -> Probe<P> {
        let most_fetches = self.options.expected.len().saturating_mul(10).saturating_add(2_000);
        Probe::new(paginator, fault, most_fetches)
    }

    /// Reads a newly built paginator.
    pub(super) async fn read(&self, plan: &Plan<'_>) -> Result<Reading<P::Record>, Violation> {
        let probe = self.probe(plan.fault);
        let mut reading = self.read_probe(&probe, plan).await?;
        reading.fetches = probe.fetches();
        reading.has_met_fault = probe.has_failed();
        let (requests, fetches) = (reading.progress.requests, reading.fetches as u64);
        let is_whole = reading.progress.stop == Some(StopReason::End);
        // With a window, requests may be dropped before they are made.
        // After a panic, a request may be made again that was not counted.
        let is_right =
            requests == fetches || (plan.window > 1 && requests > fetches) || reading.has_panicked;
        ensure(!is_whole || is_right, Rule::Count, || {
            format!("{fetches} pages were requested, and {requests} requests are counted")
        })?;
        Ok(reading)
    }

    /// Reads a stream to its end, whatever that is.
    pub(super) async fn run(
        &self,
        probe: &Probe<P>,
        plan: &Plan<'_>,
    ) -> Result<Reading<P::Record>, Violation> {
        let driving = Drive {
            until: plan.until,
            marks: plan.marks.clone(),
            drops_next: plan.drops_next,
            timeout: self.options.timeout,
            most_records: self.options.expected.len().saturating_mul(2).saturating_add(1_000),
        };
        let before = probe.fetches();
        let read = read_by(probe, plan)?;
        let fetches = || probe.fetches();
        let attach = |monitor| plan.hook.into_iter().for_each(|hook| hook.attach(&monitor));
        if plan.by_pages {
            let pages = read.pages();
            let monitor = pages.monitor();
            attach(monitor.clone());
            is_lazy(fetches() - before)?;
            drive(pages, &monitor, fetches, &driving).await
        } else {
            let records = read.records();
            let monitor = records.monitor();
            attach(monitor.clone());
            is_lazy(fetches() - before)?;
            drive(records.map_ok(Some), &monitor, fetches, &driving).await
        }
    }

    /// Makes a reading in which only the errors of the check are allowed.
    pub(super) async fn read_probe(
        &self,
        probe: &Probe<P>,
        plan: &Plan<'_>,
    ) -> Result<Reading<P::Record>, Violation> {
        let reading = self.run(probe, plan).await;
        let error = reading.as_ref().ok().filter(|reading| !reading.has_panicked);
        probe.check_error(error.and_then(|reading| reading.error.as_ref()))?;
        let reading = reading?;
        if reading.is_endless {
            let (came, expected) = (reading.records.len(), self.options.expected.len());
            let mut what = format!(
                "it does not end: after {came} records of an expected {expected} it still goes on"
            );
            if let (None, Err(first)) = (plan.from, self.compare(&reading.records, [])) {
                what = format!("{what}; {first}");
            }
            return Err(Violation::new(Rule::Endless, what));
        }
        let stop = reading.progress.stop;
        let is_free = plan.limit.is_none() && reading.error.is_none();
        ensure(!is_free || matches!(stop, None | Some(StopReason::End)), Rule::Ended, || {
            format!("it ended without a limit, and the reason given is {stop:?}")
        })?;
        if plan.by_pages && plan.from.is_none() {
            let (came, counted) = (reading.pieces.len(), reading.progress.pages);
            ensure(counted == came as u64, Rule::Count, || {
                format!("{came} pages came, and {counted} are counted")
            })?;
        }
        Ok(reading)
    }

    /// Compares records with the expected ones.
    pub(super) fn compare<'r>(
        &'r self,
        first: &'r [P::Record],
        others: impl IntoIterator<Item = &'r [P::Record]>,
    ) -> Result<(), Violation> {
        let came = iter::once(first).chain(others).flatten().collect::<Vec<_>>();
        compare(&came, &self.options.expected, self.options.is_ordered)
    }

    /// Compares all that came in the parts of a reading with what is expected.
    pub(super) fn check_content(&self, parts: &[&Reading<P::Record>]) -> Result<(), Violation> {
        self.compare(&[], parts.iter().map(|part| &part.records[..]))?;
        let failures = parts.iter().flat_map(|part| &part.failures).cloned();
        self.same_failures(failures.collect())
    }

    pub(super) fn same_failures(&self, mut failures: Vec<String>) -> Result<(), Violation> {
        failures.sort_unstable();
        ensure(failures == self.failures, Rule::PartialErrors, || {
            let expected = &self.failures;
            format!("the errors of single ids are {failures:?}, and were {expected:?} at first")
        })
    }

    /// Resumes a reading at a mark, and compares all that came with what is expected.
    pub(super) async fn resume(
        &self,
        reading: &Reading<P::Record>,
        mark: &Mark,
        window: usize,
        by_pages: bool,
    ) -> Result<(), Violation> {
        let plan = Plan { window, by_pages, from: Some(&mark.checkpoint), ..Plan::default() };
        let remaining = self.read(&plan).await?;
        self.compare(&reading.records[..mark.records], [&remaining.records[..]])?;
        self.same_failures([&reading.failures[..mark.failures], &remaining.failures].concat())
    }

    /// Text that says how far a reading came.
    pub(super) fn after(&self, records: usize) -> String {
        format!("after record {records} of {}", self.options.expected.len())
    }
}

fn read_by<'p, P: Paginator>(
    probe: &'p Probe<P>,
    plan: &Plan<'_>,
) -> Result<Read<&'p Probe<P>>, Violation> {
    let mut retry = Retry::default().first_delay(Duration::ZERO).max_throttled(Duration::MAX);
    retry.shortest_throttled = Duration::ZERO;
    let mut read = probe.read().window(plan.window).retry(retry);
    if let Some(checkpoint) = plan.from {
        read = read.resume(through_json(checkpoint)?);
    }
    Ok(match plan.limit {
        None => read,
        Some(Limit::Records(records)) => read.max_records(records),
        Some(Limit::Pages(pages)) => read.max_pages(pages),
        Some(Limit::Requests(requests)) => read.max_requests(requests),
    })
}

fn is_lazy(fetches: usize) -> Result<(), Violation> {
    ensure(fetches == 0, Rule::Eager, || format!("{fetches} pages were requested before a poll"))
}

/// The checkpoint as another process gets it.
fn through_json(checkpoint: &Checkpoint) -> Result<Checkpoint, Violation> {
    let text = serde_json::to_string(checkpoint);
    let back = text.and_then(|text| serde_json::from_str(&text)).map_err(|error| {
        Violation::new(Rule::Checkpoint, format!("it does not go through JSON: {error}"))
    })?;
    ensure(back == *checkpoint, Rule::Checkpoint, || {
        format!("{checkpoint:?} comes back from JSON as {back:?}")
    })?;
    Ok(back)
}
