//! Workers that are killed at random points.

use std::{env, fmt::Display, str::FromStr, time::Duration};

use fastrand::Rng;
use pagestream::testing::Server;
use tokio::time::sleep;

use crate::{
    deadline,
    postgres::Postgres,
    processes::Processes,
    service::{ALL_FINISHED, Observed, PARTS, assert_exact, fewest_requests, hubspot},
};

const WORKERS: usize = 3;

/// How long the service takes for an answer.
const LATENCY: Duration = Duration::from_millis(15);

/// A number of the environment, or another one. It is printed, to be given again.
fn number<T: FromStr + Display>(name: &str, otherwise: impl FnOnce() -> T) -> T {
    let number = match env::var(name) {
        Ok(text) => text.parse().ok().unwrap_or_else(|| panic!("{name} is no number: {text}")),
        Err(_) => otherwise(),
    };
    println!("{name}={number}");
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_workers_killed_at_random_points_each_record_is_stored_once() {
    let kills: usize = number("QUEUE_KILLS", || 50);
    let seed: u64 = number("QUEUE_SEED", || fastrand::u64(..));
    let mut random = Rng::with_seed(seed);

    let pages = 2 * kills.max(10);
    let service = Observed::new(hubspot(seed, pages).latency(LATENCY));
    let server = Server::start(service.clone()).await.unwrap();
    let postgres = Postgres::start();
    let pool = postgres.connect().await;
    let processes =
        Processes { database_url: postgres.url().to_owned(), base_url: server.base_url() };
    let enqueued = processes.enqueue(PARTS, service.hubspot.ids());
    assert_eq!(enqueued, format!("240 ids in {PARTS} parts\n"));

    // Each point is a number of requests that is reached before the end, however often pages
    // are asked for again.
    let fewest_requests = fewest_requests(pages);
    let mut points = (0..kills).map(|_| random.usize(..fewest_requests)).collect::<Vec<_>>();
    points.sort_unstable();
    let mut workers = (0..WORKERS).map(|_| processes.worker()).collect::<Vec<_>>();
    let mut requests = service.requests();
    for point in points {
        let reached = requests.wait_for(|requests| *requests >= point);
        deadline::event("a point is reached", reached).await.unwrap();
        // Before the answer, while records are written, or after.
        sleep(LATENCY.mul_f64(2.0 * random.f64())).await;
        let worker = &mut workers[random.usize(..WORKERS)];
        assert!(worker.try_wait().unwrap().is_none(), "no worker ends by itself");
        worker.kill().await.unwrap();
        *worker = processes.worker();
    }
    deadline::holds("all parts are finished", &pool, ALL_FINISHED).await;
    let has_no_job = "select not exists (select from graphile_worker.jobs)";
    deadline::holds("all jobs are done", &pool, has_no_job).await;

    let records = assert_exact(&pool, &service.hubspot).await;
    let begun = sqlx::query_scalar("select sum(begun) from parts");
    let begun: i64 = begun.fetch_one(&pool).await.unwrap();
    let requests = *requests.borrow();
    println!("{kills} kills: {records} records once each, from {requests} requests");
    println!("{PARTS} parts were begun {begun} times; {fewest_requests} requests are the fewest");
    assert!(usize::try_from(begun).unwrap() > PARTS, "no kill hit a part in the middle");
    let status = processes.status();
    assert!(
        status.lines().count() == PARTS && status.lines().all(|line| line.ends_with("finished"))
    );
}
