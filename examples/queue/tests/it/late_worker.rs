//! Workers that come back when their part has been taken over.

use std::{process::Command, time::Duration};

use bytes::Bytes;
use http::Request;
use pagestream::{
    Transport,
    hubspot::Associations,
    testing::{HubSpot, Server},
};
use pagestream_queue::{
    part::{self, BATCH},
    queue,
    store::TakenOver,
};
use sqlx::PgPool;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
    sync::watch,
};

use crate::{
    deadline,
    postgres::Postgres,
    processes::Processes,
    service::{ALL_FINISHED, Observed, PARTS, assert_exact, hubspot},
};

fn associations(hubspot: &HubSpot, transport: impl Transport + 'static) -> Associations {
    let associations = Associations::builder("deals", "companies").ids(hubspot.ids());
    associations.token("a-test-token").transport(transport).build().unwrap()
}

/// The whole content of the row of a part.
async fn row(pool: &PgPool, part: i32) -> String {
    let row = sqlx::query_scalar("select parts::text from parts where part = $1");
    row.bind(part).fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_worker_whose_part_was_taken_over_writes_nothing() {
    let hubspot = hubspot(1, 40);
    let postgres = Postgres::start();
    let pool = postgres.connect().await;
    let prompt = associations(&hubspot, hubspot.clone());
    let ids = hubspot.ids().map(|id| id.to_string()).collect::<Vec<_>>();
    queue::enqueue(&pool, &prompt, &ids, PARTS).await.unwrap();

    // The late worker gets answers for one batch and some records, and the next one when told.
    let (door, opened) = watch::channel(16);
    let (service, asked) = (hubspot.clone(), watch::Sender::new(0));
    let held = move |request: Request<Bytes>| {
        let (service, mut opened) = (service.clone(), opened.clone());
        asked.send_modify(|asked| *asked += 1);
        let this = *asked.borrow();
        async move {
            let _ = opened.wait_for(|opened| this <= *opened).await;
            service.send(request).await
        }
    };
    let (held, pool_of_late) = (associations(&hubspot, held), pool.clone());
    let late = tokio::spawn(async move { part::run(&pool_of_late, &held, 0).await });
    let has_written = "select version > 1 from parts where part = 0";
    deadline::holds("the late worker has written a batch", &pool, has_written).await;

    // Its successors.
    for part in 0..i32::try_from(PARTS).unwrap() {
        part::run(&pool, &prompt, part).await.unwrap();
    }
    let records = assert_exact(&pool, &hubspot).await;
    assert!(records > PARTS * BATCH, "a part has several batches");
    let before = row(&pool, 0).await;

    door.send(usize::MAX).unwrap();
    let error = deadline::event("the late worker ends", late).await.unwrap().unwrap_err();
    assert_eq!(error.downcast_ref::<TakenOver>().expect("it was taken over").0, 0);
    assert_exact(&pool, &hubspot).await;
    assert_eq!(row(&pool, 0).await, before, "its place stands as the successor left it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_is_run_again_after_its_end_writes_nothing() {
    let hubspot = hubspot(2, 10);
    let postgres = Postgres::start();
    let pool = postgres.connect().await;
    let associations = associations(&hubspot, hubspot.clone());
    let ids = hubspot.ids().map(|id| id.to_string()).collect::<Vec<_>>();
    queue::enqueue(&pool, &associations, &ids, PARTS).await.unwrap();
    for part in (0..i32::try_from(PARTS).unwrap()).flat_map(|part| [part, part]) {
        part::run(&pool, &associations, part).await.unwrap();
    }
    assert_exact(&pool, &hubspot).await;
}

/// Sends a signal to a worker.
fn signal(worker: &Child, signal: &str) {
    let id = worker.id().expect("it runs").to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stood_still_gives_up_and_leaves_the_job_to_its_successor() {
    let service = Observed::new(hubspot(3, 80).latency(Duration::from_millis(15)));
    let server = Server::start(service.clone()).await.unwrap();
    let postgres = Postgres::start();
    let pool = postgres.connect().await;
    let processes =
        Processes { database_url: postgres.url().to_owned(), base_url: server.base_url() };
    processes.enqueue(PARTS, service.hubspot.ids());

    let mut late = processes.worker_with_errors();
    let has_written = "select count(*) > 0 from associations";
    deadline::holds("the late worker has written", &pool, has_written).await;
    signal(&late, "-STOP");

    // The successor has a part of the late worker, and is in its middle.
    let mut successor = processes.worker();
    let taken_over = "select count(*) > 0 from parts where begun > 1 and not finished";
    deadline::holds("a part is taken over", &pool, taken_over).await;
    signal(&late, "-CONT");

    let mut errors = BufReader::new(late.stderr.take().expect("it is piped")).lines();
    let gives_up = async {
        while let Some(line) = errors.next_line().await.unwrap() {
            if line.ends_with("was taken over by another worker, and nothing was written") {
                return;
            }
        }
        panic!("it ended without a word");
    };
    deadline::event("the late worker gives up", gives_up).await;

    // The job is there still: it is run again when the successor dies.
    successor.kill().await.unwrap();
    let _another = processes.worker();
    deadline::holds("all parts are finished", &pool, ALL_FINISHED).await;
    assert_exact(&pool, &service.hubspot).await;
}
