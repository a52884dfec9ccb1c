//! Readings split into parts: read separately, their union is the whole, each record once.

use std::fmt::Debug;

use crate::support::{contacts_over, deals_over, from_fn, held, sorted, stored, told};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::Request;
use pagestream::{
    BoxPaginator, Checkpoint, Error, Map, Page, Paginator, PaginatorExt, Transport,
    alloy::Action,
    async_trait, chain,
    hubspot::{Association, Associations, Group},
    testing::{Alloy, AlloyFlaw, HubSpot},
};
use serde_json::Value;

/// Reads parts separately, each from its text: whole, and cut at some records and resumed
/// with another window. Gives the records of all parts, in the order of the parts.
async fn union<P: Paginator>(paginator: &P, parts: &[Checkpoint]) -> Vec<P::Record>
where
    P::Record: Debug,
{
    let told = |records: &[P::Record]| sorted(records.iter().map(|it| format!("{it:?}")).collect());
    let mut all = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let part = stored(part);
        let window = 1 + number % 5;
        let read = || paginator.read().window(window).resume(part.clone());
        let whole = read().records().try_collect::<Vec<_>>().await.unwrap();
        // Many cuts where there are few records.
        for cut in (0..=whole.len()).step_by(1 + whole.len() / 10) {
            let mut begin = read().records();
            let mut records = Vec::new();
            for _ in 0..cut {
                records.push(begin.next().await.unwrap().unwrap());
            }
            let checkpoint = begin.checkpoint().unwrap();
            let remaining = paginator.read().window(5 - number % 5).resume(checkpoint).records();
            records.extend(remaining.try_collect::<Vec<_>>().await.unwrap());
            assert_eq!(told(&records), told(&whole), "part {number}, cut at {cut}");
        }
        all.extend(whole);
    }
    all
}

/// The length of the longest part as text.
fn longest(parts: &[Checkpoint]) -> usize {
    parts.iter().map(|part| serde_json::to_string(part).unwrap().len()).max().unwrap()
}

// ---- HubSpot

/// Objects of up to 4 pages; some have none.
fn hubspot(objects: u64) -> HubSpot {
    HubSpot::new(1).objects(objects).pages(|index| index * 7 % 5)
}

fn associations(service: &HubSpot) -> Associations {
    deals_over(service, service.clone()).batch_size(10).build().unwrap()
}

#[tokio::test]
async fn the_parts_of_hubspot_are_the_whole_with_each_association_once() {
    let service = hubspot(123);
    let associations = associations(&service);
    for parts in [1, 2, 3, 7, 12, 50, 123] {
        let split = associations.split(parts, None).unwrap();
        assert!(split.len() <= parts, "{parts}");
        let read = union(&associations, &split).await;
        assert_eq!(sorted(read.iter().map(told).collect()), sorted(held(&service)), "{parts}");
    }
}

#[tokio::test]
async fn the_parts_of_hubspot_grouped_are_the_whole_with_each_object_once() {
    let service = hubspot(123);
    let grouped = associations(&service).grouped();
    for parts in [1, 3, 12, 123] {
        let read = union(&grouped, &grouped.split(parts, None).unwrap()).await;
        let groups = read.iter().map(|Group { from, to, .. }| {
            let to = to.iter().map(|it| it.to.to_string().parse().unwrap()).collect::<Vec<u64>>();
            (from.to_string().parse().unwrap(), to)
        });
        let expected = service.ids().map(|id| (id, service.associations(id))).collect::<Vec<_>>();
        assert_eq!(sorted(groups.collect()), sorted(expected), "{parts}");
    }
}

