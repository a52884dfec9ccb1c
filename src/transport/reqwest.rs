use std::{error::Error as StdError, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{Transport, deadline::within};
use crate::error::{Error, ErrorKind};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a request may take, to the last byte of its response.
const DEADLINE: Duration = Duration::from_secs(2 * 60);

/// How large a body may be, unpacked.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// The transport over [`reqwest`], with rustls.
///
/// A clone shares the connections. Compressed bodies (gzip, zstd) are asked for
/// and unpacked.
///
/// | bound | default | beyond it |
/// |---|---|---|
/// | time for a connection | 10 s | [`Transport`](ErrorKind::Transport) |
/// | [`deadline`](Reqwest::deadline) of a request | 2 min | [`Timeout`](ErrorKind::Timeout) |
/// | [`max_body`](Reqwest::max_body), unpacked | 64 MiB | [`TooLarge`](ErrorKind::TooLarge) |
///
/// ```
/// use std::time::Duration;
/// use pagestream::Reqwest;
///
/// let transport = Reqwest::new()?.deadline(Duration::from_secs(30)).max_body(1024 * 1024);
/// # Ok::<(), pagestream::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reqwest {
    client: reqwest::Client,
    deadline: Duration,
    max_body: usize,
}

impl Reqwest {
    /// A client that waits 10 seconds for a connection and follows no redirect.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if TLS can't be set up on this machine.
    pub fn new() -> Result<Self, Error> {
        reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map(Self::from)
            .map_err(|error| {
                Error::new(ErrorKind::Configuration, "the HTTP client can't be set up")
                    .with_source(error)
            })
    }

    /// How long a request may take, from its start to the last byte of its
    /// response: 2 minutes by default. Beyond it, it is dropped with an error of
    /// kind [`Timeout`](ErrorKind::Timeout).
    ///
    /// Only the time counts in which the request is waited for. A consumer that is
    /// busy with its records does not use it up.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many bytes a body may have when it is unpacked: 64 MiB by default. At
    /// more, reading stops with an error of kind [`TooLarge`](ErrorKind::TooLarge),
    /// and a stream asks for smaller pages.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    async fn exchange(&self, request: reqwest::Request) -> Result<Response<Bytes>, Error> {
        let response = self.client.execute(request).await.map_err(broken)?;
        // What says so itself is not waited for.
        let is_in_bounds = |length| usize::try_from(length).is_ok_and(|it| it <= self.max_body);
        if !response.content_length().is_none_or(is_in_bounds) {
            return Err(self.too_large());
        }
        let (head, body) = Response::from(response).into_parts();
        let body = Limited::new(body, self.max_body).collect().await;
        Ok(Response::from_parts(head, body.map_err(|error| self.cut_short(error))?.to_bytes()))
    }

    fn cut_short(&self, error: Box<dyn StdError + Send + Sync>) -> Error {
        match error.downcast::<reqwest::Error>() {
            Ok(error) => broken(*error),
            Err(error) if error.is::<LengthLimitError>() => self.too_large(),
            Err(error) => Error::new(ErrorKind::Transport, CUT_SHORT).with_source(error),
        }
    }

    fn too_large(&self) -> Error {
        let message = format!("the response is larger than {} bytes", self.max_body);
        Error::new(ErrorKind::TooLarge, message)
    }
}

/// A client of your own, with the default bounds on a request. Let it follow no
/// redirects: by itself reqwest carries a body and headers such as `x-api-key`
/// along to another host.
impl From<reqwest::Client> for Reqwest {
    fn from(client: reqwest::Client) -> Self {
        Self { client, deadline: DEADLINE, max_body: MAX_BODY }
    }
}

#[async_trait]
impl Transport for Reqwest {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let request = reqwest::Request::try_from(request).map_err(|error| {
            let message = "the request can't be sent: its URI has no host or no scheme";
            Error::new(ErrorKind::Configuration, message).with_source(error.without_url())
        })?;
        within(self.deadline, self.exchange(request)).await.unwrap_or_else(|| {
            let message = format!("the service took longer than {:?}", self.deadline);
            Err(Error::new(ErrorKind::Timeout, message))
        })
    }
}

const CUT_SHORT: &str = "the request or its response was cut short";

fn broken(error: reqwest::Error) -> Error {
    let (kind, message) = if error.is_connect() {
        (ErrorKind::Transport, "the service can't be reached")
    } else if error.is_timeout() {
        (ErrorKind::Timeout, "the service took too long")
    } else {
        (ErrorKind::Transport, CUT_SHORT)
    };
    Error::new(kind, message).with_source(error.without_url())
}
