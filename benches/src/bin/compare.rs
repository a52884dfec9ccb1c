//! Whole programs that read the same service in one run: `benches/compare`.
//!
//!     compare <python> <folder of the Python programs> <export>

use std::{env, path::Path, process::Command, time::Duration, time::Instant};

use anyhow::{Context, Result, ensure};
use pagestream_bench::{contacts::Contacts, machine::Machine, server::Server};

const RECORDS: u32 = 100_000;
const ROUNDS: usize = 3;

/// A program and its arguments.
struct Program {
    name: &'static str,
    command: Vec<String>,
    /// For each round the seconds of the reading, and those of the whole process.
    taken: Vec<(f64, f64)>,
}

impl Program {
    fn new(name: &'static str, command: &[&str]) -> Self {
        let command = command.iter().map(ToString::to_string).collect();
        Self { name, command, taken: Vec::new() }
    }

    fn run(&mut self) -> Result<()> {
        let begin = Instant::now();
        let output = Command::new(&self.command[0])
            .args(&self.command[1..])
            .env("RUNTIME__DLTHUB_TELEMETRY", "false")
            .output()?;
        let whole = begin.elapsed().as_secs_f64();
        let name = self.name;
        ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        let mut figures = text.split_whitespace();
        let mut number =
            || figures.next().context("a program says three numbers")?.parse::<f64>().context(name);
        let (records, sum, seconds) = (number()?, number()?, number()?);
        let expected = f64::from(RECORDS);
        // Below 2^53 both are exact.
        let is_all = (records - expected).abs() < 0.5
            && (sum - expected * (expected - 1.0) / 2.0).abs() < 0.5;
        ensure!(is_all, "{name} read {records} records, of the sum {sum}");
        self.taken.push((seconds, whole));
        Ok(())
    }

    /// The medians of both times.
    fn medians(&self) -> (f64, f64) {
        let median = |of: fn(&(f64, f64)) -> f64| {
            let mut times = self.taken.iter().map(of).collect::<Vec<_>>();
            times.sort_unstable_by(f64::total_cmp);
            times[times.len() / 2]
        };
        (median(|taken| taken.0), median(|taken| taken.1))
    }
}

fn main() -> Result<()> {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    let [python, folder, export] = &arguments[..] else {
        anyhow::bail!("which Python, which programs?")
    };
    let server = Server::start(Contacts::new(RECORDS.into()), |_| Duration::ZERO)?;
    let url = server.base_url();
    let script = |name: &str| Path::new(folder).join(name).display().to_string();
    let mut programs = [
        Program::new("pagestream, 1 in flight", &[export, &url, "1"]),
        Program::new("pagestream, 16 in flight", &[export, &url, "16"]),
        Program::new("Python requests", &[python, &script("with_requests.py"), &url]),
        Program::new("dlt 1.31", &[python, &script("with_dlt.py"), &url]),
    ];
    for _ in 0..ROUNDS {
        programs.iter_mut().try_for_each(Program::run)?;
    }
    println!("{RECORDS} records of Alloy, 50 a page, no latency; {}", Machine::this()?);
    println!("{:<26}{:>14}{:>8}{:>18}", "", "records/s", "ratio", "whole program, s");
    let (ours, _) = programs[0].medians();
    for program in &programs {
        let (seconds, whole) = program.medians();
        let per_second = f64::from(RECORDS) / seconds;
        let ratio = ours / seconds;
        println!("{:<26}{per_second:>14.0}{ratio:>8.2}{whole:>18.2}", program.name);
    }
    Ok(())
}