#[test]
fn as_many_parts_are_made_as_are_asked_for_where_there_are_ids_enough_to_fill_requests() {
    let lengths = |objects, parts| {
        let split = associations(&hubspot(objects)).split(parts, None).unwrap();
        let fresh = |part: Checkpoint| {
            let waiting = serde_json::to_value(part).unwrap()["waiting"][0]["fresh"].clone();
            waiting["end"].as_u64().unwrap_or(0) - waiting["start"].as_u64().unwrap_or(0)
        };
        split.into_iter().map(fresh).collect::<Vec<_>>()
    };
    assert_eq!(lengths(120, 4), [30, 30, 30, 30]);
    assert_eq!(lengths(123, 4), [40, 40, 40, 3], "requests are full");
    assert_eq!(lengths(25, 4), [7, 7, 7, 4]);
    assert_eq!(lengths(3, 4), [1, 1, 1]);
    assert_eq!(lengths(0, 4), [0]);
    assert_eq!(lengths(10, 0), [10], "none is taken as one");
    assert_eq!(lengths(10, usize::MAX), [1; 10]);
}

#[test]
fn a_part_of_a_million_ids_is_a_small_text() {
    let split = associations(&hubspot(1_000_000)).split(16, None).unwrap();
    assert_eq!(split.len(), 16);
    assert!(longest(&split) < 400, "{}", longest(&split));
}

// ---- Alloy

fn ids(transport: impl Transport + 'static) -> Map<Action<Value>, fn(Value) -> u64> {
    action(transport).map(|contact| contact["id"].as_u64().unwrap())
}

fn action(transport: impl Transport + 'static) -> Action<Value> {
    contacts_over(transport).limit(10).build().unwrap()
}

/// The parts of a service, of which somebody says that it has `total` records, are
/// all of its records.
async fn assert_whole(service: &Alloy, total: u64, records: u64, what: &str) {
    let ids = ids(service.clone());
    for parts in [1, 2, 3, 8, 40] {
        let split = ids.split(parts, total).unwrap();
        assert!(split.len() <= parts, "{what}, {parts} parts");
        let read = union(&ids, &split).await;
        assert!(read.iter().copied().eq(0..records), "{what}, {parts} parts: {read:?}");
    }
}

#[tokio::test]
async fn the_parts_of_alloy_are_the_whole_with_each_record_once_and_in_order() {
    for records in [0, 1, 9, 10, 11, 100, 237] {
        assert_whole(&Alloy::new(1).records(records), records, records, "even").await;
    }
}

#[tokio::test]
async fn a_total_that_is_wrong_loses_and_repeats_nothing() {
    let service = Alloy::new(1).records(237);
    for total in [0, 1, 50, 236, 238, 300, 10_000] {
        assert_whole(&service, total, 237, &format!("a total of {total}")).await;
    }
}

#[tokio::test]
async fn a_service_that_says_a_wrong_total_loses_and_repeats_nothing() {
    for total in [0, 50, 1_000] {
        let service = Alloy::new(1).records(237).flawed(move |_| Some(AlloyFlaw::Total(total)));
        assert_whole(&service, 237, 237, &format!("it says {total}")).await;
    }
}

#[tokio::test]
async fn what_was_added_meanwhile_is_in_the_last_part() {
    let before = ids(Alloy::new(1).records(100));
    let after = ids(Alloy::new(1).records(237));
    for parts in [1, 3, 8] {
        let read = union(&after, &before.split(parts, 100).unwrap()).await;
        assert!(read.into_iter().eq(0..237), "{parts} parts");
    }
}

#[tokio::test]
async fn a_service_that_gives_fewer_than_it_is_asked_for_is_read_whole() {
    for most in [1, 3, 7, 9] {
        let service = Alloy::new(1).records(237).flawed(move |_| Some(AlloyFlaw::Clamped(most)));
        assert_whole(&service, 237, 237, &format!("clamped to {most}")).await;
    }
}

