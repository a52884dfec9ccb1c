//! What readings and responses hold in memory. The allocator counts for the whole
//! process, so this is a test binary of its own, its tests run one after the other, and
//! the service is counted too.

use std::{io::Write, time::Duration};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures::TryStreamExt;
use http::{Request, Response};
use pagestream::{
    ErrorKind, PaginatorExt, Reqwest, Transport,
    alloy::Action,
    testing::{Alloy, Server, Service},
};
use peak_alloc::PeakAlloc;
use tokio::sync::Mutex;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Held by the test that counts.
static COUNTING: Mutex<()> = Mutex::const_new(());

const MIB: usize = 1 << 20;

#[derive(Debug, serde::Deserialize)]
struct Contact {
    id: u64,
}

#[tokio::test]
async fn streaming_a_million_records_stays_below_16_mib() {
    let _counting = COUNTING.lock().await;
    let service = Alloy::new(1).records(1_000_000).counting_only();
    let server = Server::start(service.clone()).await.unwrap();
    let contacts = Action::<Contact>::builder("hubspot", "listContacts")
        .api_key("a-key")
        .credential_id("68d9876543210fedcba98765")
        .base_url(server.base_url())
        .build()
        .unwrap();

    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut records = contacts.records();
    let mut count = 0;
    while let Some(contact) = records.try_next().await.unwrap() {
        assert_eq!(contact.id, count);
        count += 1;
    }
    let peak = MEMORY.peak_usage();

    assert_eq!(count, 1_000_000);
    assert_eq!(service.requests(), 20_000);
    println!("{:.2} MiB at the peak, {:.2} of it before", mib(peak), mib(before));
    assert!(peak < 16 * MIB, "{:.1} MiB", mib(peak));
    assert!(before > 0, "the allocator counts");
}

/// Answers with little that unpacks to much.
#[derive(Clone)]
struct Bomb(Bytes);

impl Bomb {
    fn of(mebibytes: usize) -> Self {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..mebibytes {
            gzip.write_all(&vec![b' '; MIB]).unwrap();
        }
        Self(gzip.finish().unwrap().into())
    }
}

impl Service for Bomb {
    fn respond(&self, _: &Request<Bytes>) -> Response<Bytes> {
        Response::builder().header("content-encoding", "gzip").body(self.0.clone()).unwrap()
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn a_gzip_bomb_stops_at_the_limit_and_takes_no_more_memory_than_that() {
    let _counting = COUNTING.lock().await;
    let bomb = Bomb::of(256);
    assert!(bomb.0.len() < MIB / 2, "{} bytes on the wire", bomb.0.len());
    let server = Server::start(bomb).await.unwrap();
    let limits = [
        (Reqwest::new().unwrap().max_body(MIB), 1),
        (Reqwest::new().unwrap().max_body(16 * MIB), 16),
        (Reqwest::new().unwrap(), 64),
    ];
    for (transport, limit) in limits {
        let request = Request::post(server.base_url()).body(Bytes::new()).unwrap();
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let error = transport.send(request).await.unwrap_err();
        let peak = MEMORY.peak_usage() - before;
        println!("{:.2} MiB at the peak of a limit of {limit}", mib(peak));
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains(&(limit * MIB).to_string()), "{error}");
        assert!(peak < (limit + limit / 8 + 1) * MIB, "{:.1} MiB of {limit}", mib(peak));
        assert!(peak > limit * MIB / 2, "the allocator counts: {:.1} MiB", mib(peak));
    }
}

#[tokio::test]
async fn a_reading_of_bombs_ends_with_an_error_and_holds_one_at_a_time() {
    let _counting = COUNTING.lock().await;
    let server = Server::start(Bomb::of(64)).await.unwrap();
    let contacts = Action::<Contact>::builder("hubspot", "listContacts")
        .api_key("a-key")
        .credential_id("68d9876543210fedcba98765")
        .base_url(server.base_url())
        .transport(Reqwest::new().unwrap().max_body(4 * MIB))
        .build()
        .unwrap();
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let reading = contacts.records();
    let error = reading.try_collect::<Vec<_>>().await.unwrap_err();
    let peak = MEMORY.peak_usage() - before;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(peak < 8 * MIB, "{:.1} MiB", mib(peak));
}

fn mib(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes / 1024).unwrap()) / 1024.0
}
