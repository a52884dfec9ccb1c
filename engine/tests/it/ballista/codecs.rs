//! What is sent, and what comes of it.

use std::sync::Arc;

use datafusion::{
    common::TableReference,
    physical_plan::{collect, displayable},
    prelude::SessionContext,
};
use datafusion_proto::bytes::{
    logical_plan_from_bytes_with_extension_codec, logical_plan_to_bytes_with_extension_codec,
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};
use pagestream_datafusion::{
    Connectors, Environment,
    ballista::{logical_codec, physical_codec},
};

use super::connectors;
use crate::support::{Kind, Rows, Service, context, plan, text};

const QUERY: &str = "SELECT city, id FROM rows WHERE open LIMIT 15";

fn rows(service: &Service) -> Rows {
    Rows::of(service).kind(Kind::Exact).secret("ROWS_TOKEN")
}

fn environment() -> Environment {
    Environment::new().with_secret("ROWS_TOKEN", "planted-secret-4242")
}

fn holds_secret(bytes: &[u8]) -> bool {
    bytes.windows(14).any(|bytes| bytes == b"planted-secret")
}

#[tokio::test]
async fn a_plan_comes_back_as_it_was_sent_and_holds_no_secret() {
    let service = Service::new(100, 10);
    let table = rows(&service).table().parts(3).window(2).environment(environment());
    let context = context([("rows", table)]);
    let sent = plan(&context, QUERY).await;
    let codec = physical_codec(&connectors());
    let bytes = physical_plan_to_bytes_with_extension_codec(Arc::clone(&sent), &*codec).unwrap();
    assert!(!holds_secret(&bytes));

    let task = context.task_ctx();
    let received = physical_plan_from_bytes_with_extension_codec(&bytes, &task, &*codec).unwrap();
    let shown = |plan| displayable(plan).indent(true).to_string();
    assert_eq!(shown(&*received), shown(&*sent));
    let rows = collect(received, Arc::clone(&task)).await.unwrap();
    assert_eq!(text(&rows), text(&collect(sent, task).await.unwrap()));
}

#[tokio::test]
async fn a_query_comes_back_as_it_was_sent_and_holds_no_secret() {
    let service = Service::new(100, 10);
    let table = rows(&service).table().parts(3).environment(environment());
    let context = context([("rows", table)]);
    let sent = context.sql(QUERY).await.unwrap().into_unoptimized_plan();
    let codec = logical_codec(&connectors());
    let bytes = logical_plan_to_bytes_with_extension_codec(&sent, &*codec).unwrap();
    assert!(!holds_secret(&bytes));

    let elsewhere = SessionContext::new();
    let task = elsewhere.task_ctx();
    let received = logical_plan_from_bytes_with_extension_codec(&bytes, &task, &*codec).unwrap();
    assert_eq!(received.to_string(), sent.to_string());
    let rows = elsewhere.execute_logical_plan(received).await.unwrap().collect().await.unwrap();
    assert_eq!(rows.iter().map(datafusion::arrow::array::RecordBatch::num_rows).sum::<usize>(), 15);
}

#[tokio::test]
async fn a_connector_that_a_process_does_not_know_is_an_error_that_names_it() {
    let service = Service::new(100, 10);
    let context = context([("rows", Rows::of(&service).table())]);
    let codec = physical_codec(&connectors());
    let bytes = physical_plan_to_bytes_with_extension_codec(
        plan(&context, "SELECT id FROM rows").await,
        &*codec,
    )
    .unwrap();
    let unknowing = physical_codec(&Connectors::new(Environment::new()));
    let error =
        physical_plan_from_bytes_with_extension_codec(&bytes, &context.task_ctx(), &*unknowing);
    assert!(error.unwrap_err().to_string().contains("no connector \"rows\""));
}

#[tokio::test]
async fn what_is_cut_or_of_another_version_is_an_error_and_no_panic() {
    let (logical, physical) = (logical_codec(&connectors()), physical_codec(&connectors()));
    let context = SessionContext::new();
    let task = context.task_ctx();
    let name = TableReference::bare("rows");
    let schema = Arc::new(datafusion::arrow::datatypes::Schema::empty());
    let converter = datafusion_proto::physical_plan::DefaultPhysicalProtoConverter {};
    for buffer in [&b"pagestream"[..], b"pagestream{}", b"pagestream{\"new\":1}", b"", b"\x12\x05"]
    {
        let table = logical.try_decode_table_provider(buffer, &name, Arc::clone(&schema), &task);
        assert!(table.is_err());
        assert!(physical.try_decode(buffer, &[], &task, &converter).is_err());
    }
}
