//! Who keeps the contract.

use std::time::Duration;

use futures::executor::block_on;
use pagestream::{
    Page, PaginatorExt, Transport,
    alloy::Action,
    hubspot::{Associations, Group},
    testing::{
        Alloy, HubSpot, Server,
        conformance::{Conformance, Hook, Rule, check},
    },
};

use super::{expected_of_tree, numbers, tree};
use crate::support::{CREDENTIAL, Contact, contacts_over, deals_over, from_fn, held, told};

/// Objects of 0 to 3 pages.
fn hubspot() -> HubSpot {
    HubSpot::new(3).objects(12).pages(|index| index % 4).counting_only()
}

fn associations(service: &HubSpot, transport: impl Transport + 'static) -> Associations {
    deals_over(service, transport).batch_size(5).build().unwrap()
}

fn told_whole(group: &Group) -> String {
    let to = group.to.iter().map(|associated| associated.to.to_string()).collect::<Vec<_>>();
    format!("{} -> {}", group.from, to.join(", "))
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

fn contacts(transport: impl Transport + 'static) -> Action<Contact> {
    contacts_over(transport).limit(10).build().unwrap()
}

fn expected_contacts(count: u64) -> Vec<Contact> {
    (0..count).map(|id| Contact { id }).collect()
}

#[test]
fn hubspot_keeps_the_contract() {
    let service = hubspot();
    let build = || associations(&service, service.clone()).map(|record| told(&record));
    let expected = held(&service);
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
    let service = hubspot().failing(|index| index % 5 == 2);
    let read = service.ids().enumerate().filter(|(index, _)| index % 5 != 2);
    let expected = read.flat_map(|(_, id)| associations_of(&service, id)).collect();
    let build = || associations(&service, service.clone()).map(|record| told(&record));
    block_on(Conformance::new(expected).any_order().check(build)).unwrap();
}

#[test]
fn a_transport_of_either_vendor_may_ask_for_a_checkpoint_and_may_panic() {
    let service = hubspot();
    let build = |hook: Hook| {
        let transport = {
            let service = service.clone();
            move |request| {
                hook.call();
                let service = service.clone();
                async move { service.send(request).await }
            }
        };
        associations(&service, transport).map(|record| told(&record))
    };
    let check = Conformance::new(held(&service)).any_order().positions(20);
    block_on(check.check_hooks(build)).unwrap();

    let build = |hook: Hook| {
        let service = Alloy::new(7).records(45);
        contacts(move |request| {
            hook.call();
            let service = service.clone();
            async move { service.send(request).await }
        })
    };
    block_on(Conformance::new(expected_contacts(45)).check_hooks(build)).unwrap();
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
    let flat = Conformance::new(held(&service)).any_order().positions(20);
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
            .credential_id(CREDENTIAL)
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

#[test]
fn a_paginator_that_branches_keeps_the_contract_in_any_order() {
    let build = || from_fn("0".to_owned(), tree);
    block_on(Conformance::new(expected_of_tree()).any_order().check(build)).unwrap();
}

#[test]
fn equal_records_are_distinguished_by_their_number() {
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
