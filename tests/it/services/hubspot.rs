//! The emulated HubSpot.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Method, Request};
use pagestream::testing::HubSpot;
use serde_json::{Value, json};

use super::{BATCH, TOKEN, ask, batch, post, with, with_header};

fn from_cursor(id: u64, after: &Value) -> Request<Bytes> {
    post(BATCH, json!({"inputs": [{"id": id.to_string(), "after": after}]}).to_string())
}

fn id_at(service: &HubSpot, index: usize) -> u64 {
    service.ids().nth(index).unwrap()
}

/// The error response to the whole request, in HubSpot's shape; gives its message.
async fn rejected_by_hubspot(
    service: &HubSpot,
    request: Request<Bytes>,
    status: u16,
    category: &str,
) -> String {
    let (got, mut body) = ask(service, request).await;
    assert_eq!(got, status, "{body}");
    let message = body["message"].take();
    let expected = json!({
        "status": "error",
        "message": null,
        "correlationId": "3784ea30-07ce-4866-98e8-bf691d18899e",
        "category": category,
    });
    assert_eq!(body, expected);
    message.as_str().filter(|message| !message.is_empty()).unwrap().to_owned()
}

/// A result as the wire has it, its type derived from the id alone.
fn to(id: u64) -> Value {
    let association = if id.is_multiple_of(2) {
        json!({"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"})
    } else {
        json!({"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null})
    };
    json!({"toObjectId": id, "associationTypes": [association]})
}

#[tokio::test]
async fn hubspot_answers_a_batch_as_the_wire_has_it() {
    let service = HubSpot::new(7).objects(1).pages(|_| 2).page_size(3);
    let id = id_at(&service, 0);
    let associations = service.associations(id);
    let (status, body) = ask(&service, batch([id])).await;
    let after = body["results"][0]["paging"]["next"]["after"].clone();
    assert!(after.as_str().unwrap().ends_with("%3D%3D"), "{after}");
    let first = json!({
        "status": "COMPLETE",
        "results": [{
            "from": {"id": id.to_string()},
            "to": associations[..3].iter().copied().map(to).collect::<Vec<_>>(),
            "paging": {"next": {"after": after}},
        }],
        "startedAt": "2026-03-30T13:46:24.038Z",
        "completedAt": "2026-03-30T13:46:24.048Z",
    });
    assert_eq!((status, body), (200, first));

    let (status, body) = ask(&service, from_cursor(id, &after)).await;
    let second = json!([{
        "from": {"id": id.to_string()},
        "to": associations[3..].iter().copied().map(to).collect::<Vec<_>>(),
    }]);
    assert_eq!((status, &body["results"]), (200, &second));
}

#[tokio::test]
async fn hubspot_answers_under_both_of_its_paths() {
    let service = HubSpot::new(7);
    let request = || batch(service.ids());
    let v4 = with(request(), |request| {
        *request.uri_mut() = "/crm/v4/associations/deals/companies/batch/read".parse().unwrap();
    });
    let answer = ask(&service, request()).await;
    assert_eq!(answer.0, 200);
    assert_eq!(ask(&service, v4).await, answer);
}

#[tokio::test]
async fn hubspot_ignores_a_query() {
    // `?limit=` does nothing: the batch read defines no query parameter.
    let service = HubSpot::new(7);
    let answer = ask(&service, batch(service.ids())).await;
    let with_limit = with(batch(service.ids()), |request| {
        *request.uri_mut() = format!("{BATCH}?limit=1").parse().unwrap();
    });
    assert_eq!(ask(&service, with_limit).await, answer);
}

#[tokio::test]
async fn hubspot_rejects_another_path() {
    let service = HubSpot::new(7);
    let paths = [
        "/",
        "/crm/associations/2026-03/deals/companies/batch/read/more",
        "/crm/associations/2026-03/deals/companies/batch/create",
        "/crm/associations/2026-03/deals/batch/read",
        "/crm/associations/2026-03/deals/companies/contacts/batch/read",
        "/crm/v3/associations/deals/companies/batch/read",
        "/v4/associations/deals/companies/batch/read",
    ];
    for path in paths {
        let request = with(batch(service.ids()), |it| *it.uri_mut() = path.parse().unwrap());
        rejected_by_hubspot(&service, request, 404, "OBJECT_NOT_FOUND").await;
    }
}

#[tokio::test]
async fn hubspot_rejects_a_path_with_an_empty_type() {
    let service = HubSpot::new(7);
    for types in ["/companies", "deals/", "/"] {
        let path = format!("/crm/v4/associations/{types}/batch/read");
        let request = with(batch(service.ids()), |it| *it.uri_mut() = path.parse().unwrap());
        rejected_by_hubspot(&service, request, 404, "OBJECT_NOT_FOUND").await;
    }
}

#[tokio::test]
async fn hubspot_rejects_another_method() {
    let service = HubSpot::new(7);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = with(batch(service.ids()), |request| *request.method_mut() = method);
        rejected_by_hubspot(&service, request, 405, "METHOD_NOT_ALLOWED").await;
    }
}

#[tokio::test]
async fn hubspot_rejects_a_request_without_a_bearer_token() {
    let service = HubSpot::new(7);
    for authorization in [None, Some(""), Some("Bearer "), Some("Basic YTpi"), Some(TOKEN)] {
        let request = with_header(batch(service.ids()), "authorization", authorization);
        rejected_by_hubspot(&service, request, 401, "INVALID_AUTHENTICATION").await;
    }
}

#[tokio::test]
async fn hubspot_rejects_another_content_type() {
    let service = HubSpot::new(7);
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        let request = with_header(batch(service.ids()), "content-type", content_type);
        rejected_by_hubspot(&service, request, 415, "VALIDATION_ERROR").await;
    }
    let request = with_header(batch([]), "content-type", Some("application/json; charset=utf-8"));
    assert_eq!(ask(&service, request).await.0, 200);
}

