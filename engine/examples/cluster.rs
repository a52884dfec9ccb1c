//! A join of two APIs on a Ballista cluster: `cargo run --example cluster --features ballista`.
//!
//! Without arguments it starts all of it on the loopback interface: the emulated services, a
//! scheduler, two executors, and a client. Each process is this program with a role:
//!
//! | role | arguments |
//! |---|---|
//! | `scheduler` | its port, the number of executors |
//! | `executor` | the scheduler's port, two ports of its own, a folder for what it computes |
//! | `client` | the scheduler's port, the addresses of HubSpot and Alloy, the number of deals |
//!
//! Executors and clients find the credentials in `HUBSPOT_TOKEN` and `ALLOY_API_KEY`. The
//! scheduler has none.

#[path = "shared/crm.rs"]
mod crm;
#[path = "shared/processes.rs"]
mod processes;
#[path = "shared/roles.rs"]
mod roles;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use pagestream_datafusion::{Connectors, Environment, Table};

use crm::{CONTACTS, Contacts, Crm, DealsById, connectors, deal_ids};
use processes::Processes;

const QUERY: &str = "
    SELECT contacts.id % 5 AS team, count(*) AS deals, sum(amount) AS amount
    FROM deals JOIN contacts ON deals.contact = contacts.id
    GROUP BY team ORDER BY team";

/// The connectors, with credentials of this process. Two executors share HubSpot's budget.
fn all_connectors() -> anyhow::Result<Connectors> {
    let environment = Environment::new().executors(2);
    Ok(connectors(environment.with_rate_limit("hubspot", 1_000, Duration::from_secs(1))?))
}

async fn client(scheduler: u16, [hubspot, alloy]: [String; 2], deals: u64) -> anyhow::Result<()> {
    let connectors = all_connectors()?;
    let context = roles::session(&connectors, scheduler).await?;
    // Split here, so that the scheduler needs no credentials.
    let deals = Table::new(DealsById { base_url: hubspot, ids: deal_ids(deals) })?.parts(16);
    let deals = deals.environment(connectors.environment().clone()).split().await?;
    let contacts = Table::new(Contacts { base_url: alloy, expected: CONTACTS as u64 })?.parts(4);
    let contacts = contacts.environment(connectors.environment().clone()).split().await?;
    context.register_table("deals", Arc::new(deals))?;
    context.register_table("contacts", Arc::new(contacts))?;
    context.sql(QUERY).await?.show().await?;
    Ok(())
}

/// Starts everything.
async fn all() -> anyhow::Result<()> {
    let deals = 500;
    let crm = Crm::start(deals, Duration::from_millis(10)).await?;
    let folder = tempfile::tempdir()?;
    let mut processes = Processes::start(&std::env::current_exe()?, folder.path(), 2)?;
    processes.wait_until_ready().await?;
    println!("a scheduler and two executors are there");
    let [hubspot, alloy] = crm.urls();
    let mut client = processes.client(&[&hubspot, &alloy, &deals.to_string()]);
    ensure!(tokio::task::spawn_blocking(move || client.status()).await??.success());
    println!("{} requests", crm.requests());
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let arguments = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    let port = |text: &str| text.parse().with_context(|| format!("{text:?} is no port"));
    match arguments[..] {
        [] => all().await,
        ["scheduler", at, executors] => {
            roles::scheduler(&all_connectors()?, port(at)?, executors.parse()?).await
        }
        ["executor", scheduler, first, second, folder] => {
            let ports = [port(first)?, port(second)?];
            roles::executor(&all_connectors()?, port(scheduler)?, ports, folder).await
        }
        ["client", scheduler, hubspot, alloy, deals] => {
            let urls = [hubspot.to_owned(), alloy.to_owned()];
            client(port(scheduler)?, urls, deals.parse()?).await
        }
        _ => bail!("unknown arguments {arguments:?}: see the head of this file"),
    }
}
