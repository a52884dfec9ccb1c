//! The emulated objects of HubSpot.

use http::Request;
use pagestream::testing::HubSpot;
use serde_json::{Value, json};

use super::{TOKEN, ask, get, post, with, with_header};

const LIST: &str = "/crm/objects/2026-03/deals";
const SEARCH: &str = "/crm/objects/2026-03/deals/search";
const BATCH: &str = "/crm/objects/2026-03/deals/batch/read";

fn search(body: &Value) -> Request<bytes::Bytes> {
    post(SEARCH, body.to_string())
}

fn batch(ids: impl IntoIterator<Item = u64>) -> Request<bytes::Bytes> {
    let inputs = ids.into_iter().map(|id| json!({"id": id.to_string()})).collect::<Vec<_>>();
    let body = json!({"inputs": inputs, "properties": [], "propertiesWithHistory": []});
    post(BATCH, body.to_string())
}

fn ids(body: &Value) -> Vec<u64> {
    let results = body["results"].as_array().unwrap().iter();
    results.map(|it| it["id"].as_str().unwrap().parse().unwrap()).collect()
}

async fn assert_invalid(service: &HubSpot, request: Request<bytes::Bytes>) {
    let shown = format!("{request:?}");
    let (status, body) = ask(service, request).await;
    assert_eq!((status, &body["category"]), (400, &json!("VALIDATION_ERROR")), "{shown}");
    assert_eq!(body["status"], "error");
}

#[tokio::test]
async fn a_list_gives_an_object_as_the_wire_has_it() {
    let service = HubSpot::new(7).objects(1).pages(|_| 1).page_size(101);
    let id = service.ids().next().unwrap();
    let query = "properties=dealname,nothing&propertiesWithHistory=dealname&associations=companies";
    let (status, mut body) = ask(&service, get(&format!("{LIST}?{query}"))).await;
    let companies = body["results"][0]["associations"].take();
    let time = "2024-09-12T11:36:40.267Z";
    let expected = json!({"results": [{
        "id": id.to_string(),
        "properties": {"dealname": "Deal 0", "nothing": null, "createdate": time,
            "hs_lastmodifieddate": time, "hs_object_id": id.to_string()},
        "propertiesWithHistory": {"dealname": [{"value": "Deal 0", "timestamp": time,
            "sourceType": "CRM_UI", "sourceId": "userId:1"}]},
        "createdAt": time, "updatedAt": time, "archived": false, "associations": null,
    }]});
    assert_eq!((status, body), (200, expected));
    let companies = &companies["companies"];
    assert_eq!(companies["results"].as_array().unwrap().len(), 100);
    assert!(companies["paging"]["next"]["after"].is_string());
}

#[tokio::test]
async fn a_list_has_100_objects_to_a_page_and_50_with_history() {
    let service = HubSpot::new(7).objects(120);
    for (query, count) in [("", 10), ("?limit=100", 100)] {
        let (_, body) = ask(&service, get(&format!("{LIST}{query}"))).await;
        assert_eq!(ids(&body).len(), count);
        let last = ids(&body)[count - 1].to_string();
        assert_eq!(body["paging"]["next"]["after"], last);
    }
    let wrong = ["limit=101", "limit=0", "limit=x", "after=x", "limit=51&propertiesWithHistory=a"];
    for query in wrong {
        assert_invalid(&service, get(&format!("{LIST}?{query}"))).await;
    }
}

