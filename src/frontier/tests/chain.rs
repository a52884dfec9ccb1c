//! A chain with offsets: speculative requests run ahead of it while its steps change at random,
//! requests fail, arrive in any order, and the reading is cut and resumed.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use proptest::{collection::vec, prelude::*};

use super::{
    super::{
        Arrival, Config, Effect, Effects, FailedAttempt, Frontier, Next, PageShape, RequestId,
    },
    offsets::{Fault, Offset, SameStep, Service, services},
    window, without_delivered,
};
use crate::{error::Error, retry::Retry};

/// Reads as the driver does, in a time of its own, and decides by `choices`.
pub(super) struct Reading<'a> {
    service: &'a Service,
    choices: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    /// Faults and cuts that are left, so that a reading ends.
    mishaps: u32,
    now: Instant,
    window: usize,
    pub(super) frontier: Frontier<Offset>,
    pub(super) in_flight: Vec<(RequestId, Offset)>,
    /// What came: the cursor, and how many of its records had been delivered.
    arrived: BTreeMap<RequestId, Result<(Offset, u64), Error>>,
    pub(super) discarded: HashSet<RequestId>,
    /// How many records are delivered.
    pub(super) delivered: u64,
    /// What is next when all is sent.
    next: Option<Next<Offset>>,
    /// The offsets that were asked for.
    pub(super) requests: Vec<u64>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        service: &'a Service,
        window: usize,
        choices: &'a [u8],
        mishaps: u32,
    ) -> Self {
        Self {
            service,
            choices: choices.iter().cycle(),
            mishaps,
            window,
            now: Instant::now(),
            frontier: Frontier::new(patient(window), [Offset::START]),
            in_flight: Vec::new(),
            arrived: BTreeMap::new(),
            discarded: HashSet::new(),
            delivered: 0,
            next: None,
            requests: Vec::new(),
        }
    }

    fn choose(&mut self, below: usize) -> usize {
        self.choices.next().map_or(0, |&choice| usize::from(choice)) % below
    }

    /// Whether something goes wrong, one time in so many.
    fn mishap(&mut self, one_in: usize) -> bool {
        let happens = self.mishaps > 0 && self.choose(one_in) == 0;
        self.mishaps -= u32::from(happens);
        happens
    }

    pub(super) fn run(&mut self) {
        while self.step() {}
        assert!(self.frontier.is_over());
        assert_eq!(self.delivered, self.service.end, "all is delivered");
    }

    /// Whether it goes on.
    pub(super) fn step(&mut self) -> bool {
        self.send();
        match self.next.take().expect("it was asked") {
            Next::End => return false,
            Next::Wait(wake_at) => self.wait(wake_at),
            Next::Deliver(id) => self.deliver(id),
            Next::Fail(id) => {
                let error = self.arrived.remove(&id).expect("it is here").expect_err("it failed");
                let at = self.frontier.current_cursor().expect("it is of a request").at;
                let replay = self.frontier.replay(id);
                let at = at + replay.map_or(0, |replay| replay.units[0].delivered) as u64;
                assert_eq!(at, self.delivered, "an error is delivered where the reading stands");
                assert!(!self.service.is_beyond(self.delivered), "nobody leads here: {error}");
                self.cut(0);
            }
            Next::Send(..) | Next::SendAndWait(..) | Next::Cycle | Next::RequestLimit => {
                unreachable!("all is sent, offsets only rise, and there is no limit")
            }
        }
        if self.mishap(30) {
            self.cut(0);
        }
        true
    }

    pub(super) fn send(&mut self) {
        let now = self.now;
        loop {
            match self.frontier.next(|| now, &SameStep) {
                Next::Send(id, cursor) | Next::SendAndWait(id, cursor) => {
                    self.requests.push(cursor.at);
                    self.in_flight.push((id, cursor));
                }
                next => break self.next = Some(next),
            }
        }
        assert_eq!(self.frontier.in_flight(), self.in_flight.len(), "discarded ones count too");
        assert!(self.in_flight.len() <= self.window);
        assert!(self.frontier.requests.len() <= if self.window > 1 { 4 * self.window } else { 1 });
    }

    fn wait(&mut self, wake_at: Option<Instant>) {
        assert!(wake_at.is_none_or(|at| at > self.now), "it wakes for something to do");
        let sleeps = self.in_flight.is_empty() || (wake_at.is_some() && self.choose(2) == 0);
        if let Some(at) = wake_at.filter(|_| sleeps) {
            self.now = at;
            return;
        }
        assert!(!self.in_flight.is_empty(), "it is stuck");
        self.now += Duration::from_millis(10);
        let index = self.choose(self.in_flight.len());
        self.arrive(index);
    }

    /// One of those in flight comes back, or fails by chance.
    fn arrive(&mut self, index: usize) {
        let fault = self.mishap(8).then(|| Fault::ALL[self.choose(Fault::ALL.len())]);
        self.come(index, fault);
    }

    /// One of those in flight comes back, or fails.
    pub(super) fn come(&mut self, index: usize, fault: Option<Fault>) {
        let (id, cursor) = self.in_flight.remove(index);
        let was_discarded = self.discarded.contains(&id);
        let now = self.now;
        let response = fault.map_or_else(|| self.service.page(&cursor), |it| Err(it.error()));
        let effects = match response {
            Ok((records, next)) => {
                let replay = self.frontier.replay(id);
                let is_known = replay.is_some_and(|replay| replay.units[0].goes_on);
                let next = next.map(|at| Offset { at, ..Offset::START }).filter(|_| !is_known);
                let (next, total) = (next.into_iter().collect(), self.service.total);
                let (shape, passed_over, _) = without_delivered(shape(records), replay);
                let passed_over = passed_over.into_iter().sum::<usize>();
                self.arrived.insert(id, Ok((cursor, passed_over as u64)));
                match self.frontier.page(id, next, shape, total, || now, &SameStep) {
                    Arrival::Keep(effects) => effects,
                    Arrival::Deliver => {
                        assert_eq!(self.frontier.next(|| now, &SameStep), Next::Deliver(id));
                        Effects::new()
                    }
                }
            }
            Err(error) => {
                let attempt = FailedAttempt::new(&error, self.frontier.retry_policy());
                self.arrived.insert(id, Err(error));
                self.frontier.error(id, attempt, now, &SameStep)
            }
        };
        assert_eq!(effects.contains(&Effect::Ignore(id)), was_discarded);
        self.apply(effects);
    }

    fn apply(&mut self, effects: Effects) {
        for effect in effects {
            match effect {
                Effect::Discard(id) => {
                    assert!(self.discarded.insert(id), "it is discarded once");
                    self.arrived.remove(&id);
                }
                Effect::Retry(id, _) | Effect::Smaller(id) => {
                    let failed = self.arrived.remove(&id).expect("it is kept");
                    failed.expect_err("it failed");
                }
                Effect::Ignore(id) => drop(self.arrived.remove(&id)),
                Effect::FailAlone(..) | Effect::PassOver(..) => {
                    unreachable!("no error is about one unit")
                }
                Effect::Fatal(id, ..) => {
                    self.arrived[&id].as_ref().expect_err("it failed");
                }
            }
        }
    }

    fn deliver(&mut self, id: RequestId) {
        let (cursor, from) = self.arrived.remove(&id).expect("it is here").expect("it is a page");
        self.frontier.begin_delivery();
        let (records, _) = self.service.page(&cursor).expect("no request leads beyond the end");
        for record in from..records {
            let records = usize::try_from(record - from).expect("it is small");
            if self.mishap(30) {
                return self.cut(records);
            }
            assert_eq!(cursor.at + record, self.delivered, "each comes once, and in order");
            self.delivered += 1;
        }
        self.frontier.end_delivery();
    }

    /// Delivers all that is ready.
    pub(super) fn deliver_all(&mut self) {
        while let Next::Deliver(id) = self.frontier.when_sent(false) {
            self.deliver(id);
        }
    }

    /// Stops, and goes on from what a checkpoint would hold, where so many records of the
    /// page being delivered are.
    fn cut(&mut self, delivered: usize) {
        let remaining = self.frontier.remaining(delivered).into_iter();
        let remaining = remaining.map(|it| (it.cursor.clone(), it.replay)).collect::<Vec<_>>();
        let waiting = self.frontier.waiting().cloned().collect::<Vec<_>>();
        let known = remaining.iter().map(|(cursor, _)| cursor).chain(&waiting);
        for cursor in known {
            assert!(!self.service.is_beyond(cursor.at), "a checkpoint holds nothing speculative");
        }
        // Another stream may have another window.
        self.window = 1 + self.choose(9);
        let detector = self.frontier.cycle_detector();
        self.frontier = Frontier::resume(patient(self.window), remaining, waiting, detector);
        self.in_flight.clear();
        self.arrived.clear();
        self.discarded.clear();
    }

    /// How many requests there were beyond the end.
    pub(super) fn beyond(&self) -> usize {
        self.requests.iter().filter(|at| self.service.is_beyond(**at)).count()
    }
}

