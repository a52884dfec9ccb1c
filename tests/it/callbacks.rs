//! The code of a user that a stream runs may ask a monitor of that stream: it is answered,
//! or told that waiting would deadlock.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use futures::{StreamExt, executor::block_on};
use pagestream::{Checkpoint, Error, ErrorKind, Monitor, PaginatorExt, Progress, StopReason};

use crate::support::{
    hooked::{Hook, Hooked, HookedRecord, Hooks, LIMIT, Shape, resumed, watched, without},
    sorted, stored,
};

/// What the code of a user was told, and which records were delivered then.
struct Answer {
    delivered: Vec<u64>,
    progress: Progress,
    checkpoint: Result<Checkpoint, Error>,
}

/// The monitor that is asked, the records so far, and the answers.
#[derive(Clone, Default)]
struct Asking(Arc<Mutex<Asked>>);

#[derive(Default)]
struct Asked {
    monitor: Option<Monitor>,
    delivered: Vec<u64>,
    failures: usize,
    answers: Vec<Answer>,
}

impl Asking {
    fn with<T>(&self, f: impl FnOnce(&mut Asked) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the monitor all there is to ask.
    fn ask(&self) {
        let (monitor, delivered) = self.with(|it| (it.monitor.clone(), it.delivered.clone()));
        let Some(monitor) = monitor else { return };
        let progress = monitor.progress();
        let failed_ids = monitor.failed_ids();
        let failures = monitor.take_failures();
        let checkpoint = monitor.checkpoint();
        assert!(failed_ids.len() <= 1, "{failed_ids:?}");
        self.with(|it| {
            it.failures += failures.len();
            it.answers.push(Answer { delivered, progress, checkpoint });
        });
    }
}

/// Reads a part up to a limit and goes on from there, and asks at each call of a hook.
fn read(hook: Hook, shape: Shape, window: usize, limit: u64) -> Vec<Answer> {
    let hooks = Hooks::install(hook);
    let _subscriber = (hook == Hook::Tracing).then(|| hooks.subscribe());
    let asking = Asking::default();
    let asks = asking.clone();
    hooks.set(move || asks.ask());

    let paginator = Hooked::new(shape, &hooks);
    let part = |checkpoint: Option<Checkpoint>, limit: u64| {
        let options = paginator.read().window(window).retry(hooks.retry()).set_failures_aside();
        let options = options.max_records(limit);
        let mut stream = match checkpoint {
            Some(checkpoint) => options.resume(checkpoint).records(),
            None => options.records(),
        };
        let monitor = stream.monitor();
        asking.with(|it| it.monitor = Some(monitor.clone()));
        while let Some(record) = block_on(stream.next()) {
            let number = record.map(HookedRecord::into_number).expect("nothing is fatal");
            asking.with(|it| it.delivered.push(number));
        }
        let failures = monitor.take_failures().len();
        asking.with(|it| it.failures += failures);
        monitor
    };
    let first = part(None, limit);
    assert_eq!(first.progress().stop, Some(StopReason::MaxRecords));
    let checkpoint = stored(&first.checkpoint().expect("nobody works on the reading"));
    let second = part(Some(checkpoint), u64::MAX);
    hooks.clear();

    assert_eq!(second.progress().stop, Some(StopReason::End));
    assert_eq!(second.failed_ids(), Hooked::failing(shape));
    let (delivered, failures, answers) = asking.with(|it| {
        it.monitor = None;
        (it.delivered.clone(), it.failures, std::mem::take(&mut it.answers))
    });
    assert_eq!(sorted(delivered), Hooked::expected(shape));
    assert_eq!(failures, Hooked::failing(shape).len());
    answers
}

/// Whether a checkpoint may be asked for in a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checkpoints {
    Given,
    GivenOrDeadlock,
}

fn check_answer(shape: Shape, answer: &Answer, checkpoints: Checkpoints) {
    assert_eq!(answer.progress.records, answer.delivered.len() as u64);
    match &answer.checkpoint {
        Ok(checkpoint) => {
            assert_eq!(checkpoint.records(), answer.delivered.len() as u64);
            let remaining = without(&Hooked::expected(shape), &answer.delivered);
            assert_eq!(resumed(shape, checkpoint).0, remaining);
        }
        Err(error) => {
            assert_eq!(checkpoints, Checkpoints::GivenOrDeadlock, "{error}");
            assert_eq!(error.kind(), ErrorKind::Contract, "{error}");
            assert!(error.to_string().contains("deadlock"), "{error}");
        }
    }
}

