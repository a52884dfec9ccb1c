//! Rows come as they are read.

use datafusion::{
    arrow::array::RecordBatch,
    physical_plan::{execute_stream, execute_stream_partitioned},
};
use futures::TryStreamExt;

use crate::support::{Rows, Service, context, ids, plan};

#[tokio::test]
async fn the_first_row_of_a_part_is_out_before_its_second_page_is_asked_for() {
    let service = Service::new(1_000, 10);
    let context = context([("rows", Rows::of(&service).table())]);
    let mut rows = context.sql("SELECT * FROM rows").await.unwrap().execute_stream().await.unwrap();
    let first = rows.try_next().await.unwrap().unwrap();
    assert_eq!(ids(&[first]), (0..10).collect::<Vec<_>>());
    assert_eq!(service.requests(), 1);
    assert_eq!(ids(&rows.try_collect::<Vec<_>>().await.unwrap()), (10..1_000).collect::<Vec<_>>());
    assert_eq!(service.requests(), 100);
}

#[tokio::test]
async fn a_page_that_does_not_come_holds_up_no_row_before_it() {
    let service = Service::new(100, 10).hanging_at(20);
    let context = context([("rows", Rows::of(&service).table().window(4))]);
    let mut rows = context.sql("SELECT * FROM rows").await.unwrap().execute_stream().await.unwrap();
    for page in 0..2 {
        let batch = rows.try_next().await.unwrap().unwrap();
        assert_eq!(ids(&[batch]), (10 * page..10 * page + 10).collect::<Vec<_>>());
    }
    assert!(futures::FutureExt::now_or_never(rows.try_next()).is_none());
}

#[tokio::test]
async fn each_part_is_a_partition_and_together_they_are_the_table() {
    let service = Service::new(95, 10);
    let context = context([("rows", Rows::of(&service).table().parts(4))]);
    let plan = plan(&context, "SELECT id FROM rows").await;
    let mut all = Vec::new();
    for rows in execute_stream_partitioned(plan, context.task_ctx()).unwrap() {
        all.push(ids(&rows.try_collect::<Vec<_>>().await.unwrap()));
    }
    let bounds = [0..30, 30..60, 60..90, 90..95];
    assert_eq!(all, bounds.map(Vec::from_iter));
    assert!(service.parts_begun().values().all(|reads| *reads == 1));
}

#[tokio::test]
async fn a_batch_has_no_more_rows_than_the_session_says() {
    let service = Service::new(100, 50);
    let context = context([("rows", Rows::of(&service).table())]);
    context.sql("SET datafusion.execution.batch_size = 20").await.unwrap();
    let plan = plan(&context, "SELECT id FROM rows").await;
    let rows = execute_stream(plan, context.task_ctx()).unwrap();
    let sizes = rows.map_ok(|batch| batch.num_rows()).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(sizes, [20, 20, 10, 20, 20, 10]);
}

#[tokio::test]
async fn rows_are_counted_without_a_column() {
    let service = Service::new(95, 10);
    let rows = Rows::of(&service).selecting_fields().table().parts(3);
    let context = context([("rows", rows)]);
    assert_eq!(context.table("rows").await.unwrap().count().await.unwrap(), 95);
    assert!(service.asked().iter().all(|asked| asked.request.fields.as_deref() == Some(&[])));
}

#[tokio::test]
async fn a_connector_that_can_is_asked_for_the_columns_of_the_query_alone() {
    let service = Service::new(50, 10);
    let context = context([("rows", Rows::of(&service).selecting_fields().table())]);
    let query = "SELECT city FROM rows WHERE amount > 3 ORDER BY id";
    let rows = context.sql(query).await.unwrap().collect().await.unwrap();
    let expected = service.rows().iter().filter(|row| row.amount > Some(3)).count();
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), expected);
    for asked in service.asked() {
        assert_eq!(asked.request.fields.unwrap(), ["id", "amount", "city"]);
    }
}

#[tokio::test]
async fn rows_are_sorted_above_the_reading_and_not_below_it() {
    let service = Service::new(95, 10);
    let context = context([("rows", Rows::of(&service).table().parts(4))]);
    for (query, expected) in [
        ("SELECT id FROM rows ORDER BY id DESC", (0..95).rev().collect::<Vec<_>>()),
        ("SELECT id FROM rows ORDER BY id LIMIT 12", (0..12).collect()),
    ] {
        let rows = context.sql(query).await.unwrap().collect().await.unwrap();
        assert_eq!(ids(&rows), expected, "{query}");
    }
}
