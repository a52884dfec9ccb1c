//! What a result becomes.

use futures::{StreamExt, TryStreamExt};
use pagestream::PaginatorExt;
use serde_json::{Value, json};

use super::{answer, envelope, flat, no_associations, page, read, rejected, row, told};
use crate::support::Script;

#[tokio::test]
async fn a_record_is_an_association_with_its_types() {
    let script = Script::new([(200, fixture!("hubspot/batch_200").into()), page("515690208449:")]);
    let associations = script.deals([515_690_208_449, 515_690_208_450]);
    let records = associations.records().try_collect::<Vec<_>>().await.unwrap();
    let unlabelled = json!({"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null});
    let primary = json!({"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"});
    let expected = json!([
        {"from": "515690208449", "to": "442222359747", "types": [unlabelled, primary]},
        {"from": "515690208449", "to": "442488735948", "types": [unlabelled]},
        {"from": "515690208450", "to": "442222359747", "types": [unlabelled]},
    ]);
    assert_eq!(serde_json::to_value(records).unwrap(), expected);
}

#[tokio::test]
async fn results_are_joined_on_from_id_whatever_their_order() {
    let (items, asked) = flat([1, 2, 3], &["3:31>c 1:11 2:21>b", "3:32 2:22"]).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "3 -> 31", "2 -> 22", "3 -> 32"]);
    assert_eq!(asked, ["1 2 3", "2@b 3@c"]);
}

#[tokio::test]
async fn records_come_in_the_order_of_the_request() {
    let (items, _) = flat([9, 2, 5], &["2:25,21 9:91 5:51"]).await;
    assert_eq!(items, ["9 -> 91", "2 -> 25", "2 -> 21", "5 -> 51"]);
}

#[tokio::test]
async fn ids_above_2_to_the_53_are_exact_as_numbers_and_as_strings() {
    let to = [json!(9_007_199_254_740_993_u64), json!("9007199254740995"), json!(u64::MAX)];
    let to = to.map(|to| json!({"toObjectId": to, "associationTypes": []}));
    let rows = [
        json!({"from": {"id": "9007199254740993"}, "to": to}),
        json!({"from": {"id": 9_007_199_254_740_997_u64}, "to": []}),
    ];
    let script = Script::new([envelope(&rows, &[])]);
    let associations = script.deals([9_007_199_254_740_993, 9_007_199_254_740_997]);
    let groups = [
        "9007199254740993 -> [9007199254740993, 9007199254740995, 18446744073709551615]",
        "9007199254740997 -> []",
    ];
    assert_eq!(read(&associations.grouped()).await, groups);
    assert_eq!(script.asked(), ["9007199254740993 9007199254740997"]);
}

#[tokio::test]
async fn an_unlabelled_type_has_no_label() {
    let types = json!([
        {"category": "USER_DEFINED", "typeId": 1, "label": null},
        {"category": "USER_DEFINED", "typeId": 2},
        {"category": "USER_DEFINED", "typeId": 3, "label": "Owner"},
    ]);
    let row = json!({"from": {"id": "1"}, "to": [{"toObjectId": 11, "associationTypes": types}]});
    let script = Script::new([envelope(&[row], &[])]);
    let record = script.deals([1]).into_records().next().await.unwrap().unwrap();
    let labels = record.types.iter().map(|kind| kind.label.as_deref()).collect::<Vec<_>>();
    assert_eq!(labels, [None, None, Some("Owner")]);
}

#[tokio::test]
async fn unknown_fields_and_categories_are_tolerated() {
    let categories = ["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK", "NEW ONE"];
    let types = categories.map(|name| json!({"category": name, "typeId": 7, "label": null}));
    let mut sent = types.clone();
    sent[0]["new"] = json!({"x": [1]});
    let mut entry = rejected(&["2"]);
    entry["subCategory"] = json!({"name": "NO_ASSOCIATIONS_FOUND"});
    entry["new"] = json!(1);
    let body = json!({
        "status": "COMPLETE", "new": 1, "requestedAt": "2026-03-30T13:46:24Z", "links": {"a": "b"},
        "results": [{"from": {"id": "1", "new": 1}, "new": [], "paging": {"new": 1}, "to": [
            {"toObjectId": 11, "associationTypes": sent, "new": null}
        ]}],
        "errors": [entry],
    });
    let script = Script::new([answer(200, &body)]);
    let items = script.deals([1, 2]).into_records().collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "Rejected: 2"]);
    let record = serde_json::to_value(items[0].as_ref().unwrap()).unwrap();
    assert_eq!(record, json!({"from": "1", "to": "11", "types": types}));
}

