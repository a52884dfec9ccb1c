//! A panic in the code of a user loses nothing in silence: the stream goes on whole or says
//! that it failed, and a checkpoint is complete or there is none.
//!
//! The other promise about checkpoints stands here too: each is of one moment, whoever
//! takes it.

use std::{
    fmt::{self, Display, Formatter},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use futures::{StreamExt, executor::block_on};
use pagestream::{
    Checkpoint, Error, Page, Paginator, PaginatorExt, Read, Records, Source, StopReason,
};

use crate::support::{
    from_fn,
    hooked::{
        Hook, Hooked, HookedCursor, HookedRecord, Hooks, LIMIT, Shape, Thrown, quietly, resumed,
        watched, without,
    },
    sorted, stored,
};

/// The panics are at these calls of a hook.
const CALLS: [usize; 9] = [1, 2, 3, 4, 6, 9, 13, 20, 31];

/// One reading: a part of it up to a limit, and what a second stream resumes from there.
#[derive(Clone, Copy, Debug)]
struct Case {
    hook: Hook,
    /// The call of the hook that panics.
    call: usize,
    shape: Shape,
    window: usize,
    /// Where the first part ends.
    limit: u64,
    /// Whether a monitor is kept.
    is_monitored: bool,
    /// The request that fails for good.
    fatal: Option<usize>,
}

impl Display for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The paginator whose records are numbers.
fn mapped(
    paginator: Hooked,
    hooks: &Hooks,
) -> impl Paginator<Record = u64, Cursor = HookedCursor> + Clone + use<> {
    let hooks = hooks.clone();
    paginator.map(move |record: HookedRecord| {
        hooks.reached(Hook::Map);
        record.into_number()
    })
}

/// A record of either kind.
trait IntoNumber {
    fn number(self) -> u64;
}

impl IntoNumber for u64 {
    fn number(self) -> u64 {
        self
    }
}

impl IntoNumber for HookedRecord {
    fn number(self) -> u64 {
        self.into_number()
    }
}

/// Catches the panic of a hook. Another one fails the test.
fn catching<T>(f: impl FnOnce() -> T) -> Result<T, Thrown> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| match panic.downcast::<Thrown>() {
        Ok(thrown) => *thrown,
        Err(other) => resume_unwind(other),
    })
}

/// A checkpoint after a panic is complete.
fn check_complete(shape: Shape, checkpoint: &Checkpoint, delivered: &[u64]) {
    assert_eq!(checkpoint.records(), delivered.len() as u64);
    let remaining = without(&Hooked::expected(shape), delivered);
    let (records, failed_ids) = quietly(|| resumed(shape, checkpoint));
    assert_eq!(records, remaining, "after {} records", delivered.len());
    assert_eq!(failed_ids, Hooked::failing(shape));
}

/// How a part of a reading came to its end.
struct Part {
    stop: Option<StopReason>,
    checkpoint: Result<Checkpoint, Error>,
}

