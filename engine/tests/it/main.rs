//! The tests of the package, as one binary: DataFusion is linked once.

#[cfg(feature = "ballista")]
mod ballista;
mod environment;
mod examples;
mod explain;
mod failures;
mod filters;
mod limits;
mod memory;
mod secrets;
mod streaming;
mod support;
mod unread_parts;
