//! The associations of one object.

use futures::{StreamExt, TryStreamExt};
use http::Method;
use pagestream::{
    ErrorKind, PaginatorExt, Transport,
    hubspot::{ApiVersion, Association, AssociationsOfOne, AssociationsOfOneBuilder},
    testing::{HubSpot, HubSpotFlaw, conformance::Conformance},
};
use serde_json::{Value, json};

use super::{TOKEN, Told, answer, deals, read, resume, shown};
use crate::support::{Answer, Script, drain};

fn of(id: u64, transport: impl Transport + 'static) -> AssociationsOfOneBuilder {
    AssociationsOfOne::builder("deals", id, "companies").token(TOKEN).transport(transport)
}

fn page(to: impl IntoIterator<Item = u64>, paging: &Value) -> Answer {
    let types = json!([{"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null}]);
    let to = to.into_iter().map(|to| json!({"toObjectId": to, "associationTypes": types}));
    answer(200, &json!({"results": to.collect::<Vec<_>>(), "paging": paging}))
}

async fn path_of(set: impl FnOnce(AssociationsOfOneBuilder) -> AssociationsOfOneBuilder) -> String {
    let script = Script::new([page([11], &Value::Null)]);
    let one = set(of(7, script.transport())).build().unwrap();
    assert_eq!(read(&one).await, ["7 -> 11"]);
    let request = script.request();
    assert_eq!((request.method(), request.body().len()), (&Method::GET, 0));
    request.uri().path_and_query().unwrap().to_string()
}

#[tokio::test]
async fn associations_of_one_object_are_asked_for_500_at_once() {
    let path = "deals/7/associations/companies?limit";
    assert_eq!(path_of(|one| one).await, format!("/crm/objects/2026-03/{path}=500"));
    let old = |one: AssociationsOfOneBuilder| one.limit(20).version(ApiVersion::V4);
    assert_eq!(path_of(old).await, format!("/crm/v4/objects/{path}=20"));
}

#[tokio::test]
async fn the_list_of_one_object_goes_on_at_its_after_byte_for_byte() {
    let paging = json!({"next": {"after": "NTI1Cg%3D%3D", "link": "https://elsewhere.example"}});
    let script = Script::new([page([11, 12], &paging), page([13], &Value::Null)]);
    let one = of(7, script.transport()).build().unwrap();
    assert_eq!(read(&one).await, ["7 -> 11", "7 -> 12", "7 -> 13"]);
    let query = script.all_requests()[1].uri().query().unwrap().to_owned();
    assert_eq!(query, "limit=500&after=NTI1Cg%253D%253D");
}

#[tokio::test]
async fn the_associations_of_one_object_are_those_of_the_batch_read() {
    let service = HubSpot::new(7).objects(9).pages(|index| index % 4).page_size(3);
    for id in service.ids() {
        let of_batch = deals([id], service.clone()).build().unwrap().into_records();
        let of_batch = of_batch.try_collect::<Vec<_>>().await.unwrap();
        for limit in [1, 2, 3, 500] {
            let one = of(id, service.clone()).limit(limit).build().unwrap().into_records();
            assert_eq!(one.try_collect::<Vec<_>>().await.unwrap(), of_batch, "{id}, {limit}");
        }
    }
}

#[tokio::test]
async fn an_object_that_does_not_exist_is_an_error() {
    let service = HubSpot::new(7).failing(|index| index == 3);
    let rejected = service.ids().nth(3).unwrap();
    for id in [17, rejected] {
        let one = of(id, service.clone()).build().unwrap();
        let error = drain(one.records()).await.error();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(404)));
        assert!(!error.is_partial());
    }
    assert_eq!(service.requests(), 2);
}

/// Nor is it endless.
#[tokio::test]
async fn a_list_of_one_object_that_is_wrong_does_not_end_early() {
    let kind = |flaw| async move {
        let service = HubSpot::new(7)
            .objects(1)
            .page_size(7)
            .flawed(move |_, page| (page == 2).then_some(flaw));
        let id = service.ids().next().unwrap();
        let one = of(id, service).limit(2).build().unwrap();
        let outcome = drain(one.records()).await;
        (outcome.records.len(), outcome.error().kind())
    };
    assert_eq!(kind(HubSpotFlaw::LinkWithoutAfter).await, (4, ErrorKind::Contradiction));
    assert_eq!(kind(HubSpotFlaw::NoTo).await, (4, ErrorKind::Decode));
    for pages in [1, 2] {
        let (records, kind) = kind(HubSpotFlaw::Cycle(pages)).await;
        assert_eq!((records <= 6, kind), (true, ErrorKind::Loop));
    }
    for end in [json!({}), json!({"next": null}), json!({"next": {"after": ""}})] {
        let one = of(7, Script::new([page([11], &end)]).transport()).build().unwrap();
        assert_eq!(read(&one).await, ["7 -> 11"]);
    }
}

#[tokio::test]
async fn an_association_that_cannot_be_read_fails_alone() {
    let types = json!([{"category": "USER_DEFINED", "typeId": 1, "label": "Owner"}]);
    let bad = json!([{"category": "USER_DEFINED", "typeId": 1, "label": 5}]);
    let to = |id: u64, types: &Value| json!({"toObjectId": id, "associationTypes": types});
    let results = [to(11, &types), to(12, &bad), to(13, &Value::Null)];
    let one = of(7, Script::json([json!({"results": results})]).transport()).build().unwrap();
    let items = one.records().collect::<Vec<_>>().await;
    let labels = items.iter().flatten().map(|it| it.types.first().and_then(|it| it.label.clone()));
    assert_eq!(labels.collect::<Vec<_>>(), [Some("Owner".to_owned()), None]);
    let error = items.into_iter().find_map(Result::err).unwrap();
    assert!(
        error.is_partial() && error.to_string().contains("record at index 1 of the page"),
        "{error}"
    );
}

#[tokio::test]
async fn a_list_of_one_object_that_is_cut_at_any_record_goes_on_exactly() {
    let service = HubSpot::new(7).objects(1).page_size(25);
    let id = service.ids().next().unwrap();
    let one = of(id, service).limit(10).build().unwrap();
    let all = read(&one).await;
    assert_eq!(all.len(), 25);
    for cut in 0..=all.len() {
        let mut records = one.records();
        let first = records.by_ref().take(cut).map_ok(|it: Association| it.told());
        let mut first = first.try_collect::<Vec<_>>().await.unwrap();
        first.extend(resume(&one, &records.checkpoint().unwrap()).await);
        assert_eq!(first, all, "{cut}");
    }
}

#[test]
fn a_list_of_one_object_that_cannot_work_does_not_build() {
    let kind = |one: AssociationsOfOneBuilder| one.build().unwrap_err().kind();
    let service = || HubSpot::new(1);
    for limit in [0, 501] {
        assert_eq!(kind(of(7, service()).limit(limit)), ErrorKind::Configuration);
    }
    for (from, id, to) in [
        ("deals/1", "7", "companies"),
        ("deals", "", "companies"),
        ("deals", "7/8", "companies"),
        ("deals", "7", "com panies"),
    ] {
        let one = AssociationsOfOne::builder(from, id, to).token(TOKEN).transport(service());
        assert_eq!(kind(one), ErrorKind::Configuration);
    }
    let no_token = AssociationsOfOne::builder("deals", 7, "companies").transport(service());
    assert_eq!(kind(no_token), ErrorKind::Configuration);
}

#[tokio::test]
async fn the_token_of_a_list_of_one_object_is_shown_nowhere() {
    let echo = json!({"status": "error", "message": format!("{TOKEN} has expired"),
        "category": "EXPIRED_AUTHENTICATION"});
    let builder = of(7, Script::new([answer(401, &echo)]).transport());
    let one = builder.clone().build().unwrap();
    let error = drain(one.records()).await.error();
    assert_eq!(error.service_error().category.as_deref(), Some("EXPIRED_AUTHENTICATION"));
    let shown = format!("{builder:?} {one:?} {}", shown(&error));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_list_of_one_object_keeps_the_contract() {
    let service = HubSpot::new(3).objects(1).page_size(35);
    let id = service.ids().next().unwrap();
    let build = || of(id, service.clone()).limit(10).build().unwrap();
    let all = build().records().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(all.len(), 35);
    let check = Conformance::new(all).check(build).await;
    check.unwrap_or_else(|violation| panic!("{violation}"));
}
