//! Emulated services to test against, in memory or over loopback HTTP, and a
//! [check](conformance) of a paginator of your own.
//!
//! [`HubSpot`] and [`Alloy`] hold data that follows from a seed, so they can be of
//! any size and can say what a reading has to give. They check their requests as
//! the real services would, and answer a bad one with the vendor's error body.
//!
//! Each is a [`Transport`](crate::Transport), which answers in memory. For real
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
//! [`Faults`] stand between a service and the one who asks: statuses, resets,
//! truncated and endless answers, by a script or by a seed. They work with a
//! [`Service`] of your own too. [`AlloyFlaw`] and [`HubSpotFlaw`] are what a
//! service itself does wrong on the whole of a reading.

mod alloy;
pub mod conformance;
mod connection;
mod faults;
mod hubspot;
mod server;
mod service;

pub use self::{
    alloy::{Alloy, AlloyFlaw},
    faults::{Fault, FaultPosition, Faults, Faulty},
    hubspot::{HubSpot, HubSpotFlaw},
    server::Server,
    service::{Logged, Service},
};