/// Asks at each call of a hook, in readings of each kind.
fn check(hook: Hook, checkpoints: Checkpoints) {
    let (mut asked, mut wrong) = (0, Vec::new());
    for shape in Shape::ALL {
        for window in [1, 4] {
            for limit in [3, 11] {
                let count = Arc::new(Mutex::new(0));
                let counted = Arc::clone(&count);
                let name = format!("{hook:?}, {shape:?}, window {window}, limit {limit}");
                let result = watched(name, LIMIT, move || {
                    let answers = read(hook, shape, window, limit);
                    *counted.lock().unwrap() = answers.len();
                    for answer in &answers {
                        check_answer(shape, answer, checkpoints);
                    }
                });
                wrong.extend(result.err());
                asked += *count.lock().unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 0, "{hook:?} was never called");
}

#[test]
fn pack_may_ask_a_monitor() {
    check(Hook::Pack, Checkpoints::GivenOrDeadlock);
}

#[test]
fn predict_may_ask_a_monitor() {
    check(Hook::Predict, Checkpoints::GivenOrDeadlock);
}

#[test]
fn is_full_may_ask_a_monitor() {
    check(Hook::IsFull, Checkpoints::GivenOrDeadlock);
}

#[test]
fn narrow_may_ask_a_monitor() {
    check(Hook::Narrow, Checkpoints::GivenOrDeadlock);
}

#[test]
fn the_hash_of_a_cursor_may_ask_a_monitor() {
    check(Hook::Hash, Checkpoints::GivenOrDeadlock);
}

#[test]
fn the_comparison_of_cursors_may_ask_a_monitor() {
    check(Hook::Eq, Checkpoints::GivenOrDeadlock);
}

#[test]
fn the_clone_of_a_cursor_may_ask_a_monitor() {
    check(Hook::Clone, Checkpoints::GivenOrDeadlock);
}

#[test]
fn a_cursor_that_is_serialized_may_ask_a_monitor() {
    check(Hook::Serialize, Checkpoints::GivenOrDeadlock);
}

#[test]
fn a_cursor_that_is_deserialized_may_ask_a_monitor() {
    check(Hook::Deserialize, Checkpoints::GivenOrDeadlock);
}

#[test]
fn the_condition_of_a_retry_may_ask_for_a_checkpoint() {
    check(Hook::RetryWhen, Checkpoints::Given);
}

#[test]
fn the_drop_of_a_record_may_ask_for_a_checkpoint() {
    check(Hook::DropRecord, Checkpoints::Given);
}

/// A page that is cut, one that is passed over in part, and the four speculative ones that
/// came before the page that contradicts them.
#[test]
fn the_drop_of_a_record_is_heard_of_wherever_a_stream_drops_one() {
    for (window, dropped) in [(1, 3 + 2), (4, 3 + 2 + 4 * 5)] {
        let result = watched(format!("window {window}"), LIMIT, move || {
            assert_eq!(read(Hook::DropRecord, Shape::Chain, window, 27).len(), dropped);
        });
        assert_eq!(result, Ok(()));
    }
}

#[test]
fn the_drop_of_an_errors_source_may_ask_for_a_checkpoint() {
    check(Hook::DropErrorSource, Checkpoints::Given);
}

#[test]
fn a_subscriber_that_hears_of_a_retry_may_ask_for_a_checkpoint() {
    check(Hook::Tracing, Checkpoints::Given);
}

#[test]
fn the_call_of_fetch_may_ask_for_a_checkpoint() {
    check(Hook::Fetch, Checkpoints::Given);
}

#[test]
fn fetch_may_ask_for_a_checkpoint_before_it_waits() {
    check(Hook::FetchBeforeAwait, Checkpoints::Given);
}

#[test]
fn fetch_may_ask_for_a_checkpoint_after_it_waited() {
    check(Hook::FetchAfterAwait, Checkpoints::Given);
}

#[test]
fn split_cursor_may_ask_a_monitor() {
    let result = watched("SplitCursor", LIMIT, || {
        let hooks = Hooks::install(Hook::SplitCursor);
        let paginator = Hooked::new(Shape::Batch, &hooks);
        let mut stream = paginator.records();
        let first = block_on(stream.next()).unwrap().unwrap().into_number();
        let asking = Asking::default();
        asking.with(|it| {
            it.monitor = Some(stream.monitor());
            it.delivered.push(first);
        });
        let asks = asking.clone();
        hooks.set(move || asks.ask());
        let parts = paginator.split(2, None).unwrap();
        hooks.clear();
        let answers = asking.with(|it| std::mem::take(&mut it.answers));
        assert_eq!(answers.len(), 1);
        check_answer(Shape::Batch, &answers[0], Checkpoints::GivenOrDeadlock);
        let read = |part: &Checkpoint| resumed(Shape::Batch, part).0;
        let records = sorted(parts.iter().flat_map(read).collect());
        assert_eq!(records, Hooked::expected(Shape::Batch));
    });
    assert_eq!(result, Ok(()));
}

#[test]
fn pack_may_wait_for_a_thread_that_asks_a_monitor() {
    let result = watched("Pack, another thread", Duration::from_secs(30), || {
        let hooks = Hooks::install(Hook::Pack);
        let paginator = Hooked::new(Shape::Batch, &hooks);
        let mut stream = paginator.read().retry(hooks.retry()).set_failures_aside().records();
        let monitor = stream.monitor();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answers, this) = (Arc::clone(&asked), hooks.clone());
        hooks.set(move || {
            // Once: each may take long.
            this.clear();
            let monitor = monitor.clone();
            let answer = thread::spawn(move || {
                let begin = Instant::now();
                let records = monitor.progress().records;
                let (_, _) = (monitor.failed_ids(), monitor.take_failures());
                let at_once = begin.elapsed();
                (records, at_once, monitor.checkpoint())
            });
            answers.lock().unwrap().push(answer.join().unwrap());
        });
        let mut delivered = Vec::new();
        while let Some(record) = block_on(stream.next()) {
            delivered.push(record.unwrap().into_number());
        }
        assert_eq!(sorted(delivered), Hooked::expected(Shape::Batch));
        let answers = std::mem::take(&mut *asked.lock().unwrap());
        let [(records, at_once, checkpoint)] = <[_; 1]>::try_from(answers).unwrap();
        assert_eq!(records, 0);
        assert!(at_once < Duration::from_secs(5), "{at_once:?}");
        match checkpoint {
            Ok(checkpoint) => {
                assert_eq!(resumed(Shape::Batch, &checkpoint).0, Hooked::expected(Shape::Batch));
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Contract, "{error}"),
        }
    });
    assert_eq!(result, Ok(()));
}
