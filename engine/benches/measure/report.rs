//! The table in the README.

use std::{fmt::Write, fs, time::Duration};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::numbers::{LATENCY, PAGES};

const BEGIN: &str = "<!-- The table is written by benches/run. -->\n";
const END: &str = "<!-- The table ends. -->\n";

/// What a process has measured.
#[derive(Serialize, Deserialize)]
pub(crate) struct Measured {
    time: Duration,
    first_row: Option<Duration>,
    requests: u64,
    pub(crate) peak_mib: u64,
}

impl Measured {
    pub(crate) fn new(
        time: Duration,
        first_row: Option<Duration>,
        requests: u64,
    ) -> anyhow::Result<Self> {
        Ok(Self { time, first_row, requests, peak_mib: peak_mib("self")? })
    }
}

/// The most memory that a process had, in MiB.
pub(crate) fn peak_mib(process: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    Ok(kib.context("the system tells the memory")?.trim().parse::<u64>()? / 1_024)
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) name: String,
    /// How many requests can be on their way.
    pub(crate) at_once: usize,
    pub(crate) measured: Measured,
    /// The peaks of all processes that are left at the end, in MiB.
    pub(crate) memory: Vec<u64>,
}

impl Row {
    /// What the service's latency alone takes.
    fn limit(&self) -> Duration {
        LATENCY * u32::try_from(PAGES.div_ceil(self.at_once as u64)).unwrap_or(u32::MAX)
    }

    fn line(&self) -> String {
        let Measured { time, first_row, requests, .. } = &self.measured;
        let memory = self.memory.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
        let first_row =
            first_row.map_or_else(String::new, |it| format!("{:.2} s", it.as_secs_f64()));
        format!(
            "| {} | {} | {:.2} s | {:.2} | {requests} | {} | {first_row} | {memory} |\n",
            self.name,
            self.at_once,
            time.as_secs_f64(),
            time.as_secs_f64() / self.limit().as_secs_f64(),
            requests.saturating_sub(PAGES),
        )
    }
}

/// Prints the table, and puts it into the README.
pub(crate) fn write(rows: &[Row]) -> anyhow::Result<()> {
    let mut table = String::from(
        "| | requests at once | time | times the limit | requests | wasted | first row | peak memory, MiB |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        table.push_str(&row.line());
    }
    // What the script has measured.
    if let Ok(build) = std::env::var("BENCH_BUILD") {
        write!(table, "\n{build}\n")?;
    }
    print!("{table}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(path)?;
    let (before, rest) = readme.split_once(BEGIN).context("the README has the table's begin")?;
    let (_, after) = rest.split_once(END).context("the README has the table's end")?;
    Ok(fs::write(path, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?)
}
