//! The peak of memory of 1,000,000 records over HTTP, streamed and collected. Each
//! reading is a process of its own; the server is in this one, which is not counted.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use pagestream_bench::{
    contacts::Contacts,
    figures::{Figures, Measure},
    server::Server,
};

const RECORDS: u64 = 1_000_000;
const TABLE: &str = "**Memory of 1,000,000 records**, at the peak above the start";
const WAYS: [(&str, &str); 4] = [
    ("streamed-1", "pagestream, streamed, 1 in flight"),
    ("streamed-16", "pagestream, streamed, 16 in flight"),
    ("typed", "loop by hand, all in a `Vec`"),
    ("value", "loop by hand, all in a `Vec` of `Value`"),
];

fn main() -> Result<()> {
    let server = Server::start(Contacts::new(RECORDS), |_| Duration::ZERO)?;
    let mut figures = Figures::new()?;
    for (way, name) in WAYS {
        let output =
            Command::new(env!("CARGO_BIN_EXE_peak")).args([way, &server.base_url()]).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let stdout = String::from_utf8(output.stdout)?;
        let (records, bytes) = stdout.trim().split_once(' ').context("it says two numbers")?;
        ensure!(records.parse::<u64>()? == RECORDS, "{name} read {records} records");
        figures.add(TABLE, name, "bytes", Measure::Bytes(bytes.parse()?));
    }
    figures.save("memory")
}
