//! The search, which HubSpot ends at 10,000 results and a reading does not.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use pagestream::{
    ErrorKind, PaginatorExt, Transport,
    hubspot::{Filter, Object, Search, SearchBuilder},
    testing::{HubSpot, conformance::Conformance},
};
use serde_json::{Value, json};

use super::{TOKEN, answer, shown};
use crate::support::{Answer, Script, drain, in_virtual_time, stored, whole};

fn search(transport: impl Transport + 'static) -> SearchBuilder {
    Search::builder("deals").token(TOKEN).transport(transport)
}

/// An object by its id, and its amount.
fn object(id: u64, amount: Option<&str>) -> Value {
    json!({"id": id.to_string(), "properties": {"amount": amount},
        "createdAt": "2024-09-12T11:36:05.267Z", "updatedAt": "2024-09-12T11:36:22.982Z",
        "archived": false})
}

/// A page of objects; `more` is its `paging`.
fn page(objects: &[Value], more: bool) -> Answer {
    let mut body = json!({"total": 1_290, "results": objects});
    if more {
        body["paging"] = json!({"next": {"after": "200"}});
    }
    answer(200, &body)
}

fn id(object: &Object) -> u64 {
    object.id.to_string().parse().unwrap()
}

fn ids(objects: &[Object]) -> Vec<u64> {
    objects.iter().map(id).collect()
}

async fn read(builder: SearchBuilder) -> Vec<Object> {
    drain(builder.build().unwrap().records()).await.whole()
}

/// The filters of each group, and the sort, of each request.
fn asked(script: &Script) -> Vec<String> {
    let filter = |filter: &Value| {
        let value = filter["value"].as_str().unwrap_or_default();
        let text = [&filter["propertyName"], &filter["operator"]].map(|it| it.as_str().unwrap());
        format!("{} {value}", text.join(" ")).trim_end().to_owned()
    };
    let bodies = script.bodies().into_iter().map(|body| {
        assert_eq!(body.get("after"), None, "an offset would be shifted");
        let groups = body["filterGroups"].as_array().unwrap().iter().map(|group| {
            let filters = group["filters"].as_array().unwrap().iter().map(filter);
            filters.collect::<Vec<_>>().join(" and ")
        });
        let groups = groups.collect::<Vec<_>>().join(" or ");
        let [sort] = &body["sorts"].as_array().unwrap()[..] else { panic!("one sort") };
        let sort = [&sort["propertyName"], &sort["direction"]].map(|it| it.as_str().unwrap());
        format!("{groups}; {}", sort.join(" "))
    });
    bodies.collect()
}

#[tokio::test]
async fn each_page_is_a_search_above_the_last_id() {
    let pages = [
        page(&[object(7, None), object(99, None)], true),
        page(&[object(100, None)], true),
        page(&[object(9_007_199_254_740_993, None)], false),
    ];
    let script = Script::new(pages);
    let found = read(search(script.transport())).await;
    assert_eq!(ids(&found), [7, 99, 100, 9_007_199_254_740_993]);
    let by_id = "hs_object_id ASCENDING";
    let expected = [
        format!("; {by_id}"),
        format!("hs_object_id GT 99; {by_id}"),
        format!("hs_object_id GT 100; {by_id}"),
    ];
    assert_eq!(asked(&script), expected);
    let first = &script.bodies()[0];
    assert_eq!((&first["limit"], &first["properties"]), (&json!(200), &json!([])));
    assert_eq!(script.requests()[0].uri().path(), "/crm/objects/2026-03/deals/search");
}

#[tokio::test]
async fn the_bound_is_added_to_each_group_of_filters() {
    let script = Script::new([page(&[object(7, None)], true), page(&[], false)]);
    let builder = search(script.transport())
        .any_group([Filter::at_least("amount", 3), Filter::has("dealname")])
        .any_group([Filter::equals("dealstage", "won")])
        .query("Ada")
        .properties(["amount"])
        .limit(50);
    read(builder).await;
    let second = "amount GTE 3 and dealname HAS_PROPERTY and hs_object_id GT 7 \
                  or dealstage EQ won and hs_object_id GT 7; hs_object_id ASCENDING";
    assert_eq!(asked(&script)[1], second);
    let body = &script.bodies()[1];
    assert_eq!(
        (&body["query"], &body["properties"], &body["limit"]),
        (&json!("Ada"), &json!(["amount"]), &json!(50))
    );
}

#[test]
fn a_filter_is_written_as_hubspot_has_it() {
    let written = |filter: Filter| serde_json::to_value(filter).unwrap();
    assert_eq!(
        written(Filter::between("amount", 1, 9)),
        json!({"propertyName": "amount", "operator": "BETWEEN", "value": "1", "highValue": "9"})
    );
    assert_eq!(
        written(Filter::is_not_in("dealstage", ["won", "lost"])),
        json!({"propertyName": "dealstage", "operator": "NOT_IN", "values": ["won", "lost"]})
    );
    assert_eq!(
        written(Filter::has_not("amount")),
        json!({"propertyName": "amount", "operator": "NOT_HAS_PROPERTY"})
    );
}

