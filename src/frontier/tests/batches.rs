//! Batches of ids that share their requests: a partial one waits for company.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use proptest::{collection::vec, prelude::*};
use smallvec::smallvec;

use super::super::{Frontier, Plan, Shape, Ticket, Turn};

/// Ids, each with the page at which it is.
type Batch = Vec<(usize, usize)>;

/// It puts as many ids into a request as it may carry.
struct Packing {
    most: usize,
}

impl Plan<Batch> for Packing {
    fn pack(&self, waiting: &mut VecDeque<Batch>, _: u32) {
        let mut full = Batch::new();
        while full.len() < self.most
            && let Some(mut next) = waiting.pop_front()
        {
            let rest = next.split_off(next.len().min(self.most - full.len()));
            full.append(&mut next);
            if !rest.is_empty() {
                waiting.push_front(rest);
            }
        }
        if !full.is_empty() {
            waiting.push_front(full);
        }
    }

    fn predict(&self, _: &Batch, _: &Batch, _: Option<u64>) -> Option<Batch> {
        None
    }

    fn is_full(&self, batch: &Batch, _: u32) -> bool {
        batch.len() >= self.most
    }
}

/// Reads ids of so many pages each. Every request takes `latency`, and at random up
/// to twice that.
struct Reading<'a> {
    pages: &'a [usize],
    choices: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    plan: Packing,
    window: usize,
    now: Instant,
    frontier: Frontier<Batch>,
    /// When they come.
    in_flight: Vec<(Instant, Ticket, Batch)>,
    arrived: BTreeMap<Ticket, Batch>,
    /// How many pages of each id are out.
    out: Vec<usize>,
    requests: usize,
}

const LATENCY: Duration = Duration::from_millis(50);

impl<'a> Reading<'a> {
    fn new(pages: &'a [usize], most: usize, window: usize, choices: &'a [u8]) -> Self {
        Self {
            pages,
            choices: choices.iter().cycle(),
            plan: Packing { most },
            window,
            now: Instant::now(),
            frontier: Frontier::new([(0..pages.len()).map(|id| (id, 0)).collect::<Batch>()]),
            in_flight: Vec::new(),
            arrived: BTreeMap::new(),
            out: vec![0; pages.len()],
            requests: 0,
        }
    }

    fn run(&mut self) {
        loop {
            self.send();
            match self.frontier.turn() {
                Turn::Over => break,
                Turn::Wait => self.wait(),
                Turn::HandOut(ticket) => {
                    for &(id, page) in &*self.arrived.remove(&ticket).expect("it is here") {
                        assert_eq!(self.out[id], page, "the pages of an id come once, in order");
                        self.out[id] += 1;
                    }
                    self.frontier.close();
                }
                Turn::Fail(_) | Turn::Cycle => unreachable!("nothing fails"),
            }
        }
        assert_eq!(self.out, self.pages);
    }

    fn send(&mut self) {
        let now = self.now;
        while let Some((ticket, batch)) = self.frontier.send(self.window, || now, &self.plan) {
            let more = self.choices.next().map_or(0, |choice| u32::from(*choice));
            self.in_flight.push((now + LATENCY + LATENCY * more / 255, ticket, batch));
            self.requests += 1;
        }
        assert!(self.in_flight.len() <= self.window);
    }

