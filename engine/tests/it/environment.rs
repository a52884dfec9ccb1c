//! Budgets of a process.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use pagestream::{Error, Transport};
use pagestream_datafusion::Environment;
use tokio::time::Instant;

async fn answer(_: Request<Bytes>) -> Result<Response<Bytes>, Error> {
    Ok(Response::default())
}

/// How many requests start within a second.
async fn in_a_second(environment: &Environment) -> usize {
    let transport = environment.rate_limiter("service").unwrap().limit(answer);
    let begin = Instant::now();
    let mut started = 0;
    loop {
        transport.send(Request::default()).await.unwrap();
        if begin.elapsed() >= Duration::from_secs(1) {
            return started;
        }
        started += 1;
    }
}

#[tokio::test(start_paused = true)]
async fn executors_share_a_budget() {
    let environment = |executors| {
        let environment = Environment::new().executors(executors);
        environment.with_rate_limit("service", 20, Duration::from_secs(1)).unwrap()
    };
    for executors in [1, 2, 5] {
        let started = in_a_second(&environment(executors)).await;
        let share = 20 / executors as usize;
        assert!(started <= share && started + 2 >= share, "{started} of {share}");
    }
    // More executors than requests: each has one in two seconds.
    assert!(in_a_second(&environment(40)).await <= 1);
}

#[tokio::test]
async fn a_budget_is_one_for_all_clones() {
    let environment =
        Environment::new().with_rate_limit("service", 1, Duration::from_mins(1)).unwrap();
    let first = environment.rate_limiter("service").unwrap().limit(answer);
    let second = environment.clone().rate_limiter("service").unwrap().limit(answer);
    first.send(Request::default()).await.unwrap();
    assert!(futures::FutureExt::now_or_never(second.send(Request::default())).is_none());
    assert!(environment.rate_limiter("other").unwrap_err().to_string().contains("no rate limit"));
}
