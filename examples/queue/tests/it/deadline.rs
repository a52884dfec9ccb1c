//! Waiting for what other processes do.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep, timeout};

/// How long anything may take before the test fails.
const LONGEST: Duration = Duration::from_mins(2);

/// Waits for an event.
pub(crate) async fn event<T>(what: &str, event: impl Future<Output = T>) -> T {
    timeout(LONGEST, event).await.unwrap_or_else(|_| panic!("it takes too long until {what}"))
}

/// Asks the database until the answer is yes.
pub(crate) async fn holds(what: &str, pool: &PgPool, question: &'static str) {
    let end = Instant::now() + LONGEST;
    while !sqlx::query_scalar::<_, bool>(question).fetch_one(pool).await.unwrap() {
        assert!(Instant::now() < end, "it takes too long until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
