//! What the emulated services do wrong where they are told to, and what a reading
//! makes of each, a test each.

use std::collections::BTreeMap;

use crate::support::{Outcome, contacts_over, deals_over, drain, offsets};
use pagestream::{
    ErrorKind, Paginator, PaginatorExt, StopReason, Transport,
    hubspot::Associations,
    testing::{Alloy, AlloyFlaw, HubSpot, HubSpotFlaw},
};
use serde_json::{Value, json};

async fn read<P: Paginator>(paginator: &P) -> Outcome<P::Record> {
    drain(paginator.read().max_empty_pages(100).records()).await
}

impl<R> Outcome<R> {
    /// The records before the one error, and its kind.
    fn failed(self) -> (Vec<R>, ErrorKind) {
        assert_eq!(self.errors.len(), 1, "{:?}", self.errors);
        (self.records, self.errors[0].kind())
    }
}

// ---- Alloy

async fn contacts_of(service: &Alloy) -> Outcome<u64> {
    let action = contacts_over::<Value>(service.clone()).build().unwrap();
    read(&action.map(|contact: Value| contact["id"].as_u64().unwrap())).await
}

/// 230 contacts, with a flaw at these offsets.
fn alloy(flaw: impl Fn(u64) -> Option<AlloyFlaw> + Send + Sync + 'static) -> Alloy {
    Alloy::new(1).records(230).flawed(flaw)
}

/// The same with one flaw at offset 100, behind two pages.
async fn at_100(flaw: AlloyFlaw) -> Outcome<u64> {
    contacts_of(&alloy(move |offset| (offset == 100).then_some(flaw))).await
}

fn assert_counts(records: &[u64], expected: impl IntoIterator<Item = u64>) {
    assert!(records.iter().copied().eq(expected), "{records:?}");
}

#[tokio::test]
async fn a_clamped_limit_gives_short_pages_and_loses_no_record() {
    let service = alloy(|_| Some(AlloyFlaw::Clamped(20)));
    assert_counts(&contacts_of(&service).await.whole(), 0..230);
    assert_eq!(offsets(&service), (0..12).map(|page| page * 20).collect::<Vec<_>>());

    let service = alloy(|offset| (offset == 50).then_some(AlloyFlaw::Clamped(3)));
    assert_counts(&contacts_of(&service).await.whole(), 0..230);
    assert_eq!(offsets(&service), [0, 50, 53, 103, 153, 203]);
}

#[tokio::test]
async fn a_clamped_limit_of_0_is_1() {
    let service = Alloy::new(1).records(3).flawed(|_| Some(AlloyFlaw::Clamped(0)));
    assert_counts(&contacts_of(&service).await.whole(), 0..3);
    assert_eq!(offsets(&service), [0, 1, 2]);
}

#[tokio::test]
async fn an_unlimited_page_holds_all_that_is_left() {
    let service = alloy(|offset| (offset == 50).then_some(AlloyFlaw::Unlimited));
    assert_counts(&contacts_of(&service).await.whole(), 0..230);
    assert_eq!(offsets(&service), [0, 50]);
}

#[tokio::test]
async fn some_empty_pages_are_read_past() {
    let outcome =
        contacts_of(&alloy(|offset| (50..150).contains(&offset).then_some(AlloyFlaw::Empty))).await;
    assert_eq!(outcome.progress().skipped, 100);
    assert_counts(&outcome.whole(), (0..50).chain(150..230));
}

#[tokio::test]
async fn endless_empty_pages_are_found() {
    let service = alloy(|offset| (offset >= 50).then_some(AlloyFlaw::Empty));
    let (records, kind) = contacts_of(&service).await.failed();
    assert_counts(&records, 0..50);
    assert_eq!(kind, ErrorKind::Loop);
    assert_eq!(service.requests(), 1 + 100 + 1);
}

