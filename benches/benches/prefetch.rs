//! A consumer that takes as long for a page as the service does: the sum of both
//! becomes their maximum, at best. It sleeps, or it blocks its thread.

use std::{fmt, pin::pin, thread, time::Duration};

use anyhow::{Result, ensure};
use futures::{Stream, TryStreamExt};
use pagestream::PaginatorExt;
use pagestream_bench::{
    clients::{
        Service,
        alloy::{page_by_hand, paginator},
        page_turner,
    },
    contacts::{Contact, Contacts, LIMIT, Tally},
    figures::{Figures, Measure},
    rounds::{in_turn, timed},
    server::Server,
};

const PAGES: u64 = 20;
const EACH: Duration = Duration::from_millis(50);
const TABLE: &str =
    "**A consumer as slow as the service**, 20 pages of 50 ms, speed-up and its limit";

#[derive(Clone, Copy, Debug)]
enum Client {
    ByHand,
    Ours,
    PageTurner,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByHand => "loop by hand",
            Self::Ours => "pagestream, 2 in flight",
            Self::PageTurner => "page-turner, 2 ahead",
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum Consumer {
    Busy,
    Blocking,
}

impl Consumer {
    /// Takes its time for a page.
    async fn consume(self) {
        match self {
            Self::Busy => tokio::time::sleep(EACH).await,
            Self::Blocking => thread::sleep(EACH),
        }
    }

    async fn all<E>(self, records: impl Stream<Item = Result<Contact, E>>) -> Result<Tally>
    where
        anyhow::Error: From<E>,
    {
        let (mut records, mut tally) = (pin!(records), Tally::default());
        while let Some(contact) = records.try_next().await? {
            tally.add(contact.id);
            if tally.records.is_multiple_of(LIMIT) {
                self.consume().await;
            }
        }
        Ok(tally)
    }
}

impl Client {
    async fn read(self, service: &Service, consumer: Consumer) -> Result<Tally> {
        match self {
            Self::ByHand => {
                let (mut tally, mut next) = (Tally::default(), Some(0));
                while let Some(offset) = next {
                    let (contacts, behind) = page_by_hand(service, offset).await?;
                    for contact in contacts {
                        tally.add(contact.id);
                    }
                    consumer.consume().await;
                    next = behind;
                }
                Ok(tally)
            }
            Self::Ours => consumer.all(paginator(service)?.into_read().window(2).records()).await,
            Self::PageTurner => consumer.all(page_turner::records(service, 2)).await,
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let server = Server::start(Contacts::new(PAGES * LIMIT), |_| EACH)?;
    let service = Service::new(server.base_url())?;
    let expected = Tally::of(0..PAGES * LIMIT);
    let mut figures = Figures::new()?;
    for (consumer, name) in
        [(Consumer::Busy, "it sleeps"), (Consumer::Blocking, "it blocks its thread")]
    {
        let clients = [Client::ByHand, Client::Ours, Client::PageTurner];
        let taken = in_turn(&clients, async |client| {
            let (time, tally) = timed(client.read(&service, consumer)).await?;
            ensure!(tally == expected, "{client} reads something else");
            Ok((time, server.take_requests(), tally))
        })
        .await?;
        let by_hand = taken[0].seconds();
        for (client, taken) in clients.iter().zip(&taken) {
            let speed_up = Measure::SpeedUp(by_hand / taken.seconds(), 40.0 / 21.0);
            figures.add(TABLE, client, name, speed_up);
        }
    }
    figures.save("prefetch")
}
