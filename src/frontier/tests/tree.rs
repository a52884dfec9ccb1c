//! A service that branches at random, read with a random window, in a random order
//! of arrivals, cut and resumed at random points.

use std::{collections::BTreeMap, time::Instant};

use proptest::{collection::vec, prelude::*};
use smallvec::smallvec;

use super::{
    super::{
        Arrival, CycleDetector, Effect, FailedAttempt, Frontier, Next, PageShape, Parts, Replay,
        RequestId, page_shape::Remaining, retrying::GaveUp,
    },
    Plain, deliver, records_alone, send, window, with_units, without_delivered,
};
use crate::{
    error::{Error, ErrorKind},
    page,
    replay::UnitReplay,
};

/// A page of the service: its units, or none where it is a page without units.
#[derive(Clone, Debug)]
struct Node {
    units: Vec<Unit>,
    tells_units: bool,
}

#[derive(Clone, Debug)]
struct Unit {
    records: usize,
    fails: bool,
    goes_on_to: Vec<usize>,
}

impl Unit {
    fn goes_on(&self) -> bool {
        !(self.fails && self.records == 0)
    }
}

/// A cursor: a page, or some of its units.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Cursor {
    node: usize,
    units: Vec<usize>,
}

/// Something delivered: a record, or the failure of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Record(usize, usize, usize),
    Failure(usize, usize),
}

#[derive(Debug)]
struct Service(Vec<Node>);

impl Service {
    fn whole(&self, node: usize) -> Cursor {
        Cursor { node, units: (0..self.0[node].units.len()).collect() }
    }

    fn units<'a>(&'a self, cursor: &'a Cursor) -> impl Iterator<Item = (usize, &'a Unit)> {
        cursor.units.iter().map(|&unit| (unit, &self.0[cursor.node].units[unit]))
    }

    /// The items of a page in the order in which they are delivered.
    fn items(&self, cursor: &Cursor) -> (Vec<Item>, Vec<Item>) {
        let records = self.units(cursor).flat_map(|(index, unit)| {
            (0..unit.records).map(move |record| Item::Record(cursor.node, index, record))
        });
        let failing = self.units(cursor).filter(|(_, unit)| unit.fails);
        let failures = failing.map(|(index, _)| Item::Failure(cursor.node, index));
        (records.collect(), failures.collect())
    }

    /// The items that are not delivered.
    fn remaining(&self, cursor: &Cursor, replay: Option<&Replay>) -> (Vec<Item>, Vec<Item>) {
        let (mut records, mut failures) = self.items(cursor);
        let (_, delivered, delivered_failures) = without_delivered(self.shape(cursor), replay);
        failures.drain(..delivered_failures);
        if replay.is_some_and(|replay| replay.units.is_empty()) && self.0[cursor.node].tells_units {
            failures.clear();
        }
        if self.0[cursor.node].tells_units {
            records.retain(|record| {
                let Item::Record(_, unit, index) = *record else { return true };
                let position = cursor.units.iter().position(|it| *it == unit).unwrap();
                delivered.get(position).is_none_or(|delivered| index >= *delivered)
            });
        } else {
            records.drain(..delivered.iter().sum::<usize>());
        }
        (records, failures)
    }

    /// The next cursors that are not known yet.
    fn next(&self, cursor: &Cursor, replay: Option<&Replay>) -> Vec<Cursor> {
        let is_known = |index: usize| {
            let replay = replay?;
            let unit = if self.0[cursor.node].tells_units { index } else { 0 };
            Some(replay.units.get(unit).is_none_or(|unit| unit.goes_on))
        };
        let units = self.units(cursor).enumerate();
        let units = units.filter(|(index, _)| !is_known(*index).unwrap_or_default());
        let going_on = units.map(|(_, unit)| unit).filter(|(_, unit)| unit.goes_on());
        going_on
            .flat_map(|(_, unit)| unit.goes_on_to.iter().map(|&node| self.whole(node)))
            .collect()
    }

    fn shape(&self, cursor: &Cursor) -> PageShape {
        let units = self.units(cursor).enumerate();
        let failures = units.filter(|(_, (_, unit))| unit.fails);
        let tells_units = self.0[cursor.node].tells_units;
        let failures = failures.map(|(index, _)| tells_units.then_some(index)).collect();
        let units = self.units(cursor).map(|(_, unit)| page::Unit {
            records: unit.records,
            goes_on: !unit.goes_on_to.is_empty() && unit.goes_on(),
        });
        if tells_units {
            return with_units(units.collect(), failures);
        }
        let parts = Parts { failures, ..Parts::default() };
        let records = units.map(|unit| unit.records).sum();
        PageShape { parts: Some(Box::new(parts)), ..records_alone(records) }
    }

    /// Everything there is to read, in order.
    fn all(&self) -> Vec<Item> {
        let (mut all, mut waiting) = (Vec::new(), vec![self.whole(0)]);
        while let Some(cursor) = waiting.pop() {
            let (records, failures) = self.items(&cursor);
            all.extend(records);
            all.extend(failures);
            waiting.extend(self.next(&cursor, None).into_iter().rev());
        }
        all
    }
}