#[tokio::test]
async fn an_ignored_offset_is_found_at_the_second_page() {
    let service = alloy(|_| Some(AlloyFlaw::IgnoredOffset));
    let (records, kind) = contacts_of(&service).await.failed();
    assert_counts(&records, 0..50);
    assert_eq!((kind, offsets(&service)), (ErrorKind::Loop, vec![0, 50]));
}

#[tokio::test]
async fn the_same_records_under_offsets_that_go_on_are_found() {
    let service = alloy(|_| Some(AlloyFlaw::SameRecords));
    let (records, kind) = contacts_of(&service).await.failed();
    assert_counts(&records, 0..50);
    assert_eq!((kind, offsets(&service)), (ErrorKind::Loop, vec![0, 50]));
}

#[tokio::test]
async fn a_next_offset_that_is_repeated_or_below_is_found() {
    for next in [100, 99, 50, 0] {
        let (records, kind) = at_100(AlloyFlaw::NextOffset(next)).await.failed();
        assert_counts(&records, 0..100);
        assert_eq!(kind, ErrorKind::Loop, "{next}");
    }
}

#[tokio::test]
async fn a_next_offset_among_the_records_is_found() {
    let (records, kind) = at_100(AlloyFlaw::NextOffset(149)).await.failed();
    assert_counts(&records, 0..100);
    assert_eq!(kind, ErrorKind::Contradiction);
}

#[tokio::test]
async fn a_leap_is_counted() {
    let outcome = at_100(AlloyFlaw::NextOffset(170)).await;
    assert_eq!(outcome.progress().skipped, 20);
    assert_counts(&outcome.whole(), (0..150).chain(170..230));
}

#[tokio::test]
async fn what_is_missing_on_a_later_page_is_found() {
    let missing = [
        (AlloyFlaw::NoNextOffset, ErrorKind::Contradiction),
        (AlloyFlaw::NoPagination, ErrorKind::Contradiction),
        (AlloyFlaw::NoData, ErrorKind::Decode),
    ];
    for (flaw, expected) in missing {
        let (records, kind) = at_100(flaw).await.failed();
        assert_counts(&records, 0..100);
        assert_eq!(kind, expected, "{flaw:?}");
    }
}

#[tokio::test]
async fn the_end_is_the_end_though_it_says_where_to_go_on() {
    let service = alloy(|offset| (offset == 200).then_some(AlloyFlaw::NextOffsetAtEnd));
    assert_counts(&contacts_of(&service).await.whole(), 0..230);
    assert_eq!(service.requests(), 5);
}

#[tokio::test]
async fn a_total_that_shrinks_or_grows_is_shown_and_decides_nothing() {
    let totals: [fn(u64) -> u64; 2] = [|offset| 300 - offset, |offset| 300 + offset];
    for total in totals {
        let outcome =
            contacts_of(&alloy(move |offset| Some(AlloyFlaw::Total(total(offset))))).await;
        // The last page is at offset 200.
        assert_eq!(outcome.progress().total, Some(total(200)));
        assert_counts(&outcome.whole(), 0..230);
    }
}

#[tokio::test]
async fn a_full_last_page_says_that_it_is_the_last() {
    let service = Alloy::new(1).records(100);
    assert_counts(&contacts_of(&service).await.whole(), 0..100);
    assert_eq!(offsets(&service), [0, 50]);
}

// ---- HubSpot

/// Five objects of five pages, and a flaw of the third one.
fn hubspot(flaw: impl Fn(usize) -> Option<HubSpotFlaw> + Send + Sync + 'static) -> HubSpot {
    let flaw = move |index, page| if index == 2 { flaw(page) } else { None };
    HubSpot::new(1).objects(5).pages(|_| 5).flawed(flaw)
}

fn deals_of(service: &HubSpot) -> Associations {
    deals_over(service, service.clone()).build().unwrap()
}

