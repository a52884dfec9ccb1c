//! A span of time in slices.

use std::time::{Duration, SystemTime};

use futures::TryStreamExt;
use pagestream::{
    ErrorKind, Paginator, PaginatorExt,
    rest::{Offset, TimeSlices},
    testing::conformance::Conformance,
};
use proptest::prelude::*;

use super::table::{Row, Table};
use crate::support::{drain, in_virtual_time, stored};

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn slices(table: &Table, from: u64, to: u64, step: u64) -> impl Paginator<Record = Row> + use<> {
    let list = Offset::query("offset").total_at("/total");
    let slices = TimeSlices::new(list, at(from)..at(to), Duration::from_secs(step));
    let slices = slices.query("since", "to").unix_seconds();
    table.request().pages(slices).records_at("/rows").build().unwrap()
}

#[tokio::test]
async fn slices_are_half_open_and_written_as_the_service_wants_them() {
    let queries = async |slices: TimeSlices<Offset>| {
        // The dates are no numbers for the table, so only what is asked for is looked at.
        let table = Table::new([]);
        let list = table.request().pages(slices.query("x", "y")).records_at("/rows").build::<Row>();
        drain(list.unwrap().records()).await.whole();
        let strip = |query: String| query.replace("limit=10&", "").replace("&offset=0", "");
        table.queries().into_iter().map(strip).collect::<Vec<_>>()
    };
    let days = |days: u64| at(1_767_225_600 + days * 86_400);
    let day = Duration::from_secs(86_400);
    let list = || Offset::query("offset").total_at("/total");
    let slices = || TimeSlices::new(list(), days(0)..days(3), 2 * day);
    assert_eq!(
        queries(slices()).await,
        [
            "x=2026-01-01T00%3A00%3A00Z&y=2026-01-03T00%3A00%3A00Z",
            "x=2026-01-03T00%3A00%3A00Z&y=2026-01-04T00%3A00%3A00Z",
        ]
    );
    assert_eq!(
        queries(slices().dates()).await,
        ["x=2026-01-01&y=2026-01-03", "x=2026-01-03&y=2026-01-04"]
    );
    assert_eq!(
        queries(slices().dates().including_end()).await,
        ["x=2026-01-01&y=2026-01-02", "x=2026-01-03&y=2026-01-03"]
    );
    assert_eq!(queries(slices().unix_seconds()).await[0], "x=1767225600&y=1767398400");
    let milliseconds = slices().unix_milliseconds().including_end();
    assert_eq!(queries(milliseconds).await[0], "x=1767225600000&y=1767398399999");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_row_is_in_a_gap_and_none_in_two_slices(
        times in proptest::collection::vec(0..200_u64, 0..150),
        span in (0..100_u64, 1..150_u64),
        step in 1..60_u64,
        parts in 1..9_usize,
    ) {
        let (from, to) = (span.0, span.0 + span.1);
        let table = Table::new(times.iter().enumerate().map(|(id, time)| (id as u64, *time)));
        let list = slices(&table, from, to, step);
        let mut expected = table.all();
        expected.retain(|row| (from..to).contains(&row.time));
        in_virtual_time(async {
            let mut whole = drain(list.records()).await.whole();
            whole.sort();
            prop_assert_eq!(&whole, &expected);
            let split = list.split(parts, None).unwrap();
            prop_assert!(split.len() <= parts);
            let mut all = Vec::new();
            for part in split {
                let part = list.read().resume(stored(&part)).records();
                all.extend(part.try_collect::<Vec<_>>().await.unwrap());
            }
            all.sort();
            prop_assert_eq!(&all, &expected);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_thousand_slices_without_a_row_are_no_empty_pages() {
    let table = Table::new([(1, 0), (2, 1_500)]);
    let whole = drain(slices(&table, 0, 1_501, 1).records()).await.whole();
    assert_eq!(whole, table.all());
}

#[tokio::test(start_paused = true)]
async fn slices_keep_the_contract() {
    let table = Table::new((0..60).map(|id| (id, id)));
    let check = Conformance::new(table.all()).positions(30);
    let checked = check.check(|| slices(&table, 0, 60, 25)).await;
    checked.unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn slices_that_would_lose_a_part_of_the_span_cannot_be_built() {
    let build = |slices: TimeSlices<Offset>| {
        let list = Table::new([]).request().pages(slices).records_at("/rows").build::<Row>();
        list.map(drop).map_err(|error| (error.kind(), error.to_string()))
    };
    let list = || Offset::query("offset").total_at("/total");
    let second = Duration::from_secs(1);
    let slices = |to, step| TimeSlices::new(list(), at(0)..to, step).query("from", "to");
    assert!(build(slices(at(9), second)).is_ok());
    let wrong = [
        TimeSlices::new(list(), at(0)..at(9), second),
        slices(at(0), second),
        slices(at(9), Duration::ZERO),
        slices(at(9), Duration::from_millis(1_500)),
        slices(at(9) + Duration::from_millis(1), second),
        slices(at(9), second).dates(),
        TimeSlices::new(list(), SystemTime::UNIX_EPOCH - second..at(9), second).query("a", "b"),
    ];
    for slices in wrong {
        let (kind, message) = build(slices.clone()).unwrap_err();
        assert_eq!(kind, ErrorKind::Configuration, "{slices:?}");
        assert!(
            message.contains("slices") || message.contains("span") || message.contains("times"),
            "{message}"
        );
    }
}
