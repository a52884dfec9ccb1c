//! HubSpot: objects, and the associations between them.
//!
//! | what is read | paginator | record |
//! |---|---|---|
//! | all objects of a type | [`Objects`] | [`Object`], or a type of your own |
//! | the same, each with all of its associations | [`CompleteObjects`] | [`Object`] |
//! | the objects that a search finds, also beyond 10,000 | [`Search`] | [`Object`], or a type of your own |
//! | objects by their ids, or by a unique property | [`BatchRead`] | [`Object`], or a type of your own |
//! | the associations of given objects, up to 1000 in a request | [`Associations`] | [`Association`] |
//! | the associations of what another reading finds | [`AssociationsOf`] | [`Association`] |
//! | the same, by object | [`Grouped`], [`AssociationsOf::grouped`] | [`Group`] |
//! | the associations of one object, 500 in a page | [`AssociationsOfOne`] | [`Association`] |
//! | the types and labels that associations can have | [`AssociationLabels`] | [`AssociationType`], or a type of your own |
//!
//! What these docs say about the service comes from its OpenAPI files for objects and
//! associations 2026-03, from its guides and its changelog, and from responses that its users
//! published.

mod account;
mod after;
mod association_labels;
mod association_types;
mod associations;
mod associations_of;
mod associations_of_one;
mod batch;
mod batch_error;
mod batch_read;
mod batch_response;
mod builder;
mod complete_cursor;
mod complete_objects;
mod error_response;
mod filter;
mod group;
mod history;
mod inputs;
mod object;
mod object_reader;
mod objects;
#[cfg(feature = "rate-limit")]
mod rate_budget;
mod reader;
mod record_shape;
mod search;
mod search_style;
mod sort_key;
mod wire;

#[cfg(feature = "rate-limit")]
pub use self::rate_budget::RateBudget;
pub use self::{
    association_labels::{AssociationLabels, AssociationLabelsBuilder},
    association_types::{AssociationType, AssociationTypes, Category},
    associations::{Association, Associations, Grouped},
    associations_of::{AssociationsOf, AssociationsOfCursor},
    associations_of_one::{AssociationsOfOne, AssociationsOfOneBuilder},
    batch::Batch,
    batch_read::{BatchRead, BatchReadBuilder},
    builder::{ApiVersion, AssociationsBuilder},
    complete_cursor::CompleteObjectsCursor,
    complete_objects::CompleteObjects,
    filter::Filter,
    group::Group,
    object::{AssociatedObject, AssociatedObjects, Object, PropertyVersion},
    objects::{Objects, ObjectsBuilder},
    search::{Search, SearchBuilder},
    search_style::SearchPosition,
    wire::{Associated, ObjectId},
};
