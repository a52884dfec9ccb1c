//! The labels of associations between two types.

use futures::TryStreamExt;
use http::Method;
use pagestream::{
    ErrorKind, PaginatorExt, Transport,
    hubspot::{ApiVersion, AssociationLabels, AssociationLabelsBuilder, AssociationType, Category},
    testing::{HubSpot, conformance::Conformance},
};
use serde_json::json;

use super::{TOKEN, answer, deals, shown};
use crate::support::{Script, drain};

fn labels(transport: impl Transport + 'static) -> AssociationLabelsBuilder {
    AssociationLabels::builder("deals", "companies").token(TOKEN).transport(transport)
}

#[tokio::test]
async fn labels_are_one_request_and_may_be_null() {
    let body = json!({"results": [
        {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null},
        {"category": "USER_DEFINED", "typeId": 7, "label": "Owner"},
        {"category": "BRAND_NEW", "typeId": 8},
    ]});
    for (version, path) in [
        (ApiVersion::V2026_03, "/crm/associations/2026-03/deals/companies/labels"),
        (ApiVersion::V4, "/crm/v4/associations/deals/companies/labels"),
    ] {
        let script = Script::json([body.clone()]);
        let all = labels(script.transport()).version(version).build::<AssociationType>().unwrap();
        let all = drain(all.records()).await.whole();
        let all = all.iter().map(|it| (it.category.as_str(), it.type_id, it.label.as_deref()));
        let expected = [
            ("HUBSPOT_DEFINED", 341, None),
            ("USER_DEFINED", 7, Some("Owner")),
            ("BRAND_NEW", 8, None),
        ];
        assert_eq!(all.collect::<Vec<_>>(), expected);
        let request = script.request();
        assert_eq!((request.method(), request.body().len()), (&Method::GET, 0));
        assert_eq!(request.uri().path_and_query().unwrap(), path);
    }
}

#[tokio::test]
async fn the_types_of_each_association_are_among_the_labels() {
    let service = HubSpot::new(7);
    let all = labels(service.clone()).build::<AssociationType>().unwrap().into_records();
    let all = all.try_collect::<Vec<_>>().await.unwrap();
    assert!(all.iter().any(|it| it.category == Category::UserDefined), "one that is not used");
    let associations = deals(service.ids(), service.clone()).build().unwrap().into_records();
    let associations = associations.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(associations.len(), 200);
    assert!(associations.iter().flat_map(|it| it.types.iter()).all(|it| all.contains(it)));
}

#[tokio::test]
async fn a_label_that_does_not_fit_fails_alone() {
    let bad = json!({"category": "USER_DEFINED", "label": "Owner"});
    let good = json!({"category": "USER_DEFINED", "typeId": 7, "label": "Owner"});
    let script = Script::json([json!({"results": [good, bad]})]);
    let all = labels(script.transport()).build::<AssociationType>().unwrap();
    let outcome = drain(all.records()).await;
    assert_eq!((outcome.records.len(), outcome.errors.len()), (1, 1));
    assert!(outcome.errors[0].is_partial());
}

#[test]
fn labels_that_cannot_be_read_do_not_build() {
    let kind =
        |labels: AssociationLabelsBuilder| labels.build::<AssociationType>().unwrap_err().kind();
    for (from, to) in [("deals/1", "companies"), ("deals", "")] {
        let wrong = AssociationLabels::builder(from, to).token(TOKEN);
        assert_eq!(kind(wrong.transport(HubSpot::new(1))), ErrorKind::Configuration);
    }
    let no_token = AssociationLabels::builder("deals", "companies").transport(HubSpot::new(1));
    assert_eq!(kind(no_token), ErrorKind::Configuration);
}

#[tokio::test]
async fn the_token_of_labels_is_shown_nowhere() {
    let echo = json!({"status": "error", "message": format!("{TOKEN} has expired")});
    let builder = labels(Script::new([answer(401, &echo)]).transport());
    let all = builder.clone().build::<AssociationType>().unwrap();
    let error = drain(all.records()).await.error();
    assert_eq!(error.status(), Some(401));
    let shown = format!("{builder:?} {all:?} {}", shown(&error));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn labels_keep_the_contract() {
    let build = || labels(HubSpot::new(3)).build::<AssociationType>().unwrap();
    let all = build().records().try_collect::<Vec<_>>().await.unwrap();
    let check = Conformance::new(all).check(build).await;
    check.unwrap_or_else(|violation| panic!("{violation}"));
}
