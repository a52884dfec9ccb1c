//! The machine that figures are of.

use std::{fmt, fs, thread, time::SystemTime};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// A machine on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    date: String,
    cores: usize,
    memory_gib: u64,
}

impl Machine {
    /// This one, today.
    pub fn this() -> Result<Self> {
        // `Wed, 25 Nov 2026 10:14:22 GMT`
        let now = httpdate::fmt_http_date(SystemTime::now());
        let date = now.split(' ').skip(1).take(3).collect::<Vec<_>>().join(" ");
        let memory = fs::read_to_string("/proc/meminfo").context("the memory of Linux is read")?;
        let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kib = total.and_then(|total| total.split_whitespace().next()?.parse::<u64>().ok());
        let kib = kib.context("/proc/meminfo has no total")?;
        let cores = thread::available_parallelism()?.get();
        Ok(Self { date, cores, memory_gib: (kib + (1 << 19)) >> 20 })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, cores, memory_gib } = self;
        write!(f, "{date}, {cores} cores, {memory_gib} GiB of memory")
    }
}