    /// Goes to what happens next.
    fn wait(&mut self) {
        let wake_at = self.frontier.wake_at(self.window);
        assert!(wake_at.is_none_or(|at| at > self.now), "it wakes for something to do");
        let next = self.in_flight.iter().enumerate().min_by_key(|(_, (at, ..))| *at);
        let next = next.map(|(index, (at, ..))| (*at, index));
        if let Some(at) = wake_at.filter(|at| next.is_none_or(|(next, _)| *at < next)) {
            let longest = 2 * LATENCY / 5;
            assert!(at <= self.now + longest, "it waits for a fifth of what requests take");
            assert!(!self.in_flight.is_empty(), "it waits only where others are on their way");
            self.now = at;
            return;
        }
        let (at, index) = next.expect("it is stuck");
        self.now = at;
        let (_, ticket, batch) = self.in_flight.swap_remove(index);
        let goes_on = batch.iter().filter(|(id, page)| page + 1 < self.pages[*id]);
        let next = goes_on.map(|(id, page)| (*id, page + 1)).collect::<Batch>();
        let shape = Shape::of(batch.len(), vec![1; batch.len()], vec![]);
        let next = if next.is_empty() { vec![] } else { vec![next] };
        self.frontier.arrive(ticket, next.into(), shape, || at, &self.plan);
        self.arrived.insert(ticket, batch);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn ids_that_share_requests_are_read_whole_and_nothing_spins_or_is_stuck(
        pages in vec(1..6_usize, 1..80), most in 1..20_usize, window in 1..=9_usize,
        choices in vec(any::<u8>(), 1..60), unordered in any::<bool>(),
    ) {
        let mut reading = Reading::new(&pages, most, window, &choices);
        if unordered {
            reading.frontier.unordered();
        }
        reading.run();
    }

    #[test]
    fn one_request_at_a_time_needs_as_many_as_are_filled_and_one_for_each_step_of_the_deepest(
        pages in vec(1..6_usize, 1..80), most in 1..20_usize,
    ) {
        let mut reading = Reading::new(&pages, most, 1, &[0]);
        reading.run();
        let units = pages.iter().sum::<usize>();
        let deepest = pages.iter().max().unwrap();
        prop_assert!(reading.requests < units.div_ceil(most) + deepest);
    }
}

/// Sends what may be sent, and gives it.
fn send(frontier: &mut Frontier<Batch>, now: Instant, most: usize) -> Vec<(Ticket, Batch)> {
    std::iter::from_fn(|| frontier.send(4, || now, &Packing { most })).collect()
}

/// Two of four ids are on their way, and the others wait for company since `now`.
fn waiting_for_company(now: Instant) -> Frontier<Batch> {
    let mut frontier = Frontier::new([vec![(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]]);
    assert_eq!(send(&mut frontier, now, 2).len(), 3, "the time that requests take is not known");
    let begin = now + LATENCY;
    frontier.arrive(0, smallvec![vec![(0, 1)]], Shape::default(), || begin, &Packing { most: 2 });
    assert_eq!(send(&mut frontier, begin, 2), []);
    assert_eq!(frontier.wake_at(4), Some(begin + LATENCY / 5));
    frontier
}

#[test]
fn a_partial_request_waits_a_fifth_of_the_time_that_requests_take() {
    let now = Instant::now();
    let mut frontier = waiting_for_company(now);
    let almost = now + LATENCY + LATENCY / 6;
    assert_eq!(send(&mut frontier, almost, 2), []);
    let sent = send(&mut frontier, now + LATENCY + LATENCY / 5, 2);
    assert_eq!(sent, [(3, vec![(0, 1)])]);
}

/// Twenty requests are on their way, each of which brings one id on. They come one after
/// the other, so much apart. Gives the requests whose ids are in the first one that goes
/// out then.
fn first_after(pause: Duration) -> Vec<usize> {
    let now = Instant::now();
    let most = 30;
    let plan = Packing { most };
    let fresh = (0..20 * most).map(|id| (id, 0)).collect();
    let mut frontier = Frontier::new([fresh]);
    let sent = std::iter::from_fn(|| frontier.send(20, || now, &plan)).collect::<Vec<_>>();
    assert_eq!(sent.len(), 20);
    let mut at = now + LATENCY;
    for (ticket, batch) in sent {
        let next = smallvec![vec![(batch[0].0, 1)]];
        frontier.arrive(ticket, next, Shape::default(), || at, &plan);
        frontier.close();
        // It goes out before the next comes, or not.
        let mut then = at;
        loop {
            if let Some((_, batch)) = frontier.send(20, || then, &plan) {
                return batch.into_iter().map(|(id, _)| id / most).collect();
            }
            match frontier.wake_at(20).filter(|it| *it < at + pause && *it > then) {
                Some(wake) => then = wake,
                None => break,
            }
        }
        at += pause;
    }
    unreachable!("the last one is alone")
}

#[test]
fn company_that_comes_prolongs_the_wait_up_to_the_time_that_a_request_takes() {
    let all = (0..20).rev().collect::<Vec<_>>();
    assert_eq!(first_after(Duration::ZERO), all);
    assert_eq!(first_after(LATENCY / 20), all, "they come in the time of a request");
    assert_eq!(first_after(LATENCY / 4), [0], "nobody comes in a fifth of it");
    let some = first_after(LATENCY / 6);
    assert!(some.len() > 5 && some.len() < 20, "{some:?} came in the time of a request");
}

#[test]
fn a_request_that_is_filled_meanwhile_goes_out_at_once() {
    let now = Instant::now();
    let mut frontier = waiting_for_company(now);
    let then = now + LATENCY + LATENCY / 10;
    frontier.arrive(1, smallvec![vec![(2, 1)]], Shape::default(), || then, &Packing { most: 2 });
    let sent = send(&mut frontier, then, 2);
    assert_eq!(sent, [(3, vec![(2, 1), (0, 1)])]);
}

#[test]
fn a_partial_request_that_is_alone_goes_out_at_once() {
    let now = Instant::now();
    let mut frontier = waiting_for_company(now);
    let then = now + LATENCY + LATENCY / 10;
    frontier.arrive(1, smallvec![], Shape::default(), || then, &Packing { most: 2 });
    assert_eq!(send(&mut frontier, then, 2), []);
    frontier.arrive(2, smallvec![], Shape::default(), || then, &Packing { most: 2 });
    assert_eq!(send(&mut frontier, then, 2), [(3, vec![(0, 1)])]);
}

#[test]
fn a_circle_ends_the_wait_for_company() {
    let now = Instant::now();
    let mut frontier = waiting_for_company(now);
    let then = now + LATENCY + LATENCY / 10;
    // The second request leads back to itself.
    frontier.arrive(
        1,
        smallvec![vec![(2, 0), (3, 0)]],
        Shape::default(),
        || then,
        &Packing { most: 2 },
    );
    assert_eq!(send(&mut frontier, then, 2), []);
    assert_eq!(frontier.wake_at(4), None, "nothing is due");
}
