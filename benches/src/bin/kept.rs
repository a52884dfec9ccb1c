//! Reads a batch response of associations and prints the bytes that stay allocated for what
//! was read of it.
//!
//!     kept <plain | page>

use std::{env, hint::black_box};

use anyhow::{Result, bail};
use pagestream_bench::associations::{body, page, paginator, plain};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How much memory is held by what this gives.
fn kept<T>(read: impl Fn() -> Result<T>) -> Result<usize> {
    // What is allocated once is allocated by the first.
    drop(read()?);
    let before = MEMORY.current_usage();
    let value = black_box(read()?);
    let kept = MEMORY.current_usage().saturating_sub(before);
    drop(value);
    Ok(kept)
}

fn main() -> Result<()> {
    let body = body();
    let bytes = match env::args().nth(1).as_deref() {
        Some("plain") => kept(|| plain(&body))?,
        Some("page") => {
            let associations = paginator(body)?;
            kept(|| page(&associations))?
        }
        _ => bail!("no such way to read"),
    };
    println!("{bytes}");
    Ok(())
}