#[tokio::test]
async fn a_service_that_gives_more_than_it_is_asked_for_loses_and_repeats_nothing() {
    let all_at_once = Alloy::new(1).records(237).flawed(|_| Some(AlloyFlaw::Unlimited));
    assert_whole(&all_at_once, 237, 237, "all at once").await;
    let now_and_then = |at| (at % 40 == 20).then_some(AlloyFlaw::Unlimited);
    assert_whole(&Alloy::new(1).records(237).flawed(now_and_then), 237, 237, "some").await;

    // Its answers are always those to a request for 25.
    let service = Alloy::new(1).records(237);
    let transport = move |request: Request<Bytes>| {
        let service = service.clone();
        let request = request.map(|body| {
            let mut body = serde_json::from_slice::<Value>(&body).unwrap();
            body["input"]["limit"] = 25.into();
            body.to_string().into()
        });
        async move { service.send(request).await }
    };
    let ids = ids(transport);
    for parts in [1, 2, 3, 8, 40] {
        let read = union(&ids, &ids.split(parts, 237).unwrap()).await;
        assert!(read.iter().copied().eq(0..237), "{parts} parts: {read:?}");
    }
}

#[test]
fn parts_begin_at_multiples_of_the_limit_and_the_last_is_open() {
    let ranges = |total: Option<u64>, parts| {
        let split = action(Alloy::new(1)).split(parts, total).unwrap();
        let range = |part: &Checkpoint| {
            let cursor = serde_json::to_value(part).unwrap()["waiting"][0].clone();
            (cursor["at"]["start"].as_u64().unwrap(), cursor["at"]["end"].as_u64())
        };
        split.iter().map(range).collect::<Vec<_>>()
    };
    assert_eq!(ranges(Some(100), 2), [(0, Some(50)), (50, None)]);
    assert_eq!(ranges(Some(95), 3), [(0, Some(40)), (40, Some(80)), (80, None)]);
    assert_eq!(ranges(Some(25), 9), [(0, Some(10)), (10, Some(20)), (20, None)]);
    assert_eq!(ranges(Some(10), 9), [(0, None)]);
    assert_eq!(ranges(Some(0), 9), [(0, None)]);
    assert_eq!(ranges(Some(100), 0), [(0, None)], "none is taken as one");
    assert_eq!(ranges(None, 9), [(0, None)], "nobody knows how many there are");
    assert_eq!(ranges(Some(u64::MAX), 1), [(0, None)], "a total beyond all bounds");
    assert_eq!(ranges(Some(u64::MAX), 2).len(), 2);
}

#[tokio::test]
async fn the_parts_of_alloy_ask_for_nothing_twice() {
    let service = Alloy::new(1).records(237);
    let ids = ids(service.clone());
    for part in ids.split(4, 237).unwrap() {
        ids.read().resume(part).records().try_collect::<Vec<_>>().await.unwrap();
    }
    assert_eq!(service.requests(), 24);
}

#[tokio::test]
async fn a_part_of_alloy_asks_for_no_record_of_the_next_part() {
    // Pages of 7 records do not end where the part does.
    let service = Alloy::new(1).records(100).flawed(|_| Some(AlloyFlaw::Clamped(7)));
    let transport = move |request: Request<Bytes>| {
        let input = serde_json::from_slice::<Value>(request.body()).unwrap()["input"].take();
        let [offset, limit] = ["offset", "limit"].map(|name| input[name].as_u64().unwrap());
        assert!(offset + limit <= 50, "{limit} records from {offset} on");
        let service = service.clone();
        async move { service.send(request).await }
    };
    let ids = ids(transport);
    let first = ids.split(2, 100).unwrap().swap_remove(0);
    let read = ids.read().resume(first).records().try_collect::<Vec<_>>().await.unwrap();
    assert!(read.into_iter().eq(0..50));
}

#[test]
fn a_part_of_alloy_is_a_small_text() {
    let split = action(Alloy::new(1)).split(16, 1_000_000_000).unwrap();
    assert_eq!(split.len(), 16);
    assert!(longest(&split) < 400, "{}", longest(&split));
}

// ---- Others

