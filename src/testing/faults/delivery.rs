use std::{future::pending, io, time::Duration};

use bytes::Bytes;
use http::Response;

use crate::error::{Error, ErrorKind};

/// How a response is delivered. It is an extension of the response. So a service, and a
/// service around it, need not know about it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::testing) struct Delivery {
    /// How long it takes until the response begins.
    pub(in crate::testing) wait: Duration,
    pub(in crate::testing) transfer: Transfer,
}

#[derive(Clone, Copy, Debug, Default)]
pub(in crate::testing) enum Transfer {
    #[default]
    Complete,
    /// Filled up to so many bytes, and then compressed.
    Compressed {
        bytes: u64,
    },
    Broken(Break),
}

/// The position in a response at which a [`Fault`](super::Fault) happens.
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

/// How a connection breaks.
#[derive(Clone, Copy, Debug)]
pub(in crate::testing) enum Break {
    Reset(FaultPosition),
    Truncated,
    Stalled(FaultPosition),
    Trickling { pause: Duration },
}

impl Delivery {
    /// Removes the delivery from a response.
    pub(in crate::testing) fn of(response: &mut Response<Bytes>) -> Self {
        response.extensions_mut().remove().unwrap_or_default()
    }

    /// Combines two deliveries of one response: both waits are added, and one broken
    /// transfer breaks it.
    pub(super) fn around(self, inner: Self) -> Self {
        let is_complete = matches!(self.transfer, Transfer::Complete);
        let transfer = if is_complete { inner.transfer } else { self.transfer };
        Self { wait: self.wait.saturating_add(inner.wait), transfer }
    }
}

/// Delivers a response in memory, as a transport would.
pub(in crate::testing) async fn deliver(
    mut response: Response<Bytes>,
) -> Result<Response<Bytes>, Error> {
    let delivery = Delivery::of(&mut response);
    sleep(delivery.wait).await;
    match delivery.transfer {
        Transfer::Complete => Ok(response),
        Transfer::Compressed { bytes } => {
            let message = format!("the body is {bytes} bytes long");
            Err(Error::new(ErrorKind::TooLarge, message))
        }
        Transfer::Broken(Break::Reset(_)) => {
            Err(broken("the connection was reset", io::ErrorKind::ConnectionReset))
        }
        Transfer::Broken(Break::Truncated) => {
            Err(broken("the response was cut short", io::ErrorKind::UnexpectedEof))
        }
        Transfer::Broken(Break::Stalled(_)) => pending().await,
        Transfer::Broken(Break::Trickling { pause }) => {
            let bytes = u32::try_from(response.body().len()).unwrap_or(u32::MAX);
            sleep(pause.saturating_mul(bytes)).await;
            Ok(response)
        }
    }
}

/// Waits. A wait of zero needs no timer.
pub(in crate::testing) async fn sleep(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

fn broken(message: &'static str, cause: io::ErrorKind) -> Error {
    Error::new(ErrorKind::Transport, message).with_source(io::Error::from(cause))
}
