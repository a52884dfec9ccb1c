//! Objects with all of their associations.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use pagestream::{
    Error, PaginatorExt, Transport,
    hubspot::{CompleteObjects, Object, Objects},
    testing::{HubSpot, conformance::Conformance},
};
use serde_json::{Value, json};

use super::{TOKEN, answer, page, shown};
use crate::support::{Script, drain, sorted, stored};

fn deals(transport: impl Transport + 'static, limit: u64) -> CompleteObjects {
    let deals = Objects::builder("deals").associations(["companies"]).limit(limit).token(TOKEN);
    deals.transport(transport).build_with_all_associations().unwrap()
}

/// The ids of an object and of its companies.
fn told(item: &Result<Object, Error>) -> String {
    match item {
        Ok(object) => {
            let companies = object.associations.values().flat_map(|it| &it.results);
            let companies = companies.map(|it| it.id.to_string()).collect::<Vec<_>>();
            assert!(object.associations.values().all(|it| !it.has_more()));
            format!("{}: {}", object.id, companies.join(" "))
        }
        Err(error) => {
            let fatal = if error.is_partial() { "" } else { "fatal " };
            format!("{fatal}{:?}: {}", error.kind(), error.ids().join(" "))
        }
    }
}

/// What a service has.
fn all(service: &HubSpot) -> Vec<String> {
    let objects = service.ids().map(|id| {
        let to = service.associations(id).iter().map(ToString::to_string).collect::<Vec<_>>();
        format!("{id}: {}", to.join(" "))
    });
    sorted(objects.collect())
}

async fn read(deals: &CompleteObjects, window: usize) -> Vec<String> {
    let items = deals.read().window(window).records().collect::<Vec<_>>().await;
    sorted(items.iter().map(told).collect())
}

#[tokio::test]
async fn five_thousand_deals_come_whole_in_little_more_than_the_least_requests() {
    // Fifty of them have 300 companies.
    let service = HubSpot::new(7).objects(5_000).page_size(300);
    let service = service.pages(|index| usize::from(index % 100 == 17));
    let expected = all(&service);
    for window in [1, 8] {
        let before = service.requests();
        assert_eq!(read(&deals(service.clone(), 100), window).await, expected);
        assert_eq!(service.requests() - before, 50 + 1, "window {window}");
    }
}

#[tokio::test]
async fn associations_that_are_paged_are_read_to_their_end() {
    let service = HubSpot::new(7).objects(45).page_size(60).pages(|index| index % 6);
    for window in [1, 4] {
        assert_eq!(read(&deals(service.clone(), 10), window).await, all(&service));
    }
}

#[tokio::test]
async fn a_reading_cut_at_each_record_gives_all_once() {
    let service = HubSpot::new(7).objects(23).page_size(60).pages(|index| index % 4);
    let expected = all(&service);
    for (window, cut) in
        [1, 4].into_iter().flat_map(|window| (0..=23).map(move |cut| (window, cut)))
    {
        let first = deals(service.clone(), 5);
        let mut stream = first.read().window(window).records();
        let mut items = stream.by_ref().take(cut).collect::<Vec<_>>().await;
        let checkpoint = stored(&stream.checkpoint().unwrap());
        let rest = deals(service.clone(), 5);
        items.extend(rest.read().resume(checkpoint).records().collect::<Vec<_>>().await);
        let items = sorted(items.iter().map(told).collect());
        assert!(items == expected, "cut at {cut}, window {window}");
    }
}

fn object(id: u64, associations: &Value) -> Value {
    json!({"id": id.to_string(), "properties": {}, "createdAt": "2024-09-12T11:36:05.267Z",
        "updatedAt": "2024-09-12T11:36:22.982Z", "archived": false, "associations": associations})
}

fn first_page(ids: &[u64], more: bool) -> Value {
    let results = ids.iter().map(|id| json!({"id": id.to_string(), "type": "deal_to_company"}));
    let paging = if more { json!({"next": {"after": "x"}}) } else { Value::Null };
    json!({"results": results.collect::<Vec<_>>(), "paging": paging})
}

