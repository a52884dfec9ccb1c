//! A paginator, a cursor and a record that call a test wherever a stream runs their code.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt::{self, Debug, Display, Formatter},
    hash::{Hash as StdHash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

use futures::{StreamExt, executor::block_on, future::BoxFuture};
use pagestream::{Checkpoint, Error, ErrorKind, Page, Paginator, PaginatorExt, Retry, Unit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tracing::{Event, Metadata, Subscriber, span, subscriber::DefaultGuard};

use super::{events, sorted, stored};

/// Where a stream runs the code of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    Pack,
    Predict,
    IsFull,
    Narrow,
    SplitCursor,
    Hash,
    Eq,
    Clone,
    Serialize,
    Deserialize,
    RetryWhen,
    DropRecord,
    DropErrorSource,
    /// The call of `fetch`, which makes its future.
    Fetch,
    FetchBeforeAwait,
    FetchAfterAwait,
    /// The closure of `PaginatorExt::map`.
    Map,
    /// A subscriber that hears of a retry.
    Tracing,
}

type Action = Arc<dyn Fn() + Send + Sync>;

/// What happens at one of the hooks. Within the action, the hook does nothing.
#[derive(Clone)]
pub(crate) struct Hooks(Arc<State>);

struct State {
    at: Hook,
    action: Mutex<Option<Action>>,
    calls: AtomicUsize,
}

thread_local! {
    /// The hooks of the cursors and records on this thread.
    static CURRENT: RefCell<Option<Hooks>> = const { RefCell::new(None) };
    static RUNS: Cell<bool> = const { Cell::new(false) };
}

/// What a panic throws. The panic hook of the process is not called.
#[derive(Debug)]
pub(crate) struct Thrown;

impl Hooks {
    pub(crate) fn new(at: Hook) -> Self {
        let calls = AtomicUsize::new(0);
        Self(Arc::new(State { at, action: Mutex::new(None), calls }))
    }

    /// The hooks of this thread, and of the paginators that are given them.
    pub(crate) fn install(at: Hook) -> Self {
        let hooks = Self::new(at);
        CURRENT.set(Some(hooks.clone()));
        hooks
    }

    pub(crate) fn set(&self, action: impl Fn() + Send + Sync + 'static) {
        let before = self.0.action.lock().unwrap().replace(Arc::new(action));
        drop(before);
    }

    /// From now on nothing happens.
    pub(crate) fn clear(&self) {
        let before = self.0.action.lock().unwrap().take();
        drop(before);
    }

    /// Panics once, at the `nth` call from now on.
    pub(crate) fn panic_at(&self, nth: usize) {
        let called = AtomicUsize::new(0);
        self.set(move || {
            if called.fetch_add(1, Ordering::Relaxed) + 1 == nth {
                resume_unwind(Box::new(Thrown));
            }
        });
    }

    /// How often the hook was called.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn reached(&self, hook: Hook) {
        if hook != self.0.at || RUNS.get() {
            return;
        }
        let Some(action) = self.0.action.lock().unwrap().clone() else { return };
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let _running = Running::begin();
        action();
    }

    /// The default policy, at once.
    pub(crate) fn retry(&self) -> Retry {
        let hooks = self.clone();
        Retry::default().first_delay(Duration::ZERO).when(move |error| {
            hooks.reached(Hook::RetryWhen);
            error.is_retryable()
        })
    }

    /// Hears on this thread of what is logged, as long as the guard lives.
    pub(crate) fn subscribe(&self) -> DefaultGuard {
        // The subscriber of the process is there first, so that no event is missed.
        events::listen();
        tracing::subscriber::set_default(Listener(self.clone()))
    }
}

struct Running;

impl Running {
    fn begin() -> Self {
        RUNS.set(true);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNS.set(false);
    }
}

/// Runs `f` on this thread without hooks.
pub(crate) fn quietly<T>(f: impl FnOnce() -> T) -> T {
    let _running = Running::begin();
    f()
}

