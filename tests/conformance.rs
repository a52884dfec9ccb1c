//! The conformance suite: who keeps the contract passes, in memory and over
//! loopback HTTP, and who breaks a rule is told which, and where.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    future::{pending, poll_fn},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError::Disconnected},
    },
    task::{Poll, Waker},
    time::Duration,
};

use futures::executor::block_on;
use pagestream::{
    Error, ErrorKind, Page, Paginator, PaginatorExt, Transport,
    alloy::Action,
    async_trait, from_fn,
    hubspot::{Association, Associations, Group},
    testing::{
        Alloy, HubSpot, Server,
        conformance::{Conformance, Rule, Violation, check},
    },
};
use serde::{Deserialize, Serialize};

// ---- Who keeps the contract

/// Objects of 0 to 3 pages.
fn hubspot() -> HubSpot {
    HubSpot::new(3).objects(12).pages(|place| place % 4).counting_only()
}

fn associations(service: &HubSpot, transport: impl Transport + 'static) -> Associations {
    Associations::builder("deals", "companies")
        .ids(service.ids())
        .token("a-test-token")
        .batch_size(5)
        .transport(transport)
        .build()
        .unwrap()
}

fn told(record: &Association) -> String {
    format!("{} -> {}", record.from, record.to)
}

fn told_whole(group: &Group) -> String {
    let to = group.to.iter().map(|associated| associated.to.to_string()).collect::<Vec<_>>();
    format!("{} -> {}", group.from, to.join(", "))
}

fn expected_associations(service: &HubSpot) -> Vec<String> {
    service.ids().flat_map(|id| associations_of(service, id)).collect()
}

fn associations_of(service: &HubSpot, id: u64) -> Vec<String> {
    service.associations(id).iter().map(|to| format!("{id} -> {to}")).collect()
}

fn expected_groups(service: &HubSpot) -> Vec<String> {
    let of = |id| {
        let to = service.associations(id).iter().map(u64::to_string).collect::<Vec<_>>();
        format!("{id} -> {}", to.join(", "))
    };
    service.ids().map(of).collect()
}

#[derive(Debug, PartialEq, Deserialize)]
struct Contact {
    id: u64,
}

fn contacts(transport: impl Transport + 'static) -> Action<Contact> {
    Action::builder("crm", "listContacts")
        .api_key("a-test-key")
        .credential_id("68d9876543210fedcba98765")
        .limit(10)
        .transport(transport)
        .build()
        .unwrap()
}

fn expected_contacts(count: u64) -> Vec<Contact> {
    (0..count).map(|id| Contact { id }).collect()
}

/// The numbers below 25, ten to a page.
async fn numbers(from: u64) -> Result<Page<u64, u64>, Error> {
    let to = from + 10;
    Ok(Page::new((from..to.min(25)).collect(), (to < 25).then_some(to)))
}

#[test]
fn hubspot_keeps_the_contract() {
    let service = hubspot();
    let build = || associations(&service, service.clone()).map(|record| told(&record));
    let expected = expected_associations(&service);
    block_on(Conformance::new(expected).any_order().check(build)).unwrap();
}

#[test]
fn hubspot_grouped_keeps_the_contract() {
    let service = hubspot();
    let build =
        || associations(&service, service.clone()).grouped().map(|group| told_whole(&group));
    let expected = expected_groups(&service);
    block_on(Conformance::new(expected).any_order().check(build)).unwrap();
}

#[test]
fn hubspot_keeps_the_contract_where_ids_fail() {
    let service = hubspot().failing(|place| place % 5 == 2);
    let read = service.ids().enumerate().filter(|(place, _)| place % 5 != 2);
    let expected = read.flat_map(|(_, id)| associations_of(&service, id)).collect();
    let build = || associations(&service, service.clone()).map(|record| told(&record));
    block_on(Conformance::new(expected).any_order().check(build)).unwrap();
}

#[test]
fn alloy_keeps_the_contract() {
    let service = Alloy::new(3).records(95).counting_only();
    block_on(check(|| contacts(service.clone()), expected_contacts(95))).unwrap();
}

#[test]
fn content_without_a_record_keeps_the_contract() {
    let service = Alloy::new(3).records(0);
    block_on(check(|| contacts(service.clone()), Vec::new())).unwrap();
}

