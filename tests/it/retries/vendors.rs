//! The vendors, over a transport on which a test says what fails.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use pagestream::{
    Error, Records, Transport, alloy::Action, hubspot::Associations, testing::HubSpot,
};
use serde_json::Value;
use tokio::time::Instant;

use super::pages::LATENCY;
use crate::support::{Contact, contacts_over, deals_over, drain, held, sorted, told};

#[derive(Clone)]
pub(crate) struct Faulty<T> {
    service: T,
    fault: Arc<Fault>,
    log: Arc<Mutex<Vec<(Instant, Bytes)>>>,
}

type Fault = dyn Fn(usize, &Request<Bytes>) -> Option<Answer> + Send + Sync;

pub(crate) type Answer = Result<Response<Bytes>, Error>;

impl<T: Transport + Clone + 'static> Faulty<T> {
    /// `fault` gets the number of the request, from 1.
    pub(crate) fn new(
        service: T,
        fault: impl Fn(usize, &Request<Bytes>) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        Self { service, fault: Arc::new(fault), log: Arc::default() }
    }

    pub(crate) fn transport(&self) -> impl Transport + use<T> {
        let faulty = self.clone();
        move |request: Request<Bytes>| {
            let faulty = faulty.clone();
            async move { faulty.answer(request).await }
        }
    }

    pub(crate) async fn answer(&self, request: Request<Bytes>) -> Answer {
        let number = {
            let mut log = self.log.lock().unwrap();
            log.push((Instant::now(), request.body().clone()));
            log.len()
        };
        tokio::time::sleep(LATENCY).await;
        match (self.fault)(number, &request) {
            Some(answer) => answer,
            None => self.service.send(request).await,
        }
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        let log = self.log.lock().unwrap();
        log.iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
    }

    pub(crate) fn times(&self) -> Vec<Instant> {
        self.log.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    pub(crate) fn requests(&self) -> usize {
        self.times().len()
    }
}

#[allow(clippy::unnecessary_wraps, reason = "some answers are errors of the transport")]
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let response = Response::builder().status(status);
    let response = headers.iter().fold(response, |it, (name, value)| it.header(*name, *value));
    Ok(response.body(body.into()).unwrap())
}

/// Some contacts, ten to a page.
pub(crate) fn contacts<T: Transport + Clone + 'static>(faulty: &Faulty<T>) -> Action<Contact> {
    contacts_over(faulty.transport()).limit(10).build().unwrap()
}

pub(crate) fn companies(
    service: &HubSpot,
    batch_size: usize,
    transport: impl Transport + 'static,
) -> Associations {
    deals_over(service, transport).batch_size(batch_size).build().unwrap()
}

/// Reads a HubSpot to the end and says what came, in order.
pub(crate) async fn read_companies(stream: Records<&Associations>) -> Vec<String> {
    sorted(drain(stream).await.whole().iter().map(told).collect())
}

/// All that a service holds, in order.
pub(crate) fn all_of(service: &HubSpot) -> Vec<String> {
    sorted(held(service))
}
