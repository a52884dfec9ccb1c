use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::{Faults, delivery};
use crate::{
    error::{Error, ErrorKind},
    testing::Service,
    transport::Transport,
};

/// A service with [`Faults`]: a transport in memory, and a service for a
/// [`Server`](crate::testing::Server).
///
/// How a response is delivered is an extension of the response. If a service of your own
/// wraps this one, keep the extensions.
#[derive(Clone, Debug)]
#[must_use = "a service answers when it is a transport or given to a server"]
pub struct Faulty<S> {
    service: S,
    faults: Faults,
    deadline: Option<Duration>,
}

impl<S> Faulty<S> {
    pub(super) fn new(service: S, faults: Faults) -> Self {
        Self { service, faults, deadline: None }
    }

    /// How long it waits for a response when it is a transport: for ever by default. Then
    /// the request fails with [`ErrorKind::Timeout`].
    ///
    /// A server has no deadline. There the client has one.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

impl<S: Service> Service for Faulty<S> {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let fault = self.faults.draw(request);
        fault.answer(|status| self.service.error(status), || self.service.respond(request))
    }

    fn latency(&self) -> Duration {
        self.service.latency()
    }

    fn error(&self, status: StatusCode) -> Response<Bytes> {
        self.service.error(status)
    }
}

#[async_trait]
impl<S: Service> Transport for Faulty<S> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let answer = async {
            delivery::sleep(self.latency()).await;
            delivery::deliver(self.respond(&request)).await
        };
        let Some(deadline) = self.deadline else { return answer.await };
        tokio::time::timeout(deadline, answer)
            .await
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "the service took too long")))
    }
}
