//! Alloy Connectivity: actions with limit and offset.
//!
//! What is said of the service comes from its pagination guide. Its API
//! reference and its public demos describe other shapes of request and response,
//! so [the places of both](ActionBuilder) can be set.

mod action;
mod builder;
mod paging;
mod refusal;
mod wire;

pub use self::{
    action::{Action, Offset},
    builder::ActionBuilder,
    paging::WithoutPagination,
    wire::ParameterPosition,
};
