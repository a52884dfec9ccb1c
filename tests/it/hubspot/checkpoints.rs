//! Readings that are cut and go on.

use bytes::Bytes;
use futures::StreamExt;
use pagestream::{
    Paginator, PaginatorExt, Retry,
    hubspot::{ApiVersion, Associations},
    testing::HubSpot,
};

use super::{TOKEN, Told, batch_sizes, deals, read, resume, told};
use crate::support::{Script, held, sorted, stored};

/// Depths from none to four pages, and some that fail; three ids a request.
fn small() -> (HubSpot, Associations) {
    let service = HubSpot::new(5).objects(17).pages(|index| index % 5);
    let service = service.failing(|index| index % 4 == 1);
    let associations = deals(service.ids(), service.clone()).batch_size(3).build().unwrap();
    (service, associations)
}

/// What a reading of the small service gives, sorted; `view` tells an id.
fn whole(view: impl Fn(u64, &[u64]) -> Vec<String>) -> Vec<String> {
    let service = small().0;
    let items = service.ids().enumerate().flat_map(|(index, id)| match index % 4 {
        1 => vec![format!("Rejected: {id}")],
        _ => view(id, &service.associations(id)),
    });
    sorted(items.collect())
}

/// Cuts a reading behind every item, resumes each with a new paginator, and
/// compares records and errors with the uncut reading.
async fn assert_cut<P: Paginator<Record: Told>>(paginator: impl Fn() -> P, whole: &[String]) {
    let uncut = read(&paginator()).await;
    assert_eq!(sorted(uncut.clone()), whole);
    let failed = whole.iter().filter_map(|item| item.strip_prefix("Rejected: "));
    let failed = failed.collect::<Vec<_>>();
    for (window, cut) in [1, 3].into_iter().flat_map(|n| (0..=uncut.len()).map(move |i| (n, i))) {
        let (first, second) = (paginator(), paginator());
        let mut stream = first.read().window(window).records();
        let mut items = told(&stream.by_ref().take(cut).collect::<Vec<_>>().await);
        let checkpoint = stored(&stream.checkpoint().unwrap());
        let mut remaining = second.read().window(window).resume(checkpoint).records();
        items.extend(told(&remaining.by_ref().collect::<Vec<_>>().await));

        // A group that was begun is read again, and so comes later.
        if window == 1 && !whole.iter().any(|item| item.ends_with(']')) {
            assert_eq!(items, uncut, "cut at {cut}");
        }
        assert_eq!(sorted(items), whole, "cut at {cut}, window {window}");
        assert_eq!(sorted(remaining.monitor().failed_ids()), failed);
        assert_eq!(remaining.monitor().progress().records, (whole.len() - failed.len()) as u64);
        assert!(remaining.checkpoint().unwrap().is_finished());
    }
}

/// Each stream gives one item, and the next goes on from its checkpoint.
async fn assert_cut_again<P: Paginator<Record: Told>>(paginator: impl Fn() -> P, whole: &[String]) {
    let mut items = Vec::new();
    let first = paginator();
    let mut checkpoint = first.records().checkpoint().unwrap();
    loop {
        let next = paginator();
        let mut stream = next.read().resume(stored(&checkpoint)).records();
        let Some(item) = stream.next().await else { break };
        items.push(item.told());
        assert!(items.len() <= whole.len(), "{items:?}");
        checkpoint = stream.checkpoint().unwrap();
    }
    assert_eq!(sorted(items), whole);
}

#[tokio::test]
async fn a_reading_cut_at_every_record_and_resumed_gives_the_whole() {
    let whole = whole(|id, to| to.iter().map(|to| format!("{id} -> {to}")).collect());
    assert_cut(|| small().1, &whole).await;
    assert_cut_again(|| small().1, &whole).await;
}

#[tokio::test]
async fn a_reading_cut_at_every_group_and_resumed_gives_the_whole() {
    let whole = whole(|id, to| vec![format!("{id} -> {to:?}")]);
    assert_cut(|| small().1.grouped(), &whole).await;
    assert_cut_again(|| small().1.grouped(), &whole).await;
}

#[tokio::test]
async fn a_reading_resumed_within_a_page_asks_for_what_is_left_of_it_alone() {
    let pages = ["1:11,12 2:21,22>b 3:31", "2:21,22>b 3:31", "2:23 4:41"];
    let script = Script::pages(&pages);
    let associations = deals(1..=4, script.transport()).batch_size(3).build().unwrap();
    let mut records = associations.records();
    let items = records.by_ref().take(3).collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "1 -> 12", "2 -> 21"]);
    let remaining = resume(&associations, &records.checkpoint().unwrap()).await;
    assert_eq!(remaining, ["2 -> 22", "3 -> 31", "2 -> 23", "4 -> 41"]);
    assert_eq!(script.asked(), ["1 2 3", "2 3", "2@b 4"]);
}

#[tokio::test]
async fn an_id_whose_error_was_not_delivered_is_read_whole_if_it_succeeds_after_a_resume() {
    let script = Script::pages(&["1:11 !2 3:31>c", "2:21>b", "2:22 3:32"]);
    let associations = script.deals(1..=3);
    let mut records = associations.records();
    let items = records.by_ref().take(2).collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "3 -> 31"]);
    let remaining = resume(&associations, &records.checkpoint().unwrap()).await;
    assert_eq!(remaining, ["2 -> 21", "2 -> 22", "3 -> 32"]);
    assert_eq!(script.asked(), ["1 2 3", "2", "2@b 3@c"]);
}