fn reached(hook: Hook) {
    let hooks = CURRENT.try_with(|current| current.borrow().clone()).ok().flatten();
    if let Some(hooks) = hooks {
        hooks.reached(hook);
    }
}

struct Listener(Hooks);

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.reached(Hook::Tracing);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// A record that is dropped by its stream calls; one that was delivered does not.
#[derive(Debug)]
pub(crate) struct HookedRecord(Option<u64>);

impl HookedRecord {
    pub(crate) fn into_number(mut self) -> u64 {
        self.0.take().expect("it is delivered once")
    }
}

impl Drop for HookedRecord {
    fn drop(&mut self) {
        if self.0.is_some() {
            reached(Hook::DropRecord);
        }
    }
}

#[derive(Debug)]
struct HookedSource;

impl Display for HookedSource {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the source of an error")
    }
}

impl std::error::Error for HookedSource {}

impl Drop for HookedSource {
    fn drop(&mut self) {
        reached(Hook::DropErrorSource);
    }
}

/// The units that a request reads: the id of each, and which page of it.
#[derive(Debug)]
pub(crate) struct HookedCursor(Vec<(u64, u64)>);

impl Clone for HookedCursor {
    fn clone(&self) -> Self {
        reached(Hook::Clone);
        Self(self.0.clone())
    }
}

impl PartialEq for HookedCursor {
    fn eq(&self, other: &Self) -> bool {
        reached(Hook::Eq);
        self.0 == other.0
    }
}

impl Eq for HookedCursor {}

impl StdHash for HookedCursor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        reached(Hook::Hash);
        self.0.hash(state);
    }
}

impl Serialize for HookedCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        reached(Hook::Serialize);
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HookedCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        reached(Hook::Deserialize);
        Vec::deserialize(deserializer).map(Self)
    }
}

/// How the service of a [`Hooked`] is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One chain of pages that can be predicted. The service passes over a page, so one
    /// prediction is wrong.
    Chain,
    /// Ids of some pages each, several in a request. One id fails.
    Batch,
}

impl Shape {
    pub(crate) const ALL: [Self; 2] = [Self::Chain, Self::Batch];
}

/// A service whose first requests fail, and succeed when they are made again.
#[derive(Clone)]
pub(crate) struct Hooked {
    shape: Shape,
    hooks: Hooks,
    fetches: Arc<AtomicUsize>,
    /// The request that fails for good.
    fatal: Option<usize>,
}

const CHAIN_PAGES: u64 = 7;
/// The service goes on from the page before it to the one behind it.
const PASSED_OVER: u64 = 3;
const CHAIN_RECORDS: u64 = 5;
const IDS: u64 = 9;
const FAILING_ID: u64 = 3;
const BATCH: usize = 4;
const UNIT_RECORDS: u64 = 2;

impl Hooked {
    pub(crate) fn new(shape: Shape, hooks: &Hooks) -> Self {
        Self { shape, hooks: hooks.clone(), fetches: Arc::default(), fatal: None }
    }

    pub(crate) fn failing_for_good_at(self, fatal: Option<usize>) -> Self {
        Self { fatal, ..self }
    }

    /// All records, in ascending order.
    pub(crate) fn expected(shape: Shape) -> Vec<u64> {
        match shape {
            Shape::Chain => {
                let pages = (0..CHAIN_PAGES).filter(|page| *page != PASSED_OVER);
                pages.flat_map(|page| records((0, page), CHAIN_RECORDS)).collect()
            }
            Shape::Batch => {
                let ids = (0..IDS).filter(|id| *id != FAILING_ID);
                let pages = ids.flat_map(|id| (0..pages_of(id)).map(move |page| (id, page)));
                pages.flat_map(|unit| records(unit, UNIT_RECORDS)).collect()
            }
        }
    }

    /// The ids that fail.
    pub(crate) fn failing(shape: Shape) -> Vec<String> {
        match shape {
            Shape::Chain => Vec::new(),
            Shape::Batch => vec![FAILING_ID.to_string()],
        }
    }

