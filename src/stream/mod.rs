//! The driver: it turns what the frontier decides into requests and streams.

mod apart;
mod arrived;
mod in_flight;
mod ledger;
mod monitor;
mod pages;
mod plan;
mod read;
mod records;
mod source;

pub use self::{
    monitor::{Monitor, Progress, StopReason},
    pages::{Pages, RepeatedCursor},
    read::Read,
    records::Records,
    source::Source,
};
