//! The layer between a paginator and the network: one request, one response.

#[cfg(feature = "rest")]
mod attempt;
#[cfg(feature = "rest")]
mod credentials;
#[cfg(feature = "reqwest")]
mod deadline;
#[cfg(feature = "rest")]
mod decoding;
#[cfg(feature = "rest")]
mod endpoint;
mod error_response;
#[cfg(feature = "rest")]
mod keyring;
#[cfg(feature = "reqwest")]
mod last_url;
#[cfg(feature = "reqwest")]
mod proxy;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod rate_limit_headers;
mod redaction;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "reqwest")]
mod reqwest_error;
mod retry_after;
#[cfg(feature = "rest")]
mod shared_credentials;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

#[cfg(feature = "rest")]
pub(crate) use self::attempt::attempt;
#[cfg(feature = "rest")]
pub use self::credentials::Credentials;
#[cfg(any(feature = "hubspot", feature = "alloy"))]
pub(crate) use self::endpoint::path_segment;
#[cfg(feature = "rest")]
pub(crate) use self::endpoint::{
    CredentialPlace, Endpoint, EndpointBuilder, ReadError, Secret, endpoint_setters,
    percent_encoded,
};
#[cfg(any(feature = "hubspot", feature = "alloy"))]
pub(crate) use self::error_response::ErrorResponse;
#[cfg(feature = "rest")]
pub(crate) use self::keyring::{header as secret_header, wiped};
#[cfg(feature = "rate-limit")]
pub use self::rate_limit::{RateLimited, RateLimiter};
#[cfg(any(feature = "rest", feature = "testing"))]
pub(crate) use self::redaction::redact;
#[cfg(feature = "reqwest")]
pub use self::reqwest::Reqwest;
pub use self::retry_after::retry_after;
#[cfg(feature = "rest")]
pub use self::shared_credentials::SharedCredentials;
use crate::error::Error;

/// Sends one request to a service, and returns the complete response.
///
/// The builders of the vendors use [`Reqwest`] by default, if the feature `reqwest` is
/// on. Implement this trait for another HTTP client, for a proxy, or for a test. A
/// closure is a transport too:
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use pagestream::{Error, Transport};
///
/// let teapot = |_: Request<Bytes>| async {
///     Ok::<_, Error>(Response::builder().status(418).body(Bytes::new()).unwrap())
/// };
/// # futures::executor::block_on(async {
/// let response = teapot.send(Request::new(Bytes::new())).await?;
/// assert_eq!(response.status(), 418);
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
///
/// # Contract
///
/// - A response of any status is `Ok`. The paginator decides what the status means.
/// - A redirect is returned and not followed. So credentials go only to the host that
///   the caller named.
/// - The body is complete. A body that was cut is an error.
/// - Each request ends. A service that never answers, answers one byte a second, or
///   sends an endless body is an error of kind [`Timeout`](crate::ErrorKind::Timeout)
///   or [`TooLarge`](crate::ErrorKind::TooLarge).
/// - Its errors contain no header of the request.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Transport`](crate::ErrorKind::Transport) if no complete response
    ///   came,
    /// - [`Timeout`](crate::ErrorKind::Timeout) if it did not come in time,
    /// - [`TooLarge`](crate::ErrorKind::TooLarge) if it is larger than the transport
    ///   allows.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error>;
}

#[async_trait]
impl<F, Fut> Transport for F
where
    F: Fn(Request<Bytes>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Response<Bytes>, Error>> + Send,
{
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        self(request).await
    }
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        (**self).send(request).await
    }
}