/// Reads to the end, through a panic. After it, each checkpoint is complete or an error.
fn read_on<S: Source>(
    mut stream: Records<S>,
    shape: Shape,
    is_monitored: bool,
    delivered: &mut Vec<u64>,
) -> Part
where
    <S::Paginator as Paginator>::Record: IntoNumber,
{
    let monitor = is_monitored.then(|| stream.monitor());
    let (mut fatal, mut panics) = (false, 0);
    loop {
        let item = match catching(|| block_on(stream.next())) {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(Thrown) => {
                panics += 1;
                let checkpoint = quietly(|| match &monitor {
                    Some(monitor) => monitor.checkpoint(),
                    None => stream.checkpoint(),
                });
                if let Ok(checkpoint) = checkpoint {
                    check_complete(shape, &checkpoint, delivered);
                }
                continue;
            }
        };
        assert!(!fatal, "an item after a fatal error");
        match item {
            Ok(record) => delivered.push(record.number()),
            Err(error) => {
                if !error.is_partial() {
                    fatal = true;
                    if let Some(checkpoint) = error.checkpoint() {
                        check_complete(shape, checkpoint, delivered);
                    }
                }
                // A panic in the drop of what was delivered is nothing to the stream.
                quietly(|| drop(error));
            }
        }
        // A panic in a checkpoint that somebody takes is nothing to the stream.
        if delivered.len() % 7 == 3
            && let Ok(Ok(checkpoint)) = catching(|| stream.checkpoint())
        {
            assert_eq!(checkpoint.records(), delivered.len() as u64);
        }
    }
    for _ in 0..3 {
        let item = catching(|| block_on(stream.next()));
        assert!(matches!(item, Ok(None)), "an item or a panic after the end");
    }
    assert!(panics <= 1, "it panicked {panics} times");
    let stop = stream.monitor().progress().stop;
    // If a cursor panics as it is serialized, it is asked for again.
    let checkpoint = catching(|| stream.checkpoint()).unwrap_or_else(|Thrown| stream.checkpoint());
    if !fatal {
        let is_whole = sorted(delivered.clone()) == Hooked::expected(shape);
        let is_cut = stop == Some(StopReason::MaxRecords);
        assert!(is_whole || is_cut, "it ended with {stop:?} at {} records", delivered.len());
    } else if let Ok(checkpoint) = &checkpoint {
        check_complete(shape, checkpoint, delivered);
    }
    // It may have records and failures left that the limit cut.
    quietly(|| drop(stream));
    Part { stop: stop.filter(|_| !fatal), checkpoint }
}

/// Reads the two parts of a case. `read` gives a stream's options; it may be called again.
fn read_parts<S: Source>(case: Case, hooks: &Hooks, read: impl Fn() -> Read<S>)
where
    <S::Paginator as Paginator>::Record: IntoNumber,
{
    let Case { shape, window, limit, is_monitored, .. } = case;
    let mut delivered = Vec::new();
    let options = || read().window(window).retry(hooks.retry());
    let first = options().max_records(limit).records();
    let part = read_on(first, shape, is_monitored, &mut delivered);
    if part.stop != Some(StopReason::MaxRecords) {
        return;
    }
    // If it panics, the caller has the checkpoint still.
    let checkpoint = catching(|| part.checkpoint.map(|it| stored(&it)));
    let Ok(Ok(checkpoint)) = checkpoint else { return };
    let second = catching(|| options().resume(checkpoint.clone()).records());
    let second = second.or_else(|Thrown| catching(|| options().resume(checkpoint).records()));
    read_on(second.unwrap(), shape, is_monitored, &mut delivered);
}

/// Runs a case. Gives how often the hook was called.
fn run(case: Case, is_owned: bool) -> usize {
    let hooks = Hooks::install(case.hook);
    let _subscriber = (case.hook == Hook::Tracing).then(|| hooks.subscribe());
    let paginator = Hooked::new(case.shape, &hooks).failing_for_good_at(case.fatal);
    hooks.panic_at(case.call);
    if case.hook == Hook::Map {
        let paginator = mapped(paginator, &hooks);
        if is_owned {
            read_parts(case, &hooks, || paginator.clone().into_read());
        } else {
            read_parts(case, &hooks, || paginator.read());
        }
    } else if is_owned {
        read_parts(case, &hooks, || paginator.clone().into_read());
    } else {
        read_parts(case, &hooks, || paginator.read());
    }
    hooks.clear();
    hooks.calls()
}

fn cases(hook: Hook, call: usize) -> impl Iterator<Item = Case> {
    let shapes = Shape::ALL.into_iter();
    let windows = shapes.flat_map(|shape| [1, 4].map(|window| (shape, window)));
    windows.flat_map(move |(shape, window)| {
        let limits = [(3, None), (11, None), (19, Some(5))];
        limits.into_iter().flat_map(move |(limit, fatal)| {
            [false, true].map(|is_monitored| Case {
                hook,
                call,
                shape,
                window,
                limit,
                is_monitored,
                fatal,
            })
        })
    })
}

