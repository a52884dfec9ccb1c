//! The guide: chapters to read from the first one on, or to look something up in.
//!
//! | chapter | what it is about |
//! |---|---|
//! | [`first_connector`] | five steps from nothing to a tested connector |
//! | [`styles`] | which style is my API, how its end is told, and what is guaranteed |
//! | [`reading`] | options, windows, parts, and readings made from readings |
//! | [`errors`] | errors, retries, rate limits, credentials |
//! | [`checkpoints`] | what a checkpoint holds, how long it is good, and how to store it |
//! | [`cookbook`] | short answers |
//! | [`coming_from`] | the same list in dlt, Airbyte, page-turner, aws-smithy, and here |
//!
//! Two traits carry everything:
//!
//! ```text
//!  Style       how a position gets into a request, and the next one out of the answer
//!  Paginator   List: a Client, a request and a style   |  your own: `fetch(cursor)` gives a page
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
