//! A chain with offsets: guesses run ahead of it while its steps change at random,
//! requests fail, arrive in any order, and the reading is cut and resumed.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use proptest::{collection::vec, prelude::*};

use super::{
    super::{Frontier, Position, Shape, Ticket, Turn},
    offsets::{Fault, Offset, SameStep, Service, services},
};
use crate::{error::Error, retry::Retry};

/// Reads as the driver does, in a time of its own, and decides by `choices`.
pub(super) struct Reading<'a> {
    service: &'a Service,
    choices: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    /// Faults and cuts that are left, so that a reading ends.
    mishaps: u32,
    window: usize,
    now: Instant,
    pub(super) frontier: Frontier<Offset>,
    pub(super) in_flight: Vec<(Ticket, Offset)>,
    arrived: BTreeMap<Ticket, Result<Offset, Error>>,
    pub(super) discarded: HashSet<Ticket>,
    /// How many records are out.
    pub(super) out: u64,
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
            frontier: patient(Frontier::new([Offset::START])),
            in_flight: Vec::new(),
            arrived: BTreeMap::new(),
            discarded: HashSet::new(),
            out: 0,
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
        assert_eq!(self.out, self.service.end, "all is out");
    }

    /// Whether it goes on.
    pub(super) fn step(&mut self) -> bool {
        self.send();
        match self.frontier.turn() {
            Turn::Over => return false,
            Turn::Wait => self.wait(),
            Turn::HandOut(ticket) => self.hand_out(ticket),
            Turn::Fail(ticket) => {
                let error =
                    self.arrived.remove(&ticket).expect("it is here").expect_err("it failed");
                let at = self.frontier.foremost_cursor().expect("it is of a request").at;
                let passed_over = self.frontier.replay(ticket).unwrap_or_default().out.records;
                let at = at + passed_over as u64;
                assert_eq!(at, self.out, "an error is given out where the reading stands");
                assert!(!self.service.is_beyond(self.out), "nobody leads here: {error}");
                self.cut(None);
            }
            Turn::Cycle => unreachable!("offsets only rise"),
        }
        if self.mishap(30) {
            self.cut(None);
        }
        true
    }

    pub(super) fn send(&mut self) {
        let now = self.now;
        while let Some((ticket, cursor)) = self.frontier.send(self.window, || now, &SameStep) {
            self.requests.push(cursor.at);
            self.in_flight.push((ticket, cursor));
        }
        assert_eq!(self.frontier.in_flight(), self.in_flight.len(), "those that drain count too");
        assert!(self.in_flight.len() <= self.window);
        assert!(self.frontier.open.len() <= if self.window > 1 { 4 * self.window } else { 1 });
    }

    fn wait(&mut self) {
        let wake_at = self.frontier.wake_at(self.window);
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
        let (ticket, cursor) = self.in_flight.remove(index);
        if self.frontier.is_drained(ticket) {
            return;
        }
        match fault.map_or_else(|| self.service.page(&cursor), |fault| Err(fault.error())) {
            Ok((records, next)) => {
                let next = next.map(|at| Offset { at, ..Offset::START });
                let shape = shape(records);
                let now = self.now;
                self.frontier.heed_total(self.service.total);
                self.frontier.arrive(ticket, next.into_iter().collect(), shape, || now, &SameStep);
                self.arrived.insert(ticket, Ok(cursor));
            }
            Err(error) => self.fail(ticket, error),
        }
        while let Some(discarded) = self.frontier.take_discarded() {
            assert!(self.discarded.insert(discarded), "it is thrown away once");
            self.arrived.remove(&discarded);
        }
        while let Some(ticket) = self.frontier.take_confirmed_failure() {
            let held = self.arrived.remove(&ticket).expect("it is held");
            self.fail(ticket, held.expect_err("it failed"));
        }
    }

    fn fail(&mut self, ticket: Ticket, error: Error) {
        use super::super::Verdict::{Again, Fatal, Held, Smaller};
        match self.frontier.fail(ticket, &error, self.now, &SameStep) {
            Held | Fatal(_) => drop(self.arrived.insert(ticket, Err(error))),
            Again(_) | Smaller => {}
        }
    }

    fn hand_out(&mut self, ticket: Ticket) {
        let cursor = self.arrived.remove(&ticket).expect("it is here").expect("it is a page");
        let passed_over = self.frontier.replay(ticket).unwrap_or_default().out.records;
        let (records, _) = self.service.page(&cursor).expect("no request leads beyond the end");
        for record in passed_over as u64..records {
            let records = usize::try_from(record).expect("it is small");
            if self.mishap(30) {
                return self.cut(Some(Position { records, failures: 0 }));
            }
            assert_eq!(cursor.at + record, self.out, "each comes once, and in order");
            self.out += 1;
        }
        self.frontier.close();
    }

    /// Hands out all that is ready.
    pub(super) fn hand_out_all(&mut self) {
        while let Turn::HandOut(ticket) = self.frontier.turn() {
            self.hand_out(ticket);
        }
    }

    /// Stops, and goes on from what a checkpoint would hold.
    fn cut(&mut self, out: Option<Position>) {
        let rest = self.frontier.rest(out).into_iter();
        let rest = rest.map(|rest| (rest.cursor.clone(), rest.replay)).collect::<Vec<_>>();
        let waiting = self.frontier.waiting().cloned().collect::<Vec<_>>();
        let known = rest.iter().map(|(cursor, _)| cursor).chain(&waiting);
        for cursor in known {
            assert!(!self.service.is_beyond(cursor.at), "a checkpoint holds no guess");
        }
        self.frontier = patient(Frontier::resume(rest, waiting, self.frontier.trail()));
        self.in_flight.clear();
        self.arrived.clear();
        self.discarded.clear();
        // Another stream may have another window.
        self.window = 1 + self.choose(9);
    }

    /// How many requests there were beyond the end.
    pub(super) fn beyond(&self) -> usize {
        self.requests.iter().filter(|at| self.service.is_beyond(**at)).count()
    }
}

fn shape(records: u64) -> Shape {
    Shape { records: usize::try_from(records).expect("it is small"), ..Shape::default() }
}

/// With retries enough for every fault.
fn patient(mut frontier: Frontier<Offset>) -> Frontier<Offset> {
    let policy = Retry::default().max_attempts(1_000).budget(10_000);
    frontier.retry(policy.max_total(Duration::from_secs(10_000)).seed(1));
    frontier
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn every_page_comes_once_and_in_order_whatever_the_guesses(
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