#[tokio::test]
async fn boxed_and_mapped_paginators_split_as_those_inside() {
    let service = hubspot(123);
    let mapped = associations(&service).map(|it: Association| told(&it));
    let boxed: BoxPaginator<String> = mapped.clone().boxed();
    let split = boxed.split(5, None).unwrap();
    assert_eq!(split, mapped.split(5, None).unwrap());
    assert_eq!(split.len(), 5);
    assert_eq!(sorted(union(&boxed, &split).await), sorted(held(&service)));

    let action = ids(Alloy::new(1).records(237));
    let expected = action.split(5, 237).unwrap();
    let boxed = action.boxed();
    assert_eq!(boxed.split(5, 237).unwrap(), expected);
    assert!(union(&boxed, &expected).await.into_iter().eq(0..237));
}

#[tokio::test]
async fn a_paginator_that_cannot_be_split_is_one_part() {
    let numbers =
        from_fn(0, |at: u64| async move { Ok(Page::new(vec![at], (at < 9).then_some(at + 1))) });
    let split = numbers.split(4, 10).unwrap();
    assert_eq!(split.len(), 1);
    assert!(union(&numbers, &split).await.into_iter().eq(0..10));
}

// ---- In the middle of a reading

/// Reads some records, and gives them with the checkpoint behind them.
async fn begun<P: Paginator>(
    paginator: &P,
    records: usize,
    window: usize,
) -> (Vec<P::Record>, Checkpoint) {
    let mut stream = paginator.read().window(window).records();
    let mut read = Vec::new();
    for _ in 0..records {
        read.push(stream.next().await.unwrap().unwrap());
    }
    let checkpoint = stream.checkpoint().unwrap();
    (read, stored(&checkpoint))
}

#[tokio::test]
async fn the_parts_of_what_is_left_of_hubspot_are_the_rest() {
    let service = hubspot(60);
    let associations = associations(&service);
    for (records, parts) in [(0, 3), (1, 2), (30, 5), (77, 9), (100, 4), (118, 7), (119, 2)] {
        let (mut read, checkpoint) = begun(&associations, records, 1 + records % 4).await;
        let split = checkpoint.split(&associations, parts, None).unwrap();
        assert!(split.len() <= parts, "after {records}: {}", split.len());
        read.extend(union(&associations, &split).await);
        let read = read.iter().map(told).collect();
        assert_eq!(sorted(read), sorted(held(&service)), "after {records}, in {parts}");
    }
}

#[tokio::test]
async fn what_is_left_of_offsets_is_split_by_ranges_and_a_page_is_read_again_by_one_part() {
    let service = Alloy::new(1).records(237);
    let ids = ids(service.clone());
    let (read, checkpoint) = begun(&ids, 25, 1).await;
    assert_eq!(service.requests(), 3);

    let split = checkpoint.split(&ids, 4, 237).unwrap();
    assert_eq!(split.len(), 4);
    for part in split.iter().rev() {
        ids.read().resume(part.clone()).records().try_collect::<Vec<_>>().await.unwrap();
    }
    assert_eq!(service.requests(), 3 + 1 + 21, "one page is asked for twice");
    assert!(read.into_iter().chain(union(&ids, &split).await).eq(0..237));
}

#[tokio::test]
async fn the_counts_stay_with_the_first_part() {
    let ids = ids(Alloy::new(1).records(100));
    let (_, checkpoint) = begun(&ids, 35, 1).await;
    let split = checkpoint.split(&ids, 3, 100).unwrap();
    let counts = split.iter().map(|part| (part.pages(), part.records())).collect::<Vec<_>>();
    assert_eq!(counts, [(3, 35), (0, 0), (0, 0)]);

    let mut read = 0;
    for part in split {
        let mut records = ids.read().resume(part).records();
        while records.try_next().await.unwrap().is_some() {}
        read += records.checkpoint().unwrap().records();
    }
    assert_eq!(read, 100);
}