#[tokio::test]
async fn hubspot_over_loopback_keeps_the_contract() {
    let service = hubspot();
    let server = Server::start(service.clone()).await.unwrap();
    let build = || {
        Associations::builder("deals", "companies")
            .ids(service.ids())
            .token("a-test-token")
            .batch_size(5)
            .base_url(server.base_url())
            .build()
            .unwrap()
    };
    let flat = Conformance::new(expected_associations(&service)).any_order().positions(20);
    flat.check(|| build().map(|record| told(&record))).await.unwrap();
    let grouped = Conformance::new(expected_groups(&service)).any_order().positions(20);
    grouped.check(|| build().grouped().map(|group| told_whole(&group))).await.unwrap();
}

#[tokio::test]
async fn alloy_over_loopback_keeps_the_contract() {
    let service = Alloy::new(3).records(45).counting_only();
    let server = Server::start(service.clone()).await.unwrap();
    let build = || {
        Action::<Contact>::builder("crm", "listContacts")
            .api_key("a-test-key")
            .credential_id("68d9876543210fedcba98765")
            .limit(10)
            .base_url(server.base_url())
            .build()
            .unwrap()
    };
    Conformance::new(expected_contacts(45)).positions(20).check(build).await.unwrap();
}

#[test]
fn a_function_a_box_and_a_map_keep_the_contract() {
    let function = || from_fn(0, numbers);
    block_on(check(function, (0..25).collect())).unwrap();
    block_on(check(|| function().boxed(), (0..25).collect())).unwrap();
    let text = || function().map(|number| number.to_string());
    block_on(check(text, (0..25).map(|number: u64| number.to_string()).collect())).unwrap();
}

/// Pages 0, 00, 01, 02, 000, ...: a tree of three levels, with empty pages in it.
async fn tree(path: String) -> Result<Page<String, String>, Error> {
    let next = (0..3).filter(|_| path.len() < 3).map(|branch| format!("{path}{branch}"));
    let records = if path.ends_with('1') { vec![] } else { vec![path.clone(), format!("{path}+")] };
    Ok(Page::new(records, next.collect::<Vec<_>>()))
}

fn expected_of_tree() -> Vec<String> {
    fn add(path: &str, all: &mut Vec<String>) {
        if !path.ends_with('1') {
            all.extend([path.to_owned(), format!("{path}+")]);
        }
        if path.len() < 3 {
            (0..3).for_each(|branch| add(&format!("{path}{branch}"), all));
        }
    }
    let mut all = Vec::new();
    add("0", &mut all);
    all
}

#[test]
fn a_paginator_that_branches_keeps_the_contract_in_any_order() {
    let build = || from_fn("0".to_owned(), tree);
    block_on(Conformance::new(expected_of_tree()).any_order().check(build)).unwrap();
}

#[test]
fn equal_records_are_told_apart_by_their_number() {
    let zeros = |from: u64| async move { numbers(from).await.map(|page| page.map(|_| 0)) };
    block_on(check(|| from_fn(0, zeros), vec![0; 25])).unwrap();
    let violation = block_on(check(|| from_fn(0, zeros), vec![0; 26])).unwrap_err();
    assert_eq!(violation.rule(), Rule::Lost);
    let violation = block_on(check(|| from_fn(0, zeros), vec![0; 24])).unwrap_err();
    assert_eq!(violation.rule(), Rule::Repeated);
}