    async fn respond(
        &self,
        cursor: HookedCursor,
    ) -> Result<Page<HookedRecord, HookedCursor>, Error> {
        self.hooks.reached(Hook::FetchBeforeAwait);
        // What is speculative comes before the page that tells that it is wrong.
        let is_late = self.shape == Shape::Chain && cursor.0[0].1 + 1 == PASSED_OVER;
        for _ in 0..if is_late { 6 } else { 1 } {
            tokio::task::yield_now().await;
        }
        self.hooks.reached(Hook::FetchAfterAwait);
        let nth = self.fetches.fetch_add(1, Ordering::Relaxed);
        if self.fatal == Some(nth) {
            return Err(Error::new(ErrorKind::Decode, "fatal").with_source(HookedSource));
        }
        if nth == 1 || nth == 4 {
            return Err(Error::new(ErrorKind::Transport, "again").with_source(HookedSource));
        }
        if nth == 2 && cursor.0.len() > 1 {
            let error = Error::new(ErrorKind::TooLarge, "smaller").with_retryable(true);
            return Err(error.with_source(HookedSource));
        }
        Ok(match self.shape {
            Shape::Chain => chain_page(&cursor),
            Shape::Batch => batch_page(&cursor),
        })
    }
}

fn pages_of(id: u64) -> u64 {
    1 + id % 3
}

fn records((id, page): (u64, u64), count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |record| id * 1_000 + page * 10 + record)
}

fn hooked(numbers: impl Iterator<Item = u64>) -> Vec<HookedRecord> {
    numbers.map(|number| HookedRecord(Some(number))).collect()
}

fn chain_page(cursor: &HookedCursor) -> Page<HookedRecord, HookedCursor> {
    let unit @ (id, page) = cursor.0[0];
    let next = if page + 1 == PASSED_OVER { page + 2 } else { page + 1 };
    let next = (next < CHAIN_PAGES).then(|| HookedCursor(vec![(id, next)]));
    Page::new(hooked(records(unit, CHAIN_RECORDS)), next)
}

fn batch_page(cursor: &HookedCursor) -> Page<HookedRecord, HookedCursor> {
    let (mut all, mut units, mut next, mut failed) = (Vec::new(), Vec::new(), Vec::new(), None);
    for (index, &unit @ (id, page)) in cursor.0.iter().enumerate() {
        if id == FAILING_ID {
            units.push(Unit::last(0));
            failed = Some(index);
            continue;
        }
        let before = all.len();
        all.extend(hooked(records(unit, UNIT_RECORDS)));
        let records = all.len() - before;
        if page + 1 < pages_of(id) {
            next.push(HookedCursor(vec![(id, page + 1)]));
            units.push(Unit::going_on(records));
        } else {
            units.push(Unit::last(records));
        }
    }
    let page = Page::new(all, next).with_units(units);
    match failed {
        Some(index) => {
            let error = Error::new(ErrorKind::Other, "an id failed");
            let error = error.with_ids([FAILING_ID.to_string()]).with_source(HookedSource);
            page.with_failure(index, error)
        }
        None => page,
    }
}

fn batch_size(halvings: u32) -> usize {
    (BATCH >> halvings.min(usize::BITS - 1)).max(1)
}

impl Paginator for Hooked {
    type Record = HookedRecord;
    type Cursor = HookedCursor;

    fn start(&self) -> HookedCursor {
        HookedCursor(match self.shape {
            Shape::Chain => vec![(0, 0)],
            Shape::Batch => (0..IDS).map(|id| (id, 0)).collect(),
        })
    }

