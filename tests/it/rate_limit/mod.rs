//! What the rate limiter promises, a test each. Time is virtual: nothing sleeps.

mod budget;
mod headers;
mod shared;
mod waiting;

use std::{
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::future::join_all;
use http::{Request, Response};
use pagestream::{Error, RateLimiter, Transport};
use tokio::time::Instant;

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// What a service answers: a status and headers.
type Answer = Response<Bytes>;

fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
    let answer = Response::builder().status(status);
    let answer = headers.iter().fold(answer, |answer, (name, value)| answer.header(*name, *value));
    answer.body(Bytes::new()).unwrap()
}

fn fine() -> Answer {
    answer(200, &[])
}

/// A service that gives the answers in turn, and then says that all is fine. It
/// notes when each request starts.
#[derive(Clone, Default)]
struct Service {
    answers: Arc<Vec<Answer>>,
    starts: Arc<Mutex<Vec<Instant>>>,
}

impl Service {
    fn new(answers: &[Answer]) -> Self {
        Self { answers: Arc::new(answers.to_vec()), ..Self::default() }
    }

    fn transport(&self) -> impl Transport + use<> {
        let service = self.clone();
        move |_: Request<Bytes>| ready(Ok::<_, Error>(service.answer()))
    }

    fn answer(&self) -> Answer {
        let mut starts = self.starts.lock().unwrap();
        let answer = self.answers.get(starts.len()).cloned();
        starts.push(Instant::now());
        answer.unwrap_or_else(fine)
    }

    fn starts(&self) -> Vec<Instant> {
        self.starts.lock().unwrap().clone()
    }

    /// When each request started, in milliseconds after the first.
    fn milliseconds(&self) -> Vec<u128> {
        let starts = self.starts();
        starts.iter().map(|start| (*start - starts[0]).as_millis()).collect()
    }
}

fn limiter(requests: u32, per: Duration) -> RateLimiter {
    RateLimiter::new(requests, per).unwrap()
}

async fn send(transport: &impl Transport) -> Response<Bytes> {
    transport.send(Request::default()).await.unwrap()
}

/// Sends so many at once, and waits for all.
async fn send_all(transport: &impl Transport, requests: usize) {
    join_all((0..requests).map(|_| send(transport))).await;
}

/// No half-open window of this length holds more starts than there are requests.
fn assert_within_budget(starts: &[Instant], requests: usize, per: Duration) {
    for (first, beyond) in starts.iter().zip(starts.iter().skip(requests)) {
        let time = *beyond - *first;
        assert!(time >= per, "{} requests started within {time:?}", requests + 1);
    }
}