#[test]
fn long_contents_are_sampled() {
    let build = || {
        from_fn(0, |from: u64| async move {
            let to = from + 100;
            Ok(Page::new((from..to).collect(), (to < 5_000).then_some(to)))
        })
    };
    block_on(Conformance::new((0..5_000).collect()).positions(40).check(build)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_takes_no_paginator_for_one_that_hangs() {
    let build = || {
        from_fn(0, |from| async move {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            numbers(from).await
        })
    };
    Conformance::new((0..25).collect()).positions(4).check(build).await.unwrap();
}

// ---- Who breaks a rule

/// The violation of a paginator of the numbers below 25.
fn broken<P: Paginator<Record = u64>>(build: impl Fn() -> P) -> Violation {
    let check = Conformance::new((0..25).collect()).timeout(Duration::from_millis(500));
    block_on(check.check(build)).unwrap_err()
}

fn assert_violation(violation: &Violation, rule: Rule, parts: &[&str]) {
    let sentence = violation.to_string();
    assert_eq!(violation.rule(), rule, "{sentence}");
    assert!(parts.iter().all(|part| sentence.contains(part)), "{parts:?} in {sentence:?}");
    assert_eq!(format!("{violation:?}"), format!("{rule:?}: {sentence}"));
}

#[test]
fn a_lost_record_is_told() {
    let violation = broken(|| {
        from_fn(0, |from| async move {
            let page = numbers(from).await?;
            let kept = page.records().iter().copied().filter(|number| *number != 17).collect();
            Ok(Page::new(kept, page.next().to_vec()))
        })
    });
    assert_violation(&violation, Rule::Lost, &["with a window of 1: record 18 was lost: 17"]);
}

#[test]
fn a_repeated_record_is_told() {
    let violation = broken(|| {
        from_fn(0, |from| async move {
            let to = from + 10;
            Ok(Page::new((from..to.min(25)).collect(), (to < 25).then_some(to - 1)))
        })
    });
    assert_violation(&violation, Rule::Repeated, &["record 10 came again, at position 11: 9"]);
}

#[test]
fn a_record_that_is_another_is_told() {
    let violation = broken(|| from_fn(0, numbers).map(|number| number + number / 24 * 100));
    let parts = ["a record came that is not expected, at position 25: 124", "record 25", "24"];
    assert_violation(&violation, Rule::Unexpected, &parts);
}

#[test]
fn a_paginator_that_ignores_its_cursor_does_not_end() {
    let violation = broken(|| {
        from_fn(0, |page: u64| async move { Ok(Page::new((0..10).collect(), [page + 1])) })
    });
    let parts = ["it does not end: after 1050 records of an expected 25", "record 1 came again"];
    assert_violation(&violation, Rule::Endless, &parts);
}

#[test]
fn a_paginator_that_leads_to_its_own_cursor_goes_in_a_circle() {
    let violation =
        broken(|| from_fn(0, |_: u64| async { Ok(Page::new((0..10).collect(), [10])) }));
    let parts = ["it goes in a cycle: the service leads back to a cursor"];
    assert_violation(&violation, Rule::Endless, &parts);
}

#[test]
fn a_paginator_that_gives_ever_new_records_does_not_end() {
    let violation = broken(|| {
        from_fn(
            0,
            |from: u64| async move { Ok(Page::new((from..from + 10).collect(), [from + 10])) },
        )
    });
    let parts = ["after 1050 records of an expected 25", "not expected, at position 26: 25"];
    assert_violation(&violation, Rule::Endless, &parts);
}

#[test]
fn a_paginator_that_asks_for_ever_and_gives_nothing_does_not_end() {
    let violation = broken(|| {
        from_fn(0, |page: u64| async move {
            // A page with units is no empty page, so no other limit stops it.
            Ok(Page::new(vec![], [page + 1]).with_units(vec![0]))
        })
    });
    assert_violation(&violation, Rule::Endless, &["after 2250 requests it still makes more"]);
}

/// A position that all streams share.
#[derive(Default)]
struct InSelf(AtomicU64);

#[async_trait]
impl Paginator for InSelf {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, _: u64) -> Result<Page<u64, u64>, Error> {
        numbers(self.0.fetch_add(10, Ordering::Relaxed)).await
    }
}

#[test]
fn a_position_in_self_is_told_by_two_streams() {
    let violation = broken(InSelf::default);
    let parts = ["of two streams of one paginator, with a window of 1: ", "was lost"];
    assert_violation(&violation, Rule::Lost, &parts);
}

#[test]
fn a_page_that_always_fails_is_told_with_all_its_causes() {
    let violation = broken(|| {
        from_fn(0, |from| async move {
            if from == 20 {
                return Err(Error::other("no more room"));
            }
            numbers(from).await
        })
    });
    let parts = ["it failed: the paginator failed, at page 3, cursor 20", ": no more room"];
    assert_violation(&violation, Rule::Failed, &parts);
}

#[test]
fn an_order_that_depends_on_the_window_is_told() {
    let build = || from_fn("0".to_owned(), tree);
    let violation = block_on(check(build, expected_of_tree())).unwrap_err();
    let parts = ["with a window of 2: at position ", " came before "];
    assert_violation(&violation, Rule::Order, &parts);
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Forgetful {
    #[serde(skip)]
    from: u64,
}

#[test]
fn a_cursor_that_comes_back_from_json_as_another_is_told() {
    let violation = broken(|| {
        from_fn(Forgetful { from: 0 }, |cursor: Forgetful| async move {
            numbers(cursor.from).await?.try_map_next(|from| Ok(Forgetful { from }))
        })
    });
    let parts =
        ["does not come back from JSON", "is written as {} and comes back as Forgetful { from: 0"];
    assert_violation(&violation, Rule::Cursor, &parts);
}

#[test]
fn a_cursor_that_can_not_be_written_is_told() {
    let violation = broken(|| {
        let start = BTreeMap::from([((0, 0), 0)]);
        from_fn(start, |cursor: BTreeMap<(u8, u8), u64>| async move {
            let from = cursor[&(0, 0)];
            numbers(from).await?.try_map_next(|from| Ok(BTreeMap::from([((0, 0), from)])))
        })
    });
    assert_violation(&violation, Rule::Cursor, &["a cursor can't be written as JSON"]);
}

#[test]
fn an_identity_that_differs_between_builds_is_told() {
    let builds = AtomicU64::new(0);
    let violation = broken(|| {
        let build = builds.fetch_add(1, Ordering::Relaxed);
        from_fn(0, numbers).identified_by(format!("build {build}"))
    });
    let parts = ["of two builds: `identity` gives \"build 0\", and then \"build 1\""];
    assert_violation(&violation, Rule::Identity, &parts);
}

/// A start that moves.
#[derive(Default)]
struct Unsteady(AtomicU64);

#[async_trait]
impl Paginator for Unsteady {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    async fn fetch(&self, from: u64) -> Result<Page<u64, u64>, Error> {
        numbers(from).await
    }
}

#[test]
fn a_start_that_moves_is_told() {
    let violation = broken(Unsteady::default);
    assert_violation(&violation, Rule::Start, &["called twice: `start` gives 0, and then 1"]);
}

/// A client that gives one record less of a place that it has fetched before. The
/// places of two streams are different, so that a fetch made again alone shows it.
#[derive(Default)]
struct NotAgain {
    chains: AtomicU64,
    fetched: Mutex<HashSet<(u64, u64)>>,
}

#[async_trait]
impl Paginator for NotAgain {
    type Record = u64;
    type Cursor = (u64, u64);

    fn start(&self) -> (u64, u64) {
        (0, 0)
    }

    async fn fetch(&self, (chain, from): (u64, u64)) -> Result<Page<u64, (u64, u64)>, Error> {
        let is_start = chain == 0;
        let chain = if is_start { 1 + self.chains.fetch_add(1, Ordering::Relaxed) } else { chain };
        let is_again = !is_start && !self.fetched.lock().unwrap().insert((chain, from));
        let page = numbers(from).await?.try_map_next(|from| Ok::<_, Error>((chain, from)))?;
        let next = page.next().to_vec();
        let records = page.into_records();
        Ok(Page::new(records.into_iter().skip(is_again.into()).collect(), next))
    }
}

#[test]
fn a_record_that_is_lost_when_a_page_is_fetched_again_is_told() {
    let violation = broken(NotAgain::default);
    let parts = ["where request 2 fails once after its fetch, with a window of 1", "record 11"];
    assert_violation(&violation, Rule::Lost, &parts);
}

/// A table of cursors that no other process has.
#[derive(Default)]
struct Table(Mutex<Vec<u64>>);

#[async_trait]
impl Paginator for Table {
    type Record = u64;
    type Cursor = Option<usize>;

    fn start(&self) -> Option<usize> {
        None
    }

    async fn fetch(&self, place: Option<usize>) -> Result<Page<u64, Option<usize>>, Error> {
        let missing = || Error::new(ErrorKind::Expired, "this cursor is unknown");
        let from = match place {
            None => 0,
            Some(place) => *self.0.lock().unwrap().get(place).ok_or_else(missing)?,
        };
        let page = numbers(from).await?;
        page.try_map_next(|next| {
            let mut table = self.0.lock().unwrap();
            table.push(next);
            Ok(Some(table.len() - 1))
        })
    }
}

#[test]
fn a_cursor_that_means_nothing_to_another_build_is_told() {
    let violation = broken(Table::default);
    let parts = ["resumed after record 10 of 25, with a window of 1: it failed", "is unknown"];
    assert_violation(&violation, Rule::Failed, &parts);
}

/// Three batches that tell their units; `narrow` and `pack` may be wrong.
struct Batches {
    narrows: bool,
    packs: bool,
}

#[async_trait]
impl Paginator for Batches {
    type Record = u64;
    type Cursor = Vec<u64>;

    fn start(&self) -> Vec<u64> {
        vec![0, 1, 2, 3, 4]
    }

    async fn fetch(&self, units: Vec<u64>) -> Result<Page<u64, Vec<u64>>, Error> {
        let records = units.iter().flat_map(|unit| unit * 5..unit * 5 + 5).collect();
        Ok(Page::last(records).with_units(vec![5; units.len()]))
    }

    fn pack(&self, waiting: &mut VecDeque<Vec<u64>>, halvings: u32) {
        let Some(mut first) = waiting.pop_front() else { return };
        let rest = first.split_off(first.len().min((8 >> halvings).max(1)));
        if self.packs && !rest.is_empty() {
            waiting.push_front(rest);
        }
        waiting.push_front(first);
    }

    fn narrow(&self, cursor: &Vec<u64>, units: &[usize]) -> Vec<u64> {
        if !self.narrows {
            return cursor.clone();
        }
        units.iter().filter_map(|unit| cursor.get(*unit)).copied().collect()
    }
}

#[test]
fn batches_keep_the_contract() {
    let build = || Batches { narrows: true, packs: true };
    block_on(check(build, (0..25).collect())).unwrap();
}

#[test]
fn a_batch_that_does_not_narrow_is_told() {
    let violation = broken(|| Batches { narrows: false, packs: true });
    assert_violation(&violation, Rule::Repeated, &["resumed after record 5 of 25"]);
}

#[test]
fn a_batch_that_loses_what_it_packs_is_told() {
    let violation = broken(|| Batches { narrows: true, packs: false });
    let parts = ["where request 1 is too large before its fetch", "record 21 was lost, and 4 more"];
    assert_violation(&violation, Rule::Lost, &parts);
}

/// Waits until it is polled again.
async fn wait_once() {
    let mut is_polled = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut is_polled, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A connection that a fetch marks as busy, and leaves so if it is dropped.
struct Connection<'a>(&'a AtomicBool);

#[async_trait]
impl Paginator for Connection<'_> {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, from: u64) -> Result<Page<u64, u64>, Error> {
        while self.0.swap(true, Ordering::Relaxed) {
            wait_once().await;
        }
        wait_once().await;
        self.0.store(false, Ordering::Relaxed);
        numbers(from).await
    }
}