#[tokio::test]
async fn each_type_of_association_is_completed_and_no_other_is_asked_for() {
    let both = json!({"companies": first_page(&[11], true), "contacts": first_page(&[31], true)});
    let one = json!({"companies": first_page(&[21], false), "contacts": first_page(&[41], true)});
    let whole = json!({"companies": first_page(&[51], false)});
    let list = json!({"results": [object(1, &both), object(2, &one), object(3, &whole)]});
    let script =
        Script::new([answer(200, &list), page("1:11,12>a"), page("1:13"), page("1:31,32 2:41,42")]);
    let deals = deals(script.transport(), 100);
    let objects = drain(deals.records()).await.whole();
    let items = sorted(objects.iter().map(|it| told(&Ok(it.clone()))).collect());
    assert_eq!(items, ["1: 11 12 13 31 32", "2: 21 41 42", "3: 51"]);
    let paths = script.all_requests().into_iter().skip(1).map(|it| it.uri().path().to_owned());
    let mut times = BTreeMap::<String, u32>::new();
    paths.for_each(|path| *times.entry(path).or_default() += 1);
    let path = |to: &str| format!("/crm/associations/2026-03/deals/{to}/batch/read");
    assert_eq!(times, [(path("companies"), 2), (path("contacts"), 1)].into());
    let companies = &objects.iter().find(|it| it.id == 1.into()).unwrap().associations["companies"];
    assert_eq!((companies.results[0].types.len(), &companies.results[0].kind), (1, &None));
    let companies = &objects.iter().find(|it| it.id == 3.into()).unwrap().associations["companies"];
    assert_eq!(companies.results[0].kind.as_deref(), Some("deal_to_company"));
}

#[tokio::test]
async fn an_object_whose_associations_cannot_be_read_fails_alone() {
    let more = json!({"companies": first_page(&[11], true)});
    let list = json!({"results": [object(1, &more), object(2, &more), object(3, &json!({}))]});
    let script = Script::new([answer(200, &list), page("!1 2:21")]);
    let items = deals(script.transport(), 100).into_records().collect::<Vec<_>>().await;
    assert_eq!(items.iter().map(told).collect::<Vec<_>>(), ["3: ", "2: 21", "Rejected: 1"]);
}

#[tokio::test]
async fn an_object_that_is_listed_twice_while_it_waits_is_asked_for_once() {
    let more = json!({"companies": first_page(&[11], true)});
    let list = json!({"results": [object(1, &more), object(1, &more), object(2, &more)]});
    let script = Script::new([answer(200, &list), page("1:11,12 2:21")]);
    let items = deals(script.transport(), 100).into_records().collect::<Vec<_>>().await;
    assert_eq!(items.iter().map(told).collect::<Vec<_>>(), ["1: 11 12", "2: 21"]);
}

#[tokio::test]
async fn the_token_of_a_completion_is_shown_nowhere() {
    let more = json!({"companies": first_page(&[11], true)});
    let list = json!({"results": [object(1, &more)]});
    let echo = json!({"status": "error", "message": format!("{TOKEN} has expired")});
    let script = Script::new([answer(200, &list), answer(401, &echo)]);
    let deals = deals(script.transport(), 100);
    let error = drain(deals.records()).await.error();
    assert!(error.to_string().contains("has expired"), "{error}");
    let shown = format!("{deals:?} {}", shown(&error));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn objects_with_all_associations_keep_the_contract() {
    let service = HubSpot::new(3).objects(9).page_size(60).pages(|index| index % 3);
    let build = || deals(service.clone(), 4);
    let all = build().into_records().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(all.len(), 9);
    let check = Conformance::new(all).any_order().positions(9).check(build).await;
    check.unwrap_or_else(|violation| panic!("{violation}"));
}
