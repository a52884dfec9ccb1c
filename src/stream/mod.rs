//! The driver: it turns what the frontier decides into requests and streams.

mod apart;
mod arrived;
mod driver;
mod in_flight;
mod ledger;
mod limits;
mod monitor;
mod pages;
mod plan;
mod read;
mod records;
mod source;

pub use self::{
    limits::RepeatedCursor,
    monitor::{Monitor, Progress, StopReason},
    pages::Pages,
    read::Read,
    records::Records,
    source::Source,
};
