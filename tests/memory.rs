//! What a long reading holds in memory. The allocator counts for the whole
//! process, so this is a test binary of its own, and the service is counted too.

use futures::TryStreamExt;
use pagestream::{
    PaginatorExt,
    alloy::Action,
    testing::{Alloy, Server},
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MIB: usize = 1 << 20;

#[derive(serde::Deserialize)]
struct Contact {
    id: u64,
}

#[tokio::test]
async fn streaming_a_million_records_stays_below_16_mib() {
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

fn mib(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes / 1024).unwrap()) / 1024.0
}
