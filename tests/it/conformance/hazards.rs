//! Who breaks a rule that only a hazard shows: a page that changes, a panic, a service that
//! throttles, contents that come back, a hook that calls back. But for the contents, each
//! of them keeps all other rules, which are checked before.

use std::{
    collections::{HashMap, HashSet},
    future::poll_fn,
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures::executor::block_on;
use pagestream::{
    Error, Page, Paginator, PaginatorExt, async_trait,
    testing::conformance::{Conformance, Hook, Rule, Violation, check},
};

use serde::{Deserialize, Serialize, Serializer};

use super::{assert_violation, broken, numbers};
use crate::support::from_fn;

#[test]
fn keys_that_tell_apart_all_records_keep_the_contract() {
    let build = || from_fn(0, numbers).keyed(|number| *number);
    block_on(check(build, (0..25).collect())).unwrap();
}

#[test]
fn keys_that_several_records_of_a_page_share_are_told_where_the_page_changes() {
    // The key of a customer, where each record is an order of one.
    let violation = broken(|| from_fn(0, numbers).keyed(|number| number / 10));
    let parts = [
        "resumed after record 1 of 25, where request 1 has its first record at its end",
        "record 1 came again, at position 10: 0; record 2 was lost: 1",
    ];
    assert_violation(&violation, Rule::Repeated, &parts);
}

/// A client of one request for each page at a time. It forgets that a request is over when
/// its future is dropped. The cursors of two streams are different.
#[derive(Default)]
struct OneAtATime {
    chains: AtomicU64,
    requests: Mutex<HashSet<(u64, u64)>>,
}

#[async_trait]
impl Paginator for OneAtATime {
    type Record = u64;
    type Cursor = (u64, u64);

    fn start(&self) -> (u64, u64) {
        (0, 0)
    }

    fn identity(&self) -> String {
        "one at a time".to_owned()
    }

    async fn fetch(&self, (chain, from): (u64, u64)) -> Result<Page<u64, (u64, u64)>, Error> {
        let is_start = chain == 0;
        let chain = if is_start { 1 + self.chains.fetch_add(1, Ordering::Relaxed) } else { chain };
        if !self.requests.lock().unwrap().insert((chain, from)) {
            return Err(Error::other("the last request is not over"));
        }
        wait_once().await;
        self.requests.lock().unwrap().remove(&(chain, from));
        numbers(from).await?.try_map_next(|from| Ok((chain, from)))
    }
}

/// Waits once.
async fn wait_once() {
    let mut is_polled = false;
    poll_fn(|cx| {
        if mem::replace(&mut is_polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn a_state_that_a_panic_leaves_behind_is_told() {
    let violation = broken(OneAtATime::default);
    let parts = [
        "where request 2 panics within its fetch, with a window of 1",
        "and then the same paginator was resumed after record 10 of 25",
        "the last request is not over",
    ];
    assert_violation(&violation, Rule::Failed, &parts);
}

/// A client that gives up by itself where it is asked for a page too often.
#[derive(Default)]
struct Impatient {
    asked: Mutex<HashMap<u64, u64>>,
}

#[async_trait]
impl Paginator for Impatient {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    fn identity(&self) -> String {
        "impatient".to_owned()
    }

    async fn fetch(&self, from: u64) -> Result<Page<u64, u64>, Error> {
        let asked = {
            let mut asked = self.asked.lock().unwrap();
            let asked = asked.entry(from).or_default();
            *asked += 1;
            *asked
        };
        if asked > 10 {
            return Err(Error::other("it was asked for 10 times"));
        }
        numbers(from).await
    }
}

#[test]
fn a_paginator_that_gives_up_while_the_service_throttles_is_told() {
    let violation = broken(Impatient::default);
    let parts = [
        "where request 1 is throttled 20 times after its fetch, with a window of 1",
        "it was asked for 10 times",
    ];
    assert_violation(&violation, Rule::Failed, &parts);
}

#[test]
fn contents_that_come_back_at_a_distance_are_told_as_a_cycle() {
    // Its cursors are ever new, and each third page is the first one again.
    let violation = broken(|| {
        from_fn(0, |page: u64| async move {
            let from = page % 3 * 10;
            Ok(Page::new((from..(from + 10).min(25)).collect(), [page + 1]))
        })
        .keyed(|number| *number)
    });
    assert_violation(&violation, Rule::Endless, &["it goes in a cycle", "page 4"]);
}

/// The names of the cursors, which all clients share.
static NAMES: Mutex<()> = Mutex::new(());

fn names() -> MutexGuard<'static, ()> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
struct Named(u64);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let _names = names();
        serializer.serialize_u64(self.0)
    }
}

/// A client that calls the code of a user under its lock, or not.
struct Locked {
    hook: Hook,
    is_under_lock: bool,
}

#[async_trait]
impl Paginator for Locked {
    type Record = u64;
    type Cursor = Named;

    fn start(&self) -> Named {
        Named(0)
    }

    fn identity(&self) -> String {
        "locked".to_owned()
    }

    async fn fetch(&self, from: Named) -> Result<Page<u64, Named>, Error> {
        {
            let _names = self.is_under_lock.then(names);
            self.hook.call();
        }
        numbers(from.0).await?.try_map_next(|from| Ok(Named(from)))
    }
}

fn check_hooks(is_under_lock: bool) -> Result<(), Violation> {
    let check = Conformance::new((0..25).collect()).timeout(Duration::from_millis(500));
    block_on(check.check_hooks(|hook| Locked { hook, is_under_lock }))
}

#[test]
fn a_hook_that_is_called_under_no_lock_keeps_the_contract() {
    check_hooks(false).unwrap();
}

#[test]
fn a_hook_that_is_called_under_a_lock_is_told() {
    let violation = check_hooks(true).unwrap_err();
    let parts = [
        "a hook asks for a checkpoint, with a window of 1",
        "it got no checkpoint within 500ms: the paginator holds a lock while it calls the hook",
    ];
    assert_violation(&violation, Rule::Hook, &parts);
}

#[test]
fn a_hook_that_is_never_called_is_told() {
    let calls = AtomicU64::new(0);
    let check = Conformance::new((0..25).collect());
    let build = |_: Hook| {
        calls.fetch_add(1, Ordering::Relaxed);
        from_fn(0, numbers)
    };
    let violation = block_on(check.check_hooks(build)).unwrap_err();
    assert_violation(&violation, Rule::Hook, &["it was never called"]);
    assert!(calls.into_inner() > 1);
}

/// A client whose state is of no use after a panic.
struct Poisoned {
    hook: Hook,
    state: Mutex<()>,
}

#[async_trait]
impl Paginator for Poisoned {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    fn identity(&self) -> String {
        "poisoned".to_owned()
    }

    async fn fetch(&self, from: u64) -> Result<Page<u64, u64>, Error> {
        let _state = self.state.lock().map_err(|_| Error::other("its state is poisoned"))?;
        self.hook.call();
        let to = from + 10;
        Ok(Page::new((from..to.min(25)).collect(), (to < 25).then_some(to)))
    }
}

#[test]
fn a_lock_that_a_hook_poisons_by_its_panic_is_told() {
    let check = Conformance::new((0..25).collect());
    let build = |hook: Hook| Poisoned { hook, state: Mutex::new(()) };
    let violation = block_on(check.check_hooks(build)).unwrap_err();
    let parts = ["where a hook panics at call 1, with a window of 1", "its state is poisoned"];
    assert_violation(&violation, Rule::Failed, &parts);
}
