//! What a cut query left to read.

use std::sync::Arc;

use datafusion::physical_plan::execute_stream_partitioned;
use futures::TryStreamExt;
use pagestream::{Error, ErrorKind};
use pagestream_datafusion::{Part, unread};

use crate::support::{Kind, Row, Rows, Service, context, ids, plan};

/// The ids that come of a table made of these parts.
async fn rest(rows: Rows, parts: Vec<Part>) -> Vec<u64> {
    let context = context([("rows", rows.table().with_parts(parts))]);
    let rows = context.sql("SELECT id FROM rows").await.unwrap();
    ids(&rows.collect().await.unwrap())
}

#[tokio::test]
async fn parts_that_are_cut_anywhere_leave_exactly_the_rest() {
    for cuts in [[0, 0, 0], [1, 0, 2], [3, 1, 0], [9, 9, 9], [2, 9, 1]] {
        for window in [1, 3] {
            let service = Service::new(100, 10);
            let rows = Rows::of(&service);
            let table = rows.clone().table().parts(3).window(window);
            let context = context([("rows", table)]);
            let plan = plan(&context, "SELECT city, id FROM rows").await;
            let mut read = Vec::new();
            let streams = execute_stream_partitioned(Arc::clone(&plan), context.task_ctx());
            for (mut stream, batches) in streams.unwrap().into_iter().zip(cuts) {
                for _ in 0..batches {
                    read.extend(stream.try_next().await.unwrap());
                }
            }
            let parts = serde_json::to_string(&unread(&plan).unwrap()).unwrap();
            let mut all = rest(rows, serde_json::from_str(&parts).unwrap()).await;
            all.extend(ids(&read));
            all.sort_unstable();
            assert_eq!(all, (0..100).collect::<Vec<_>>(), "{cuts:?}");
        }
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_plan_that_was_read_and_all_of_one_that_was_not() {
    let service = Service::new(100, 10);
    let context = context([("rows", Rows::of(&service).table().parts(3))]);
    let plan = plan(&context, "SELECT id FROM rows").await;
    assert_eq!(unread(&plan).unwrap().len(), 3);
    for stream in execute_stream_partitioned(Arc::clone(&plan), context.task_ctx()).unwrap() {
        stream.try_collect::<Vec<_>>().await.unwrap();
    }
    assert!(unread(&plan).unwrap().is_empty());
    assert!(rest(Rows::of(&service), unread(&plan).unwrap()).await.is_empty());
}

#[tokio::test]
async fn a_limit_leaves_what_is_behind_it() {
    let service = Service::new(100, 10);
    let context = context([("rows", Rows::of(&service).table())]);
    let plan = plan(&context, "SELECT id FROM rows LIMIT 37").await;
    let rows = datafusion::physical_plan::collect(Arc::clone(&plan), context.task_ctx()).await;
    assert_eq!(ids(&rows.unwrap()).len(), 37);
    let rest = rest(Rows::of(&service), unread(&plan).unwrap()).await;
    assert_eq!(rest, (37..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_error_leaves_the_page_at_which_it_happened() {
    let service = Service::new(100, 10);
    service.fail_once(40, Error::new(ErrorKind::Status, "gone").with_status(404));
    let context = context([("rows", Rows::of(&service).table())]);
    let plan = plan(&context, "SELECT id FROM rows").await;
    let mut streams = execute_stream_partitioned(Arc::clone(&plan), context.task_ctx()).unwrap();
    let mut read = Vec::new();
    let error = loop {
        match streams[0].try_next().await {
            Ok(batch) => read.extend(batch),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("gone"), "{error}");
    assert_eq!(ids(&read), (0..40).collect::<Vec<_>>());
    let rest = rest(Rows::of(&service), unread(&plan).unwrap()).await;
    assert_eq!(rest, (40..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_plan_that_holds_rows_is_refused() {
    let service = Service::new(100, 10);
    let context = context([("rows", Rows::of(&service).table().parts(2))]);
    for query in [
        "SELECT id FROM rows ORDER BY city",
        "SELECT count(*) FROM rows",
        "SELECT id FROM rows WHERE amount > 3",
        "SELECT id FROM rows LIMIT 10",
        "SELECT a.id FROM rows a JOIN rows b USING (id)",
    ] {
        let error = unread(&plan(&context, query).await).unwrap_err();
        assert!(error.to_string().contains("holds rows"), "{query}: {error}");
    }
}

#[tokio::test]
async fn what_is_left_is_read_by_a_query_with_the_same_conditions() {
    let service = Service::new(100, 10);
    let rows = Rows::of(&service).kind(Kind::Exact);
    let before = context([("rows", rows.clone().table())]);
    let plan = plan(&before, "SELECT id FROM rows WHERE open").await;
    let mut streams = execute_stream_partitioned(Arc::clone(&plan), before.task_ctx()).unwrap();
    assert_eq!(
        ids(&[streams[0].try_next().await.unwrap().unwrap()]),
        [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    );
    drop(streams);

    let after = context([("rows", rows.table().with_parts(unread(&plan).unwrap()))]);
    let query = "SELECT id FROM rows WHERE open AND id < 30";
    let rest = after.sql(query).await.unwrap().collect().await.unwrap();
    assert_eq!(ids(&rest), [20, 22, 24, 26, 28]);
    let error = after.sql("SELECT id FROM rows").await.unwrap().collect().await.unwrap_err();
    assert!(error.to_string().contains("were read where open = true"), "{error}");
}

#[tokio::test]
async fn a_table_that_was_split_ahead_puts_no_condition_into_its_requests() {
    let service = Service::new(100, 10);
    let table = Rows::of(&service).kind(Kind::Exact).table().parts(4).split().await.unwrap();
    let context = context([("rows", table)]);
    let rows = context.sql("SELECT id FROM rows WHERE open").await.unwrap();
    assert_eq!(ids(&rows.collect().await.unwrap()).len(), 50);
    assert!(service.asked().iter().all(|asked| asked.request.conditions.is_empty()));
}

#[tokio::test]
async fn rows_that_no_batch_has_are_not_taken_for_read() {
    let mut rows = (0..100).map(Row::new).collect::<Vec<_>>();
    rows[15].amount = None;
    let context = context([("rows", Rows::of(&Service::of(rows, 10)).with_amounts().table())]);
    let plan = plan(&context, "SELECT id, amount FROM rows").await;
    let mut streams = execute_stream_partitioned(Arc::clone(&plan), context.task_ctx()).unwrap();
    assert_eq!(streams[0].try_next().await.unwrap().unwrap().num_rows(), 10);
    let error = streams[0].try_next().await.unwrap_err();
    assert!(error.to_string().contains("does not fit the columns"), "{error}");
    let error = unread(&plan).unwrap_err();
    assert!(error.to_string().contains("failed behind rows that were read already"), "{error}");
}

#[tokio::test]
async fn a_failed_id_that_nobody_saw_is_not_taken_for_read() {
    for window in [1, 3] {
        let service = Service::new(30, 10).failing([3]);
        let context = context([("rows", Rows::of(&service).table().window(window))]);
        let plan = plan(&context, "SELECT id FROM rows").await;
        let streams = || execute_stream_partitioned(Arc::clone(&plan), context.task_ctx()).unwrap();
        let mut stream = streams().remove(0);
        assert_eq!(stream.try_next().await.unwrap().unwrap().num_rows(), 9);
        drop(stream);
        let error = unread(&plan).unwrap_err();
        assert!(error.to_string().contains("failed behind rows that were read already"), "{error}");

        // Who saw it may go on.
        let mut stream = streams().remove(0);
        assert_eq!(stream.try_next().await.unwrap().unwrap().num_rows(), 9);
        assert!(stream.try_next().await.unwrap_err().to_string().contains("no access"));
        let rest = rest(Rows::of(&service), unread(&plan).unwrap()).await;
        assert_eq!(rest, (10..30).collect::<Vec<_>>());
    }
}
