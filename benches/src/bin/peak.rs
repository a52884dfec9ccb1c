//! Reads all contacts of a service and prints the bytes at the peak above the start.
//!
//!     peak <streamed-1 | streamed-16 | typed | value> <base URL>

use std::env;

use anyhow::{Context, Result, bail};
use pagestream_bench::clients::{Service, alloy::Client};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fn main() -> Result<()> {
    let [way, base_url] = env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .ok()
        .context("how and from where is to be read?")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let service = Service::new(base_url)?;
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let tally = runtime.block_on(async {
        match way.as_str() {
            "streamed-1" => Client::Ours(1).read(&service).await,
            "streamed-16" => Client::Ours(16).read(&service).await,
            "typed" => Client::Slice.collect(&service).await,
            "value" => Client::Value.collect(&service).await,
            _ => bail!("no such way to read"),
        }
    })?;
    println!("{} {}", tally.records, MEMORY.peak_usage().saturating_sub(before));
    Ok(())
}
