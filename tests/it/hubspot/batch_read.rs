//! Objects that are read by their ids, or by a unique property.

use futures::{StreamExt, TryStreamExt};
use http::Method;
use pagestream::{
    Error, ErrorKind, PaginatorExt, Transport,
    hubspot::{BatchRead, BatchReadBuilder, Object},
    testing::{Fault, Faults, HubSpot, conformance::Conformance},
};
use serde_json::{Value, json};

use super::{TOKEN, answer, envelope, shown};
use crate::support::{Answer, Script, in_virtual_time, sorted, stored};

fn deals(
    ids: impl IntoIterator<Item = u64>,
    transport: impl Transport + 'static,
) -> BatchReadBuilder {
    BatchRead::builder("deals").ids(ids).token(TOKEN).transport(transport)
}

fn object(id: u64, email: &str) -> Value {
    json!({"id": id.to_string(), "properties": {"email": email},
        "createdAt": "2024-09-12T11:36:05.267Z", "updatedAt": "2024-09-12T11:36:22.982Z",
        "archived": false})
}

fn missing(ids: &[&str]) -> Value {
    json!({"status": "error", "category": "OBJECT_NOT_FOUND",
        "message": "Could not get some DEAL objects, they may be deleted or not exist. Check that \
            ids are valid.",
        "context": {"ids": ids}})
}

fn page(ids: &[u64], gone: &[&str]) -> Answer {
    let objects = ids.iter().map(|id| object(*id, "")).collect::<Vec<_>>();
    let errors = if gone.is_empty() { vec![] } else { vec![missing(gone)] };
    envelope(&objects, &errors)
}

fn told(items: &[Result<Object, Error>]) -> Vec<String> {
    let told = items.iter().map(|item| match item {
        Ok(object) => object.id.to_string(),
        Err(error) => {
            let fatal = if error.is_partial() { "" } else { "fatal " };
            format!("{fatal}{:?}: {}", error.kind(), error.ids().join(", "))
        }
    });
    told.collect()
}

async fn read(builder: BatchReadBuilder) -> Vec<String> {
    told(&builder.build().unwrap().records().collect::<Vec<_>>().await)
}