#[tokio::test]
async fn null_is_accepted_for_every_optional_field() {
    let mut rows = ["1:11", "2:21", "3:31>c"].map(row);
    rows[0]["paging"] = Value::Null;
    rows[1]["paging"] = json!({"next": null, "prev": null});
    rows[2]["paging"]["prev"] = Value::Null;
    rows[2]["paging"]["next"]["link"] = Value::Null;
    let mut entries = [rejected(&["4"]), no_associations("5")];
    entries[0]["subCategory"] = Value::Null;
    for entry in &mut entries {
        for optional in ["errors", "links", "id"] {
            entry[optional] = Value::Null;
        }
    }
    let first = json!({"status": "COMPLETE", "requestedAt": null, "links": null, "numErrors": null,
        "results": rows, "errors": entries});
    let last = json!({"results": [row("3:32")], "numErrors": null, "errors": null});
    let script = Script::new([answer(207, &first), answer(200, &last)]);
    let items = ["1 -> 11", "2 -> 21", "3 -> 31", "Rejected: 4", "3 -> 32"];
    assert_eq!(read(&script.deals(1..=5)).await, items);
}

#[tokio::test]
async fn an_unknown_envelope_status_is_tolerated() {
    for status in [json!("COMPLETE_WITH_ERRORS"), json!("PENDING"), json!("new"), Value::Null] {
        let body = json!({"status": status, "results": [row("1:11")]});
        let script = Script::new([answer(200, &body)]);
        assert_eq!(read(&script.deals([1])).await, ["1 -> 11"]);
    }
}

/// Also where they are written in another way, or not at all.
#[tokio::test]
async fn each_association_has_its_own_types_however_they_are_shared() {
    let owner = r#"{"category":"USER_DEFINED","typeId":1,"label":"Owner"}"#;
    let same =
        r#"{ "label": "\u004fwner", "new": "\ud83d", "typeId": 1, "category": "USER_DEFINED" }"#;
    let other = r#"{"category":"USER_DEFINED","typeId":2,"label":"Owner"}"#;
    let types = [
        format!(r#","associationTypes":[{owner}]"#),
        format!(r#","associationTypes":[{other}]"#),
        format!(r#","associationTypes":[{owner}]"#),
        format!(r#","associationTypes":[{same}]"#),
        format!(r#","associationTypes":[{other},{owner}]"#),
        r#","associationTypes":[]"#.to_owned(),
        r#","associationTypes":null"#.to_owned(),
        String::new(),
    ];
    let to = (11..).zip(&types).map(|(to, types)| format!(r#"{{"toObjectId":{to}{types}}}"#));
    let to = to.collect::<Vec<_>>();
    let bad = r#"{"toObjectId":19,"associationTypes":7}"#.to_owned();
    let twice = r#"{"toObjectId":19,"associationTypes":[],"associationTypes":[]}"#.to_owned();
    for bad in [None, Some(bad), Some(twice)] {
        let to = to.iter().cloned().chain(bad.clone()).collect::<Vec<_>>().join(",");
        let body = format!(r#"{{"results":[{{"from":{{"id":"1"}},"to":[{to}]}}]}}"#);
        let items = Script::new([(200, body.into())]).deals([1]).into_records();
        let items = items.collect::<Vec<_>>().await;
        let ids = items
            .iter()
            .filter_map(|item| item.as_ref().ok())
            .map(|record| record.types.iter().map(|kind| kind.type_id).collect::<Vec<_>>());
        let expected = [&[1][..], &[2], &[1], &[1], &[2, 1], &[], &[], &[]];
        assert_eq!(ids.collect::<Vec<_>>(), expected);
        assert_eq!(items[0].as_ref().unwrap().types, items[3].as_ref().unwrap().types);
        assert_eq!(items.len(), expected.len() + usize::from(bad.is_some()));
        if bad.is_some() {
            let message = items[8].as_ref().unwrap_err().to_string();
            assert!(message.contains("association 8 of object 1"), "{message}");
        }
    }
}