fn shape(records: u64) -> PageShape {
    PageShape { records: usize::try_from(records).expect("it is small"), ..PageShape::default() }
}

/// With retries enough for every fault.
fn patient(requests: usize) -> Config {
    let policy = Retry::default().max_attempts(1_000).budget(10_000);
    Config { retry: policy.max_total(Duration::from_secs(10_000)).seed(1), ..window(requests) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn every_page_comes_once_and_in_order_whatever_the_speculation(
        service in services(), choices in vec(any::<u8>(), 1..60), window in 1..=9_usize,
    ) {
        Reading::new(&service, window, &choices, 0).run();
    }

    #[test]
    fn every_page_comes_once_and_in_order_through_faults_and_cuts(
        service in services(), choices in vec(any::<u8>(), 30..80), window in 1..=9_usize,
    ) {
        Reading::new(&service, window, &choices, 40).run();
    }

    #[test]
    fn with_a_window_of_one_no_request_is_in_vain(service in services()) {
        let mut reading = Reading::new(&service, 1, &[0], 0);
        reading.run();
        prop_assert_eq!(reading.beyond(), 0);
        prop_assert!(reading.discarded.is_empty());
    }

    #[test]
    fn an_even_service_is_asked_for_less_than_the_window_beyond_its_end(
        mut service in services(), choices in vec(any::<u8>(), 1..60), window in 1..=9_usize,
    ) {
        service.odd.clear();
        service.total = None;
        let mut reading = Reading::new(&service, window, &choices, 0);
        reading.run();
        let pages = usize::try_from(service.end.div_ceil(service.most).max(1)).unwrap();
        prop_assert!(reading.beyond() < window, "{:?}", reading.requests);
        prop_assert_eq!(reading.requests.len(), pages + reading.beyond());
    }

    #[test]
    fn a_total_that_is_right_keeps_an_even_service_from_requests_beyond_its_end(
        mut service in services(), choices in vec(any::<u8>(), 1..60), window in 1..=9_usize,
    ) {
        service.odd.clear();
        service.total = Some(service.end);
        let mut reading = Reading::new(&service, window, &choices, 0);
        reading.run();
        prop_assert_eq!(reading.beyond(), 0);
        prop_assert!(reading.discarded.is_empty());
    }
}
