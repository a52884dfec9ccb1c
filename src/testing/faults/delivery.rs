use std::{future::pending, io, time::Duration};

use bytes::Bytes;
use http::Response;

use crate::error::{Error, ErrorKind};

/// How an answer gets to the one who asked. It is an extension of the response, so
/// that a service, and what wraps it, answers as if nothing happened on the way.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::testing) struct Delivery {
    /// How long it takes until it begins.
    pub(in crate::testing) wait: Duration,
    pub(in crate::testing) way: Way,
}

#[derive(Clone, Copy, Debug, Default)]
pub(in crate::testing) enum Way {
    #[default]
    Whole,
    /// Compressed, when it was filled up to so many bytes.
    Compressed {
        bytes: u64,
    },
    Broken(Break),
}

/// Where in a response something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultPosition {
    /// Before the first byte.
    BeforeHeaders,
    /// In the middle of the headers.
    InHeaders,
    /// In the middle of the body.
    InBody,
}

/// What a connection does not survive.
#[derive(Clone, Copy, Debug)]
pub(in crate::testing) enum Break {
    Reset(FaultPosition),
    Truncated,
    Stalled(FaultPosition),
    Trickling { pause: Duration },
}

impl Delivery {
    /// Takes from a response how it is delivered.
    pub(in crate::testing) fn of(response: &mut Response<Bytes>) -> Self {
        response.extensions_mut().remove().unwrap_or_default()
    }

    /// This delivery of an answer that has another one already: both take their time,
    /// and what breaks one breaks both.
    pub(super) fn around(self, inner: Self) -> Self {
        let way = if matches!(self.way, Way::Whole) { inner.way } else { self.way };
        Self { wait: self.wait.saturating_add(inner.wait), way }
    }
}

/// Brings a response as a transport would, in memory.
pub(super) async fn bring(mut response: Response<Bytes>) -> Result<Response<Bytes>, Error> {
    let delivery = Delivery::of(&mut response);
    sleep(delivery.wait).await;
    match delivery.way {
        Way::Whole => Ok(response),
        Way::Compressed { bytes } => {
            let message = format!("the body is {bytes} bytes long");
            Err(Error::new(ErrorKind::TooLarge, message))
        }
        Way::Broken(Break::Reset(_)) => {
            Err(broken("the connection was reset", io::ErrorKind::ConnectionReset))
        }
        Way::Broken(Break::Truncated) => {
            Err(broken("the response was cut short", io::ErrorKind::UnexpectedEof))
        }
        Way::Broken(Break::Stalled(_)) => pending().await,
        Way::Broken(Break::Trickling { pause }) => {
            let bytes = u32::try_from(response.body().len()).unwrap_or(u32::MAX);
            sleep(pause.saturating_mul(bytes)).await;
            Ok(response)
        }
    }
}

/// Waits; where there is nothing to wait for, without a timer.
pub(in crate::testing) async fn sleep(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

fn broken(message: &'static str, cause: io::ErrorKind) -> Error {
    Error::new(ErrorKind::Transport, message).with_source(io::Error::from(cause))
}
