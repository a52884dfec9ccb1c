//! Batches, good and bad.

use std::collections::VecDeque;

use futures::executor::block_on;
use pagestream::{
    Error, Page, Paginator, async_trait,
    testing::conformance::{Rule, check},
};

use super::{assert_violation, broken};

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
        let remaining = first.split_off(first.len().min((8 >> halvings).max(1)));
        if self.packs && !remaining.is_empty() {
            waiting.push_front(remaining);
        }
        waiting.push_front(first);
    }

    fn narrow(&self, cursor: &Vec<u64>, units: &[usize]) -> Vec<u64> {
        if !self.narrows {
            return cursor.clone();
        }
        units.iter().filter_map(|unit| cursor.get(*unit)).copied().collect()
    }

    fn identity(&self) -> String {
        "batches".to_owned()
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
    assert_violation(
        &violation,
        Rule::Failed,
        &["resumed after record 5 of 25", "other units than before"],
    );
}

#[test]
fn a_batch_that_loses_what_it_packs_is_told() {
    let violation = broken(|| Batches { narrows: true, packs: false });
    let parts = ["where request 1 is too large before its fetch", "record 21 was lost, and 4 more"];
    assert_violation(&violation, Rule::Lost, &parts);
}