/// The associations of each object, in the order they came, and the errors as their
/// kind and ids.
type Read = (BTreeMap<u64, Vec<u64>>, Vec<(ErrorKind, Vec<String>)>);

async fn associations_of(service: &HubSpot) -> Read {
    let outcome = read(&deals_of(service)).await;
    assert_eq!(outcome.progress().stop, Some(StopReason::End));
    let mut read = service.ids().map(|id| (id, Vec::new())).collect::<BTreeMap<_, _>>();
    for association in outcome.records {
        let [from, to] = [association.from, association.to].map(|id| id.to_string());
        read.get_mut(&from.parse().unwrap()).unwrap().push(to.parse().unwrap());
    }
    let errors = outcome.errors.iter().map(|error| (error.kind(), error.ids().to_vec()));
    (read, errors.collect())
}

/// The third object.
fn third(service: &HubSpot) -> u64 {
    service.ids().nth(2).unwrap()
}

/// Reads a service whose third object is flawed: the others are whole. Gives how many
/// associations of the third came, which are its first, and the errors.
async fn others_whole(service: &HubSpot) -> (usize, Vec<(ErrorKind, Vec<String>)>) {
    let (mut read, errors) = associations_of(service).await;
    let of_third = read.remove(&third(service)).unwrap();
    for (id, associations) in read {
        assert_eq!(associations, service.associations(id));
    }
    assert!(service.associations(third(service)).starts_with(&of_third));
    (of_third.len(), errors)
}

#[tokio::test]
async fn a_cycle_of_cursors_of_any_length_fails_its_object_alone() {
    for length in 1..=3 {
        let service = hubspot(move |page| (page == 3).then_some(HubSpotFlaw::Cycle(length)));
        let (read, errors) = associations_of(&service).await;
        let id = third(&service);
        assert_eq!(errors, [(ErrorKind::Loop, vec![id.to_string()])], "{length}");
        assert!(read[&id].starts_with(&service.associations(id)[..6]), "{length}");
        for other in service.ids().filter(|other| *other != id) {
            assert_eq!(read[&other], service.associations(other));
        }
    }
}

#[tokio::test]
async fn a_cycle_of_an_object_that_is_asked_for_alone_is_none_of_the_reading() {
    for (length, objects) in (1..=3).flat_map(|length| (1..40).map(move |it| (length, it))) {
        let last = usize::try_from(objects).unwrap() - 1;
        let cycle =
            move |index, page| (index == last && page == 3).then_some(HubSpotFlaw::Cycle(length));
        let service = HubSpot::new(1).objects(objects).pages(|_| 5).flawed(cycle);
        let associations = Associations::builder("deals", "companies")
            .ids(service.ids())
            .token("a-test-token")
            .batch_size(1)
            .transport(service.clone())
            .build()
            .unwrap();
        let outcome = read(&associations).await;
        assert_eq!(outcome.progress().stop, Some(StopReason::End), "{length} behind {objects}");
        let ids = service.ids().last().map(|id| vec![id.to_string()]);
        assert_eq!(Some(outcome.errors[0].ids().to_vec()), ids, "{length} behind {objects}");
        assert_eq!(outcome.failed().1, ErrorKind::Loop);
    }
}

#[tokio::test]
async fn a_cycle_that_finds_no_page_behind_it_is_none() {
    let service = hubspot(|page| (page < 2).then_some(HubSpotFlaw::Cycle(2)));
    assert_eq!(others_whole(&service).await, (10, vec![]));
}

#[tokio::test]
async fn an_object_that_is_dropped_repeated_or_without_associations_fails_alone() {
    // Two pages of two associations came before; what came first of two is delivered.
    let flaws = [(HubSpotFlaw::Dropped, 4), (HubSpotFlaw::Twice, 6), (HubSpotFlaw::NoTo, 4)];
    for (flaw, associations) in flaws {
        let service = hubspot(move |page| (page == 2).then_some(flaw));
        let id = third(&service).to_string();
        let expected = (associations, vec![(ErrorKind::Contradiction, vec![id])]);
        assert_eq!(others_whole(&service).await, expected, "{flaw:?}");
    }
}

