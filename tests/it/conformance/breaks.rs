//! Who breaks a rule.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::executor::block_on;
use pagestream::{
    Error, ErrorKind, Page, Paginator, PaginatorExt, Unit, async_trait,
    testing::conformance::{Rule, check},
};

use crate::support::from_fn;
use serde::{Deserialize, Serialize};

use super::{assert_violation, broken, expected_of_tree, numbers, tree};

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
fn a_paginator_whose_next_cursor_is_the_same_goes_in_a_cycle() {
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
            Ok(Page::new(vec![], [page + 1]).with_units([Unit::going_on(0)]))
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

    fn identity(&self) -> String {
        "inself".to_owned()
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

    fn identity(&self) -> String {
        "unsteady".to_owned()
    }
}

#[test]
fn a_start_that_moves_is_told() {
    let violation = broken(Unsteady::default);
    assert_violation(&violation, Rule::Start, &["called twice: `start` gives 0, and then 1"]);
}

/// A client that gives one record less of a page that it has fetched before. The
/// cursors of two streams are different, so that a fetch made again alone shows it.
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

    fn identity(&self) -> String {
        "notagain".to_owned()
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

    async fn fetch(&self, index: Option<usize>) -> Result<Page<u64, Option<usize>>, Error> {
        let missing = || Error::new(ErrorKind::Expired, "this cursor is unknown");
        let from = match index {
            None => 0,
            Some(index) => *self.0.lock().unwrap().get(index).ok_or_else(missing)?,
        };
        let page = numbers(from).await?;
        page.try_map_next(|next| {
            let mut table = self.0.lock().unwrap();
            table.push(next);
            Ok(Some(table.len() - 1))
        })
    }

    fn identity(&self) -> String {
        "table".to_owned()
    }
}

#[test]
fn a_cursor_that_means_nothing_to_another_build_is_told() {
    let violation = broken(Table::default);
    let parts = ["resumed after record 10 of 25, with a window of 1: it failed", "is unknown"];
    assert_violation(&violation, Rule::Failed, &parts);
}

/// The numbers below 25 from here to there, ten to a page. It is split by `split`.
struct Ranges(fn(&Range, usize) -> Vec<Range>);

type Range = (u64, u64);

#[async_trait]
impl Paginator for Ranges {
    type Record = u64;
    type Cursor = Range;

    fn start(&self) -> Range {
        (0, 25)
    }

    async fn fetch(&self, (from, end): Range) -> Result<Page<u64, Range>, Error> {
        let to = end.min(from + 10);
        Ok(Page::new((from..to).collect(), (to < end).then_some((to, end))))
    }

    fn identity(&self) -> String {
        "ranges".to_owned()
    }

    fn split_cursor(&self, cursor: &Range, parts: usize, _: Option<u64>) -> Vec<Range> {
        (self.0)(cursor, parts)
    }
}

#[test]
fn parts_that_are_all_and_share_nothing_keep_the_contract() {
    let build = || {
        Ranges(|(from, end), parts| {
            let middle = from + (end - from) / 2;
            if parts < 2 || middle == *from {
                vec![(*from, *end)]
            } else {
                vec![(*from, middle), (middle, *end)]
            }
        })
    };
    block_on(check(build, (0..25).collect())).unwrap();
}

#[test]
fn a_part_that_begins_in_another_one_is_told() {
    let violation = broken(|| Ranges(|(from, end), _| vec![(*from, *end), (end - 1, *end)]));
    let parts = ["in 3 parts after record 0 of 25, with a window of 1: record 25 came again"];
    assert_violation(&violation, Rule::Repeated, &parts);
}

#[test]
fn what_is_in_no_part_is_told() {
    let violation = broken(|| {
        Ranges(|(from, end), _| match end - from {
            // The last but one is in none.
            3.. => vec![(*from, end - 2), (end - 1, *end)],
            _ => vec![(*from, *end)],
        })
    });
    let parts = ["in 3 parts after record 0 of 25, with a window of 1: record", "was lost"];
    assert_violation(&violation, Rule::Lost, &parts);
}
