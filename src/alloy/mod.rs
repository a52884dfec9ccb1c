//! Alloy Connectivity: actions with limit and offset.
//!
//! What these docs say about the service comes from its pagination guide. Its API
//! reference and its public demos show other forms of requests and responses, so
//! [`ActionBuilder`] can set where the parameters and the records are.

mod action;
mod builder;
mod error_response;
mod parameter_position;
mod without_pagination;

pub use self::{
    action::Action, builder::ActionBuilder, parameter_position::ParameterPosition,
    without_pagination::WithoutPagination,
};