#[tokio::test]
async fn a_search_filters_and_sorts() {
    let service = HubSpot::new(7).objects(40).properties(|index| {
        let amount = (index % 10).to_string();
        let name = if index < 3 { Some(format!("The deal {index}")) } else { None };
        [("amount", Some(amount)), ("dealname", name)].map(|(k, v)| (k, v.unwrap_or_default()))
    });
    let count = |filter: Value| {
        let body = json!({"filterGroups": [{"filters": [filter]}], "limit": 200});
        let service = service.clone();
        async move { ask(&service, search(&body)).await.1["total"].as_u64().unwrap() }
    };
    let filter = |operator: &str| json!({"propertyName": "amount", "operator": operator});
    let with = |operator: &str, value: &str| {
        let mut filter = filter(operator);
        filter["value"] = json!(value);
        filter
    };
    for (operator, found) in
        [("EQ", 4), ("NEQ", 36), ("LT", 28), ("LTE", 32), ("GT", 8), ("GTE", 12)]
    {
        assert_eq!(count(with(operator, "7")).await, found, "{operator}");
    }
    let mut between = with("BETWEEN", "2");
    between["highValue"] = json!("4");
    assert_eq!(count(between).await, 12);
    for (operator, found) in [("IN", 8), ("NOT_IN", 32)] {
        let mut filter = filter(operator);
        filter["values"] = json!(["1", "2"]);
        assert_eq!(count(filter).await, found, "{operator}");
    }
    let of_name = |operator: &str| {
        json!({"propertyName": "dealname", "operator": operator,
        "value": "DEAL"})
    };
    let names = [
        ("HAS_PROPERTY", 3),
        ("NOT_HAS_PROPERTY", 37),
        ("CONTAINS_TOKEN", 3),
        ("NOT_CONTAINS_TOKEN", 37),
    ];
    for (operator, found) in names {
        assert_eq!(count(of_name(operator)).await, found, "{operator}");
    }
    let sorts = json!([{"propertyName": "amount", "direction": "DESCENDING"}]);
    let (_, body) = ask(&service, search(&json!({"sorts": sorts, "query": "9", "limit": 3}))).await;
    assert_eq!(body["results"][0]["properties"]["amount"], "9");
    assert_eq!(body["paging"]["next"]["after"], "3");

    // The official clients write a sort as a text.
    for (sort, first) in [("amount", "0"), ("-amount", "9")] {
        let (status, body) = ask(&service, search(&json!({"sorts": [sort]}))).await;
        assert_eq!((status, &body["results"][0]["properties"]["amount"]), (200, &json!(first)));
    }
}

#[tokio::test]
async fn a_search_ends_at_10000_results() {
    let service = HubSpot::new(7).objects(10_100);
    let page = |after: u64| search(&json!({"limit": 200, "after": after.to_string()}));
    let (status, body) = ask(&service, page(9_800)).await;
    assert_eq!((status, ids(&body).len(), &body["total"]), (200, 200, &json!(10_100)));
    assert_eq!(body["paging"]["next"]["after"], "10000");
    assert_invalid(&service, page(10_000)).await;
}

#[tokio::test]
async fn a_search_that_breaks_the_schema_or_a_limit_is_refused() {
    let service = HubSpot::new(7);
    let filter = json!({"propertyName": "a", "operator": "HAS_PROPERTY"});
    let groups = |count: usize, filters: usize| json!({"filterGroups": vec![json!({"filters": vec![filter.clone(); filters]}); count]});
    assert_eq!(ask(&service, search(&groups(5, 5))).await.0, 200);
    let wrong = [
        groups(6, 1),
        groups(1, 11),
        groups(3, 9),
        json!({"limit": 201}),
        json!({"limit": 0}),
        json!({"after": "x"}),
        json!({"after": 1}),
        json!({"sorts": [{"propertyName": "a"}, {"propertyName": "b"}]}),
        json!({"sorts": [{"propertyName": "a", "order": "b"}]}),
        json!({"sorts": [7]}),
        json!({"filterGroups": [{"filters": [{"propertyName": "a", "operator": "EQ"}]}]}),
        json!({"filterGroups": [{"filters": [{"propertyName": "a", "operator": "LIKE"}]}]}),
        json!({"archived": true}),
    ];
    for body in wrong {
        assert_invalid(&service, search(&body)).await;
    }
    assert_invalid(&service, post(SEARCH, "{")).await;
}

