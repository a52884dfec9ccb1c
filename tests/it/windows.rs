//! Random services, flawed and faulty, in virtual time: with any window a reading
//! gives what it gives with one request at a time and no faults, and in the same
//! order.

use std::{collections::BTreeMap, time::Duration};

use crate::support::{contacts_over, deals_over, drain, in_virtual_time};
use pagestream::{
    ErrorKind, PaginatorExt, Read, Retry, Source, Transport,
    testing::{Alloy, AlloyFlaw, Fault, FaultPosition, Faults, HubSpot, HubSpotFlaw},
};
use proptest::{collection::btree_map, prelude::*, sample::select};
use serde_json::Value;

/// An error, as its kind and ids.
type Told = (ErrorKind, Vec<String>);

/// What a stream gives, to its last item.
async fn all<S: Source, R>(
    read: Read<S>,
    record: impl Fn(<S::Paginator as pagestream::Paginator>::Record) -> R,
) -> (Vec<R>, Vec<Told>) {
    let day = Duration::from_secs(24 * 60 * 60);
    let retry = Retry::default().seed(1).max_attempts(100).budget(10_000).max_total(day);
    let outcome = drain(read.retry(retry).max_empty_pages(20).records()).await;
    let errors = outcome.errors.iter().map(|error| (error.kind(), error.ids().to_vec()));
    (outcome.records.into_iter().map(record).collect(), errors.collect())
}

/// Faults that pass and leave the size of the pages as it is.
fn faults(seed: u64) -> Faults {
    let statuses = [429, 500, 520, 527].map(Fault::status).into_iter();
    let later = Fault::status(500).retry_after(Duration::from_secs(1));
    let lost = [later, Fault::truncated(), Fault::reset(FaultPosition::InBody)];
    let jitter = Duration::from_millis(seed % 100);
    Faults::seeded(seed).one_in(5).of(statuses.chain(lost)).jitter(jitter)
}

// ---- Alloy

/// A service, as its number of records and its flaws by offset, modulo some number: so
/// there are single ones and those that come again and again.
#[derive(Clone, Debug)]
struct Contacts {
    records: u64,
    flaws: BTreeMap<u64, AlloyFlaw>,
    modulo: u64,
    latency: u64,
}

impl Contacts {
    fn service(&self) -> Alloy {
        let Self { records, flaws, modulo, latency } = self.clone();
        Alloy::new(1)
            .records(records)
            .flawed(move |offset| flaws.get(&(offset % modulo)).copied())
            .latency(Duration::from_millis(latency))
    }
}

fn contacts() -> impl Strategy<Value = Contacts> {
    let gentle = prop_oneof![
        4 => (1..15_u64).prop_map(AlloyFlaw::Clamped),
        2 => (0..300_u64).prop_map(AlloyFlaw::NextOffset),
        2 => (0..300_u64).prop_map(AlloyFlaw::Total),
        1 => select(vec![AlloyFlaw::Empty, AlloyFlaw::Unlimited, AlloyFlaw::NextOffsetAtEnd]),
    ];
    let fatal = select(vec![
        AlloyFlaw::IgnoredOffset,
        AlloyFlaw::SameRecords,
        AlloyFlaw::NoNextOffset,
        AlloyFlaw::NoPagination,
        AlloyFlaw::NoData,
    ]);
    let flaw = prop_oneof![19 => gentle, 1 => fatal];
    let flaws = prop_oneof![1 => Just(0..1_usize), 3 => Just(1..40)];
    let flaws = flaws.prop_flat_map(move |count| btree_map(0..300_u64, flaw.clone(), count));
    (0..250_u64, flaws, select(vec![1, 7, 60, 300]), select(vec![0, 1, 50]))
        .prop_map(|(records, flaws, modulo, latency)| Contacts { records, flaws, modulo, latency })
}