#[test]
fn a_paginator_that_a_dropped_fetch_breaks_is_told() {
    let is_busy = AtomicBool::new(false);
    let violation = broken(|| Connection(&is_busy));
    let parts = ["dropped at wait 2, with a window of 1: after 0 records nothing came for 500ms"];
    assert_violation(&violation, Rule::Stalled, &parts);
}

#[test]
fn a_paginator_that_hangs_is_told() {
    let violation = broken(|| {
        from_fn(0, |from| async move {
            if from == 20 {
                pending::<()>().await;
            }
            numbers(from).await
        })
    });
    let parts = ["with a window of 1: after 20 records nothing came for 500ms"];
    assert_violation(&violation, Rule::Stalled, &parts);
}

/// An event on another thread, which comes when it was waited for twice, or soon.
#[derive(Default)]
struct Event {
    has_come: bool,
    waker: Option<Waker>,
    second_poll: Option<mpsc::Sender<()>>,
}

#[test]
fn a_future_that_wakes_the_first_that_polled_it_alone_is_told() {
    let violation = broken(|| {
        from_fn(0, |from| async move {
            let event = Arc::new(Mutex::new(Event::default()));
            poll_fn(|cx| {
                let mut state = event.lock().unwrap();
                if state.has_come {
                    return Poll::Ready(());
                }
                if state.waker.is_some() {
                    state.second_poll = None;
                    return Poll::Pending;
                }
                let (second_poll, polled) = mpsc::channel();
                (state.second_poll, state.waker) = (Some(second_poll), Some(cx.waker().clone()));
                let event = Arc::clone(&event);
                std::thread::spawn(move || {
                    if polled.recv_timeout(Duration::from_millis(5)) == Err(Disconnected) {
                        // What wakes the task for another reason is over by then.
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    let mut state = event.lock().unwrap();
                    state.has_come = true;
                    state.waker.take().unwrap().wake();
                });
                Poll::Pending
            })
            .await;
            numbers(from).await
        })
    });
    assert_violation(&violation, Rule::Stalled, &["each `next()` is dropped while it waits"]);
}

#[test]
fn an_error_of_an_id_that_is_given_at_times_is_told() {
    let fetches = Arc::new(AtomicU64::new(0));
    let violation = broken(|| {
        let fetches = Arc::clone(&fetches);
        from_fn(0, move |from| {
            let is_first = fetches.fetch_add(1, Ordering::Relaxed) == 0;
            async move {
                let page = numbers(from).await?;
                let error = || Error::new(ErrorKind::Rejected, "no access").with_ids(["7"]);
                Ok(if is_first { page.with_failure(None, error()) } else { page })
            }
        })
        .identified_by("the numbers below 25")
    });
    let parts = ["read by pages: the errors of single ids are []", "Rejected of [\\\"7\\\"]"];
    assert_violation(&violation, Rule::PartialErrors, &parts);
}
