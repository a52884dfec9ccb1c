//! Each part is read once, however the plan above it is cut into tasks.

use ballista_core::extension::SessionConfigExt;
use pagestream::{Error, ErrorKind};
use pagestream_datafusion::{OnFailure, ballista::session_config};

use super::{cluster, cluster_of, connectors};
use crate::support::{Kind, Rows, Service, context, shown};

const QUERIES: [&str; 12] = [
    "SELECT count(*), sum(id), count(DISTINCT id) FROM rows",
    // Repartitioned.
    "SELECT city, count(*) FROM rows GROUP BY city ORDER BY city",
    // Coalesced.
    "SELECT id FROM rows ORDER BY amount, id LIMIT 7",
    "SELECT id FROM rows WHERE amount > 3 ORDER BY id",
    "SELECT id, row_number() OVER (ORDER BY id) FROM rows ORDER BY id",
    // Both sides of a join, and tables of one part on either side.
    "SELECT count(*), sum(o.id) FROM rows r JOIN other o ON r.id = o.id",
    "SELECT count(*), sum(o.id) FROM rows r CROSS JOIN other o",
    "SELECT count(*), sum(o.id) FROM other o CROSS JOIN rows r",
    "SELECT count(*) FROM rows r WHERE r.id > (SELECT avg(id) FROM other)",
    "SELECT count(*) FROM rows r JOIN other o ON r.id < o.id AND r.city = o.city",
    "SELECT count(*) FROM other o LEFT JOIN rows r ON o.amount = r.amount AND r.id < o.id",
    "SELECT count(*) FROM (SELECT id FROM rows UNION ALL SELECT id FROM other)",
];

async fn check_reads(parts: usize, other_parts: usize, is_adaptive: bool) {
    for query in QUERIES {
        let (rows, other) = (Service::new(160, 10), Service::new(60, 10));
        let tables = || {
            [
                ("rows", Rows::of(&rows).table().parts(parts)),
                ("other", Rows::of(&other).table().parts(other_parts)),
            ]
        };
        let expected = shown(&context(tables()), query).await;
        let [before, other_before] = [&rows, &other].map(Service::requests);
        let config = session_config(&connectors());
        let config = config.with_ballista_adaptive_query_planner(is_adaptive);
        let given = shown(&cluster_of(config, tables()).await, query).await;
        assert_eq!(given, expected, "{query}");
        let requests = [rows.requests() - before, other.requests() - other_before];
        assert_eq!(requests, [before, other_before], "{query} with {parts}, {other_parts}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_is_read_once_for_plans_that_are_repartitioned_coalesced_or_joined() {
    for (parts, other_parts) in [(8, 3), (8, 1), (1, 1)] {
        check_reads(parts, other_parts, false).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_is_read_once_by_the_adaptive_planner_too() {
    for (parts, other_parts) in [(8, 3), (8, 1)] {
        check_reads(parts, other_parts, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_failed_reads_its_part_again_and_each_row_counts_once() {
    let service = Service::new(160, 10);
    let busy = || Error::new(ErrorKind::Status, "busy").with_status(503);
    service.fail_once(50, busy());
    service.fail_once(130, busy());
    let context = cluster([("rows", Rows::of(&service).table().parts(8).attempts(1))]).await;
    let query = "SELECT count(*), count(DISTINCT id), sum(id) FROM rows";
    let numbers = shown(&context, query).await.lines().nth(3).unwrap().to_owned();
    let numbers = numbers.split('|').filter_map(|it| it.trim().parse().ok());
    assert_eq!(numbers.collect::<Vec<u64>>(), [160, 160, 159 * 160 / 2]);
    // Of 8 parts with 2 pages each, two were read again from their beginning. A task may have
    // several parts.
    let begun = service.parts_begun();
    assert_eq!(begun.len(), 8);
    assert!(begun[&40] == 2 && begun[&120] == 2, "{begun:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_that_does_not_pass_is_the_error_of_the_query() {
    let service = Service::new(160, 10);
    service.fail_once(50, Error::new(ErrorKind::Status, "no such list").with_status(404));
    let context = cluster([("rows", Rows::of(&service).table().parts(8))]).await;
    let error =
        context.sql("SELECT count(*) FROM rows").await.unwrap().collect().await.unwrap_err();
    assert!(error.to_string().contains("no such list"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_fields_and_a_table_that_was_split_ahead_travel() {
    let service = Service::new(160, 10);
    let rows = Rows::of(&service).kind(Kind::Exact).selecting_fields().secret("ROWS_TOKEN");
    let split = Rows::of(&service).table().parts(4).split().await.unwrap();
    let context = cluster([("rows", rows.table().parts(4)), ("split", split)]).await;
    let query = "SELECT count(*) AS n FROM rows WHERE open AND amount > 3";
    let expected =
        service.rows().iter().filter(|row| row.open == Some(true) && row.amount > Some(3));
    assert!(shown(&context, query).await.contains(&format!("| {} ", expected.count())));
    let asked = service.asked();
    assert!(asked.iter().all(|asked| asked.request.conditions.len() == 2));
    assert!(asked.iter().all(|asked| asked.secret == "planted-secret-4242"));
    assert!(shown(&context, "SELECT count(*) AS n FROM split WHERE open").await.contains("| 80 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_that_become_rows_do_not_travel() {
    let table = Rows::of(&Service::new(20, 10)).table().on_failure(OnFailure::Row);
    let context = cluster([("rows", table)]).await;
    let query = context.sql("SELECT count(*) FROM rows").await.unwrap();
    let error = query.collect().await.unwrap_err();
    assert!(error.to_string().contains("can't become rows in a cluster"), "{error}");
}
