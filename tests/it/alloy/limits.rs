//! The limit of a page.

use super::{action, builder, invalid, last, page, read};
use crate::support::Script;

#[tokio::test]
async fn the_limit_is_50_by_default() {
    let script = Script::json([page(0..50, 50), last(50..51)]);
    read(&action(&script)).await.whole();
    let limits = script.bodies().into_iter().map(|mut body| body["input"]["limit"].take());
    assert_eq!(limits.collect::<Vec<_>>(), [50, 50]);
}

#[test]
fn limit_0_and_51_are_invalid() {
    for limit in [0, 51, u64::MAX] {
        let message = invalid(builder(&Script::default()).limit(limit));
        assert!(message.contains(&limit.to_string()) && message.contains("1 to 50"), "{message}");
    }
}

#[tokio::test]
async fn limits_1_and_50_are_asked_for_on_every_page() {
    for limit in [1, 50] {
        let script = Script::json([page(0..1, 1), last(1..2)]);
        read(&builder::<u64>(&script).limit(limit).build().unwrap()).await.whole();
        let limits = script.bodies().into_iter().map(|mut body| body["input"]["limit"].take());
        assert_eq!(limits.collect::<Vec<_>>(), [limit, limit]);
    }
}

#[tokio::test]
async fn a_clamped_limit_loses_no_record() {
    // Asked for 50 each, the service gives 20.
    let script = Script::json([page(0..20, 20), page(20..40, 40), last(40..45)]);
    assert!(read(&action(&script)).await.whole().into_iter().eq(0..45));
    assert_eq!(script.offsets(), [0, 20, 40]);
}

#[tokio::test]
async fn a_page_above_the_limit_loses_no_record() {
    let script = Script::json([page(0..80, 80), last(80..90)]);
    assert!(read(&action(&script)).await.whole().into_iter().eq(0..90));
    assert_eq!(script.offsets(), [0, 80]);
}
