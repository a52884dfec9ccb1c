//! Errors that concern some ids alone, and those that do not.

use datafusion::error::DataFusionError;
use pagestream::{Error, ErrorKind};
use pagestream_datafusion::OnFailure;

use crate::support::{Rows, Service, context, ids, shown};

fn cause(error: &DataFusionError) -> &Error {
    match error.find_root() {
        DataFusionError::External(error) => error.downcast_ref().unwrap(),
        DataFusionError::IoError(error) => error.get_ref().unwrap().downcast_ref().unwrap(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_failed_id_is_the_error_of_the_query() {
    let service = Service::new(40, 10).failing([13]);
    let context = context([("rows", Rows::of(&service).table().parts(2))]);
    let error = context.table("rows").await.unwrap().collect().await.unwrap_err();
    assert_eq!(cause(&error).ids(), ["13"]);
}

#[tokio::test]
async fn a_failed_id_is_a_row_of_a_second_table_by_choice() {
    let service = Service::new(40, 10).failing([13, 17, 35]);
    let table = Rows::of(&service).table().parts(2).on_failure(OnFailure::Row);
    let failures = table.failures();
    let context = context([("rows", table)]);
    context.register_table("failures", std::sync::Arc::new(failures.clone())).unwrap();

    let rows = context.table("rows").await.unwrap().collect().await.unwrap();
    assert_eq!(ids(&rows).len(), 37);
    let query = "SELECT ids[1] AS id, kind, status, page FROM failures ORDER BY id";
    let expected = "\
+----+----------+--------+------+
| id | kind     | status | page |
+----+----------+--------+------+
| 13 | Rejected | 403    | 2    |
| 17 | Rejected | 403    | 2    |
| 35 | Rejected | 403    | 2    |
+----+----------+--------+------+";
    assert_eq!(shown(&context, query).await, expected);
    failures.clear();
    assert!(failures.is_empty());
}

#[tokio::test]
async fn a_page_that_fails_for_good_is_the_error_of_the_query_whatever_the_choice() {
    for on_failure in [OnFailure::Error, OnFailure::Row] {
        let service = Service::new(40, 10);
        service.fail_once(30, Error::new(ErrorKind::Status, "gone").with_status(404));
        let context = context([("rows", Rows::of(&service).table().on_failure(on_failure))]);
        let error = context.table("rows").await.unwrap().collect().await.unwrap_err();
        assert_eq!(cause(&error).status(), Some(404));
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_and_passes_is_asked_for_again_unless_attempts_say_otherwise() {
    for (attempts, passes) in [(2, true), (1, false)] {
        let service = Service::new(40, 10);
        service.fail_once(20, Error::new(ErrorKind::Status, "busy").with_status(503));
        let context = context([("rows", Rows::of(&service).table().attempts(attempts))]);
        let rows = context.table("rows").await.unwrap().collect().await;
        assert_eq!(
            rows.as_ref().map_err(|error| cause(error).status()).err(),
            (!passes).then_some(Some(503))
        );
        assert_eq!(service.requests(), if passes { 5 } else { 3 });
    }
}

#[tokio::test]
async fn a_failed_id_that_a_connector_sets_aside_is_the_error_of_the_query_all_the_same() {
    let service = Service::new(40, 10).failing([13]);
    let rows = Rows::of(&service).setting_failures_aside();
    let context = context([("rows", rows.table())]);
    let error = context.table("rows").await.unwrap().collect().await.unwrap_err();
    assert_eq!(cause(&error).ids(), ["13"]);
}
