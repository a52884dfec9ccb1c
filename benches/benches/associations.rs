//! One batch response of HubSpot's associations, read in several ways: the time of each beside
//! that of a mere scan of the same JSON, and the memory of what it keeps.

use std::{hint::black_box, process::Command, time::Instant};

use anyhow::{Result, ensure};
use pagestream_bench::{
    associations::{RECORDS, body, page, paginator, plain, scan},
    figures::{Figures, Measure},
    rounds::ratio,
};

const ROUNDS: usize = 301;
const TABLE: &str = "**An association of a batch response**, 10,000 of them";
const SCAN: &str = "a mere scan";
const PLAIN: &str = "serde_json, plain structs";
const OURS: &str = "pagestream, a page";

fn main() -> Result<()> {
    let body = body();
    let associations = paginator(body.clone())?;
    let scanned = || scan(&body).map(|scanned| _ = black_box(scanned));
    let as_plain = || plain(&body).map(|plain| drop(black_box(plain)));
    let as_page = || page(&associations).map(|page| drop(black_box(page)));

    let mut figures = Figures::new()?;
    let begin = Instant::now();
    (0..ROUNDS).try_for_each(|_| scanned())?;
    let rounds = f64::from(u32::try_from(ROUNDS)?);
    #[expect(clippy::cast_precision_loss, reason = "it is far below 2^52")]
    let records = RECORDS as f64;
    let nanoseconds = begin.elapsed().as_secs_f64() * 1e9 / rounds / records;
    println!("{SCAN} takes {nanoseconds:.0} ns an association");

    let time = "in times of the scan";
    figures.add(TABLE, SCAN, time, Measure::Ratio(1.0));
    for (row, times) in
        [(PLAIN, ratio(ROUNDS, as_plain, scanned)?), (OURS, ratio(ROUNDS, as_page, scanned)?)]
    {
        figures.add(TABLE, row, time, Measure::Ratio(times));
    }
    // The allocator that counts takes time of its own, so it is in another process.
    for (way, row) in [("plain", PLAIN), ("page", OURS)] {
        let output = Command::new(env!("CARGO_BIN_EXE_kept")).arg(way).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let bytes = String::from_utf8(output.stdout)?.trim().parse::<u32>()?;
        let each = f64::from(bytes) / records;
        figures.add(TABLE, row, "bytes kept", Measure::BytesOfARecord(each));
    }
    figures.save("associations")
}
