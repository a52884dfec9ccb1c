//! Batches of ids that share their requests: a request that is not full lingers.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use proptest::{collection::vec, prelude::*};
use smallvec::smallvec;

use super::{
    super::{Config, Frontier, Hooks, Next, Order, PageShape, RequestId},
    deliver, window,
};

/// Ids, each with the page at which it is.
type Batch = Vec<(usize, usize)>;

/// It puts as many ids into a request as it may carry.
struct Packing {
    most: usize,
}

impl Hooks<Batch> for Packing {
    fn pack(&self, waiting: &mut VecDeque<Batch>, _: u32) {
        let mut full = Batch::new();
        while full.len() < self.most
            && let Some(mut next) = waiting.pop_front()
        {
            let remaining = next.split_off(next.len().min(self.most - full.len()));
            full.append(&mut next);
            if !remaining.is_empty() {
                waiting.push_front(remaining);
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

    fn pass_over(&self, _: &Batch) -> Option<Vec<Batch>> {
        None
    }

    fn narrow(&self, batch: &Batch, units: &[usize]) -> Batch {
        units.iter().map(|unit| batch[*unit]).collect()
    }
}

/// Reads ids of so many pages each. Every request takes `latency`, and at random up
/// to twice that.
struct Reading<'a> {
    pages: &'a [usize],
    choices: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    hooks: Packing,
    window: usize,
    now: Instant,
    frontier: Frontier<Batch>,
    /// When they come.
    in_flight: Vec<(Instant, RequestId, Batch)>,
    arrived: BTreeMap<RequestId, Batch>,
    /// How many pages of each id are delivered.
    delivered: Vec<usize>,
    requests: usize,
}

const LATENCY: Duration = Duration::from_millis(50);

impl<'a> Reading<'a> {
    fn new(pages: &'a [usize], most: usize, config: Config, choices: &'a [u8]) -> Self {
        Self {
            pages,
            choices: choices.iter().cycle(),
            hooks: Packing { most },
            window: config.window,
            now: Instant::now(),
            frontier: Frontier::new(
                config,
                [(0..pages.len()).map(|id| (id, 0)).collect::<Batch>()],
            ),
            in_flight: Vec::new(),
            arrived: BTreeMap::new(),
            delivered: vec![0; pages.len()],
            requests: 0,
        }
    }

    fn run(&mut self) {
        loop {
            match self.send() {
                Next::End => break,
                Next::Wait(wake_at) => self.wait(wake_at),
                Next::Deliver(id) => {
                    for &(id, page) in &*self.arrived.remove(&id).expect("it is here") {
                        assert_eq!(self.delivered[id], page, "pages of an id come once, in order");
                        self.delivered[id] += 1;
                    }
                    deliver(&mut self.frontier);
                }
                next => unreachable!("nothing fails: {next:?}"),
            }
        }
        assert_eq!(self.delivered, self.pages);
    }

    fn send(&mut self) -> Next<Batch> {
        let now = self.now;
        let next = loop {
            match self.frontier.next(|| now, &self.hooks) {
                Next::Send(id, batch) | Next::SendAndWait(id, batch) => {
                    let more = self.choices.next().map_or(0, |choice| u32::from(*choice));
                    self.in_flight.push((now + LATENCY + LATENCY * more / 255, id, batch));
                    self.requests += 1;
                }
                next => break next,
            }
        };
        assert!(self.in_flight.len() <= self.window);
        next
    }

    /// Goes to what happens next.
    fn wait(&mut self, wake_at: Option<Instant>) {
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
        let (_, id, batch) = self.in_flight.swap_remove(index);
        let goes_on = batch.iter().filter(|(id, page)| page + 1 < self.pages[*id]);
        let next = goes_on.map(|(id, page)| (*id, page + 1)).collect::<Batch>();
        let shape = super::with_units(vec![crate::page::Unit::last(1); batch.len()], vec![]);
        let next = if next.is_empty() { vec![] } else { vec![next] };
        self.frontier.page(id, next.into(), shape, None, || at, &self.hooks);
        self.arrived.insert(id, batch);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn ids_that_share_requests_are_read_whole_and_nothing_spins_or_is_stuck(
        pages in vec(1..6_usize, 1..80), most in 1..20_usize, requests in 1..=9_usize,
        choices in vec(any::<u8>(), 1..60), unordered in any::<bool>(),
    ) {
        let order = if unordered { Order::AsTheyArrive } else { Order::OfRequests };
        let config = Config { order, ..window(requests) };
        Reading::new(&pages, most, config, &choices).run();
    }

    #[test]
    fn one_request_at_a_time_needs_as_many_as_are_filled_and_one_for_each_step_of_the_deepest(
        pages in vec(1..6_usize, 1..80), most in 1..20_usize,
    ) {
        let mut reading = Reading::new(&pages, most, window(1), &[0]);
        reading.run();
        let units = pages.iter().sum::<usize>();
        let deepest = pages.iter().max().unwrap();
        prop_assert!(reading.requests < units.div_ceil(most) + deepest);
    }
}

/// Sends what may be sent, and gives it, and until when the next request lingers.
fn send(
    frontier: &mut Frontier<Batch>,
    now: Instant,
    most: usize,
) -> (Vec<(RequestId, Batch)>, Option<Instant>) {
    let mut sent = Vec::new();
    loop {
        match frontier.next(|| now, &Packing { most }) {
            Next::Send(id, batch) | Next::SendAndWait(id, batch) => sent.push((id, batch)),
            Next::Wait(until) => return (sent, until),
            _ => return (sent, None),
        }
    }
}

/// The page of a request came, without records.
fn come(frontier: &mut Frontier<Batch>, id: RequestId, next: Option<Batch>, at: Instant) {
    let next = next.into_iter().collect();
    frontier.page(id, next, PageShape::default(), None, || at, &Packing { most: 2 });
}

/// Four ids are in flight in two requests, and another one lingers since `now`.
fn lingering(now: Instant) -> Frontier<Batch> {
    let mut frontier = Frontier::new(window(4), [vec![(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]]);
    let (sent, _) = send(&mut frontier, now, 2);
    assert_eq!(sent.len(), 3, "the time that requests take is not known");
    let begin = now + LATENCY;
    come(&mut frontier, 0, Some(vec![(0, 1)]), begin);
    deliver(&mut frontier);
    assert_eq!(send(&mut frontier, begin, 2), (vec![], Some(begin + LATENCY / 5)));
    frontier
}

#[test]
fn a_request_that_is_not_full_lingers_a_fifth_of_the_time_that_requests_take() {
    let now = Instant::now();
    let mut frontier = lingering(now);
    let almost = now + LATENCY + LATENCY / 6;
    assert_eq!(send(&mut frontier, almost, 2).0, []);
    let (sent, _) = send(&mut frontier, now + LATENCY + LATENCY / 5, 2);
    assert_eq!(sent, [(3, vec![(0, 1)])]);
}

/// Twenty requests are in flight, each of which brings one id on. They come one after the
/// other, with a pause between. Gives the requests whose ids are in the first one that goes out
/// then.
fn first_after(pause: Duration) -> Vec<usize> {
    let now = Instant::now();
    let most = 30;
    let hooks = Packing { most };
    let fresh = (0..20 * most).map(|id| (id, 0)).collect();
    let mut frontier = Frontier::new(window(20), [fresh]);
    let (sent, _) = send(&mut frontier, now, most);
    assert_eq!(sent.len(), 20);
    let mut at = now + LATENCY;
    for (id, batch) in sent {
        let next = smallvec![vec![(batch[0].0, 1)]];
        frontier.page(id, next, PageShape::default(), None, || at, &hooks);
        deliver(&mut frontier);
        // It goes out before the next comes, or not.
        let mut then = at;
        loop {
            match send(&mut frontier, then, most) {
                (sent, _) if !sent.is_empty() => {
                    return sent[0].1.iter().map(|(id, _)| id / most).collect();
                }
                (_, Some(wake)) if wake < at + pause && wake > then => then = wake,
                _ => break,
            }
        }
        at += pause;
    }
    unreachable!("the last one is alone")
}

#[test]
fn a_response_that_comes_extends_the_lingering_up_to_the_time_that_a_request_takes() {
    let all = (0..20).rev().collect::<Vec<_>>();
    assert_eq!(first_after(Duration::ZERO), all);
    assert_eq!(first_after(LATENCY / 20), all, "they come in the time of a request");
    assert_eq!(first_after(LATENCY / 4), [0], "nothing comes in a fifth of it");
    let some = first_after(LATENCY / 6);
    assert!(some.len() > 5 && some.len() < 20, "{some:?} came in the time of a request");
}

#[test]
fn a_request_that_is_filled_meanwhile_goes_out_at_once() {
    let now = Instant::now();
    let mut frontier = lingering(now);
    let then = now + LATENCY + LATENCY / 10;
    come(&mut frontier, 1, Some(vec![(2, 1)]), then);
    let (sent, _) = send(&mut frontier, then, 2);
    assert_eq!(sent, [(3, vec![(2, 1), (0, 1)])]);
}

#[test]
fn a_request_that_is_not_full_and_alone_goes_out_at_once() {
    let now = Instant::now();
    let mut frontier = lingering(now);
    let then = now + LATENCY + LATENCY / 10;
    come(&mut frontier, 1, None, then);
    assert_eq!(send(&mut frontier, then, 2).0, []);
    come(&mut frontier, 2, None, then);
    assert_eq!(send(&mut frontier, then, 2).0, [(3, vec![(0, 1)])]);
}

#[test]
fn a_cycle_ends_the_lingering() {
    let now = Instant::now();
    let mut frontier = lingering(now);
    let then = now + LATENCY + LATENCY / 10;
    // The second request goes on to itself.
    come(&mut frontier, 1, Some(vec![(2, 0), (3, 0)]), then);
    deliver(&mut frontier);
    assert_eq!(send(&mut frontier, then, 2), (vec![], None), "nothing is due");
}