#[tokio::test]
async fn a_sort_goes_on_at_the_last_key_and_leaves_out_what_came() {
    let pages = [
        page(&[object(9, Some("1")), object(5, Some("2")), object(3, Some("2"))], true),
        page(&[object(3, Some("2")), object(4, Some("2")), object(6, Some("10"))], false),
        page(&[object(8, None)], false),
    ];
    let script = Script::new(pages);
    assert_eq!(ids(&read(search(script.transport()).sort("amount")).await), [9, 5, 3, 4, 6, 8]);
    let expected = [
        "amount HAS_PROPERTY; amount ASCENDING",
        "amount GTE 2; amount ASCENDING",
        "amount NOT_HAS_PROPERTY; hs_object_id ASCENDING",
    ];
    assert_eq!(asked(&script), expected);
    assert_eq!(script.bodies()[0]["properties"], json!(["amount"]));
}

#[tokio::test]
async fn a_page_of_one_key_is_read_on_by_id_and_then_behind_that_key() {
    let two = |id| object(id, Some("2"));
    let pages = [
        page(&[object(1, Some("5")), two(7), two(5)], true),
        page(&[two(7), two(3), two(4)], true),
        page(&[two(3), two(4), two(5)], true),
        page(&[two(6), two(7)], false),
        page(&[object(2, Some("1.5"))], false),
        page(&[], false),
    ];
    let script = Script::new(pages);
    let found = read(search(script.transport()).sort_descending("amount")).await;
    assert_eq!(ids(&found), [1, 7, 5, 3, 4, 6, 2]);
    let expected = [
        "amount HAS_PROPERTY; amount DESCENDING",
        "amount LTE 2; amount DESCENDING",
        "amount EQ 2; hs_object_id ASCENDING",
        "amount EQ 2 and hs_object_id GT 5; hs_object_id ASCENDING",
        "amount LT 2; amount DESCENDING",
        "amount NOT_HAS_PROPERTY; hs_object_id ASCENDING",
    ];
    assert_eq!(asked(&script), expected);
}

#[tokio::test]
async fn a_time_is_compared_as_one_and_sent_in_milliseconds() {
    let time = |id, time| object(id, Some(time));
    let first = [time(1, "2024-09-12T11:36:05Z"), time(2, "2024-09-12T11:36:05.267Z")];
    let script = Script::new([page(&first, true), page(&[], false), page(&[], false)]);
    read(search(script.transport()).sort("amount")).await;
    assert_eq!(asked(&script)[1], "amount GTE 1726140965267; amount ASCENDING");
}

#[tokio::test]
async fn objects_in_another_order_are_an_error_and_lose_nothing_in_silence() {
    let unsorted = [object(100, Some("7")), object(99, Some("3"))];
    let text = [object(1, Some("a"))];
    let none = [object(1, None)];
    for (sort, objects) in [(false, &unsorted[..]), (true, &unsorted), (true, &text), (true, &none)]
    {
        let script = Script::new([page(objects, true)]);
        let search = search(script.transport());
        let search = if sort { search.sort("amount") } else { search };
        let error = drain(search.build::<Object>().unwrap().records()).await.error();
        assert_eq!(error.kind(), ErrorKind::Contradiction, "{error}");
    }
    // The same page again.
    let pages = [page(&[object(7, None)], true), page(&[object(7, None)], true)];
    let found = search(Script::new(pages).transport()).build::<Object>().unwrap();
    assert!(drain(found.records()).await.error().to_string().contains("not sorted"));
    // A page without objects, and more of them.
    let found = search(Script::new([page(&[], true)]).transport()).build::<Object>().unwrap();
    assert_eq!(drain(found.records()).await.error().kind(), ErrorKind::Contradiction);
}

/// Reads all, while objects that the reading has come to and others are changed, archived and
/// created. Each object that was there throughout came once.
async fn assert_exact_while_objects_change(service: &HubSpot, builder: SearchBuilder) {
    let before = service.ids().collect::<Vec<_>>();
    let mut archived = Vec::new();
    let found = builder.build::<Object>().unwrap();
    let mut stream = found.records();
    let mut times = BTreeMap::<u64, u32>::new();
    let mut count = 0;
    while let Some(object) = stream.try_next().await.unwrap() {
        *times.entry(id(&object)).or_default() += 1;
        count += 1;
        if count % 150 == 0 {
            let at = count * 7 % before.len();
            // What was just read, and one anywhere.
            for id in [id(&object), before[at]] {
                if service.archive_object(id) {
                    archived.push(id);
                }
            }
            service.update_object(before[at / 2], "dealname", "changed");
            service.create_object([("amount", "1".to_owned())]);
            service.create_object([("amount", "1000000".to_owned())]);
        }
    }
    assert!(times.values().all(|times| *times == 1));
    for id in before.iter().filter(|id| !archived.contains(id)) {
        assert!(times.contains_key(id), "{id} was lost");
    }
}