#[tokio::test(start_paused = true)]
async fn the_sixth_search_in_a_second_is_refused() {
    let service = HubSpot::new(7).limit_searches();
    let body = json!({});
    for _ in 0..2 {
        for _ in 0..5 {
            assert_eq!(ask(&service, search(&body)).await.0, 200);
        }
        let (status, refused) = ask(&service, search(&body)).await;
        let mut expected = serde_json::from_str::<Value>(fixture!("hubspot/429_search")).unwrap();
        expected["correlationId"] = refused["correlationId"].clone();
        assert_eq!((status, refused), (429, expected));
        assert_eq!(ask(&service, get(LIST)).await.0, 200, "a list is no search");
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn a_batch_read_names_what_does_not_exist_in_a_207() {
    let service = HubSpot::new(7).objects(3);
    let all = service.ids().collect::<Vec<_>>();
    assert!(service.archive_object(all[1]));
    let (status, body) = ask(&service, batch([all[0], all[1], all[2], 17])).await;
    assert_eq!((status, &body["status"], &body["numErrors"]), (207, &json!("COMPLETE"), &json!(1)));
    assert_eq!(ids(&body), [all[2], all[0]], "in another order than the inputs");
    let expected = json!([{
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": "Could not get some DEAL objects, they may be deleted or not exist. Check that \
            ids are valid.",
        "context": {"ids": ["17", all[1].to_string()]},
    }]);
    assert_eq!(body["errors"], expected);
}

#[tokio::test]
async fn a_batch_read_that_breaks_the_schema_or_a_limit_is_refused() {
    let service = HubSpot::new(7).objects(101);
    assert_eq!(ask(&service, batch(service.ids().take(100))).await.0, 200);
    assert_invalid(&service, batch(service.ids())).await;
    let wrong = [
        json!({}),
        json!({"inputs": []}),
        json!({"inputs": [{"id": 1}], "properties": [], "propertiesWithHistory": []}),
        json!({"inputs": [{"id": "x"}], "properties": [], "propertiesWithHistory": []}),
        json!({"inputs": [], "properties": [], "propertiesWithHistory": [], "limit": 1}),
    ];
    for body in wrong {
        assert_invalid(&service, post(BATCH, body.to_string())).await;
    }
}

#[tokio::test]
async fn objects_have_the_paths_methods_and_headers_of_hubspot() {
    let service = HubSpot::new(7);
    let search = || search(&json!({}));
    for (of, path) in
        [(get(LIST), "/crm/v3/objects/deals"), (search(), "/crm/v3/objects/0-3/search")]
    {
        let request = with(of, |request| *request.uri_mut() = path.parse().unwrap());
        assert_eq!(ask(&service, request).await.0, 200, "{path}");
    }
    for path in
        ["/crm/objects/2026-03/", "/crm/objects/2026-03/deals/", "/crm/objects/2026-03/deals/1"]
    {
        assert_eq!(ask(&service, get(path)).await.0, 404, "{path}");
    }
    assert_eq!(ask(&service, post(LIST, "{}")).await.0, 405);
    assert_eq!(ask(&service, get(SEARCH)).await.0, 405);
    for request in [get(LIST), search()] {
        let request = with_header(request, "authorization", Some(TOKEN));
        assert_eq!(ask(&service, request).await.0, 401);
    }
    assert_eq!(ask(&service, with_header(search(), "content-type", None)).await.0, 415);
    assert_eq!(ask(&service, with_header(get(LIST), "content-type", None)).await.0, 200);
}

#[tokio::test]
async fn what_changes_is_seen_by_each_request_after_it() {
    let service = HubSpot::new(7).objects(2);
    let new = service.create_object([("dealname", "new".to_owned())]);
    assert!(service.ids().all(|id| id < new));
    assert!(service.update_object(new, "dealname", "newer") && !service.update_object(1, "a", ""));
    let (_, body) = ask(&service, search(&json!({"query": "newer"}))).await;
    assert_eq!(
        (ids(&body), &body["results"][0]["properties"]["dealname"]),
        (vec![new], &json!("newer"))
    );
    assert!(body["results"][0]["updatedAt"].as_str() > body["results"][0]["createdAt"].as_str());
    assert!(service.archive_object(new) && !service.archive_object(1));
    assert_eq!(ids(&ask(&service, get(LIST)).await.1).len(), 2);
    // `True` is what the official client for Python writes.
    for archived in ["true", "True"] {
        let list = get(&format!("{LIST}?archived={archived}"));
        assert_eq!(ids(&ask(&service, list).await.1), [new]);
    }
}
