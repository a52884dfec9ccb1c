//! Records in a second over HTTP on the loopback interface, one request in flight,
//! each way to decode in turn: the client has a core of its own, the server another.

use std::time::Duration;

use anyhow::{Result, ensure};
use pagestream_bench::{
    clients::{Service, alloy::DECODERS},
    contacts::{Contacts, Tally},
    figures::{Figures, Measure},
    rounds::{in_turn, timed},
    server::Server,
};

const RECORDS: u64 = 100_000;
const TABLE: &str = "**Records in a second over HTTP**, no latency, one request in flight";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let server = Server::start(Contacts::new(RECORDS), |_| Duration::ZERO)?;
    let service = Service::new(server.base_url())?;
    let expected = Tally::of(0..RECORDS);
    let taken = in_turn(&DECODERS, async |(_, client)| {
        let (time, tally) = timed(client.read(&service)).await?;
        ensure!(tally == expected, "{client} reads something else");
        Ok((time, server.take_requests(), tally))
    })
    .await?;
    let mut figures = Figures::new()?;
    let seconds_by_slice = taken[1].seconds();
    #[expect(clippy::cast_precision_loss, reason = "it is far below 2^52")]
    let records = RECORDS as f64;
    for ((_, client), taken) in DECODERS.iter().zip(&taken) {
        let seconds = taken.seconds();
        let per_second = Measure::RecordsPerSecond(records / seconds);
        figures.add(TABLE, client, "records a second", per_second);
        let faster = Measure::Ratio(seconds_by_slice / seconds);
        figures.add(TABLE, client, "in times of `from_slice`", faster);
    }
    figures.save("decoding")
}
