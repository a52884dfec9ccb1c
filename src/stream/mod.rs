//! The driver: it turns what the frontier decides into requests and streams.

mod ledger;
mod pages;
mod read;
mod records;
mod source;

pub use self::{
    ledger::{Monitor, Progress, StopReason},
    pages::Pages,
    read::Read,
    records::Records,
    source::Source,
};
