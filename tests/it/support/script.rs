//! A service that gives the answers of a test, once each.

use std::{
    collections::VecDeque,
    future::ready,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use pagestream::{Error, Transport};
use serde_json::Value;

/// A status and a body.
pub(crate) type Answer = (u16, Bytes);

/// A service that answers what it was told to, in order, and keeps what it was
/// asked. A request too many fails the test.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<Scripted>>);

#[derive(Default)]
struct Scripted {
    answers: VecDeque<Answer>,
    requests: Vec<Request<Bytes>>,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        answers
            .into_iter()
            .fold(Self::default(), |script, (status, body)| script.then(status, body))
    }

    /// Answers with these bodies, each with status 200.
    pub(crate) fn json(bodies: impl IntoIterator<Item = Value>) -> Self {
        Self::new(bodies.into_iter().map(|body| (200, body.to_string().into())))
    }

    /// Answers with this status and body after the others.
    pub(crate) fn then(self, status: u16, body: impl Into<Bytes>) -> Self {
        self.0.lock().unwrap().answers.push_back((status, body.into()));
        self
    }

    pub(crate) fn transport(&self) -> impl Transport + use<> {
        let scripted = Arc::clone(&self.0);
        move |request: Request<Bytes>| {
            let mut scripted = scripted.lock().unwrap();
            scripted.requests.push(request);
            let (status, body) = scripted.answers.pop_front().expect("a request too many");
            ready(Ok::<_, Error>(Response::builder().status(status).body(body).unwrap()))
        }
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request<Bytes>> {
        self.0.lock().unwrap().requests.clone()
    }

    /// The requests of a reading, which got all of the answers.
    pub(crate) fn all_requests(&self) -> Vec<Request<Bytes>> {
        assert_eq!(self.0.lock().unwrap().answers.len(), 0, "answers that nobody asked for");
        self.requests()
    }

    /// The only request there was.
    pub(crate) fn request(&self) -> Request<Bytes> {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1);
        requests.remove(0)
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.requests().iter().map(|it| serde_json::from_slice(it.body()).unwrap()).collect()
    }
}
