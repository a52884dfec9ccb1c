//! What users of the crate see: all public items, read from the sources.

mod api;
mod examples;
mod items;
mod listing;
mod macros;
mod modules;