#[tokio::test]
async fn a_batch_has_100_inputs_and_all_that_the_schema_requires() {
    let service = HubSpot::new(7).objects(250);
    let all = deals(service.ids(), service.clone()).properties(["amount"]);
    let expected = service.ids().map(|id| id.to_string()).collect::<Vec<_>>();
    assert_eq!(read(all).await, expected, "in the order of the inputs");
    let log = service.log();
    let bodies = log.iter().map(|it| serde_json::from_slice::<Value>(&it.body).unwrap());
    let bodies = bodies.collect::<Vec<_>>();
    let sizes = bodies.iter().map(|body| body["inputs"].as_array().unwrap().len());
    assert_eq!(sizes.collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(bodies[0]["inputs"][0], json!({"id": expected[0]}));
    assert_eq!(bodies[0]["properties"], json!(["amount"]));
    assert_eq!(bodies[0]["propertiesWithHistory"], json!([]));
    assert_eq!(bodies[0].get("idProperty"), None);
    assert_eq!(
        (&log[0].method, &*log[0].path),
        (&Method::POST, "/crm/objects/2026-03/deals/batch/read")
    );
}

#[tokio::test]
async fn archived_objects_and_histories_are_read_by_choice() {
    let service = HubSpot::new(7).objects(60);
    service.ids().for_each(|id| assert!(service.archive_object(id)));
    let deals = deals(service.ids(), service.clone()).archived(true);
    let deals = deals.properties_with_history(["dealname"]).build::<Object>().unwrap();
    let found = deals.records().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!((found.len(), service.requests()), (60, 2));
    assert!(found.iter().all(|it| it.archived && it.properties_with_history.len() == 1));
}

#[tokio::test]
async fn objects_that_do_not_exist_are_errors_that_name_them() {
    for (status, ids) in [(207, [1, 2, 3, 4]), (200, [1, 2, 3, 4])] {
        let (_, body) = page(&[3, 1], &["2", "4"]);
        let script = Script::new([(status, body)]);
        let items = read(deals(ids, script.transport())).await;
        assert_eq!(items, ["1", "3", "Rejected: 2", "Rejected: 4"]);
    }
    let script = Script::new([page(&[], &["1"])]);
    assert_eq!(read(deals([1], script.transport())).await, ["Rejected: 1"]);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_the_inputs_is_an_error() {
    let of = |answer| read(deals([1, 2], Script::new([answer]).transport()));
    assert_eq!(of(page(&[1], &[])).await, ["1", "Contradiction: 2"]);
    assert_eq!(of(page(&[1, 2, 1], &[])).await, ["2", "Contradiction: 1"]);
    assert_eq!(of(page(&[1, 2, 9], &[])).await, ["1", "2", "Contradiction: 9"]);
    assert_eq!(of(page(&[1], &["2", "9"])).await, ["1", "Rejected: 2"]);
    let entry = envelope(&[object(1, "")], &[json!({"category": "INTERNAL"})]);
    assert_eq!(of(entry).await, ["1", "Rejected: ", "Contradiction: 2"]);
}

#[tokio::test]
async fn an_object_that_does_not_fit_its_type_fails_alone() {
    let mut bad = object(2, "");
    bad["properties"] = json!(7);
    let answer = envelope(&[object(1, ""), bad, json!({}), object(3, "")], &[]);
    let items = read(deals([1, 2, 3], Script::new([answer]).transport())).await;
    assert_eq!(items, ["1", "3", "Decode: ", "Decode: 2"]);
}

#[tokio::test]
async fn objects_are_read_by_a_unique_property_whatever_its_case() {
    let objects = [object(3, "grace@example.com"), object(9, "ada@example.com")];
    let script = Script::new([envelope(&objects, &[missing(&["nobody@example.com"])])]);
    let values = ["Ada@Example.com", "nobody@example.com", "grace@example.com"];
    let contacts = BatchRead::builder("contacts").by_property("email", values).token(TOKEN);
    let items = read(contacts.transport(script.transport())).await;
    assert_eq!(items, ["9", "3", "Rejected: nobody@example.com"]);
    let body = &script.bodies()[0];
    assert_eq!((&body["idProperty"], &body["properties"]), (&json!("email"), &json!(["email"])));
    assert_eq!(body["inputs"][0], json!({"id": "Ada@Example.com"}));
}

#[tokio::test]
async fn an_object_that_was_found_by_another_value_is_not_lost() {
    let objects = [object(9, "ada@example.com"), object(3, "grace@example.com")];
    let script = Script::new([envelope(&objects, &[])]);
    let values = ["ada@example.com", "grace@home.example"];
    let contacts = BatchRead::builder("contacts").by_property("email", values).token(TOKEN);
    assert_eq!(read(contacts.transport(script.transport())).await, ["9", "3"]);
}

#[tokio::test]
async fn an_id_because_of_which_a_batch_is_refused_fails_alone() {
    let service = HubSpot::new(7).objects(30);
    let good = service.ids().map(|id| id.to_string()).collect::<Vec<_>>();
    let mut all = good.clone();
    all.insert(11, "not-an-id".to_owned());
    let deals = BatchRead::builder("deals").ids(all).token(TOKEN).transport(service);
    let items = read(deals).await;
    assert_eq!(items.iter().filter(|item| **item == "Status: not-an-id").count(), 1);
    let found = items.into_iter().filter(|item| !item.starts_with("Status")).collect();
    assert_eq!(sorted(found), sorted(good));
}

#[test]
fn a_batch_that_is_too_large_or_stops_a_gateway_is_asked_for_in_halves() {
    for status in [413, 502] {
        in_virtual_time(async {
            let service = HubSpot::new(7).objects(40);
            let is_large = |request: &http::Request<bytes::Bytes>| {
                let body = serde_json::from_slice::<Value>(request.body()).unwrap();
                body["inputs"].as_array().unwrap().len() > 10
            };
            let faults = Faults::script([]).when(is_large, Fault::status(status));
            let items = read(deals(service.ids(), faults.on(service.clone()))).await;
            assert_eq!(items, service.ids().map(|id| id.to_string()).collect::<Vec<_>>());
        });
    }
}

#[tokio::test]
async fn a_reading_cut_at_each_item_gives_all_once() {
    let service = HubSpot::new(7).objects(23).failing(|index| index % 5 == 3);
    let build = || deals(service.ids(), service.clone()).batch_size(6).build::<Object>().unwrap();
    let uncut = told(&build().records().collect::<Vec<_>>().await);
    assert_eq!(uncut.iter().filter(|item| item.starts_with("Rejected")).count(), 4);
    for cut in 0..=uncut.len() {
        let first = build();
        let mut stream = first.records();
        let before = stream.by_ref().take(cut).collect::<Vec<_>>().await;
        let rest = build().into_read().resume(stored(&stream.checkpoint().unwrap())).records();
        let items = [told(&before), told(&rest.collect::<Vec<_>>().await)].concat();
        assert_eq!(sorted(items), sorted(uncut.clone()), "cut at {cut}");
    }
}

#[test]
fn a_batch_read_that_cannot_work_does_not_build() {
    let kind = |deals: BatchReadBuilder| deals.build::<Object>().unwrap_err().kind();
    let service = || HubSpot::new(1);
    for size in [0, 101] {
        assert_eq!(kind(deals([1], service()).batch_size(size)), ErrorKind::Configuration);
    }
    let history = deals([1], service()).properties_with_history(["amount"]).batch_size(51);
    assert_eq!(kind(history), ErrorKind::Configuration);
    assert_eq!(kind(deals([1], service()).by_property("email", ["a"])), ErrorKind::Configuration);
    assert_eq!(kind(deals([], service()).by_property("email", [""])), ErrorKind::Configuration);
    assert_eq!(kind(deals([], service()).ids([""])), ErrorKind::Configuration);
    let no_type = BatchRead::builder("..").token(TOKEN).transport(service());
    assert_eq!(kind(no_type), ErrorKind::Configuration);
    let no_token = BatchRead::builder("deals").transport(service());
    assert_eq!(kind(no_token), ErrorKind::Configuration);
}

#[tokio::test]
async fn without_inputs_there_is_no_request() {
    let service = HubSpot::new(1);
    assert!(read(deals([], service.clone())).await.is_empty());
    assert_eq!(service.requests(), 0);
}

#[tokio::test]
async fn the_token_of_a_batch_read_is_shown_nowhere() {
    let mut entry = missing(&["1", TOKEN]);
    entry["message"] = json!(format!("{TOKEN} has no access"));
    let mut other = object(9, "");
    other["id"] = json!(TOKEN);
    let bad = json!({"id": "2", "properties": {"a": {TOKEN: TOKEN}}});
    let answers = [
        envelope(&[other, bad], &[entry]),
        answer(200, &json!({"results": TOKEN})),
        answer(401, &json!({"status": "error", "message": TOKEN})),
    ];
    for answer in answers {
        let builder = deals([1, 2], Script::new([answer]).transport());
        let deals = builder.clone().build::<Object>().unwrap();
        let mut stream = deals.records();
        let items = stream.by_ref().collect::<Vec<_>>().await;
        assert!(!items.is_empty());
        for error in items.into_iter().filter_map(Result::err) {
            assert!(!shown(&error).contains(TOKEN), "{}", shown(&error));
        }
        let shown = format!("{builder:?} {deals:?} {:?}", stream.monitor().failed_ids());
        assert!(!shown.contains(TOKEN), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_read_keeps_the_contract() {
    let service = HubSpot::new(3).objects(33).failing(|index| index == 8);
    let build = || deals(service.ids(), service.clone()).batch_size(10).build::<Object>().unwrap();
    let items = build().into_records().collect::<Vec<_>>().await;
    let all = items.into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(all.len(), 32);
    let check = Conformance::new(all).any_order().positions(40).check(build).await;
    check.unwrap_or_else(|violation| panic!("{violation}"));
}
