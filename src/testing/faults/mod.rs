//! Faults of requests, by a script or by a seed.

mod delivery;
mod fault;
mod faulty;

use std::{
    collections::{BTreeMap, HashMap},
    fmt::{self, Debug, Formatter},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use fastrand::Rng;
use http::Request;

pub(super) use self::delivery::{Break, Delivery, Transfer, deliver, sleep};
pub use self::{delivery::FaultPosition, fault::Fault, faulty::Faulty};
use super::Service;

/// Which requests to a service meet which [`Fault`].
///
/// A rule ([`when`](Faults::when)) comes first, then the script, then the seed. Clones
/// share the count of requests, and so their position in the script. The same requests
/// in the same order meet the same faults.
///
/// ```
/// use std::time::Duration;
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, hubspot::Associations, testing::{Fault, Faults, HubSpot, FaultPosition}};
///
/// # let mut runtime = tokio::runtime::Builder::new_current_thread();
/// # runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
/// let service = HubSpot::new(7).objects(3).pages(|_| 2);
/// let faults = Faults::script([
///     (1, Fault::status(503).retry_after(Duration::from_secs(3))),
///     (3, Fault::reset(FaultPosition::InBody)),
/// ]);
///
/// let associations = Associations::builder("deals", "companies")
///     .ids(service.ids())
///     .token("a-test-token")
///     .transport(faults.on(service))
///     .build()?;
/// let records: Vec<_> = associations.records().try_collect().await?;
///
/// assert_eq!(records.len(), 12); // 3 objects, 2 pages each, of 2 associations
/// assert_eq!(faults.met(), 2);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use = "faults happen to the service that they are put on"]
pub struct Faults {
    plan: Arc<Plan>,
    state: Arc<Mutex<State>>,
}

#[derive(Clone)]
struct Plan {
    rules: Vec<(Rule, Fault)>,
    script: BTreeMap<u64, Fault>,
    /// The faults that happen by chance.
    kinds: Vec<Fault>,
    one_in: u32,
    in_a_row: u32,
    jitter: Duration,
}

type Rule = Arc<dyn Fn(&Request<Bytes>) -> bool + Send + Sync>;

struct State {
    rng: Rng,
    requests: u64,
    met: u64,
    /// How often in a row each request met a fault by chance, by the digest of the
    /// request. A request without a fault is removed.
    in_a_row: HashMap<u64, u32>,
}

impl Faults {
    /// A fault at each of these requests, counted from 1. The others meet none.
    pub fn script(script: impl IntoIterator<Item = (u64, Fault)>) -> Self {
        Self::new(0, 0).plan(|plan| plan.script = script.into_iter().collect())
    }

    /// Faults by chance, all from the seed: one request in ten meets one of
    /// [`Fault::passing`], and the same request meets at most three in a row.
    pub fn seeded(seed: u64) -> Self {
        Self::new(seed, 10)
    }

    fn new(seed: u64, one_in: u32) -> Self {
        let plan = Plan {
            rules: Vec::new(),
            script: BTreeMap::new(),
            kinds: Fault::passing(),
            one_in,
            in_a_row: 3,
            jitter: Duration::ZERO,
        };
        let rng = Rng::with_seed(seed);
        let state = State { rng, requests: 0, met: 0, in_a_row: HashMap::new() };
        Self { plan: Arc::new(plan), state: Arc::new(Mutex::new(state)) }
    }

    fn plan(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(Arc::make_mut(&mut self.plan));
        self
    }

    /// One in this many requests meets a fault by chance. 0 for none.
    pub fn one_in(self, requests: u32) -> Self {
        self.plan(|plan| plan.one_in = requests)
    }

    /// The faults that happen by chance, each as often as the others. A fault that is
    /// given twice happens twice as often.
    pub fn of(self, kinds: impl IntoIterator<Item = Fault>) -> Self {
        self.plan(|plan| plan.kinds = kinds.into_iter().collect())
    }

    /// The largest number of faults in a row that the same request meets by chance. So a
    /// retry succeeds at last.
    pub fn in_a_row(self, at_most: u32) -> Self {
        self.plan(|plan| plan.in_a_row = at_most)
    }

    /// Every response takes a random time up to this. It needs tokio's timer.
    pub fn jitter(self, up_to: Duration) -> Self {
        self.plan(|plan| plan.jitter = up_to)
    }

    /// Each request that matches the rule meets this fault, however often.
    pub fn when(
        self,
        rule: impl Fn(&Request<Bytes>) -> bool + Send + Sync + 'static,
        fault: Fault,
    ) -> Self {
        self.plan(|plan| plan.rules.push((Arc::new(rule), fault)))
    }

    /// The service with these faults. It shares the count of requests with other clones.
    pub fn on<S: Service>(&self, service: S) -> Faulty<S> {
        Faulty::new(service, self.clone())
    }

    /// How many faults were met.
    #[must_use]
    pub fn met(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).met
    }

    /// The fault that a request meets. An empty one if it meets none.
    fn draw(&self, request: &Request<Bytes>) -> Fault {
        let plan = &*self.plan;
        let planned = plan.rules.iter().find(|(rule, _)| rule(request)).map(|(_, fault)| fault);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        state.requests += 1;
        let planned = planned.or_else(|| plan.script.get(&state.requests));
        let by_chance = || state.by_chance(plan, request);
        let fault = planned.or_else(by_chance).cloned();
        state.met += u64::from(fault.is_some());
        let jitter = u64::try_from(plan.jitter.as_micros()).unwrap_or(u64::MAX);
        let jitter = Duration::from_micros(state.rng.u64(0..=jitter));
        fault.unwrap_or_default().wait(jitter)
    }
}

impl State {
    fn by_chance<'a>(&mut self, plan: &'a Plan, request: &Request<Bytes>) -> Option<&'a Fault> {
        if plan.one_in == 0 || plan.kinds.is_empty() {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        (request.method(), request.uri(), request.body()).hash(&mut hasher);
        let digest = hasher.finish();
        let before = self.in_a_row.remove(&digest).unwrap_or(0);
        if before >= plan.in_a_row || self.rng.u32(0..plan.one_in) > 0 {
            return None;
        }
        self.in_a_row.insert(digest, before + 1);
        plan.kinds.get(self.rng.usize(0..plan.kinds.len()))
    }
}

impl Debug for Faults {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("script", &self.plan.script)
            .field("one_in", &self.plan.one_in)
            .field("in_a_row", &self.plan.in_a_row)
            .field("jitter", &self.plan.jitter)
            .field("met", &self.met())
            .finish_non_exhaustive()
    }
}
