//! Two services as two tables, joined: `cargo run --example sql`.
//!
//! HubSpot's deals and Alloy's contacts are emulated on the loopback interface. The join is
//! printed, and then written as Parquet into the folder that is given, or a temporary one.

#[path = "shared/crm.rs"]
mod crm;

use std::{path::PathBuf, sync::Arc, time::Duration};

use datafusion::prelude::{ParquetReadOptions, SessionContext};
use pagestream_datafusion::{Environment, Table};

use crm::{Contacts, Crm, Deals};

const JOIN: &str = "
    SELECT email, count(*) AS deals, sum(amount) AS amount
    FROM deals JOIN contacts ON deals.contact = contacts.id
    GROUP BY email";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let given = std::env::args().nth(1).map(PathBuf::from);
    let temporary = tempfile::tempdir()?;
    let folder = given.unwrap_or_else(|| temporary.path().join("out"));

    let crm = Crm::start(250, Duration::ZERO).await?;
    let [hubspot, alloy] = crm.urls();
    let environment = Environment::new()
        .with_secret("HUBSPOT_TOKEN", "a-test-token")
        .with_secret("ALLOY_API_KEY", "a-test-key");
    let deals = Table::new(Deals { base_url: hubspot })?.window(2);
    let contacts = Table::new(Contacts { base_url: alloy, expected: 120 })?.parts(4);

    let context = SessionContext::new();
    context.register_table("deals", Arc::new(deals.environment(environment.clone())))?;
    context.register_table("contacts", Arc::new(contacts.environment(environment)))?;

    let largest = format!("{JOIN} ORDER BY amount DESC, email LIMIT 5");
    context.sql(&largest).await?.show().await?;

    let copy = format!("COPY ({JOIN}) TO '{}/' STORED AS PARQUET", folder.display());
    context.sql(&copy).await?.collect().await?;
    let options = ParquetReadOptions::default();
    let written = context.read_parquet(folder.display().to_string(), options).await?;
    println!("{} rows in {}", written.count().await?, folder.display());
    Ok(())
}
