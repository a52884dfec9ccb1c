//! A client for the HTTP APIs of services, for authors of connectors.
//!
//! A [`Client`] knows a service: its address, its credentials, its headers. A
//! [`RequestBuilder`] is one request to it. With a style of [`rest`](crate::rest) it becomes a
//! paginator:
//!
//! ```
//! use pagestream::{http::Client, rest::LinkHeader};
//!
//! # fn main() -> Result<(), pagestream::Error> {
//! let github = Client::builder("https://api.github.com").bearer("ghp_...");
//! # let github = github.transport(|_| async { Ok(http::Response::default()) });
//! let issues = github
//!     .build()?
//!     .get("/repos/{owner}/{repo}/issues")
//!     .path("owner", "rust-lang")
//!     .path("repo", "rust")
//!     .query("state", "all")
//!     .limit("per_page", 100)
//!     .pages(LinkHeader::new())
//!     .build::<serde_json::Value>()?;
//! # Ok(()) }
//! ```
//!
//! A token that expires comes from an [`OAuth`], or from a provider of your own
//! ([`ClientBuilder::credentials`]).
//!
//! What is the same for all services is done here. A status becomes an error, with how long to
//! wait. After a 401, the provider is asked for a new secret. Secrets stay out of messages. A link
//! that leads to another host is an error.

mod builder;
mod client;
mod grant;
mod graphql;
mod limit;
mod link;
mod oauth;
mod page_request;
mod request;
mod send;
mod service;
mod template;

pub use self::{
    builder::ClientBuilder,
    client::Client,
    oauth::{OAuth, OAuthBuilder},
    page_request::PageRequest,
    request::RequestBuilder,
};
pub(crate) use self::{
    graphql::errors as graphql_errors,
    service::Service,
    template::{Template, header_name},
};