#[tokio::test]
async fn a_part_is_split_again_until_nothing_is_left_to_split() {
    let ids = ids(Alloy::new(1).records(237));
    let mut parts = ids.split(1, 237).unwrap();
    for _ in 0..6 {
        let halves = parts.iter().map(|part| part.split(&ids, 2, 237).unwrap());
        parts = halves.flatten().collect();
    }
    assert_eq!(parts.len(), 24, "a page each");
    assert!(union(&ids, &parts).await.into_iter().eq(0..237));
}

#[tokio::test]
async fn a_plain_chain_and_a_finished_reading_stay_as_they_are() {
    let chain =
        || from_fn(0, |at: u64| async move { Ok(Page::new(vec![at], (at < 9).then_some(at + 1))) });
    for records in [0, 4, 10] {
        let (_, checkpoint) = begun(&chain(), records, 1).await;
        assert_eq!(checkpoint.split(&chain(), 5, 10).unwrap(), [checkpoint]);
    }
}

/// Twenty numbers from the first on, in two pages, each of which can be a part.
struct Twenty(u64);

#[async_trait]
impl Paginator for Twenty {
    type Record = u64;
    type Cursor = (u64, u64);

    fn start(&self) -> (u64, u64) {
        (self.0, self.0 + 20)
    }

    async fn fetch(&self, (at, end): (u64, u64)) -> Result<Page<u64, (u64, u64)>, Error> {
        Ok(Page::new((at..at + 10).collect::<Vec<_>>(), (at + 10 < end).then_some((at + 10, end))))
    }

    fn identity(&self) -> String {
        format!("twenty from {}", self.0)
    }

    fn split_cursor(
        &self,
        &(at, end): &(u64, u64),
        parts: usize,
        _: Option<u64>,
    ) -> Vec<(u64, u64)> {
        assert_ne!(parts, 0, "none is taken as one");
        if parts > 1 && at + 10 < end {
            vec![(at, at + 10), (at + 10, end)]
        } else {
            vec![(at, end)]
        }
    }
}

#[tokio::test]
async fn many_cursors_of_few_pieces_each_fill_all_parts() {
    let lists = chain((0..10).map(|it| Twenty(20 * it)));
    for parts in [0, 1, 2, 5, 9, 15] {
        let (read, checkpoint) = begun(&lists, 1, 1).await;
        let split = checkpoint.split(&lists, parts, None).unwrap();
        assert_eq!(split.len(), parts.max(1), "{parts}");
        let mut all = union(&lists, &split).await;
        all.extend(read);
        assert!(sorted(all).into_iter().eq(0..200), "{parts}");
        for part in &split {
            let records = lists.read().resume(part.clone()).records();
            let records = records.try_collect::<Vec<_>>().await.unwrap().len();
            assert!(records <= 200_usize.div_ceil(parts.max(1)) + 20, "{records} of {parts}");
        }
    }
}

#[tokio::test]
async fn known_keys_go_into_each_part() {
    let keyed = ids(Alloy::new(1).records(40)).keyed(|id| *id);
    let mut records = keyed.read().deduplicate(100).records();
    for _ in 0..15 {
        records.next().await.unwrap().unwrap();
    }
    let checkpoint = records.checkpoint().unwrap();
    let keys = |part: &Checkpoint| serde_json::to_value(part).unwrap()["keys"]["keys"].clone();
    assert_eq!(keys(&checkpoint).as_array().unwrap().len(), 15);
    let split = checkpoint.split(&keyed, 3, 40).unwrap();
    assert_eq!(split.len(), 2);
    for part in &split {
        assert_eq!(keys(part), keys(&checkpoint));
    }
}

#[test]
fn a_checkpoint_of_another_reading_is_not_split() {
    let other = from_fn(0, |_: u64| async { Ok(Page::last(vec![0_u64])) });
    let part = ids(Alloy::new(1)).split(1, None).unwrap().remove(0);
    let error = part.split(&other, 2, None).unwrap_err();
    assert!(error.is_checkpoint(), "{error}");
}
