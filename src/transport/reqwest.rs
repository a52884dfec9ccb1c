use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use super::Transport;
use crate::error::{Error, ErrorKind};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The transport over [`reqwest`], with rustls.
///
/// A clone shares the connections. Compressed bodies (gzip, zstd) are asked for
/// and unpacked.
#[derive(Clone, Debug)]
pub struct Reqwest(reqwest::Client);

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
            .map(Self)
            .map_err(|error| {
                Error::new(ErrorKind::Configuration, "the HTTP client can't be set up")
                    .with_source(error)
            })
    }
}

/// A client of your own. Let it follow no redirects: by itself reqwest carries a
/// body and headers such as `x-api-key` along to another host.
impl From<reqwest::Client> for Reqwest {
    fn from(client: reqwest::Client) -> Self {
        Self(client)
    }
}

#[async_trait]
impl Transport for Reqwest {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let request = reqwest::Request::try_from(request).map_err(|error| {
            let message = "the request can't be sent: its URI has no host or no scheme";
            Error::new(ErrorKind::Configuration, message).with_source(error.without_url())
        })?;
        let response = self.0.execute(request).await.map_err(broken)?;
        let mut whole = Response::new(Bytes::new());
        *whole.status_mut() = response.status();
        *whole.headers_mut() = response.headers().clone();
        *whole.body_mut() = response.bytes().await.map_err(broken)?;
        Ok(whole)
    }
}

fn broken(error: reqwest::Error) -> Error {
    let message = if error.is_timeout() {
        "the service took too long"
    } else if error.is_connect() {
        "the service can't be reached"
    } else {
        "the request or its response was cut short"
    };
    Error::new(ErrorKind::Transport, message).with_source(error.without_url())
}
