//! Alloy Connectivity: actions with limit and offset.
//!
//! What these docs say about the service comes from its pagination guide. Its API
//! reference and its public demos show other forms of requests and responses, so
//! [`ActionBuilder`] can set where the parameters and the records are.

mod action;
mod builder;
mod digest;
mod error_response;
mod paging;
mod wire;

pub use self::{
    action::{Action, Offset},
    builder::ActionBuilder,
    paging::WithoutPagination,
    wire::ParameterPosition,
};