fn services() -> impl Strategy<Value = Service> {
    let unit = (0..4_usize, prop::bool::weighted(0.2));
    let node =
        (vec(unit, 1..4), any::<bool>(), any::<(prop::sample::Index, prop::sample::Index)>());
    vec(node, 1..12).prop_map(|nodes| {
        let mut service = Service(Vec::new());
        for (index, (units, tells_units, (parent, below))) in nodes.into_iter().enumerate() {
            let units = units.into_iter().map(|(records, fails)| Unit {
                records,
                fails,
                goes_on_to: Vec::new(),
            });
            service.0.push(Node { units: units.collect(), tells_units });
            if index > 0 {
                let parent = parent.index(index);
                let below = below.index(service.0[parent].units.len());
                service.0[parent].units[below].goes_on_to.push(index);
            }
        }
        service
    })
}

/// Reads a service as the driver does, and decides by `choices`.
struct Reading<'a> {
    service: &'a Service,
    choices: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    window: usize,
    frontier: Frontier<Cursor>,
    in_flight: Vec<(RequestId, Cursor)>,
    /// What came: the items that are not delivered yet.
    arrived: BTreeMap<RequestId, (Vec<Item>, Vec<Item>)>,
    delivered: Vec<Item>,
    requests: usize,
}

impl Reading<'_> {
    fn choose(&mut self, below: usize) -> usize {
        self.choices.next().map_or(0, |&choice| usize::from(choice)) % below
    }

    fn run(&mut self, cut_one_in: Option<usize>) {
        loop {
            let next = loop {
                match self.frontier.next(Instant::now, &Plain) {
                    Next::Send(id, cursor) | Next::SendAndWait(id, cursor) => {
                        self.in_flight.push((id, cursor));
                    }
                    next => break next,
                }
                self.requests += 1;
            };
            let most = if self.window > 1 { 4 * self.window } else { 1 };
            assert!(self.frontier.requests.len() <= most);
            assert_eq!(self.frontier.in_flight(), self.in_flight.len());
            match next {
                Next::Wait(_) => {
                    let index = self.choose(self.in_flight.len());
                    let (id, cursor) = self.in_flight.swap_remove(index);
                    let replay = self.frontier.replay(id);
                    let next = self.service.next(&cursor, replay);
                    let items = self.service.remaining(&cursor, replay);
                    let (shape, ..) = without_delivered(self.service.shape(&cursor), replay);
                    let arrival =
                        self.frontier.page(id, next.into(), shape, None, Instant::now, &Plain);
                    let expected = if self.window == 1 {
                        Arrival::Deliver
                    } else {
                        Arrival::Keep(Vec::new()) // nothing is speculative
                    };
                    assert_eq!(arrival, expected);
                    self.arrived.insert(id, items);
                }
                Next::Deliver(id) => {
                    let items = self.arrived.remove(&id).expect("it arrived");
                    self.deliver(items, cut_one_in);
                }
                Next::End => break,
                next => unreachable!("this service is a tree and does not fail: {next:?}"),
            }
            if cut_one_in.is_some_and(|cuts| self.choose(cuts) == 0) {
                self.cut(0);
            }
        }
    }

    fn deliver(&mut self, items: (Vec<Item>, Vec<Item>), cut_one_in: Option<usize>) {
        self.frontier.begin_delivery();
        let (records, failures) = items;
        let mut delivered = 0;
        for (is_record, item) in (records.into_iter().map(|item| (true, item)))
            .chain(failures.into_iter().map(|item| (false, item)))
        {
            if cut_one_in.is_some_and(|cuts| self.choose(cuts) == 0) {
                return self.cut(delivered);
            }
            self.delivered.push(item);
            if is_record {
                delivered += 1;
            } else {
                self.frontier.failure_delivered();
            }
        }
        self.frontier.end_delivery();
    }

    /// Stops, and goes on from what a checkpoint would hold, where so many records of the
    /// page being delivered are.
    fn cut(&mut self, delivered: usize) {
        let remaining = self.frontier.remaining(delivered).into_iter().map(|remaining| {
            let mut cursor = remaining.cursor.clone();
            if let Some(units) = remaining.units {
                assert!(self.service.0[cursor.node].tells_units);
                cursor.units = units.into_iter().map(|unit| cursor.units[unit]).collect();
            }
            (cursor, remaining.replay)
        });
        let remaining = remaining.collect::<Vec<_>>();
        let waiting = self.frontier.waiting().cloned().collect::<Vec<_>>();
        let detector = self.frontier.cycle_detector();
        self.frontier = Frontier::resume(window(self.window), remaining, waiting, detector);
        self.in_flight.clear();
        self.arrived.clear();
    }
}

