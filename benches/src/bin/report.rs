//! Runs all benches and writes their figures into `benches/README.md`: `benches/report`.
//! With `--last`, it writes those of the last run.

use std::{env, fmt::Write, fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use pagestream_bench::{
    figures::{self, BENCHES, Figures},
    table,
};

fn main() -> Result<()> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    if env::args().nth(1).as_deref() != Some("--last") {
        figures::clear()?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo).arg("bench").current_dir(package).status()?;
        ensure!(status.success(), "a bench failed");
    }
    let all = BENCHES.into_iter().map(Figures::load).collect::<Result<Vec<_>>>()?;
    let mut machines = all.iter().map(|figures| figures.machine.to_string()).collect::<Vec<_>>();
    machines.dedup();
    let figures = all.iter().flat_map(|figures| figures.figures.clone()).collect::<Vec<_>>();

    let mut text = String::new();
    writeln!(text, "{}. Written by `benches/report`.", machines.join("; "))?;
    text += &table::render(&figures);
    let readme = package.join("README.md");
    let document = fs::read_to_string(&readme)?;
    let document = table::between_markers(&document, &text).context("the README has no markers")?;
    fs::write(readme, document)?;
    Ok(())
}