#[tokio::test]
async fn hubspot_rejects_a_body_that_breaks_the_schema() {
    let service = HubSpot::new(7);
    let id = id_at(&service, 0).to_string();
    let bodies = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        json!({}).to_string(),
        json!({"inputs": null}).to_string(),
        json!({"inputs": id}).to_string(),
        json!({"inputs": [id]}).to_string(),
        json!({"inputs": [{}]}).to_string(),
        json!({"inputs": [{"id": 515_690_208_000_u64}]}).to_string(),
        json!({"inputs": [{"id": null}]}).to_string(),
        json!({"inputs": [{"id": id, "after": null}]}).to_string(),
        json!({"inputs": [{"id": id, "after": 1}]}).to_string(),
        json!({"inputs": [{"id": id, "limit": 1}]}).to_string(),
        json!({"inputs": [], "limit": 1}).to_string(),
    ];
    for body in bodies {
        rejected_by_hubspot(&service, post(BATCH, body), 400, "VALIDATION_ERROR").await;
    }
}

#[tokio::test]
async fn hubspot_rejects_more_than_1000_inputs() {
    let service = HubSpot::new(7).objects(1001);
    let body = json!({
        "status": "error",
        "message": "The maximum number of inputs supported in a batch is 1000. \
                    Please reduce the number of items and try again",
        "correlationId": "3784ea30-07ce-4866-98e8-bf691d18899e",
        "category": "VALIDATION_ERROR",
    });
    assert_eq!(ask(&service, batch(service.ids())).await, (400, body));

    let (status, body) = ask(&service, batch(service.ids().take(1000))).await;
    assert_eq!((status, body["results"].as_array().unwrap().len()), (200, 1000));
}

#[tokio::test]
async fn hubspot_rejects_a_cursor_that_it_did_not_give_for_that_id() {
    let service = HubSpot::new(7).pages(|_| 3);
    let (one, other) = (id_at(&service, 0), id_at(&service, 1));
    let (_, body) = ask(&service, batch([one])).await;
    let after = body["results"][0]["paging"]["next"]["after"].clone();
    assert_eq!(ask(&service, from_cursor(one, &after)).await.0, 200);

    let after_text = after.as_str().unwrap();
    let unknown = [
        (other, after_text.to_owned()),
        (one, after_text.replace("%3D", "=")),
        (one, after_text.replace("-1%", "-0%")),
        (one, after_text.replace("-1%", "-3%")),
        (one, String::new()),
        (one, "MC0yLTQ0MjQ4ODczNTk0OA%3D%3D".to_owned()),
    ];
    for (id, after) in unknown {
        let request = from_cursor(id, &after.into());
        rejected_by_hubspot(&service, request, 400, "VALIDATION_ERROR").await;
    }
    // A service with another seed gives other cursors.
    let another = HubSpot::new(8).pages(|_| 3);
    rejected_by_hubspot(&another, from_cursor(one, &after), 400, "VALIDATION_ERROR").await;
}

