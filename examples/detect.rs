//! Which style fits an API? Give it one answer:
//!
//! ```text
//! cargo run --example detect < response.json
//! curl -i https://api.example.com/users | cargo run --example detect
//! ```
//!
//! It reads a body alone, or what `curl -i` prints: the status, the headers, an empty line and
//! the body. It prints each style that fits, the best one first, with the code for it. If none
//! fits, it says so, and its exit status is 1.

use std::{
    io::{self, Read},
    process::ExitCode,
};

use anyhow::Context;
use bytes::Bytes;
use http::Response;
use pagestream::rest::detect;

fn main() -> anyhow::Result<ExitCode> {
    let mut input = Vec::new();
    io::stdin().read_to_end(&mut input).context("the answer can't be read")?;
    let response = response(&input)?;
    let found = detect(&response);
    if found.is_empty() {
        let status = response.status();
        println!(
            "No style fits: the status is {status}, and the body must be a JSON object or list."
        );
        return Ok(ExitCode::FAILURE);
    }
    for (index, found) in found.iter().enumerate() {
        println!("{}. {found}\n", index + 1);
    }
    println!(
        "One answer does not show all: compare each `check:` with the documentation of the API."
    );
    Ok(ExitCode::SUCCESS)
}

/// Reads the status, the headers and the body, or the body alone.
fn response(input: &[u8]) -> anyhow::Result<Response<Bytes>> {
    let mut head = Response::builder();
    let mut remaining = input;
    // `curl` prints the answer of a proxy and those that redirect first.
    while remaining.starts_with(b"HTTP/") {
        head = Response::builder();
        let (line, after) = line(remaining);
        remaining = after;
        let status =
            line.split_ascii_whitespace().nth(1).context("the first line has no status")?;
        head = head.status(status);
        loop {
            let (line, after) = self::line(remaining);
            remaining = after;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').context("a header has no colon")?;
            head = head.header(name, value.trim());
        }
    }
    head.body(Bytes::copy_from_slice(remaining)).context("the status or a header is invalid")
}

/// The first line, and what comes behind it.
fn line(text: &[u8]) -> (String, &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (line, after) = text.split_at(end);
    let line = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
    (line, after.strip_prefix(b"\n").unwrap_or_default())
}
