//! The integration tests, as one binary: each module holds the rules of one part, each
//! test is a rule. `tests/README.md` says what lies where.
//!
//! All tests share one process and run on a thread each. What one of them changes must
//! be its own: a `tracing` subscriber is one of its thread, and no test sets an
//! environment variable (`tests/environment.rs` does, in processes of its own).

#[macro_use]
mod support;

mod alloy;
mod architecture;
mod bodies;
mod callbacks;
mod chain;
mod conformance;
mod credentials;
mod edge_cases;
mod examples;
mod faults;
mod fixtures;
mod flaws;
mod hubspot;
mod nest;
mod own_client;
mod packing;
mod panics;
mod prediction;
mod rate_limit;
mod rest;
mod retries;
mod runtimes;
mod secrets;
mod services;
mod spans;
mod spawn;
mod split;
mod streams;
mod transport;
mod windows;
