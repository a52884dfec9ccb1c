//! Connections in memory.

use std::time::Duration;

use pagestream::{
    ErrorKind, Transport,
    testing::{Alloy, Fault, Faults},
};
use tokio::time::{Instant, timeout};

use super::{BODY, POSITIONS, first, met_in_memory, met_over_http, request};

#[tokio::test]
async fn a_connection_that_breaks_is_an_error_of_the_transport() {
    for fault in POSITIONS.map(Fault::reset).into_iter().chain([Fault::truncated()]) {
        // The service did its part.
        let service = Alloy::new(1);
        let faulty = Faults::script([(1, fault.clone())]).on(service.clone());
        let error = faulty.send(request("/")).await.unwrap_err();
        assert_eq!((error.kind(), service.requests()), (ErrorKind::Transport, 1));
        assert!(error.is_retryable());

        let over_http = met_over_http(fault).await.unwrap_err();
        assert_eq!(over_http.kind(), ErrorKind::Transport);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_answer_never_comes() {
    let day = Duration::from_secs(24 * 60 * 60);
    for fault in POSITIONS.map(Fault::stalled) {
        assert!(timeout(day, met_in_memory(fault)).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn behind_the_deadline_a_request_has_taken_too_long() {
    let deadline = Duration::from_secs(30);
    let slow = Fault::trickling(Duration::from_secs(2));
    for fault in POSITIONS.map(Fault::stalled).into_iter().chain([slow, Fault::late(deadline * 2)])
    {
        let start = Instant::now();
        let error = first(fault).deadline(deadline).send(request("/")).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed().as_secs()), (ErrorKind::Timeout, 30));
    }
    let in_time = first(Fault::late(deadline / 2)).deadline(deadline).send(request("/")).await;
    assert_eq!(in_time.unwrap().body(), BODY);
}

#[tokio::test(start_paused = true)]
async fn a_trickling_answer_takes_its_pause_for_each_byte() {
    let start = Instant::now();
    let response = met_in_memory(Fault::trickling(Duration::from_secs(1))).await.unwrap();
    assert_eq!(response.body(), BODY);
    assert_eq!(start.elapsed().as_secs(), BODY.len() as u64);
}

#[tokio::test]
async fn a_bomb_is_too_large_in_memory() {
    let error = met_in_memory(Fault::gzip_bomb(1 << 40)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}
