//! The streams: they turn what the frontier decides into requests, and responses into
//! records.

mod arrived;
mod batches;
mod checkpointing;
mod delivery;
mod driver;
mod failures;
mod hooks;
mod in_flight;
mod left_out;
mod monitor;
mod on_end;
mod on_progress;
mod options;
mod page_check;
mod pages;
mod read;
mod reading;
mod records;
mod repeated_page;
mod report;
mod resumed_page;
mod resumption;
mod shared;
mod source;
#[cfg_attr(
    not(feature = "tracing"),
    allow(
        clippy::unused_self,
        clippy::extra_unused_type_parameters,
        reason = "without the feature there is nothing to do"
    )
)]
mod spans;
mod spawn;

pub use self::{
    batches::{Batch, Batches},
    monitor::{Monitor, Progress, StopReason, Wait, WaitReason},
    options::ChangedPage,
    pages::Pages,
    read::Read,
    records::Records,
    source::Source,
};
