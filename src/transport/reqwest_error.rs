//! What reqwest reports, as the error of this crate.

use std::{error::Error as StdError, io, time::Duration};

use http::Response;

use super::deadline::within;
use crate::error::{Error, ErrorKind};

/// How much of the body of an error response is read.
const LONGEST_BODY: usize = 64 * 1024;

/// How long the body of an error response is waited for.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const CUT_SHORT: &str = "the request or its response was cut short";

impl Error {
    /// The error of a response of reqwest whose status is no success, for a paginator of
    /// your own: [`Error::from_response`] with its status, headers and body.
    ///
    /// The secrets that the query of its address names (`api_key`, `access_token` and the
    /// like) are removed from what the service wrote.
    ///
    /// ```
    /// use pagestream::Error;
    ///
    /// async fn body(client: &reqwest::Client, url: &str) -> Result<Vec<u8>, Error> {
    ///     let response = client.get(url).send().await?;
    ///     if !response.status().is_success() {
    ///         return Err(Error::from_reqwest(response).await);
    ///     }
    ///     Ok(response.bytes().await?.to_vec())
    /// }
    /// ```
    pub async fn from_reqwest(mut response: reqwest::Response) -> Self {
        let mut body = Vec::new();
        // The status counts, also where the body does not come.
        within(BODY_TIMEOUT, async {
            while let Ok(Some(chunk)) = response.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() >= LONGEST_BODY {
                    break;
                }
            }
        })
        .await;
        let is_secret = |name: &str| {
            let name = name.to_ascii_lowercase();
            ["key", "token", "secret", "password", "auth", "sig"].iter().any(|it| name.contains(it))
        };
        let query = response.url().query_pairs();
        let secrets = query.filter(|(name, value)| is_secret(name) && !value.is_empty());
        let secrets = secrets.map(|(_, value)| value.into_owned()).collect::<Vec<_>>();
        let (head, _) = Response::from(response).into_parts();
        let error = Self::from_response(&Response::from_parts(head, body));
        secrets.iter().fold(error, |error, secret| error.without_secret(secret))
    }
}

/// What reqwest reports, without the address: its query may hold a secret.
///
/// | of reqwest | kind | retried |
/// |---|---|---|
/// | no connection, a body that was cut, a protocol error | [`Transport`](ErrorKind::Transport) | yes |
/// | a timeout | [`Timeout`](ErrorKind::Timeout) | yes |
/// | `error_for_status` | [`Status`](ErrorKind::Status) | by the status; it has no `Retry-After`, [`Error::from_reqwest`] has |
/// | `json`, and the body is not what was expected | [`Decode`](ErrorKind::Decode) | if it ends too early |
/// | a body that is not compressed as its `content-encoding` says | [`Decode`](ErrorKind::Decode) | no |
/// | too many redirects | [`Contradiction`](ErrorKind::Contradiction) | no |
/// | a request that can't be built | [`Configuration`](ErrorKind::Configuration) | no |
impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        let json = error.source().and_then(|it| it.downcast_ref::<serde_json::Error>());
        let is_retryable = json.is_none_or(serde_json::Error::is_eof);
        let (kind, message) = if error.is_status() {
            (ErrorKind::Status, "the service answered with an error")
        } else if error.is_builder() {
            (ErrorKind::Configuration, "the request can't be built")
        } else if error.is_redirect() {
            (ErrorKind::Contradiction, "the service redirects without end")
        } else if error.is_connect() {
            (ErrorKind::Transport, "the service can't be reached")
        } else if error.is_timeout() {
            (ErrorKind::Timeout, "the service took too long")
        } else if json.is_some() {
            (ErrorKind::Decode, "the response is not what was expected")
        } else if is_unpackable(&error) {
            let message = "the body of the response is not compressed as its content-encoding \
                           header says, so it can't be unpacked";
            (ErrorKind::Decode, message)
        } else {
            (ErrorKind::Transport, CUT_SHORT)
        };
        let is_cut_json = json.is_some() && is_retryable;
        let status = error.status();
        let mapped = Self::new(kind, message).with_source(error.without_url());
        let mapped = if is_cut_json { mapped.with_retryable(true) } else { mapped };
        status.map(|it| it.as_u16()).into_iter().fold(mapped, Self::with_status)
    }
}

/// The error of a body whose transfer broke.
pub(super) fn cut_short(error: Box<dyn StdError + Send + Sync>) -> Error {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => Error::from(*error),
        Err(error) => Error::new(ErrorKind::Transport, CUT_SHORT).with_source(error),
    }
}

/// Whether the decoder of a compressed body reports that it is not compressed so. A body
/// that ends too early may have been cut. An error of the connection comes by way of hyper.
fn is_unpackable(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(inner) = source.filter(|it| it.is::<reqwest::Error>()) {
        source = inner.source();
    }
    source.and_then(|it| it.downcast_ref::<io::Error>()).is_some_and(|error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => true,
        io::ErrorKind::Other => {
            error.get_ref().and_then(|it| it.downcast_ref::<reqwest::Error>()).is_none()
        }
        _ => false,
    })
}
