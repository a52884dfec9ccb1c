//! What the benches measured, kept in files for the report.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// The benches in the order of the report.
pub const BENCHES: [&str; 8] =
    ["stream", "instructions", "latency", "prefetch", "decoding", "associations", "memory", "ids"];

/// A figure and its cell in a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What the table is about.
    pub table: String,
    /// The row.
    pub row: String,
    /// The column.
    pub column: String,
    /// The figure.
    pub measure: Measure,
}

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A whole reading.
    Reading {
        /// How long it took.
        seconds: f64,
        /// How many requests it made.
        requests: u64,
        /// How many records were lost, if any.
        lost: u64,
        /// The seconds and the requests that no client can stay below.
        limit: Option<(f64, u64)>,
    },
    /// How many times as fast as the row that it is compared with, and the limit.
    SpeedUp(f64, f64),
    /// How many times as much as the row that it is compared with.
    Ratio(f64),
    /// Instructions for each record.
    Instructions(f64),
    /// Records in a second.
    RecordsPerSecond(f64),
    /// Bytes.
    Bytes(u64),
    /// Bytes for each record.
    BytesOfARecord(f64),
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Reading { seconds, requests, lost, limit } => {
                // Three digits say enough.
                let digits = if seconds < 1.0 { 3 } else { 2 };
                match limit {
                    Some((least, fewest)) => write!(
                        f,
                        "{seconds:.digits$} s of {least:.digits$}, {requests} of {fewest}"
                    )?,
                    None => write!(f, "{seconds:.digits$} s, {requests}")?,
                }
                if lost > 0 { write!(f, ", **{lost} records lost**") } else { Ok(()) }
            }
            Self::SpeedUp(times, limit) => write!(f, "{times:.2} of {limit:.2}"),
            Self::Ratio(times) => write!(f, "{times:.2}"),
            Self::Instructions(count) if count < 1000.0 => write!(f, "{count:.1}"),
            Self::Instructions(count) => write!(f, "{count:.0}"),
            Self::RecordsPerSecond(count) => write!(f, "{:.0} k", count / 1e3),
            Self::Bytes(count) => {
                write!(f, "{}.{} MB", count / 1_000_000, count / 100_000 % 10)
            }
            Self::BytesOfARecord(bytes) => write!(f, "{bytes:.0} B"),
        }
    }
}

/// The figures of one bench, and where and when they were taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// The machine and the day.
    pub machine: Machine,
    /// In the order in which they are shown.
    pub figures: Vec<Figure>,
}

impl Figures {
    /// None yet, of this machine today.
    pub fn new() -> Result<Self> {
        Ok(Self { machine: Machine::this()?, figures: Vec::new() })
    }

    /// Adds a figure, and prints it.
    pub fn add(
        &mut self,
        table: impl Into<String>,
        row: impl fmt::Display,
        column: impl fmt::Display,
        measure: Measure,
    ) {
        let (table, row, column) = (table.into(), row.to_string(), column.to_string());
        println!("{table} | {row} | {column} | {measure}");
        self.figures.push(Figure { table, row, column, measure });
    }

    /// Writes them to the file of a bench.
    pub fn save(&self, bench: &str) -> Result<()> {
        fs::create_dir_all(directory())?;
        fs::write(file(bench), serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }

    /// The figures of a bench that ran.
    pub fn load(bench: &str) -> Result<Self> {
        let figures = fs::read(file(bench)).with_context(|| format!("{bench} has not run"))?;
        Ok(serde_json::from_slice(&figures)?)
    }
}

/// Forgets all figures.
pub fn clear() -> Result<()> {
    for bench in BENCHES {
        if file(bench).exists() {
            fs::remove_file(file(bench))?;
        }
    }
    Ok(())
}

fn file(bench: &str) -> PathBuf {
    directory().join(format!("{bench}.json"))
}

/// Where figures and criterion's estimates are kept.
#[must_use]
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/figures")
}
