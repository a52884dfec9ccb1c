//! HubSpot: batch associations, with a cursor for every object of a batch.
//!
//! [`Associations`] has one record for each association, [`Grouped`] one for each
//! object. Build them with [`Associations::builder`].
//!
//! What these docs say about the service comes from its OpenAPI file for associations
//! 2026-03, and from responses that its users published.

mod associations;
mod batch;
mod builder;
mod error_response;
mod group;
mod history;
#[cfg(feature = "rate-limit")]
mod rate_budget;
mod reader;
mod record_shape;
mod wire;

#[cfg(feature = "rate-limit")]
pub use self::rate_budget::RateBudget;
pub use self::{
    associations::{Association, Associations, Grouped},
    batch::Batch,
    builder::{ApiVersion, AssociationsBuilder},
    group::Group,
    wire::{Associated, AssociationType, Category, ObjectId},
};