#[tokio::test]
async fn a_search_over_25000_objects_is_exact_while_they_change() {
    let service = HubSpot::new(7).objects(25_000);
    assert_exact_while_objects_change(&service, search(service.clone())).await;
    assert!(service.requests() < 135, "{} requests", service.requests());
}

#[tokio::test]
async fn a_search_by_a_key_that_500_objects_share_is_exact_while_they_change() {
    for descends in [false, true] {
        let amount = |index: usize| [("amount", (index / 500).to_string())];
        let service = HubSpot::new(7).objects(11_000).properties(amount);
        let sorted = search(service.clone());
        let sorted =
            if descends { sorted.sort_descending("amount") } else { sorted.sort("amount") };
        assert_exact_while_objects_change(&service, sorted).await;
    }
}

#[tokio::test]
async fn an_offset_beyond_10000_is_refused_and_no_reading_asks_for_it() {
    let service = HubSpot::new(7).objects(10_450);
    let found = read(search(service.clone())).await;
    assert_eq!(found.len(), 10_450);
    let bodies = service.log().into_iter().map(|it| it.body);
    let bodies = bodies.map(|body| serde_json::from_slice::<Value>(&body).unwrap());
    assert!(bodies.into_iter().all(|body| body.get("after").is_none()));
}

#[tokio::test]
async fn the_total_is_that_of_the_whole_search() {
    let service = HubSpot::new(7).objects(450);
    let found = search(service).build::<Object>().unwrap();
    let outcome = drain(found.records()).await;
    assert_eq!(outcome.progress().total, Some(450));
}

#[tokio::test]
async fn a_later_search_gets_what_was_created_since() {
    let service = HubSpot::new(7).objects(250);
    let found = search(service.clone()).build::<Object>().unwrap();
    let mut stream = found.records();
    while stream.try_next().await.unwrap().is_some() {}
    let later = stream.checkpoint().unwrap().later().unwrap();
    let new = [(); 3].map(|()| service.create_object([]));
    let since = found.read().resume(stored(&later)).records();
    assert_eq!(ids(&drain(since).await.whole()), new);
}

#[test]
fn five_searches_in_a_second_are_a_budget_that_is_kept() {
    in_virtual_time(async {
        let service = HubSpot::new(7).objects(200).limit_searches();
        let limiter = pagestream::hubspot::RateBudget::Search.limiter();
        let kept = search(limiter.limit(service.clone())).limit(10).build::<Object>().unwrap();
        assert_eq!(whole(kept.read()).await.records.len(), 200);
        assert_eq!(service.requests(), 20, "none is refused");

        let waits = search(service.clone()).limit(10).build::<Object>().unwrap();
        assert_eq!(whole(waits.read()).await.records.len(), 200);
        assert!(service.requests() > 40, "some are");
    });
}

#[test]
fn a_search_that_cannot_work_does_not_build() {
    let kind = |search: SearchBuilder| search.build::<Object>().unwrap_err().kind();
    let service = || HubSpot::new(1);
    for limit in [0, 201] {
        assert_eq!(kind(search(service()).limit(limit)), ErrorKind::Configuration);
    }
    assert_eq!(kind(search(service()).any_group([])), ErrorKind::Configuration);
    let no_type = Search::builder("").token(TOKEN).transport(service());
    assert_eq!(kind(no_type), ErrorKind::Configuration);
    let no_token = Search::builder("deals").transport(service());
    assert_eq!(kind(no_token), ErrorKind::Configuration);
}

#[tokio::test]
async fn the_token_of_a_search_is_shown_nowhere() {
    let message = format!("The filter {TOKEN} is wrong");
    let echo = json!({"status": "error", "message": message, "category": "VALIDATION_ERROR"});
    let builder = search(Script::new([answer(400, &echo)]).transport());
    let found = builder.clone().build::<Object>().unwrap();
    let error = drain(found.records()).await.error();
    assert_eq!(error.service_error().category.as_deref(), Some("VALIDATION_ERROR"));
    let shown = format!("{builder:?} {found:?} {}", shown(&error));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn searches_keep_the_contract() {
    let amount = |index: usize| {
        let some = (!index.is_multiple_of(5)).then(|| ("amount", (index / 8).to_string()));
        some.into_iter()
    };
    let service = HubSpot::new(3).objects(22).properties(amount);
    for sort in [None, Some("amount")] {
        let build = || {
            let search = search(service.clone()).limit(4);
            let search = if let Some(sort) = sort { search.sort(sort) } else { search };
            search.build::<Object>().unwrap()
        };
        let all = build().records().try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(all.len(), 22);
        let check = Conformance::new(all).positions(20).check(build).await;
        check.unwrap_or_else(|violation| panic!("{violation}"));
    }
}
