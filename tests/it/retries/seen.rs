//! Retries are seen: in the progress, and as events.

use std::time::Duration;

use futures::StreamExt;
use pagestream::{PaginatorExt, testing::Alloy};
use tokio::time::timeout;
use tracing::Level;

use crate::support::events::{heard, listen};

use super::{
    pages::{Pages, SECOND, busy, fails},
    vendors::{Faulty, answer, contacts},
};
use crate::support::drain;

#[tokio::test(start_paused = true)]
async fn the_progress_counts_retries_and_what_waits_for_one() {
    let pages = Pages::chain(3, fails(2, 2, || busy().with_retry_after(10 * SECOND)));
    let mut stream = pages.records();
    let monitor = stream.monitor();
    for _ in 0..2 {
        stream.next().await.unwrap().unwrap();
        assert_eq!((monitor.progress().retries, monitor.progress().delayed), (0, 0));
    }
    for retries in 1..=2 {
        assert!(timeout(5 * SECOND, stream.next()).await.is_err());
        let progress = monitor.progress();
        assert_eq!((progress.retries, progress.delayed, progress.in_flight), (retries, 1, 0));
        assert_eq!(progress.requests, 1 + retries);
        tokio::time::advance(Duration::from_millis(5_050)).await;
        let _ = timeout(Duration::from_millis(20), stream.next()).await;
    }
    while let Some(record) = stream.next().await {
        record.unwrap();
    }
    let progress = monitor.progress();
    assert_eq!((progress.retries, progress.delayed, progress.requests), (2, 0, 5));
}

#[tokio::test(start_paused = true)]
async fn each_retry_is_an_event_that_says_why_and_when() {
    listen();

    let service = Faulty::new(Alloy::new(1).records(30), |n, _| match n {
        1 => Some(answer(429, &[("retry-after", "7")], r#"{"message":"slowly"}"#)),
        3 => Some(answer(413, &[], "")),
        6 => Some(answer(400, &[], "")),
        _ => None,
    });
    let outcome = drain(contacts(&service).records()).await;
    assert_eq!(outcome.monitor.progress().retries, 2);
    assert_eq!(outcome.error().status(), Some(400));

    let ours = heard().into_iter().filter(|event| event.target.starts_with("pagestream::"));
    let events = ours.map(|event| {
        assert_eq!(event.level, Level::WARN);
        event.text
    });
    let events = events.collect::<Vec<_>>();
    assert_eq!(events.len(), 2, "one for each retry, and none for what is delivered: {events:?}");
    for field in [
        "message=a page failed and is asked for again",
        "error=the service answered with an error: \"slowly\" (status 429), at page 1, cursor",
        "\"start\":0",
        "kind=Status",
        "status=429",
        "delay_ms=7000",
        "smaller=false",
    ] {
        assert!(events[0].contains(field), "{field} in {}", events[0]);
    }
    for field in ["status=413", "delay_ms=0", "smaller=true", "at page 2, cursor", "\"start\":10"] {
        assert!(events[1].contains(field), "{field} in {}", events[1]);
    }
}
