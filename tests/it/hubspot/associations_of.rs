//! The associations of what another reading finds.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};
use pagestream::{
    Error, ErrorKind, Page, Paginator, PaginatorExt,
    hubspot::{Associations, AssociationsOf, Object, ObjectId, Objects, Search},
    testing::{HubSpot, conformance::Conformance},
};
use serde_json::Value;

use super::{TOKEN, Told, told};
use crate::support::{Script, drain, from_fn, sorted, stored};

fn listed(service: &HubSpot, limit: u64) -> Objects {
    let list = Objects::builder("deals").limit(limit).token(TOKEN).transport(service.clone());
    list.build().unwrap()
}

fn companies_of<P>(service: &HubSpot, ids: P, batch_size: usize) -> AssociationsOf<P>
where
    P: Paginator<Record: Into<ObjectId>>,
{
    let companies = Associations::builder("deals", "companies").batch_size(batch_size);
    companies.token(TOKEN).transport(service.clone()).build_from(ids).unwrap()
}

/// What a service has, as records tell it.
fn all(service: &HubSpot) -> Vec<String> {
    let pairs = service.ids().flat_map(|id| {
        let to = service.associations(id).into_iter();
        to.map(move |to| format!("{id} -> {to}"))
    });
    sorted(pairs.collect())
}

/// How many inputs the batch reads had.
fn batches(service: &HubSpot) -> Vec<usize> {
    let bodies = service.log().into_iter().filter(|it| !it.body.is_empty()).map(|it| it.body);
    let bodies = bodies.map(|body| serde_json::from_slice::<Value>(&body).unwrap());
    bodies.map(|body| body["inputs"].as_array().unwrap().len()).collect()
}

#[tokio::test]
async fn ids_are_packed_to_full_batches_as_they_come() {
    for window in [1, 8] {
        let service = HubSpot::new(7).objects(2_350);
        let companies = companies_of(&service, listed(&service, 100), 1_000);
        let records = drain(companies.read().window(window).records()).await.whole();
        assert_eq!(sorted(records.iter().map(Told::told).collect()), all(&service));
        assert_eq!(batches(&service), [1_000, 1_000, 350], "window {window}");
        assert_eq!(service.requests(), 24 + 3);
    }
}

#[tokio::test]
async fn nothing_is_collected_first() {
    let service = HubSpot::new(7).objects(2_350);
    let companies = companies_of(&service, listed(&service, 100), 200);
    let mut records = companies.records();
    records.try_next().await.unwrap().unwrap();
    assert_eq!(service.requests(), 3, "two pages of ids fill the first batch");
    let checkpoint = serde_json::to_string(&records.checkpoint().unwrap()).unwrap();
    assert!(checkpoint.len() < 20_000, "{} bytes", checkpoint.len());
}

#[tokio::test]
async fn objects_and_their_associations_are_one_reading_cut_at_each_tenth_record() {
    let service = HubSpot::new(7).objects(61).pages(|index| index % 4);
    let build = || companies_of(&service, listed(&service, 10), 25);
    let whole = all(&service);
    for window in [1, 4, 8] {
        for cut in (0..=whole.len()).step_by(10) {
            let first = build();
            let mut stream = first.read().window(window).records();
            let before = stream.by_ref().take(cut).collect::<Vec<_>>().await;
            let checkpoint = stored(&stream.checkpoint().unwrap());
            let rest = build().into_read().window(window).resume(checkpoint).records();
            let items = [told(&before), told(&rest.collect::<Vec<_>>().await)].concat();
            assert_eq!(sorted(items), whole, "cut at {cut}, window {window}");
        }
    }
}

#[tokio::test]
async fn each_object_is_grouped_with_its_associations() {
    let service = HubSpot::new(7).objects(61).pages(|index| index % 4);
    let companies = companies_of(&service, listed(&service, 10), 25).grouped();
    let groups = drain(companies.records()).await.whole();
    let mut expected = service.ids().map(|id| (id.to_string(), service.associations(id)));
    assert_eq!(groups.len(), 61);
    assert!(expected.all(|(id, to)| {
        let group = groups.iter().find(|group| group.from.to_string() == id).unwrap();
        group.to.iter().map(|it| it.to.clone()).eq(to.into_iter().map(ObjectId::from))
    }));
}

#[tokio::test]
async fn the_ids_may_come_from_any_reading() {
    let service = HubSpot::new(7).objects(300);
    let found = Search::builder("deals").token(TOKEN).transport(service.clone());
    let companies = companies_of(&service, found.build::<Object>().unwrap(), 1_000);
    let contacts = companies_of(&service, companies.map(|it| it.from), 1_000);
    // Each deal has two companies, so its id comes twice in one batch, and is read once.
    let records = drain(contacts.records()).await.whole();
    assert_eq!(sorted(records.iter().map(Told::told).collect()), all(&service));
}

#[tokio::test]
async fn errors_of_both_readings_come() {
    let ids = from_fn(0_u64, |page| async move {
        let error = Error::new(ErrorKind::Rejected, "gone").with_ids(["9"]);
        let page = Page::new(vec![page + 1], (page < 1).then_some(1)).with_failure(None, error);
        Ok(page)
    });
    let script = Script::pages(&["1:11 !2"]);
    let companies = Associations::builder("deals", "companies").token(TOKEN);
    let companies = companies.transport(script.transport()).build_from(ids).unwrap();
    let items = companies.records().collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["Rejected: 9", "Rejected: 9", "1 -> 11", "Rejected: 2"]);
}

#[tokio::test]
async fn a_builder_with_ids_of_its_own_takes_no_others() {
    let service = HubSpot::new(7);
    let companies = Associations::builder("deals", "companies").ids([1]).token(TOKEN);
    let companies = companies.transport(service.clone()).build_from(listed(&service, 10));
    assert_eq!(companies.unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test(start_paused = true)]
async fn objects_and_their_associations_keep_the_contract() {
    let service = HubSpot::new(3).objects(17).pages(|index| index % 3);
    let build = || companies_of(&service, listed(&service, 4), 6);
    let all = build().into_records().try_collect::<Vec<_>>().await.unwrap();
    let distinct = all.iter().map(Told::told).collect::<BTreeSet<_>>();
    assert_eq!((all.len(), distinct.len()), (32, 32));
    let check = Conformance::new(all).any_order().positions(30).check(build).await;
    check.unwrap_or_else(|violation| panic!("{violation}"));
}
