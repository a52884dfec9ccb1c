//! Reads all contacts of a service as fast as it goes, for `benches/compare`.
//!
//!     export <base URL> <requests in flight>

use std::{env, time::Instant};

use anyhow::{Context, Result};
use futures::TryStreamExt;
use pagestream::PaginatorExt;
use pagestream_bench::clients::{Service, alloy::paginator};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    let [base_url, window] = &arguments[..] else {
        anyhow::bail!("from where, and with how many requests in flight?")
    };
    let contacts = paginator(&Service::new(base_url)?)?;
    let window = window.parse().context("how many requests in flight?")?;

    let begin = Instant::now();
    let mut records = contacts.read().window(window).records();
    let (mut count, mut sum) = (0_u64, 0);
    while let Some(contact) = records.try_next().await? {
        count += 1;
        sum += contact.id;
    }
    println!("{count} {sum} {}", begin.elapsed().as_secs_f64());
    Ok(())
}
