//! Emulated services for tests, in memory or over loopback HTTP, and a
//! [check](conformance) for a paginator of your own.
//!
//! [`HubSpot`] and [`Alloy`] make their data from a seed. So they can have any size, and
//! they know what a reading must deliver. They check requests like the real services,
//! and answer a bad request with the error body of the vendor.
//!
//! Each of them is a [`Transport`](crate::Transport) that answers in memory. For real
//! HTTP, give it to a [`Server`]:
//!
//! ```
//! use futures::TryStreamExt;
//! use pagestream::{PaginatorExt, hubspot::Associations, testing::{HubSpot, Server}};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let service = HubSpot::new(7).objects(3).pages(|index| 1 + index);
//! let server = Server::start(service.clone()).await.unwrap();
//!
//! let associations = Associations::builder("deals", "companies")
//!     .ids(service.ids())
//!     .token("a-test-token")
//!     .base_url(server.base_url())
//!     .build()?;
//! let records: Vec<_> = associations.records().try_collect().await?;
//!
//! assert_eq!(records.len(), 12); // objects of 1, 2 and 3 pages with 2 associations each
//! assert_eq!(service.requests(), 3); // as many as the deepest id has pages
//! # Ok::<(), pagestream::Error>(()) }).unwrap();
//! ```
//!
//! # What goes wrong
//!
//! - [`Faults`] are faults of single requests: statuses, resets, truncated and endless
//!   responses. They follow a script or a seed. They work with a [`Service`] of your
//!   own too.
//! - [`AlloyFlaw`] and [`HubSpotFlaw`] are bugs of a service, in any of its pages.

mod alloy;
pub mod conformance;
mod connection;
mod credential_names;
mod faults;
mod har;
mod hubspot;
mod recorder;
mod replay;
pub mod script;
mod server;
mod service;
mod url_text;

pub use self::{
    alloy::{Alloy, AlloyFlaw},
    faults::{Fault, FaultPosition, Faults, Faulty},
    hubspot::{HubSpot, HubSpotFlaw},
    recorder::Recorder,
    replay::Replay,
    script::{Reply, Script},
    server::Server,
    service::{Logged, Service},
};
