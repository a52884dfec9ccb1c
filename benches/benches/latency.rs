//! Whole readings of both services over HTTP on the loopback interface, with the
//! latency that services have, against the loops that users write today.
//!
//! `cargo bench --bench latency -- hubspot` or `alloy` runs one of them.

use std::time::Duration;

use anyhow::{Result, ensure};
use pagestream::testing::HubSpot;
use pagestream_bench::{
    clients::{Service, alloy, hubspot},
    contacts::{Contacts, LIMIT, Tally, is_slow},
    figures::{Figures, Measure},
    is_asked_for, is_whole_run,
    rounds::{in_turn, timed},
    server::Server,
};

const LATENCIES: [u64; 3] = [0, 5, 50];
const WINDOWS: [usize; 3] = [1, 4, 16];

/// Ids that go on for some pages, one in a hundred.
const DEPTH: u64 = 5;
const IDS: u64 = 10_000;

/// What no client can stay below, with a latency in seconds.
fn limit(rounds: u64, requests: u64, latency: u64) -> Option<(f64, u64)> {
    let seconds = Duration::from_millis(rounds * latency).as_secs_f64();
    (latency > 0).then_some((seconds, requests))
}

async fn read_hubspot(figures: &mut Figures) -> Result<()> {
    const TABLE: &str = "**HubSpot, 10,000 ids, one in a hundred with 5 pages**: seconds of the \
                         least possible, requests of the fewest possible";
    let service = HubSpot::new(1)
        .objects(IDS)
        .pages(|index| if index % 100 == 0 { 5 } else { 1 })
        .counting_only();
    let ids = service.ids().collect::<Vec<_>>();
    let pairs = ids.iter().flat_map(|from| {
        let all = service.associations(*from).into_iter();
        all.map(move |to| hubspot::pair(*from, to))
    });
    let expected = Tally::of(pairs);
    let units = IDS + IDS / 100 * (DEPTH - 1);
    for batch in [1000, 100] {
        for latency in LATENCIES {
            let server = Server::start(service.clone(), move |_| Duration::from_millis(latency))?;
            let endpoint = Service::new(server.base_url())?;
            let mut clients = vec![(hubspot::Client::ByHand, 1)];
            clients.extend(WINDOWS.map(|window| (hubspot::Client::Ours(window), window)));
            let taken = in_turn(&clients, async |(client, _)| {
                let (time, all) = timed(client.read(&endpoint, &ids, batch)).await?;
                let tally = all.tally()?;
                ensure!(tally == expected, "{client} reads something else");
                Ok((time, server.take_requests(), tally))
            })
            .await?;
            for ((client, window), taken) in clients.iter().zip(&taken) {
                let (batch, window) = (batch as u64, *window as u64);
                let rounds = IDS.div_ceil(batch * window) + DEPTH - 1;
                let measure = Measure::Reading {
                    seconds: taken.seconds(),
                    requests: taken.requests,
                    lost: 0,
                    limit: limit(rounds, units.div_ceil(batch), latency),
                };
                figures.add(TABLE, client, format!("{batch} ids, {latency} ms"), measure);
            }
        }
    }
    Ok(())
}

/// A way in which Alloy answers.
struct Way {
    name: String,
    contacts: Contacts,
    latency: u64,
    /// One answer in ten takes five times as long.
    slow_tenth: bool,
}

fn ways() -> Vec<Way> {
    let contacts = Contacts::new(200 * LIMIT);
    let mut ways = Vec::new();
    for latency in LATENCIES {
        ways.push(Way { name: format!("{latency} ms"), contacts, latency, slow_tenth: false });
    }
    let name = "50 ms, one in ten 250 ms".to_owned();
    ways.push(Way { name, contacts, latency: 50, slow_tenth: true });
    let name = "50 ms, 20 records given where 50 are asked for".to_owned();
    let contacts = Contacts { records: 1_987, clamp: 20 };
    ways.push(Way { name, contacts, latency: 50, slow_tenth: false });
    ways
}

async fn read_alloy(figures: &mut Figures) -> Result<()> {
    const TABLE: &str = "**Alloy, 200 pages** (100 of 20 records in the last column): seconds of \
                         the least possible, requests of the fewest possible";
    use alloy::Client;
    let mut clients = vec![(Client::Value, 1)];
    clients.extend([1, 4, 8, 16].map(|window| (Client::Ours(window), window)));
    clients.extend([4, 8, 16].map(|ahead| (Client::PageTurner(ahead), ahead)));
    for Way { name, contacts, latency, slow_tenth } in ways() {
        let server = Server::start(contacts, move |request| {
            let times = if slow_tenth && is_slow(request) { 5 } else { 1 };
            Duration::from_millis(latency * times)
        })?;
        let service = Service::new(server.base_url())?;
        let expected = Tally::of(0..contacts.records);
        let predictions_hold = contacts.clamp == LIMIT;
        let taken = in_turn(&clients, async |(client, _)| {
            let (time, tally) = timed(client.read(&service)).await?;
            let may_lose = matches!(client, Client::PageTurner(_)) && !predictions_hold;
            ensure!(tally == expected || may_lose, "{client} reads something else");
            // Requests beyond the end that are still on their way.
            tokio::time::sleep(Duration::from_millis(6 * latency)).await;
            Ok((time, server.take_requests(), tally))
        })
        .await?;
        let pages = contacts.records.div_ceil(contacts.clamp);
        for ((client, window), taken) in clients.iter().zip(&taken) {
            let window = *window as u64;
            let rounds = pages.div_ceil(window);
            let slow = if slow_tenth { (pages / 10 * 4).div_ceil(window) } else { 0 };
            let measure = Measure::Reading {
                seconds: taken.seconds(),
                requests: taken.requests,
                lost: contacts.records - taken.tally.records.min(contacts.records),
                limit: limit(rounds + slow, pages, latency),
            };
            figures.add(TABLE, client, &name, measure);
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut figures = Figures::new()?;
    if is_asked_for("hubspot") {
        read_hubspot(&mut figures).await?;
    }
    if is_asked_for("alloy") {
        read_alloy(&mut figures).await?;
    }
    if is_whole_run() { figures.save("latency") } else { Ok(()) }
}