#[tokio::test]
async fn a_checkpoint_is_read_on_without_an_id_that_is_left_out() {
    let service = pagestream::testing::HubSpot::new(1).objects(10_000);
    let ids = service.ids().collect::<Vec<_>>();
    let build = |ids: &[u64], left_out: &[u64]| {
        let builder = deals(ids.iter().copied(), service.clone());
        builder.without(left_out.iter().copied()).build().unwrap()
    };
    let all = build(&ids, &[]);
    let uncut = read(&all).await;
    for (at, cut) in [(9_999, 500), (1_500, 500), (700, 1_500)] {
        let mut stream = all.records();
        let before = told(&stream.by_ref().take(cut).collect::<Vec<_>>().await);
        let checkpoint = stored(&stream.checkpoint().unwrap());
        let gone = ids[at];

        let shorter = ids.iter().copied().filter(|id| *id != gone).collect::<Vec<_>>();
        let refused = resume(&build(&shorter, &[]), &checkpoint).await;
        assert_eq!(refused, ["fatal Checkpoint: "]);

        let rest = resume(&build(&ids, &[gone]), &checkpoint).await;
        let of_gone = format!("{gone} -> ");
        let expected = uncut[before.len()..].iter().filter(|it| !it.starts_with(&of_gone));
        let (changed, rest): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|it| it.starts_with("Changed"));
        assert_eq!(sorted(rest), sorted(expected.cloned().collect()), "{at} {cut}");
        // What was begun of it is missing now, and it is said.
        assert!(changed.iter().all(|it| *it == format!("Changed: {gone}")));
    }
    assert!(read(&build(&ids[..2], &ids[..2])).await.is_empty());
}

/// Neither an id without associations, nor one whose page is in the checkpoint.
#[tokio::test]
async fn a_resumed_reading_does_not_ask_again_for_an_id_with_nothing_left_in_the_page() {
    let script = Script::pages(&["1:11 2:21 -3", "2:21"]);
    let flat = script.deals(1..=3);
    let mut records = flat.records();
    assert_eq!(records.next().await.unwrap().told(), "1 -> 11");
    assert_eq!(resume(&flat, &records.checkpoint().unwrap()).await, ["2 -> 21"]);
    assert_eq!(script.asked(), ["1 2 3", "2"]);

    let script = Script::pages(&["1:11 2:21 3:31>c", "2:21", "3:31>c", "3:32"]);
    let grouped = script.deals(1..=3).grouped();
    let mut groups = grouped.records();
    assert_eq!(groups.next().await.unwrap().told(), "1 -> [11]");
    let remaining = resume(&grouped, &groups.checkpoint().unwrap()).await;
    assert_eq!(remaining, ["2 -> [21]", "3 -> [31, 32]"]);
    assert_eq!(script.asked(), ["1 2 3", "2", "3", "3@c"]);
}

/// It may be what the failed request needs.
#[tokio::test]
async fn a_resumed_reading_keeps_to_a_smaller_batch_size() {
    let service = HubSpot::new(1).objects(7);
    let script = Script::new([(504, Bytes::new())]);
    let reading = script.deals(service.ids()).into_read().retry(Retry::never());
    let mut records = reading.records();
    assert_eq!(records.next().await.unwrap().told(), "fatal Status: ");
    let smaller = deals(service.ids(), service.clone()).batch_size(3).build().unwrap();
    assert_eq!(resume(&smaller, &records.checkpoint().unwrap()).await, held(&service));
    assert_eq!(batch_sizes(&service), [3, 3, 1]);
}

#[tokio::test]
async fn a_checkpoint_goes_on_with_another_token_host_and_batch_size() {
    let service = HubSpot::new(1).objects(7);
    let builder = deals(service.ids(), service.clone());
    let mut records = builder.clone().batch_size(3).build().unwrap().into_records();
    records.next().await.unwrap().unwrap();
    let other = builder.token("other").base_url("http://localhost").batch_size(5).build().unwrap();
    assert_eq!(resume(&other, &records.checkpoint().unwrap()).await, held(&service)[1..]);
}

#[tokio::test]
async fn a_checkpoint_of_other_ids_types_path_or_view_is_a_mismatch() {
    let service = HubSpot::new(1);
    let this = deals([1, 2], service.clone());
    let checkpoint = this.clone().build().unwrap().records().checkpoint().unwrap();
    let types = Associations::builder("deals", "contacts").ids([1, 2]).token(TOKEN);
    let others = [
        this.clone().ids([3]),
        deals([1, 3], service.clone()),
        types.transport(service.clone()),
        this.clone().version(ApiVersion::V4),
    ];
    for other in others {
        let items = resume(&other.build().unwrap(), &checkpoint).await;
        assert_eq!(items, ["fatal Checkpoint: "]);
    }
    let grouped = this.build().unwrap().grouped();
    assert_eq!(resume(&grouped, &checkpoint).await, ["fatal Checkpoint: "]);
    assert_eq!(service.requests(), 0);
}
