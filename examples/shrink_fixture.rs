//! Makes a HAR file the smallest on which a command still fails:
//!
//! ```sh
//! cargo run --example shrink_fixture -- recording.har -- cargo test my_connector
//! ```
//!
//! The command finds the file to read in the environment variable `FIXTURE`, and in place of
//! `{}` among its arguments. It must fail on the whole recording, and pass on one without
//! entries. What is left of the recording is in `recording.small.har`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};
use pagestream::testing::{Replay, shrink};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    let [recording, dashes, command @ ..] = &*arguments else { bail!("{USAGE}") };
    if dashes != "--" || command.is_empty() {
        bail!("{USAGE}");
    }
    let small = PathBuf::from(recording).with_extension("small.har");
    let text = fs::read_to_string(recording).with_context(|| recording.clone())?;
    drop(Replay::from_har(&text)?);
    let har = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}'))?;

    let empty = json!({"log": {"version": "1.2", "entries": []}});
    let mut attempt = Attempt { small: &small, command, runs: 0 };
    if attempt.fails(&empty)? {
        bail!("the command fails on a recording without entries too: does it read $FIXTURE?");
    }
    if !attempt.fails(&har)? {
        bail!("the command does not fail on {recording}");
    }
    let mut problem = None;
    let shrunk = shrink(&har, |har| {
        // What is no recording any more would fail in another way.
        let text = har.to_string();
        let is_whole = problem.is_none() && Replay::from_har(&text).is_ok();
        is_whole && attempt.fails(har).unwrap_or_else(|error| problem.replace(error).is_some())
    });
    if let Some(problem) = problem {
        return Err(problem);
    }
    let written = write(&small, &shrunk)?;
    println!("{} of {} bytes are left, in {}", written, text.len(), small.display());
    println!("the command ran {} times", attempt.runs);
    Ok(())
}

const USAGE: &str = "usage: shrink_fixture RECORDING.har -- COMMAND [ARGUMENT]...";

struct Attempt<'a> {
    small: &'a Path,
    command: &'a [String],
    runs: u32,
}

impl Attempt<'_> {
    /// Whether the command fails on this recording.
    fn fails(&mut self, har: &Value) -> anyhow::Result<bool> {
        write(self.small, har)?;
        self.runs += 1;
        let path = self.small.display().to_string();
        let words = self.command.iter().map(|word| word.replace("{}", &path));
        let [program, arguments @ ..] = &*words.collect::<Vec<_>>() else { bail!("{USAGE}") };
        let mut command = Command::new(program);
        command.args(arguments).env("FIXTURE", &path);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(!command.status().with_context(|| format!("{program} does not run"))?.success())
    }
}

/// Writes a recording. Gives how many bytes it has.
fn write(path: &Path, har: &Value) -> anyhow::Result<usize> {
    let text = serde_json::to_string_pretty(har)? + "\n";
    fs::write(path, &text).with_context(|| path.display().to_string())?;
    Ok(text.len())
}
