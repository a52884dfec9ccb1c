//! Counts instructions with valgrind's callgrind: the same every time, however busy
//! the machine is.

use std::{io::ErrorKind, process::Command};

use anyhow::{Context, Result, bail};

/// How many instructions a program takes in user space.
pub fn of(program: &str, arguments: &[String]) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", program])
        .args(arguments)
        .output();
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("valgrind counts the instructions: install it")
        }
        output => output?,
    };
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{program} {arguments:?} failed: {report}");
    }
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.with_context(|| format!("callgrind counted nothing: {report}"))?;
    Ok(count.trim().parse()?)
}

/// How many instructions each record takes: those of a reading of twice as many
/// records above those of one, so that what is done once falls away.
pub fn of_a_record(
    program: &str,
    records: u32,
    arguments: impl Fn(u32) -> Vec<String>,
) -> Result<f64> {
    let once = of(program, &arguments(records))?;
    let twice = of(program, &arguments(2 * records))?;
    let above = twice.checked_sub(once).context("twice the records took fewer instructions")?;
    Ok(f64::from(u32::try_from(above)?) / f64::from(records))
}
