//! A query that needs few rows asks for few pages.

use crate::support::{Kind, Rows, Service, context, ids};

#[tokio::test]
async fn a_limit_over_parts_asks_each_of_them_for_the_pages_that_it_needs_at_most() {
    for window in [1, 8] {
        let service = Service::new(1_000, 4);
        let context = context([("rows", Rows::of(&service).table().parts(8).window(window))]);
        let query = context.sql("SELECT id FROM rows LIMIT 10").await.unwrap();
        assert_eq!(ids(&query.collect().await.unwrap()).len(), 10);
        let pages = 10_usize.div_ceil(4);
        assert!((pages..=8 * pages).contains(&service.requests()), "{}", service.requests());
    }
}

#[tokio::test]
async fn a_limit_over_one_part_asks_for_the_pages_that_it_needs() {
    let service = Service::new(1_000, 4);
    let context = context([("rows", Rows::of(&service).table().window(8))]);
    let query = context.sql("SELECT id FROM rows LIMIT 10").await.unwrap();
    assert_eq!(ids(&query.collect().await.unwrap()), (0..10).collect::<Vec<_>>());
    assert_eq!(service.requests(), 3);
}

#[tokio::test]
async fn a_limit_behind_a_condition_of_the_service_is_pushed_too() {
    let service = Service::new(1_000, 4);
    let context = context([("rows", Rows::of(&service).kind(Kind::Exact).table())]);
    let query = context.sql("SELECT id FROM rows WHERE open LIMIT 6").await.unwrap();
    assert_eq!(ids(&query.collect().await.unwrap()), [0, 2, 4, 6, 8, 10]);
    assert_eq!(service.requests(), 2);
}

#[tokio::test]
async fn a_limit_behind_a_filter_of_the_engine_is_not_taken_for_one_of_the_rows_read() {
    for kind in [Kind::Inexact, Kind::Unsupported] {
        let service = Service::new(1_000, 4);
        let context = context([("rows", Rows::of(&service).kind(kind).table())]);
        let query = context.sql("SELECT id FROM rows WHERE id >= 500 LIMIT 6").await.unwrap();
        let ids = ids(&query.collect().await.unwrap());
        assert!(ids.len() == 6 && ids.iter().all(|id| *id >= 500), "{kind:?}: {ids:?}");
    }
}

#[tokio::test]
async fn an_offset_of_a_query_counts_for_its_limit() {
    let service = Service::new(1_000, 4);
    let context = context([("rows", Rows::of(&service).table())]);
    let query = context.sql("SELECT id FROM rows LIMIT 3 OFFSET 5").await.unwrap();
    assert_eq!(ids(&query.collect().await.unwrap()), [5, 6, 7]);
    assert_eq!(service.requests(), 2);
}