async fn ids(transport: impl Transport + 'static, window: usize, unordered: bool) -> Outcome {
    let action = contacts_over::<Value>(transport).limit(10).build().unwrap();
    let read = action.read().window(window);
    let read = if unordered { read.unordered() } else { read };
    all(read, |contact| contact["id"].as_u64().unwrap()).await
}

type Outcome = (Vec<u64>, Vec<Told>);

// ---- HubSpot

/// A service, as the pages of its objects and their flaws by page.
#[derive(Clone, Debug)]
struct Deals {
    pages: Vec<usize>,
    rejected: usize,
    flaws: BTreeMap<(usize, usize), HubSpotFlaw>,
    latency: u64,
}

impl Deals {
    fn service(&self) -> HubSpot {
        let Self { pages, rejected, flaws, latency } = self.clone();
        HubSpot::new(1)
            .objects(pages.len() as u64)
            .pages(move |index| pages.get(index).copied().unwrap_or(0))
            .failing(move |index| index == rejected)
            .flawed(move |index, page| flaws.get(&(index, page)).copied())
            .latency(Duration::from_millis(latency))
    }
}

fn deals() -> impl Strategy<Value = Deals> {
    let flaw = select(vec![
        HubSpotFlaw::Cycle(1),
        HubSpotFlaw::Cycle(2),
        HubSpotFlaw::Dropped,
        HubSpotFlaw::Twice,
        HubSpotFlaw::Unrequested,
        HubSpotFlaw::NoTo,
        HubSpotFlaw::LinkWithoutAfter,
        HubSpotFlaw::NullPaging,
        HubSpotFlaw::RejectedWithStatus200,
    ]);
    let flaws = btree_map((0..60_usize, 0..6_usize), flaw, 0..6);
    let pages = proptest::collection::vec(0..6_usize, 0..60);
    (pages, 0..120_usize, flaws, select(vec![0, 1, 50]))
        .prop_map(|(pages, rejected, flaws, latency)| Deals { pages, rejected, flaws, latency })
}

/// What each object is associated with, in the order in which it came, and the errors.
async fn by_object(
    service: &HubSpot,
    transport: impl Transport + 'static,
    batch: usize,
    window: usize,
    unordered: bool,
) -> (BTreeMap<String, Vec<String>>, Vec<Told>) {
    let associations = deals_over(service, transport).batch_size(batch).build().unwrap();
    let read = associations.read().window(window);
    let read = if unordered { read.unordered() } else { read };
    let (records, mut errors) =
        all(read, |record| (record.from.to_string(), record.to.to_string())).await;
    let mut by_object = BTreeMap::<_, Vec<_>>::new();
    for (from, to) in records {
        by_object.entry(from).or_default().push(to);
    }
    errors.sort_by_key(|(kind, ids)| (format!("{kind:?}"), ids.clone()));
    (by_object, errors)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_window_gives_contacts_as_one_request_at_a_time_does(
        contacts in contacts(), window in 1..=16_usize, unordered in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let expected = in_virtual_time(ids(contacts.service(), 1, false));
        let sound = in_virtual_time(ids(contacts.service(), window, unordered));
        prop_assert_eq!(&sound, &expected);
        let faulty = faults(seed).on(contacts.service());
        let faulty = in_virtual_time(ids(faulty, window, unordered));
        prop_assert_eq!(&faulty, &expected);
    }

    #[test]
    fn any_window_gives_associations_as_one_request_at_a_time_does(
        deals in deals(), batch in 1..40_usize, window in 1..=16_usize, unordered in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let service = deals.service();
        let read = |window, unordered| {
            by_object(&service, service.clone(), batch, window, unordered)
        };
        let expected = in_virtual_time(read(1, false));
        let sound = in_virtual_time(read(window, unordered));
        prop_assert_eq!(&sound, &expected);
        let faulty = faults(seed).on(service.clone());
        let faulty = by_object(&service, faulty, batch, window, unordered);
        prop_assert_eq!(&in_virtual_time(faulty), &expected);
    }
}
