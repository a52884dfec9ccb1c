//! What the benches share: readers, clients, a server, and how figures are taken.

pub mod associations;
pub mod clients;
pub mod contacts;
pub mod figures;
pub mod instructions;
pub mod machine;
pub mod rounds;
pub mod server;
pub mod stream;
pub mod table;

/// What the command line names, if it names anything: `cargo bench -- NAME`.
fn filter() -> Option<String> {
    std::env::args().skip(1).find(|argument| !argument.starts_with('-'))
}

/// Whether a bench runs whole, so that its figures are for the report.
#[must_use]
pub fn is_whole_run() -> bool {
    filter().is_none() && std::env::args().any(|argument| argument == "--bench")
}

/// Whether the command line asks for a part of a bench.
#[must_use]
pub fn is_asked_for(part: &str) -> bool {
    filter().is_none_or(|name| name == part)
}
