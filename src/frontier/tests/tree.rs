//! A service that branches at random, read with a random window, in a random order
//! of arrivals, cut and resumed at random places.

use std::{collections::BTreeMap, time::Instant};

use proptest::{collection::vec, prelude::*};
use smallvec::smallvec;

use super::{
    super::{CycleDetector, Frontier, Position, Replay, Rest, Shape, Ticket, Turn, Verdict},
    Plain,
};
use crate::error::{Error, ErrorKind};

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
    leads_to: Vec<usize>,
}

impl Unit {
    fn leads_on(&self) -> bool {
        !(self.fails && self.records == 0)
    }
}

/// A cursor: a page, or some of its units.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Cursor {
    node: usize,
    units: Vec<usize>,
}

/// Something handed out: a record, or the failure of a unit.
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

    /// The items of a page in the order in which they are handed out.
    fn items(&self, cursor: &Cursor) -> (Vec<Item>, Vec<Item>) {
        let records = self.units(cursor).flat_map(|(place, unit)| {
            (0..unit.records).map(move |record| Item::Record(cursor.node, place, record))
        });
        let failing = self.units(cursor).filter(|(_, unit)| unit.fails);
        let failures = failing.map(|(place, _)| Item::Failure(cursor.node, place));
        (records.collect(), failures.collect())
    }

    fn next(&self, cursor: &Cursor) -> Vec<Cursor> {
        let leading = self.units(cursor).filter(|(_, unit)| unit.leads_on());
        leading.flat_map(|(_, unit)| unit.leads_to.iter().map(|&node| self.whole(node))).collect()
    }

    fn shape(&self, cursor: &Cursor) -> Shape {
        let units = self.units(cursor).enumerate();
        let failures = units.filter(|(_, (_, unit))| unit.fails);
        let tells_units = self.0[cursor.node].tells_units;
        let records = self.units(cursor).map(|(_, unit)| unit.records).collect::<Vec<_>>();
        Shape::of(
            records.iter().sum(),
            if tells_units { records } else { Vec::new() },
            failures.map(|(index, _)| tells_units.then_some(index)).collect(),
        )
    }

    /// Everything there is to read, in order.
    fn all(&self) -> Vec<Item> {
        let (mut all, mut waiting) = (Vec::new(), vec![self.whole(0)]);
        while let Some(cursor) = waiting.pop() {
            let (records, failures) = self.items(&cursor);
            all.extend(records);
            all.extend(failures);
            waiting.extend(self.next(&cursor).into_iter().rev());
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
        for (place, (units, tells_units, (parent, below))) in nodes.into_iter().enumerate() {
            let units = units.into_iter().map(|(records, fails)| Unit {
                records,
                fails,
                leads_to: Vec::new(),
            });
            service.0.push(Node { units: units.collect(), tells_units });
            if place > 0 {
                let parent = parent.index(place);
                let below = below.index(service.0[parent].units.len());
                service.0[parent].units[below].leads_to.push(place);
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
    in_flight: Vec<(Ticket, Cursor)>,
    arrived: BTreeMap<Ticket, Cursor>,
    handed_out: Vec<Item>,
    requests: usize,
}

impl Reading<'_> {
    fn choose(&mut self, below: usize) -> usize {
        self.choices.next().map_or(0, |&choice| usize::from(choice)) % below
    }

    fn run(&mut self, cut_one_in: Option<usize>) {
        loop {
            while let Some(sent) = self.frontier.send(self.window, Instant::now, &Plain) {
                self.in_flight.push(sent);
                self.requests += 1;
            }
            assert!(self.frontier.open.len() <= if self.window > 1 { 4 * self.window } else { 1 });
            assert_eq!(self.frontier.in_flight(), self.in_flight.len());
            match self.frontier.turn() {
                Turn::Wait => {
                    let index = self.choose(self.in_flight.len());
                    let (ticket, cursor) = self.in_flight.swap_remove(index);
                    let next = self.service.next(&cursor);
                    self.frontier.arrive(
                        ticket,
                        next.into(),
                        self.service.shape(&cursor),
                        Instant::now,
                        &Plain,
                    );
                    self.arrived.insert(ticket, cursor);
                }
                Turn::HandOut(ticket) => {
                    let cursor = self.arrived.remove(&ticket).expect("it arrived");
                    self.hand_out(ticket, &cursor, cut_one_in);
                }
                Turn::Fail(_) | Turn::Cycle => {
                    unreachable!("this service is a tree and does not fail")
                }
                Turn::Over => break,
            }
            if cut_one_in.is_some_and(|cuts| self.choose(cuts) == 0) {
                self.cut(None);
            }
        }
    }

    fn hand_out(&mut self, ticket: Ticket, cursor: &Cursor, cut_one_in: Option<usize>) {
        let replay = self.frontier.replay(ticket);
        let skip = replay.unwrap_or_default().out;
        let (records, failures) = self.service.items(cursor);
        let mut out = skip;
        for (is_record, item) in (records.into_iter().skip(skip.records).map(|item| (true, item)))
            .chain(failures.into_iter().skip(skip.failures).map(|item| (false, item)))
        {
            if cut_one_in.is_some_and(|cuts| self.choose(cuts) == 0) {
                return self.cut(Some(out));
            }
            self.handed_out.push(item);
            if is_record {
                out.records += 1;
            } else {
                out.failures += 1;
            }
        }
        self.frontier.close();
    }

    /// Stops, and goes on from what a checkpoint would hold.
    fn cut(&mut self, out: Option<Position>) {
        let rest = self.frontier.rest(out).into_iter().map(|rest| {
            let mut cursor = rest.cursor.clone();
            if let Some(units) = rest.units {
                assert!(self.service.0[cursor.node].tells_units);
                cursor.units = units.into_iter().map(|unit| cursor.units[unit]).collect();
            }
            (cursor, rest.replay)
        });
        let rest = rest.collect::<Vec<_>>();
        let waiting = self.frontier.waiting().cloned().collect::<Vec<_>>();
        self.frontier = Frontier::resume(rest, waiting, self.frontier.trail());
        self.in_flight.clear();
        self.arrived.clear();
    }
}

fn read(
    service: &Service,
    choices: &[u8],
    window: usize,
    cuts: Option<usize>,
) -> (Vec<Item>, usize) {
    let mut reading = Reading {
        service,
        choices: choices.iter().cycle(),
        window,
        frontier: Frontier::new([service.whole(0)]),
        in_flight: Vec::new(),
        arrived: BTreeMap::new(),
        handed_out: Vec::new(),
        requests: 0,
    };
    reading.run(cuts);
    assert!(reading.frontier.is_over());
    (reading.handed_out, reading.requests)
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
        service in services(), choices in vec(any::<u8>(), 1..50), window in 1..9_usize,
    ) {
        let (items, _) = read(&service, &choices, window, None);
        prop_assert_eq!(sorted(items), sorted(service.all()));
    }

    #[test]
    fn each_page_is_asked_for_once(
        service in services(), choices in vec(any::<u8>(), 1..50), window in 1..9_usize,
    ) {
        let (_, one_at_a_time) = read(&service, &[0], 1, None);
        let (_, requests) = read(&service, &choices, window, None);
        prop_assert_eq!(requests, one_at_a_time);
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
        window in 1..9_usize, cuts in 3..20_usize,
    ) {
        let choices = [&choices[..], &[1; 200]].concat();
        let (items, _) = read(&service, &choices, window, Some(cuts));
        prop_assert_eq!(sorted(items), sorted(service.all()));
    }
}

#[test]
fn what_a_page_leads_to_is_read_before_what_waited() {
    let mut frontier = Frontier::new(["a", "b"]);
    let (ticket, _) = frontier.send(1, Instant::now, &Plain).expect("the window is free");
    frontier.arrive(ticket, smallvec!["a1", "a2"], Shape::default(), Instant::now, &Plain);
    assert!(frontier.waiting().eq(&["a1", "a2", "b"]));
}

#[test]
fn nothing_is_sent_after_a_failure_and_it_is_given_out_in_its_turn() {
    let mut frontier = Frontier::new(["a", "b", "c"]);
    frontier.send(2, Instant::now, &Plain);
    frontier.send(2, Instant::now, &Plain);
    let error = Error::new(ErrorKind::Other, "it is broken");
    assert_eq!(frontier.fail(1, &error, Instant::now(), &Plain), Verdict::Fatal(1));
    assert_eq!(frontier.turn(), Turn::Wait);
    assert!(frontier.send(3, Instant::now, &Plain).is_none());
    frontier.arrive(0, smallvec![], Shape { records: 1, ..Shape::default() }, Instant::now, &Plain);
    assert_eq!(frontier.turn(), Turn::HandOut(0));
    frontier.close();
    assert_eq!(frontier.turn(), Turn::Fail(1));
}

#[test]
fn a_page_read_again_for_its_records_leads_nowhere() {
    let replay = Some(Replay { out: Position { records: 3, failures: 0 }, of: 5 });
    let mut frontier = Frontier::resume([("a", replay)], [], CycleDetector::default());
    let (ticket, _) = frontier.send(1, Instant::now, &Plain).expect("the window is free");
    frontier.arrive(
        ticket,
        smallvec!["b"],
        Shape { records: 5, ..Shape::default() },
        Instant::now,
        &Plain,
    );
    frontier.close();
    assert!(frontier.is_over());
}

/// A page of two units: the first gave two records, the second failed.
fn half_failed() -> Shape {
    Shape::of(2, vec![2, 0], vec![Some(1)])
}

#[test]
fn a_unit_whose_failure_is_not_out_is_asked_for_anew_since_it_led_nowhere() {
    let mut frontier = Frontier::new(["a"]);
    let (ticket, _) = frontier.send(1, Instant::now, &Plain).expect("the window is free");
    frontier.arrive(ticket, smallvec![], half_failed(), Instant::now, &Plain);
    let out = Position { records: 1, failures: 0 };
    let replay = Some(Replay { out, of: 2 });
    assert_eq!(
        frontier.rest(Some(out)),
        [
            Rest { cursor: &"a", units: Some(vec![0]), replay },
            Rest { cursor: &"a", units: Some(vec![1]), replay: None },
        ]
    );
}

#[test]
fn a_unit_that_led_on_and_fails_when_it_is_read_again_does_not_lead_on_twice() {
    let out = Position { records: 1, failures: 0 };
    let replay = Some(Replay { out, of: 2 });
    let mut frontier = Frontier::resume([("a", replay)], [], CycleDetector::default());
    let (ticket, _) = frontier.send(1, Instant::now, &Plain).expect("the window is free");
    frontier.arrive(ticket, smallvec![], half_failed(), Instant::now, &Plain);
    assert_eq!(
        frontier.rest(Some(out)),
        [Rest { cursor: &"a", units: Some(vec![0, 1]), replay }],
        "both are read for their records alone"
    );
}
