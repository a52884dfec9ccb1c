//! Several paginators as one.

use futures::TryStreamExt;
use pagestream::{
    BoxPaginator, Page, Paginator, PaginatorExt, chain,
    hubspot::Associations,
    testing::{HubSpot, conformance::Conformance},
};

use crate::support::{deals_over, drain, held, sorted, stored, told};

/// The numbers of an account: its index times 100, and as many as its index.
fn account(index: u64) -> BoxPaginator<u64> {
    let pages = pagestream::from_fn(0_u64, move |at| async move {
        let end = index.min(at + 2);
        let records = (at..end).map(|it| 100 * index + it).collect();
        Ok(Page::new(records, (end < index).then_some(end)))
    });
    pages.identified_by(format!("account {index}")).boxed()
}

fn accounts() -> impl Paginator<Record = u64> {
    chain([3, 0, 5, 2].map(account))
}

fn records() -> Vec<u64> {
    vec![300, 301, 302, 500, 501, 502, 503, 504, 200, 201]
}

#[tokio::test(start_paused = true)]
async fn one_request_at_a_time_they_come_one_after_the_other() {
    assert_eq!(drain(accounts().records()).await.whole(), records());
}

#[tokio::test(start_paused = true)]
async fn a_chain_keeps_the_contract() {
    let check = Conformance::new(records()).any_order();
    check.check(accounts).await.unwrap_or_else(|violation| panic!("{violation}"));
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_batches_keeps_the_contract() {
    let services = [1, 2, 3].map(|seed| HubSpot::new(seed).objects(9).pages(|index| index % 4));
    let expected = services.iter().flat_map(held).collect();
    let build = || {
        let associations = |service: &HubSpot| -> Associations {
            deals_over(service, service.clone()).batch_size(4).build().unwrap()
        };
        chain(services.iter().map(associations)).map(|record| told(&record))
    };
    let check = Conformance::new(expected).any_order().positions(30);
    check.check(build).await.unwrap_or_else(|violation| panic!("{violation}"));
}

#[tokio::test(start_paused = true)]
async fn a_chain_splits_into_its_paginators() {
    for parts in 1..6 {
        let split = accounts().split(parts, None).unwrap();
        assert!(split.len() <= parts);
        let mut all = Vec::new();
        for part in split {
            let accounts = accounts();
            let part = accounts.read().resume(stored(&part)).records();
            all.extend(part.try_collect::<Vec<_>>().await.unwrap());
        }
        assert_eq!(sorted(all), sorted(records()), "in {parts} parts");
    }
}

#[test]
fn a_chain_with_a_paginator_without_identity_has_none() {
    let nameless = pagestream::from_fn(0_u64, |_| async { Ok(Page::last(vec![1_u64])) });
    assert_eq!(chain([account(1), nameless.boxed()]).identity(), "");
    assert_eq!(chain([account(1), account(2)]).identity(), "all of: account 1, account 2");
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_nothing_is_empty() {
    assert!(drain(chain(Vec::<BoxPaginator<u64>>::new()).records()).await.whole().is_empty());
}