fn read(
    service: &Service,
    choices: &[u8],
    requests: usize,
    cuts: Option<usize>,
) -> (Vec<Item>, usize) {
    let mut reading = Reading {
        service,
        choices: choices.iter().cycle(),
        window: requests,
        frontier: Frontier::new(window(requests), [service.whole(0)]),
        in_flight: Vec::new(),
        arrived: BTreeMap::new(),
        delivered: Vec::new(),
        requests: 0,
    };
    reading.run(cuts);
    assert!(reading.frontier.is_over());
    (reading.delivered, reading.requests)
}

fn sorted(mut items: Vec<Item>) -> Vec<Item> {
    items.sort_unstable();
    items
}

fn records(items: &[Item]) -> Vec<Item> {
    items.iter().copied().filter(|item| matches!(item, Item::Record(..))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn one_request_at_a_time_reads_all_in_order(service in services()) {
        prop_assert_eq!(read(&service, &[0], 1, None).0, service.all());
    }

    #[test]
    fn any_window_reads_all_once(
        service in services(), choices in vec(any::<u8>(), 1..50), requests in 1..9_usize,
    ) {
        let (items, _) = read(&service, &choices, requests, None);
        prop_assert_eq!(sorted(items), sorted(service.all()));
    }

    #[test]
    fn each_page_is_asked_for_once(
        service in services(), choices in vec(any::<u8>(), 1..50), requests in 1..9_usize,
    ) {
        let (_, one_at_a_time) = read(&service, &[0], 1, None);
        let (_, made) = read(&service, &choices, requests, None);
        prop_assert_eq!(made, one_at_a_time);
    }

    #[test]
    fn a_reading_cut_anywhere_and_resumed_reads_all_once_and_its_records_in_order(
        service in services(), choices in vec(any::<u8>(), 30..80), cuts in 3..20_usize,
    ) {
        // The last choices never cut, so that the reading ends.
        let choices = [&choices[..], &[1; 200]].concat();
        let (items, _) = read(&service, &choices, 1, Some(cuts));
        prop_assert_eq!(records(&items), records(&service.all()));
        prop_assert_eq!(sorted(items), sorted(service.all()));
    }

    #[test]
    fn a_reading_with_a_window_cut_anywhere_and_resumed_reads_all_once(
        service in services(), choices in vec(any::<u8>(), 30..80),
        requests in 1..9_usize, cuts in 3..20_usize,
    ) {
        let choices = [&choices[..], &[1; 200]].concat();
        let (items, _) = read(&service, &choices, requests, Some(cuts));
        prop_assert_eq!(sorted(items), sorted(service.all()));
    }
}

#[test]
fn what_a_page_goes_on_to_is_read_before_what_waited() {
    let now = Instant::now();
    let mut frontier = Frontier::new(window(1), ["a", "b"]);
    let (id, _) = send(&mut frontier, now, &Plain).expect("the window is free");
    frontier.page(id, smallvec!["a1", "a2"], records_alone(0), None, || now, &Plain);
    assert!(frontier.waiting().eq(&["a1", "a2", "b"]));
}

#[test]
fn nothing_is_sent_after_a_failure_and_it_is_delivered_in_its_turn() {
    let now = Instant::now();
    // The window has room for one more.
    let mut frontier = Frontier::new(window(3), ["a", "b", "c"]);
    send(&mut frontier, now, &Plain);
    send(&mut frontier, now, &Plain);
    let error = Error::new(ErrorKind::Other, "it is broken");
    let attempt = FailedAttempt::new(&error, frontier.retry_policy());
    assert_eq!(frontier.error(1, attempt, now, &Plain)[..], [Effect::Fatal(1, 1, GaveUp::InVain)]);
    assert_eq!(frontier.next(|| now, &Plain), Next::Wait(None));
    frontier.page(0, smallvec![], records_alone(1), None, || now, &Plain);
    assert_eq!(frontier.next(|| now, &Plain), Next::Deliver(0));
    deliver(&mut frontier);
    assert_eq!(frontier.next(|| now, &Plain), Next::Fail(1));
}

/// A unit, so many of whose records are delivered.
fn begun(delivered: usize, records: usize) -> UnitReplay {
    UnitReplay { delivered, records, ..UnitReplay::default() }
}

/// The page of the only request comes: what it leads to, and its shape.
fn comes(frontier: &mut Frontier<&'static str>, next: Option<&'static str>, shape: PageShape) {
    let now = Instant::now();
    let (id, _) = send(frontier, now, &Plain).expect("the window is free");
    let (shape, ..) = without_delivered(shape, frontier.replay(id));
    frontier.page(id, next.into_iter().collect(), shape, None, || now, &Plain);
}

#[test]
fn a_page_read_again_that_had_ended_and_leads_on_now_is_followed() {
    let replay = Replay { units: vec![begun(3, 5)], ..Replay::default() };
    let detector = CycleDetector::default();
    let mut frontier = Frontier::resume(window(1), [("a", Some(replay))], [], detector);
    comes(&mut frontier, Some("b"), records_alone(5));
    assert!(frontier.waiting().eq(&["b"]));
}

#[test]
fn a_page_that_goes_on_is_read_again_for_its_records_alone() {
    let mut frontier = Frontier::new(window(1), ["a"]);
    comes(&mut frontier, Some("b"), records_alone(5));
    frontier.begin_delivery();
    let replay =
        Replay { units: vec![UnitReplay { goes_on: true, ..begun(3, 5) }], ..Replay::default() };
    let remaining = Remaining { cursor: &"a", units: None, replay: Some(replay) };
    assert_eq!(frontier.remaining(3), [remaining]);
    assert!(frontier.waiting().eq(&["b"]));
}

/// A page of two units: the first gave two records, the second failed.
fn half_failed() -> PageShape {
    with_units(vec![page::Unit::last(2), page::Unit::last(0)], vec![Some(1)])
}

#[test]
fn a_unit_whose_failure_is_not_delivered_is_read_anew_since_it_went_on_to_nothing() {
    let mut frontier = Frontier::new(window(1), ["a"]);
    comes(&mut frontier, None, half_failed());
    frontier.begin_delivery();
    let replay = Replay { units: vec![begun(1, 2)], ..Replay::default() };
    assert_eq!(
        frontier.remaining(1),
        [
            Remaining { cursor: &"a", units: Some(vec![0]), replay: Some(replay) },
            Remaining { cursor: &"a", units: Some(vec![1]), replay: None },
        ]
    );
}

#[test]
fn a_unit_that_went_on_and_fails_when_it_is_read_again_does_not_go_on_twice() {
    let second = UnitReplay { goes_on: true, ..begun(2, 5) };
    let replay = Replay { units: vec![begun(1, 2), second.clone()], ..Replay::default() };
    let detector = CycleDetector::default();
    let mut frontier = Frontier::resume(window(1), [("a", Some(replay))], [], detector);
    // The driver lets records and their places through as they were.
    let (id, _) = send(&mut frontier, Instant::now(), &Plain).expect("the window is free");
    let resumed = vec![begun(1, 2), second.clone()];
    let parts = Parts { resumed, ..*half_failed().parts.unwrap() };
    let mut shape = PageShape { parts: Some(Box::new(parts)), ..half_failed() };
    shape.records = 1;
    shape.parts.as_mut().unwrap().units[0].records = 1;
    frontier.page(id, smallvec![], shape, None, Instant::now, &Plain);
    frontier.begin_delivery();
    let replay = Replay { units: vec![second], ..Replay::default() };
    assert_eq!(
        frontier.remaining(1),
        [Remaining { cursor: &"a", units: Some(vec![1]), replay: Some(replay) }],
        "the first is delivered, and the second is read for its records alone"
    );
}
