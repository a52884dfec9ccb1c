//! The list of all objects of a type.

use futures::{StreamExt, TryStreamExt};
use http::Method;
use pagestream::{
    ErrorKind, PaginatorExt, Transport,
    hubspot::{Object, ObjectId, Objects, ObjectsBuilder},
    testing::{HubSpot, conformance::Conformance},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{TOKEN, answer, shown};
use crate::support::{Answer, Script, drain, in_virtual_time, stored};

fn list(transport: impl Transport + 'static) -> ObjectsBuilder {
    Objects::builder("deals").token(TOKEN).transport(transport)
}

/// An object of a page.
fn object(id: u64) -> Value {
    json!({"id": id.to_string(), "properties": {"amount": "7", "dealname": null},
        "createdAt": "2024-09-12T11:36:05.267Z", "updatedAt": "2024-09-12T11:36:22.982Z",
        "archived": false})
}

fn page(ids: impl IntoIterator<Item = u64>, paging: &Value) -> Answer {
    let results = ids.into_iter().map(object).collect::<Vec<_>>();
    answer(200, &json!({"results": results, "paging": paging}))
}

fn ids(objects: &[Object]) -> Vec<String> {
    objects.iter().map(|object| object.id.to_string()).collect()
}

async fn uri_of(builder: impl FnOnce(ObjectsBuilder) -> ObjectsBuilder) -> String {
    let script = Script::new([page([1], &Value::Null)]);
    let objects = builder(list(script.transport())).build::<Object>().unwrap();
    drain(objects.records()).await.whole();
    let request = script.request();
    assert_eq!((request.method(), request.body().len()), (&Method::GET, 0));
    request.uri().path_and_query().unwrap().to_string()
}

#[tokio::test]
async fn a_list_asks_for_100_objects_and_for_what_it_is_told() {
    let path = "/crm/objects/2026-03/deals";
    assert_eq!(uri_of(|list| list).await, format!("{path}?limit=100"));
    let all = |list: ObjectsBuilder| {
        let list = list.properties(["amount", "dealname"]).properties_with_history(["dealstage"]);
        list.associations(["companies", "0-1"]).archived(true)
    };
    let query = "properties=amount%2Cdealname&propertiesWithHistory=dealstage&\
                 associations=companies%2C0-1&archived=true&limit=50";
    assert_eq!(uri_of(all).await, format!("{path}?{query}"));
}

#[tokio::test]
async fn a_list_goes_on_at_its_after_byte_for_byte() {
    let paging = json!({"next": {"after": "NTI1Cg%3D%3D", "link": "https://elsewhere.example"}});
    let script = Script::new([page([1, 2], &paging), page([3], &Value::Null)]);
    let objects = list(script.transport()).build::<Object>().unwrap();
    assert_eq!(ids(&drain(objects.records()).await.whole()), ["1", "2", "3"]);
    let query = script.all_requests()[1].uri().query().unwrap().to_owned();
    assert_eq!(query, "limit=100&after=NTI1Cg%253D%253D");
}

#[tokio::test]
async fn a_link_without_a_cursor_is_an_error_and_no_end() {
    let script = Script::new([page([1], &json!({"next": {"link": "https://elsewhere.example"}}))]);
    let error = drain(list(script.transport()).build::<Object>().unwrap().records()).await.error();
    assert_eq!(error.kind(), ErrorKind::Contradiction);
    for end in [json!({}), json!({"next": null}), json!({"next": {"after": ""}})] {
        let script = Script::new([page([1], &end)]);
        drain(list(script.transport()).build::<Object>().unwrap().records()).await.whole();
    }
}

#[tokio::test]
async fn the_same_page_again_is_an_error() {
    let pages = ["a", "b"].map(|after| page([1, 2], &json!({"next": {"after": after}})));
    let objects = list(Script::new(pages).transport()).build::<Object>().unwrap();
    let outcome = drain(objects.records()).await;
    assert_eq!((outcome.records.len(), outcome.error().kind()), (2, ErrorKind::Loop));
}

#[tokio::test]
async fn an_object_has_all_that_the_service_says_of_it() {
    let body = json!({"results": [{
        "id": 9_007_199_254_740_993_u64,
        "properties": {"amount": "7", "dealname": null},
        "propertiesWithHistory": {"amount": [{"value": "7", "timestamp": "2024-09-12T11:36:05.267Z",
            "sourceType": "CRM_UI", "sourceId": "userId:1", "updatedByUserId": 1}]},
        "createdAt": "2024-09-12T11:36:05.267Z", "updatedAt": "2024-09-12T11:36:22.982Z",
        "archived": true, "archivedAt": "2024-09-13T00:00:00Z", "url": "https://app.example/7",
        "associations": {
            "companies": {"results": [{"id": "11", "type": "deal_to_company"}],
                "paging": {"next": {"after": "12", "link": "https://elsewhere.example"}}},
            "contacts": {"results": [], "paging": null},
        },
    }]});
    let script = Script::json([body]);
    let objects = list(script.transport()).build::<Object>().unwrap();
    let object = drain(objects.records()).await.whole().remove(0);
    assert_eq!(object.id, ObjectId::from(9_007_199_254_740_993));
    assert_eq!(object.properties["amount"].as_deref(), Some("7"));
    assert_eq!(object.properties["dealname"], None);
    assert_eq!(object.properties_with_history["amount"][0].value.as_deref(), Some("7"));
    assert!(object.archived && object.archived_at.is_some());
    let companies = &object.associations["companies"];
    assert_eq!(
        (companies.results[0].kind.as_deref(), companies.has_more()),
        (Some("deal_to_company"), true)
    );
    assert!(!object.associations["contacts"].has_more());
    let json = serde_json::to_string(&object).unwrap();
    assert_eq!(serde_json::from_str::<Object>(&json).unwrap(), object);
}

#[tokio::test]
async fn an_object_that_does_not_fit_its_type_fails_alone() {
    #[derive(Deserialize)]
    struct Deal {
        properties: Amount,
    }
    #[derive(Deserialize)]
    struct Amount {
        amount: String,
    }
    let mut bad = object(2);
    bad["properties"]["amount"] = Value::Null;
    let script = Script::json([json!({"results": [object(1), bad, object(3)]})]);
    let deals = list(script.transport()).build::<Deal>().unwrap();
    let items = deals.records().collect::<Vec<_>>().await;
    let amounts = items.iter().flatten().map(|deal| &*deal.properties.amount);
    assert_eq!(amounts.collect::<Vec<_>>(), ["7", "7"]);
    let error = items.into_iter().find_map(Result::err).unwrap();
    assert!(
        error.is_partial() && error.to_string().contains("record at index 1 of the page"),
        "{error}"
    );
}

#[test]
fn a_list_that_cannot_work_does_not_build() {
    let kind = |list: ObjectsBuilder| list.build::<Object>().unwrap_err().kind();
    let service = || HubSpot::new(1);
    for limit in [0, 101] {
        assert_eq!(kind(list(service()).limit(limit)), ErrorKind::Configuration);
    }
    let with_history = list(service()).properties_with_history(["amount"]).limit(51);
    assert_eq!(kind(with_history), ErrorKind::Configuration);
    let no_type = Objects::builder("deals/1").token(TOKEN).transport(service());
    assert_eq!(kind(no_type), ErrorKind::Configuration);
    let no_token = Objects::builder("deals").transport(service());
    assert_eq!(kind(no_token), ErrorKind::Configuration);
}

#[tokio::test]
async fn the_token_of_a_list_is_shown_nowhere() {
    let echo = json!({"status": "error", "message": format!("{TOKEN} has expired"),
        "category": "EXPIRED_AUTHENTICATION"});
    let builder = list(Script::new([answer(401, &echo)]).transport());
    let objects = builder.clone().build::<Object>().unwrap();
    let error = drain(objects.records()).await.error();
    assert_eq!(error.service_error().category.as_deref(), Some("EXPIRED_AUTHENTICATION"));
    let shown = format!("{builder:?} {objects:?} {}", shown(&error));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn all_objects_come_once_and_the_archived_ones_by_choice() {
    let service = HubSpot::new(7).objects(250);
    let archived = service.ids().step_by(10).collect::<Vec<_>>();
    assert!(archived.iter().all(|id| service.archive_object(*id)));
    let read = |archived| {
        let objects = list(service.clone()).archived(archived).build::<Object>().unwrap();
        async move { ids(&objects.records().try_collect::<Vec<_>>().await.unwrap()) }
    };
    let mut expected = service.ids().collect::<Vec<_>>();
    expected.sort_unstable();
    let is_archived = |id: &&u64| archived.contains(id);
    let (gone, left) = expected.iter().partition::<Vec<&u64>, _>(is_archived);
    assert_eq!(read(false).await, left.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(read(true).await, gone.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[test]
fn objects_that_come_and_go_meanwhile_shift_no_other() {
    in_virtual_time(async {
        let service = HubSpot::new(7).objects(300);
        let mut before = service.ids().collect::<Vec<_>>();
        before.sort_unstable();
        let objects = list(service.clone()).limit(20).build::<Object>().unwrap();
        let (mut found, mut gone) = (Vec::new(), Vec::new());
        let mut stream = objects.records();
        let mut checkpoint = stream.checkpoint().unwrap();
        for step in 0.. {
            // One that was read and one that was not are archived, and a new one comes.
            for id in [before.get(step), before.get(before.len() - 1 - step)] {
                gone.extend(id.filter(|id| service.archive_object(**id)));
            }
            service.create_object([]);
            stream = objects.read().resume(stored(&checkpoint)).records();
            let some = stream.by_ref().take(33).try_collect::<Vec<_>>().await.unwrap();
            if some.is_empty() {
                break;
            }
            found.extend(some);
            checkpoint = stream.checkpoint().unwrap();
        }
        let found = ids(&found);
        for id in before.iter().filter(|id| !gone.contains(id)) {
            assert_eq!(found.iter().filter(|it| **it == id.to_string()).count(), 1, "{id}");
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_list_of_objects_keeps_the_contract() {
    let service = HubSpot::new(3).objects(35);
    let build = || list(service.clone()).limit(10).build::<Object>().unwrap();
    let all = build().records().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(all.len(), 35);
    let check = Conformance::new(all).check(build).await;
    check.unwrap_or_else(|violation| panic!("{violation}"));
}