/// Panics at several calls of a hook, in readings of each kind.
fn check(hook: Hook) {
    let (mut panicked, mut wrong) = (0, Vec::new());
    for case in CALLS.into_iter().flat_map(|call| cases(hook, call)) {
        for is_owned in [false, true] {
            let calls = Arc::new(Mutex::new(0));
            let counted = Arc::clone(&calls);
            let result = watched(format!("{case}, owned: {is_owned}"), LIMIT, move || {
                *counted.lock().unwrap() = run(case, is_owned);
            });
            wrong.extend(result.err());
            panicked += usize::from(*calls.lock().unwrap() >= case.call);
        }
    }
    assert!(wrong.is_empty(), "{} readings:\n{}", wrong.len(), wrong.join("\n"));
    assert!(panicked > 0, "{hook:?} never panicked");
}

#[test]
fn a_panic_in_pack_loses_nothing_in_silence() {
    check(Hook::Pack);
}

#[test]
fn a_panic_in_predict_loses_nothing_in_silence() {
    check(Hook::Predict);
}

#[test]
fn a_panic_in_is_full_loses_nothing_in_silence() {
    check(Hook::IsFull);
}

#[test]
fn a_panic_in_narrow_loses_nothing_in_silence() {
    check(Hook::Narrow);
}

#[test]
fn a_panic_in_the_hash_of_a_cursor_loses_nothing_in_silence() {
    check(Hook::Hash);
}

#[test]
fn a_panic_in_the_comparison_of_cursors_loses_nothing_in_silence() {
    check(Hook::Eq);
}

#[test]
fn a_panic_in_the_clone_of_a_cursor_loses_nothing_in_silence() {
    check(Hook::Clone);
}

#[test]
fn a_panic_while_a_cursor_is_serialized_loses_nothing_in_silence() {
    check(Hook::Serialize);
}

#[test]
fn a_panic_while_a_cursor_is_deserialized_loses_nothing_in_silence() {
    check(Hook::Deserialize);
}

#[test]
fn a_panic_in_the_condition_of_a_retry_loses_nothing_in_silence() {
    check(Hook::RetryWhen);
}

#[test]
fn a_panic_in_the_drop_of_a_record_loses_nothing_in_silence() {
    check(Hook::DropRecord);
}

#[test]
fn a_panic_in_the_drop_of_an_errors_source_loses_nothing_in_silence() {
    check(Hook::DropErrorSource);
}

#[test]
fn a_panic_of_a_subscriber_loses_nothing_in_silence() {
    check(Hook::Tracing);
}

#[test]
fn a_panic_in_the_call_of_fetch_loses_nothing_in_silence() {
    check(Hook::Fetch);
}

#[test]
fn a_panic_in_fetch_before_it_waits_loses_nothing_in_silence() {
    check(Hook::FetchBeforeAwait);
}

#[test]
fn a_panic_in_fetch_after_it_waited_loses_nothing_in_silence() {
    check(Hook::FetchAfterAwait);
}

#[test]
fn a_panic_in_the_closure_of_map_loses_nothing_in_silence() {
    check(Hook::Map);
}

#[test]
fn a_panic_in_split_cursor_leaves_the_paginator_as_it_was() {
    let hooks = Hooks::install(Hook::SplitCursor);
    let paginator = Hooked::new(Shape::Batch, &hooks);
    hooks.panic_at(1);
    assert!(catching(|| paginator.split(3, None)).is_err());
    let parts = paginator.split(3, None).unwrap();
    assert_eq!(parts.len(), 3);
    let records = parts.iter().flat_map(|part| {
        let stream = paginator.read().retry(hooks.retry()).set_failures_aside();
        let stream = stream.resume(part.clone()).records();
        block_on(stream.map(|it| it.unwrap().into_number()).collect::<Vec<_>>())
    });
    assert_eq!(sorted(records.collect()), Hooked::expected(Shape::Batch));
}

/// The page of a speculative request is wrong, arrived, or on its way when it panics.
#[test]
fn a_panic_in_a_request_on_a_runtime_loses_nothing_in_silence() {
    let hooks = [Hook::Fetch, Hook::FetchBeforeAwait, Hook::FetchAfterAwait, Hook::Map];
    let mut wrong = Vec::new();
    let cases = hooks.into_iter().flat_map(|hook| (1..8).flat_map(move |it| cases(hook, it)));
    for case in cases.filter(|case| case.window == 4) {
        wrong.extend(watched(case, LIMIT, move || run_on_runtime(case)).err());
    }
    assert!(wrong.is_empty(), "{} readings:\n{}", wrong.len(), wrong.join("\n"));
}

