//! The guide. Read its chapters from the first one on, or look something up.
//!
//! | chapter | what it is about |
//! |---|---|
//! | [`first_connector`] | five steps from nothing to a tested connector |
//! | [`styles`] | which style is my API, how the end is told, and what is guaranteed |
//! | [`reading`] | options, windows, parts, and readings made from readings |
//! | [`errors`] | errors, retries, rate limits, credentials |
//! | [`checkpoints`] | what a checkpoint holds, how long it is good, and how to store it |
//! | [`cookbook`] | short answers to what a connector needs every day |
//! | [`coming_from`] | the same list, read with dlt, Airbyte, page-turner, aws-smithy and this crate |
//!
//! Three layers, and two of them are traits that you can implement:
//!
//! ```text
//!  Style       puts a position into a request, and finds the next one in the answer
//!  Paginator   gives the page at a cursor: a List (request and style), or one of your own
//!  Stream      records(), pages(), read(): windows, retries, limits, checkpoints
//! ```

#[doc = include_str!("first_connector.md")]
pub mod first_connector {}

#[doc = include_str!("styles.md")]
pub mod styles {}

#[doc = include_str!("reading.md")]
pub mod reading {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("checkpoints.md")]
pub mod checkpoints {}

#[doc = include_str!("cookbook.md")]
pub mod cookbook {}

#[doc = include_str!("coming_from.md")]
pub mod coming_from {}
