//! Filters of a query, in the requests and behind them.

use std::sync::Arc;

use datafusion::{
    arrow::{array::RecordBatch, datatypes::FieldRef},
    datasource::MemTable,
    prelude::SessionContext,
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_arrow::schema::{SchemaLike, TracingOptions};

use crate::support::{Kind, Row, Rows, Service, context, shown};

/// A filter as SQL writes it: what a service may take, and what it may not.
fn filters() -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]);
    let number = ("id|amount", comparison.clone(), -1_i64..9)
        .prop_map(|(column, sign, value)| format!("{column} {sign} {value}"));
    let swapped =
        (comparison.clone(), 0_i64..60).prop_map(|(sign, value)| format!("{value} {sign} id"));
    let text = (comparison, "Oslo|oslo|Bergen|Rome|")
        .prop_map(|(sign, value)| format!("city {sign} '{value}'"));
    let list = prop::collection::vec(0_i64..9, 1..4).prop_map(|values| {
        format!(
            "amount IN ({})",
            values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        )
    });
    let fixed = prop::sample::select(vec![
        "city IS NULL",
        "city IS NOT NULL",
        "open",
        "NOT open",
        "open = false",
        "amount IS NULL",
        "id + 1 = 4",
        "upper(city) = 'OSLO'",
        "city LIKE 'O%'",
        "amount BETWEEN 2 AND 4",
        "city NOT IN ('Oslo', 'Rome')",
        "amount = id",
    ]);
    let one = prop_oneof![number, swapped, text, list, fixed.prop_map(str::to_owned)];
    one.prop_recursive(3, 6, 2, |inner| {
        prop_oneof![
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            1 => inner.prop_map(|it| format!("NOT ({it})")),
        ]
    })
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        0_u64..60,
        prop::option::of(-1_i64..9),
        prop::option::of("Oslo|oslo|Bergen|Rome|"),
        prop::option::of(any::<bool>()),
    );
    let row = row.prop_map(|(id, amount, city, open)| Row { id, amount, city, open });
    prop::collection::vec(row, 0..40)
}

/// The same rows, held in memory.
fn in_memory(rows: &[Row]) -> SessionContext {
    let fields =
        Vec::<FieldRef>::from_type::<Row>(TracingOptions::default().strings_as_large_utf8(false))
            .unwrap();
    let batch: RecordBatch = serde_arrow::to_record_batch(&fields, &rows).unwrap();
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
    let context = SessionContext::new();
    context.register_table("rows", Arc::new(table)).unwrap();
    context
}

async fn differs(kind: Kind, rows: &[Row], filter: &str) -> Option<String> {
    let service = Service::of(rows.iter().cloned(), 3);
    let query = format!("SELECT * FROM rows WHERE {filter} ORDER BY id, amount, city, open");
    let table = Rows::of(&service).kind(kind).table().parts(3).window(2);
    let given = shown(&context([("rows", table)]), &query).await;
    let expected = shown(&in_memory(rows), &query).await;
    (given != expected).then(|| format!("{kind:?}, {filter}\n{given}\nexpected\n{expected}"))
}

#[test]
fn a_filter_gives_the_same_rows_as_one_over_all_rows_in_memory() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() };
    let mut runner = TestRunner::new(config);
    let test = |(rows, filter): (Vec<Row>, String)| {
        for kind in [Kind::Exact, Kind::Inexact, Kind::Unsupported] {
            let difference = runtime.block_on(differs(kind, &rows, &filter));
            prop_assert!(difference.is_none(), "{}", difference.unwrap());
        }
        Ok(())
    };
    runner.run(&(rows(), filters()), test).unwrap();
}

#[tokio::test]
async fn a_wrong_exact_is_seen_by_that_comparison() {
    let rows = (0..20).map(Row::new).collect::<Vec<_>>();
    assert!(differs(Kind::Wrong, &rows, "id >= 0").await.is_some());
    assert!(differs(Kind::Exact, &rows, "id >= 0").await.is_none());
}

#[tokio::test]
async fn conditions_are_in_the_requests_of_those_who_take_them() {
    for (kind, expected) in
        [(Kind::Exact, "amount > 3"), (Kind::Inexact, "amount > 3"), (Kind::Unsupported, "")]
    {
        let service = Service::new(50, 10);
        let context = context([("rows", Rows::of(&service).kind(kind).table().parts(2))]);
        shown(&context, "SELECT id FROM rows WHERE amount > 3 AND upper(city) = 'OSLO'").await;
        for asked in service.asked() {
            let conditions = asked.request.conditions.iter().map(ToString::to_string);
            assert_eq!(conditions.collect::<Vec<_>>().join(" AND "), expected, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn the_engine_filters_behind_all_but_exact_conditions() {
    for (kind, expected) in [(Kind::Exact, false), (Kind::Inexact, true), (Kind::Unsupported, true)]
    {
        let service = Service::new(50, 10);
        let context = context([("rows", Rows::of(&service).kind(kind).table())]);
        let plan =
            shown(&context, "EXPLAIN FORMAT INDENT SELECT id FROM rows WHERE amount > 3").await;
        assert_eq!(plan.contains("FilterExec"), expected, "{plan}");
        assert_eq!(plan.contains("conditions=[amount > 3]"), kind != Kind::Unsupported, "{plan}");
    }
}
