//! The emulated lists of HubSpot's associations of one object, and of their labels.

use pagestream::testing::HubSpot;
use serde_json::{Value, json};

use super::{ask, get};

fn list(id: u64, query: &str) -> String {
    format!("/crm/objects/2026-03/deals/{id}/associations/companies{query}")
}

fn to(body: &Value) -> Vec<u64> {
    let results = body["results"].as_array().unwrap().iter();
    results.map(|it| it["toObjectId"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_list_of_one_object_has_500_associations_to_a_page() {
    let service = HubSpot::new(7).objects(1).page_size(600);
    let id = service.ids().next().unwrap();
    let all = service.associations(id);
    let (status, first) = ask(&service, get(&list(id, ""))).await;
    assert_eq!((status, to(&first)), (200, all[..500].to_vec()));
    let types = &first["results"][0]["associationTypes"];
    assert!(types[0]["typeId"].is_u64() && types[0]["category"] == "HUBSPOT_DEFINED");
    // It is percent-encoded in the JSON. A client may encode it once more, or not.
    let after = first["paging"]["next"]["after"].as_str().unwrap();
    assert!(after.ends_with("%3D"), "{after}");
    for after in [after.to_owned(), after.replace('%', "%25")] {
        let (_, second) = ask(&service, get(&list(id, &format!("?after={after}&limit=90")))).await;
        assert_eq!(to(&second), all[500..590]);
    }
    let (_, last) = ask(&service, get(&list(id, &format!("?after={after}&limit=100")))).await;
    assert_eq!((to(&last).len(), &last["paging"]), (100, &Value::Null));
    let (_, same) =
        ask(&service, get(&list(id, "").replace("objects/2026-03", "v4/objects"))).await;
    assert_eq!(same, first);
}

#[tokio::test]
async fn a_list_of_one_object_rejects_what_hubspot_rejects() {
    let service = HubSpot::new(7).objects(2).failing(|index| index == 1);
    let [id, failing] = service.ids().collect::<Vec<_>>()[..] else { unreachable!() };
    for query in ["?limit=0", "?limit=501", "?limit=x", "?after=x", "?after=MC0yLTE%3D"] {
        let (status, body) = ask(&service, get(&list(id, query))).await;
        assert_eq!((status, &body["category"]), (400, &json!("VALIDATION_ERROR")), "{query}");
    }
    for id in [17, failing] {
        let (status, body) = ask(&service, get(&list(id, ""))).await;
        assert_eq!((status, &body["category"]), (404, &json!("OBJECT_NOT_FOUND")));
    }
    // One that was created has no associations.
    let created = service.create_object([]);
    assert_eq!(ask(&service, get(&list(created, ""))).await, (200, json!({"results": []})));
    let (status, _) = ask(&service, super::post(&list(id, ""), "{}")).await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn labels_are_given_under_both_paths_and_without_pages() {
    let service = HubSpot::new(7);
    for path in ["/crm/associations/2026-03", "/crm/v4/associations"] {
        let (status, body) = ask(&service, get(&format!("{path}/deals/companies/labels"))).await;
        let expected = json!({"results": [
            {"category": "USER_DEFINED", "typeId": 1, "label": "Owner"},
            {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null},
            {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"},
        ]});
        assert_eq!((status, body), (200, expected));
        let wrong = ask(&service, get(&format!("{path}/deals/labels"))).await;
        assert_eq!(wrong.0, 404);
    }
}
