//! What a plan says of itself.

use pagestream::{Error, ErrorKind};

use crate::support::{Rows, Service, context, shown};

/// The number behind a name, in the line of the reading.
fn metric(plan: &str, name: &str) -> String {
    let line = plan.lines().find(|line| line.contains("ReadExec")).unwrap();
    let (_, behind) = line.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("{line}"));
    behind.chars().take_while(|it| !",]".contains(*it)).collect()
}

#[tokio::test(start_paused = true)]
async fn rows_requests_retries_and_waiting_are_metrics_of_a_plan() {
    let service = Service::new(95, 10).latency(std::time::Duration::from_millis(20));
    service.fail_once(20, Error::new(ErrorKind::Status, "busy").with_status(503));
    let context = context([("rows", Rows::of(&service).table().parts(3))]);
    let plan = shown(&context, "EXPLAIN ANALYZE SELECT count(*) FROM rows").await;
    assert_eq!(metric(&plan, "output_rows"), "95");
    assert_eq!(metric(&plan, "requests"), "11");
    assert_eq!(metric(&plan, "retries"), "1");
    assert_ne!(metric(&plan, "waiting"), "0ns");
}

#[tokio::test]
async fn a_plan_shows_what_is_asked_for() {
    let service = Service::new(100, 10);
    let table = Rows::of(&service).selecting_fields().table().parts(3).window(4);
    let context = context([("rows", table)]);
    let plan = shown(&context, "EXPLAIN FORMAT INDENT SELECT city FROM rows LIMIT 7").await;
    assert!(
        plan.contains("ReadExec: table=rows, parts=3, window=4, fetch=7")
            || plan.contains("ReadExec: table=rows, parts=3, window=4, fields=[city], fetch=7"),
        "{plan}"
    );
}

#[tokio::test]
async fn a_total_is_an_estimate_and_never_the_answer() {
    // The total of all rows, where fewer come.
    let service = Service::new(100, 10).failing([5]);
    let table = Rows::of(&service).table().parts(4);
    let table = table.on_failure(pagestream_datafusion::OnFailure::Row);
    let context = context([("rows", table)]);
    assert_eq!(context.table("rows").await.unwrap().count().await.unwrap(), 99);
}