    fn fetch<'life0, 'async_trait>(
        &'life0 self,
        cursor: HookedCursor,
    ) -> BoxFuture<'async_trait, Result<Page<HookedRecord, HookedCursor>, Error>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        self.hooks.reached(Hook::Fetch);
        Box::pin(self.respond(cursor))
    }

    fn pack(&self, waiting: &mut VecDeque<HookedCursor>, halvings: u32) {
        if self.shape == Shape::Chain {
            return self.hooks.reached(Hook::Pack);
        }
        let size = batch_size(halvings);
        let mut units = Vec::new();
        while units.len() < size {
            let Some(cursor) = waiting.pop_front() else { break };
            units.extend(cursor.0);
        }
        // What was taken out is not back yet.
        self.hooks.reached(Hook::Pack);
        let behind = units.split_off(size.min(units.len()));
        for units in [behind, units] {
            if !units.is_empty() {
                waiting.push_front(HookedCursor(units));
            }
        }
    }

    fn predict(&self, _: &HookedCursor, at: &HookedCursor, _: Option<u64>) -> Option<HookedCursor> {
        self.hooks.reached(Hook::Predict);
        let (id, page) = at.0[0];
        let is_predicted = self.shape == Shape::Chain && page + 1 < CHAIN_PAGES;
        is_predicted.then(|| HookedCursor(vec![(id, page + 1)]))
    }

    fn is_full(&self, cursor: &HookedCursor, halvings: u32) -> bool {
        self.hooks.reached(Hook::IsFull);
        self.shape == Shape::Chain || cursor.0.len() >= batch_size(halvings)
    }

    fn split_cursor(
        &self,
        cursor: &HookedCursor,
        parts: usize,
        _: Option<u64>,
    ) -> Vec<HookedCursor> {
        self.hooks.reached(Hook::SplitCursor);
        let units = cursor.0.len().div_ceil(parts);
        cursor.0.chunks(units).map(|units| HookedCursor(units.to_vec())).collect()
    }

    fn narrow(&self, cursor: &HookedCursor, units: &[usize]) -> HookedCursor {
        self.hooks.reached(Hook::Narrow);
        HookedCursor(units.iter().map(|unit| cursor.0[*unit]).collect())
    }

    fn identity(&self) -> String {
        "hooked".to_owned()
    }
}

/// What a reading gives that resumes from here and calls nobody: its records, and the ids
/// that failed.
pub(crate) fn resumed(shape: Shape, checkpoint: &Checkpoint) -> (Vec<u64>, Vec<String>) {
    let hooks = Hooks::new(Hook::Map);
    let paginator = Hooked::new(shape, &hooks);
    let stream = paginator.read().retry(hooks.retry()).set_failures_aside();
    let stream = stream.resume(stored(checkpoint)).records();
    let monitor = stream.monitor();
    let records = block_on(stream.collect::<Vec<_>>()).into_iter();
    let records = records.map(|it| it.expect("nothing is fatal").into_number());
    (sorted(records.collect()), monitor.failed_ids())
}

/// How long one reading may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Runs `body` on a thread of its own. Says what went wrong: a panic, or that it hangs.
pub(crate) fn watched(
    name: impl Display,
    limit: Duration,
    body: impl FnOnce() + Send + 'static,
) -> Result<(), String> {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(body));
        // A late one has no reader.
        sender.send(result.map_err(|panic| message(&*panic))).ok();
    });
    match receiver.recv_timeout(limit) {
        Ok(result) => {
            thread.join().ok();
            result.map_err(|message| format!("{name}: {message}"))
        }
        Err(RecvTimeoutError::Timeout) => Err(format!("{name}: it hangs")),
        Err(RecvTimeoutError::Disconnected) => Err(format!("{name}: its thread is gone")),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
    text.unwrap_or_else(|| "it panicked".to_owned())
}

/// The records of `all` that are not among those delivered; both in ascending order.
pub(crate) fn without(all: &[u64], delivered: &[u64]) -> Vec<u64> {
    let mut left = all.to_vec();
    for number in delivered {
        let index = left.iter().position(|it| it == number);
        left.remove(index.unwrap_or_else(|| panic!("{number} was delivered and is not due")));
    }
    left
}

impl Debug for Hooks {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hooks").field(&self.0.at).finish()
    }
}
