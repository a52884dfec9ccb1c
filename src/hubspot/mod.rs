//! HubSpot: batch associations, with a cursor for every object of a batch.
//!
//! [`Associations`] gives one record for each association, [`Grouped`] one for
//! each object. What is said of the service comes from its OpenAPI file for
//! associations 2026-03, and from bodies that its users published.

mod associations;
mod batch;
mod builder;
mod grouped;
#[cfg(feature = "rate-limit")]
mod rate_budget;
mod reader;
mod refusal;
mod wire;

#[cfg(feature = "rate-limit")]
pub use self::rate_budget::RateBudget;
pub use self::{
    associations::{Association, Associations},
    batch::Batch,
    builder::{ApiVersion, AssociationsBuilder},
    grouped::{Group, Grouped},
    wire::{Associated, AssociationType, Category, ObjectId},
};