#[tokio::test]
async fn an_id_that_nobody_asked_for_is_named_and_the_others_are_whole() {
    let service = hubspot(|page| (page == 2).then_some(HubSpotFlaw::Unrequested));
    let expected = (10, vec![(ErrorKind::Contradiction, vec!["1".to_owned()])]);
    assert_eq!(others_whole(&service).await, expected);
}

#[tokio::test]
async fn a_link_without_a_cursor_is_found_and_its_page_is_kept() {
    let service = hubspot(|page| (page == 2).then_some(HubSpotFlaw::LinkWithoutAfter));
    let id = third(&service).to_string();
    let expected = (6, vec![(ErrorKind::Contradiction, vec![id])]);
    assert_eq!(others_whole(&service).await, expected);
}

#[tokio::test]
async fn null_for_paging_is_the_end_of_an_object() {
    for flaw in [HubSpotFlaw::NullPaging, HubSpotFlaw::NullNext] {
        let service = hubspot(move |_| Some(flaw));
        assert_eq!(others_whole(&service).await, (10, vec![]), "{flaw:?}");
    }
}

#[tokio::test]
async fn an_object_rejected_with_status_200_is_rejected() {
    let service = hubspot(|page| (page == 0).then_some(HubSpotFlaw::RejectedWithStatus200));
    let id = third(&service).to_string();
    assert_eq!(others_whole(&service).await, (0, vec![(ErrorKind::Rejected, vec![id])]));
}

// ---- What goes over the wire

/// What the service answers to its third object alone, at a page from 0.
async fn row_of_third(flaw: HubSpotFlaw, page: usize) -> (u16, Value) {
    let service = hubspot(move |it| (it == page).then_some(flaw));
    read(&deals_of(&service)).await;
    // The same request as the reading made, which carries the cursor.
    let id = third(&service).to_string();
    let logged = service.log().swap_remove(page);
    let mut body = serde_json::from_slice::<Value>(&logged.body).unwrap();
    body["inputs"].as_array_mut().unwrap().retain(|input| input["id"] == id.as_str());
    let mut request = http::Request::new(body.to_string().into());
    *request.method_mut() = logged.method;
    *request.uri_mut() = logged.path.parse().unwrap();
    *request.headers_mut() = logged.headers;
    let response = service.send(request).await.unwrap();
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

#[tokio::test]
async fn hubspots_flaws_are_on_the_wire_as_they_are_named() {
    let (_, body) = row_of_third(HubSpotFlaw::NullPaging, 4).await;
    assert_eq!(body["results"][0].get("paging"), Some(&Value::Null));
    let (_, body) = row_of_third(HubSpotFlaw::NullNext, 4).await;
    assert_eq!(body["results"][0]["paging"], json!({"next": null}));
    let (_, body) = row_of_third(HubSpotFlaw::LinkWithoutAfter, 1).await;
    let next = body["results"][0]["paging"]["next"].as_object().unwrap().clone();
    assert_eq!(next.keys().collect::<Vec<_>>(), ["link"]);
    let (_, body) = row_of_third(HubSpotFlaw::NoTo, 1).await;
    assert_eq!(body["results"][0].get("to"), None);
    let (_, body) = row_of_third(HubSpotFlaw::Dropped, 1).await;
    assert_eq!((&body["results"], body.get("errors")), (&json!([]), None));
    let (_, body) = row_of_third(HubSpotFlaw::Twice, 1).await;
    assert_eq!(body["results"][0], body["results"][1]);
    let (status, body) = row_of_third(HubSpotFlaw::RejectedWithStatus200, 0).await;
    assert_eq!((status, &body["numErrors"]), (200, &json!(1)));
}
