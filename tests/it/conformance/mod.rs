//! The conformance suite: who keeps the contract passes, in memory and over
//! loopback HTTP, and who breaks a rule is told which, and where.

mod batches;
mod breaks;
mod hazards;
mod keeps;
mod polling;

use std::time::Duration;

use futures::executor::block_on;
use pagestream::{
    Error, Page, Paginator,
    testing::conformance::{Conformance, Rule, Violation},
};

/// The numbers below 25, ten to a page.
async fn numbers(from: u64) -> Result<Page<u64, u64>, Error> {
    let to = from + 10;
    Ok(Page::new((from..to.min(25)).collect(), (to < 25).then_some(to)))
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