fn run_on_runtime(case: Case) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_time().build().unwrap();
    let hooks = Hooks::install(case.hook);
    let paginator = Hooked::new(case.shape, &hooks).failing_for_good_at(case.fatal);
    hooks.panic_at(case.call);
    let paginator = mapped(paginator, &hooks);
    let _entered = runtime.enter();
    read_parts(case, &hooks, || paginator.clone().into_read());
    hooks.clear();
}

/// The reading is resumed from each record of it, with one and with several requests at once.
#[test]
fn a_panic_in_pack_when_a_reading_is_resumed_loses_nothing_in_silence() {
    let mut wrong = Vec::new();
    for window in [1, 4] {
        for (delivered, call) in (0..20).flat_map(|it| [(it, 1), (it, 2), (it, 3)]) {
            let name = format!("window {window}, after {delivered}, call {call}");
            let body = move || resume_with_a_panic(window, delivered, call);
            wrong.extend(watched(name, LIMIT, body).err());
        }
    }
    assert!(wrong.is_empty(), "{} readings:\n{}", wrong.len(), wrong.join("\n"));
}

fn resume_with_a_panic(window: usize, records: u64, call: usize) {
    let hooks = Hooks::install(Hook::Pack);
    let paginator = Hooked::new(Shape::Batch, &hooks);
    let options = || paginator.read().window(window).retry(hooks.retry());
    let mut stream = options().max_records(records).records();
    let mut delivered = Vec::new();
    while let Some(item) = block_on(stream.next()) {
        delivered.extend(item.ok().map(HookedRecord::into_number));
    }
    let checkpoint = stored(&stream.checkpoint().unwrap());
    hooks.panic_at(call);
    let stream = options().resume(checkpoint).records();
    read_on(stream, Shape::Batch, true, &mut delivered);
    hooks.clear();
}

const RECORDS: u64 = 1_000;
const PAGE: u64 = 20;

/// How many checkpoints are taken at least.
const CHECKPOINTS: usize = 300;

#[test]
fn a_checkpoint_that_another_thread_takes_is_of_one_moment() {
    let result = watched("checkpoints of another thread", Duration::from_secs(60), || {
        let pages = || {
            from_fn(0, |from: u64| async move {
                tokio::task::yield_now().await;
                let to = from + PAGE;
                Ok(Page::new((from..to).collect(), (to < RECORDS).then_some(to)))
            })
        };
        let (begin, mut checkpoints) = (Instant::now(), Vec::new());
        for window in [1, 4].into_iter().cycle() {
            let stream = pages().into_read().window(window).records();
            let monitor = stream.monitor();
            let ended = Arc::new(AtomicBool::new(false));
            let ends = Arc::clone(&ended);
            let reader = thread::spawn(move || {
                let records: Vec<u64> = block_on(stream.map(Result::unwrap).collect());
                ends.store(true, Ordering::Relaxed);
                records
            });
            while !ended.load(Ordering::Relaxed) {
                checkpoints.push(monitor.checkpoint().unwrap());
            }
            assert!(reader.join().unwrap().into_iter().eq(0..RECORDS));
            let is_between = |it: &&Checkpoint| it.records() > 0 && it.records() < RECORDS;
            let enough = checkpoints.iter().filter(is_between).count() >= CHECKPOINTS;
            if enough || begin.elapsed() > Duration::from_secs(20) {
                break;
            }
        }
        checkpoints.sort_by_key(Checkpoint::records);
        let wrong = checkpoints.iter().step_by(checkpoints.len().div_ceil(2 * CHECKPOINTS));
        let wrong = wrong.filter(|checkpoint| {
            let stream = pages().into_read().resume((*checkpoint).clone()).records();
            let records: Vec<u64> = block_on(stream.map(Result::unwrap).collect());
            !records.into_iter().eq(checkpoint.records()..RECORDS)
        });
        let wrong = wrong.count();
        assert_eq!(wrong, 0, "of {} checkpoints", checkpoints.len());
    });
    assert_eq!(result, Ok(()));
}
