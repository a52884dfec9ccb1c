//! What both services have.

use std::time::Duration;

use http::Method;
use pagestream::testing::{Alloy, HubSpot};
use tokio::time::Instant;

use super::{LIST, TOKEN, ask, batch, list, with_header};

#[tokio::test]
async fn the_log_holds_every_request_of_all_clones_the_bad_ones_too() {
    let service = Alloy::new(7);
    let bad = with_header(list(0, 3), "authorization", Some("Basic YTpi"));
    ask(&service, list(50, 0)).await;
    ask(&service.clone(), bad.clone()).await;
    assert_eq!(service.requests(), 2);
    for (logged, sent) in service.log().into_iter().zip([list(50, 0), bad]) {
        assert_eq!(logged.method, Method::POST);
        assert_eq!(logged.path, LIST);
        assert_eq!(&logged.headers, sent.headers());
        assert_eq!(&logged.body, sent.body());
    }
    assert_eq!(service.log().len(), 2);
}

#[tokio::test]
async fn the_log_shows_no_credentials() {
    let (alloy, hubspot) = (Alloy::new(7), HubSpot::new(7));
    ask(&alloy, list(50, 0)).await;
    ask(&hubspot, batch(hubspot.ids())).await;
    for shown in
        [format!("{:?} {alloy:?}", alloy.log()), format!("{:?} {hubspot:?}", hubspot.log())]
    {
        assert!(!shown.contains(TOKEN), "{shown}");
    }
}

#[tokio::test]
async fn counting_only_counts_the_requests_and_keeps_none() {
    let (alloy, hubspot) = (Alloy::new(7).counting_only(), HubSpot::new(7).counting_only());
    for count in 1..=3 {
        ask(&alloy, list(50, 0)).await;
        ask(&hubspot, batch(hubspot.ids())).await;
        assert_eq!((alloy.requests(), hubspot.requests()), (count, count));
    }
    assert_eq!((alloy.log().len(), hubspot.log().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_latency_is_the_time_of_each_answer() {
    let latency = Duration::from_millis(250);
    let alloy = Alloy::new(7).latency(latency);
    let hubspot = HubSpot::new(7).latency(latency);
    let start = Instant::now();
    for count in 1..=3 {
        ask(&alloy, list(50, 0)).await;
        // The clock of a test goes on in whole milliseconds.
        let late = start.elapsed().checked_sub(latency * (2 * count - 1)).unwrap();
        assert!(late < Duration::from_millis(10), "{late:?}");
        ask(&hubspot, batch(hubspot.ids())).await;
    }
    assert!(start.elapsed() >= latency * 6);
}

#[tokio::test(start_paused = true)]
async fn without_a_latency_an_answer_takes_no_time() {
    let start = Instant::now();
    ask(&Alloy::new(7), list(50, 0)).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}