#[tokio::test]
async fn hubspot_names_an_id_without_associations_in_a_207() {
    let service = HubSpot::new(7).objects(2).pages(|index| index);
    let ids = service.ids().collect::<Vec<_>>();
    assert!(service.associations(ids[0]).is_empty());
    let (status, body) = ask(&service, batch(ids.clone())).await;
    let expected = json!({
        "status": "COMPLETE",
        "results": [{
            "from": {"id": ids[1].to_string()},
            "to": service.associations(ids[1]).into_iter().map(to).collect::<Vec<_>>(),
        }],
        "numErrors": 1,
        "errors": [{
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": format!("No company is associated with deal {}.", ids[0]),
            "context": {
                "fromObjectId": [ids[0].to_string()],
                "fromObjectType": ["deal"],
                "toObjectType": ["company"],
            },
        }],
        "startedAt": "2026-03-30T13:46:24.038Z",
        "completedAt": "2026-03-30T13:46:24.048Z",
    });
    assert_eq!((status, body), (207, expected));
}

#[tokio::test]
async fn hubspot_names_an_id_that_fails_or_is_unknown_in_a_207() {
    let service = HubSpot::new(7).objects(2).failing(|index| index == 1);
    let ids = service.ids().collect::<Vec<_>>();
    let (status, body) = ask(&service, batch([ids[0], ids[1], 4])).await;
    assert_eq!((status, &body["numErrors"]), (207, &json!(2)));
    assert_eq!(body["results"].as_array().unwrap().len(), 1);
    assert_eq!(body["results"][0]["from"]["id"], ids[0].to_string());
    for (error, id) in body["errors"].as_array().unwrap().iter().zip([ids[1], 4]) {
        let expected = json!({
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": format!("Object {id} can't be read."),
            "context": {"fromObjectId": [id.to_string()]},
        });
        assert_eq!(error, &expected);
    }
}

#[tokio::test]
async fn hubspot_gives_results_in_another_order_than_the_inputs() {
    let service = HubSpot::new(7).objects(5);
    let asked = service.ids().map(|id| id.to_string()).collect::<Vec<_>>();
    let (_, body) = ask(&service, batch(service.ids())).await;
    let results = body["results"].as_array().unwrap().iter();
    let given = results.map(|it| it["from"]["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_ne!(given, asked);
    assert_eq!(given.into_iter().collect::<BTreeSet<_>>(), asked.into_iter().collect());
}

#[tokio::test]
async fn hubspots_cursors_give_all_associations_of_an_id() {
    let service = HubSpot::new(7).objects(3).pages(|index| 1 + 4 * index).page_size(3);
    for (index, id) in service.ids().enumerate() {
        let mut request = batch([id]);
        let (mut read, mut requests) = (Vec::new(), 0);
        loop {
            let (_, body) = ask(&service, request).await;
            requests += 1;
            let result = &body["results"][0];
            let to = result["to"].as_array().unwrap().iter();
            read.extend(to.map(|to| to["toObjectId"].as_u64().unwrap()));
            let Some(after) = result["paging"]["next"].get("after") else { break };
            request = from_cursor(id, after);
        }
        assert_eq!((read, requests), (service.associations(id), 1 + 4 * index));
        assert_eq!(
            (service.pages_of(id), service.associations(id).len()),
            (requests, requests * 3)
        );
    }
}

#[test]
fn hubspots_data_follows_from_the_seed() {
    let data = |seed| {
        let service = HubSpot::new(seed).pages(|index| index % 4);
        service.ids().map(|id| (id, service.associations(id))).collect::<Vec<_>>()
    };
    assert_eq!(data(7), data(7));
    for ((_, one), (_, other)) in data(7).into_iter().zip(data(8)) {
        assert_eq!(one.len(), other.len());
        assert!(one.is_empty() || one != other);
    }
}

#[test]
fn hubspot_has_ids_above_2_to_53_each_once() {
    let service = HubSpot::new(7).objects(1000);
    let ids = service.ids().collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), 1000);
    assert_eq!(ids.iter().filter(|id| **id > 1 << 53).count(), 142);
    let associated = service.ids().flat_map(|id| service.associations(id));
    let associated = associated.collect::<BTreeSet<_>>();
    assert_eq!(associated.len(), 2000);
    assert!(associated.iter().any(|id| *id > 1 << 53));
}
