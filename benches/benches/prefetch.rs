//! A consumer that takes as long for a page as the service does: the sum of both
//! becomes their maximum, at best. It sleeps, or it blocks its thread; and once more
//! where there is no runtime, and nothing but that thread.

use std::{fmt, pin::pin, thread, time::Duration};

use ::page_turner::prelude::{Limit, PageTurner, PagesStream, TurnedPage, TurnedPageResult};
use anyhow::{Result, anyhow, ensure};
use futures::{Stream, TryStreamExt, executor::block_on};
use futures_timer::Delay;
use pagestream::{Page, PaginatorExt, from_fn};
use pagestream_bench::{
    clients::{
        Service,
        alloy::paginator,
        by_hand::page_by_hand,
        page_turner::{self, Offset},
    },
    contacts::{Contact, Contacts, LIMIT, Tally},
    figures::{Figures, Measure},
    rounds::{Taken, in_turn, timed},
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

const CLIENTS: [Client; 3] = [Client::ByHand, Client::Ours, Client::PageTurner];

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
        self.each(records.map_ok(|contact| contact.id)).await
    }

    async fn each<E>(self, ids: impl Stream<Item = Result<u64, E>>) -> Result<Tally>
    where
        anyhow::Error: From<E>,
    {
        let (mut ids, mut tally) = (pin!(ids), Tally::default());
        while let Some(id) = ids.try_next().await? {
            tally.add(id);
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

/// Ids in pages, each of which takes its time without a runtime.
#[derive(Clone, Copy)]
struct Ids;

impl Ids {
    async fn page(self, from: u64) -> Result<(Vec<u64>, Option<u64>)> {
        Delay::new(EACH).await;
        let to = from + LIMIT;
        Ok(((from..to).collect(), (to < PAGES * LIMIT).then_some(to)))
    }
}

impl PageTurner<Offset> for Ids {
    type PageItems = Vec<u64>;
    type PageError = anyhow::Error;

    async fn turn_page(&self, from: Offset) -> TurnedPageResult<Self, Offset> {
        let (ids, next) = self.page(from.0).await?;
        Ok(TurnedPage::new(ids, next.map(Offset)))
    }
}

impl Client {
    /// Reads the ids on this thread, which the consumer blocks.
    async fn read_ids(self) -> Result<Tally> {
        let consumer = Consumer::Blocking;
        match self {
            Self::ByHand => {
                let (mut tally, mut next) = (Tally::default(), Some(0));
                while let Some(from) = next {
                    let (ids, behind) = Ids.page(from).await?;
                    for id in ids {
                        tally.add(id);
                    }
                    consumer.consume().await;
                    next = behind;
                }
                Ok(tally)
            }
            Self::Ours => {
                let ids = from_fn(0, |from| async move {
                    let (ids, next) = Ids.page(from).await.map_err(pagestream::Error::other)?;
                    Ok(Page::new(ids, next))
                });
                consumer.each(ids.into_read().window(2).records()).await
            }
            Self::PageTurner => {
                consumer.each(Ids.pages_ahead(2, Limit::None, Offset(0)).items()).await
            }
        }
    }
}

fn add(figures: &mut Figures, column: &str, taken: &[Taken]) {
    let by_hand = taken[0].seconds();
    for (client, taken) in CLIENTS.iter().zip(taken) {
        let speed_up = Measure::SpeedUp(by_hand / taken.seconds(), 40.0 / 21.0);
        figures.add(TABLE, client, column, speed_up);
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
        let taken = in_turn(&CLIENTS, async |client| {
            let (time, tally) = timed(client.read(&service, consumer)).await?;
            ensure!(tally == expected, "{client} reads something else");
            Ok((time, server.take_requests(), tally))
        })
        .await?;
        add(&mut figures, name, &taken);
    }
    let taken = in_turn(&CLIENTS, async |client| {
        let reading = thread::spawn(move || block_on(timed(client.read_ids())));
        let (time, tally) = reading.join().map_err(|_| anyhow!("the reading panicked"))??;
        ensure!(tally == expected, "{client} reads something else");
        Ok((time, PAGES, tally))
    })
    .await?;
    add(&mut figures, "it blocks the only thread, no runtime", &taken);
    figures.save("prefetch")
}
