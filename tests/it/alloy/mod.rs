//! The rules of reading an Alloy action, a test each.

mod builder;
mod data;
mod end;
mod envelope;
mod errors;
mod limits;
mod offsets;
mod paging;
mod repeats;
mod request;
mod resume;
mod secret;
mod size;

use std::{
    collections::VecDeque,
    future::ready,
    ops::Range,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use pagestream::{
    Checkpoint, Error, ErrorKind, Paginator, PaginatorExt, Progress, Read, Retry, Source,
    StopReason, Transport,
    alloy::{Action, ActionBuilder},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

const KEY: &str = "sk-a-key-that-nobody-may-see";

const CREDENTIAL: &str = "68d9876543210fedcba98765";

const NONE: [u64; 0] = [];

const USER: &str = "68c3229752345278627ae373";

const ERROR_WITH_MESSAGE: &str = fixture!("alloy/error_with_message");

/// A service that answers what it was told to, in order, and keeps what it was
/// asked. A request too many fails the test.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Scripted>>);

#[derive(Default)]
struct Scripted {
    answers: VecDeque<(u16, Bytes)>,
    requests: Vec<Request<Bytes>>,
}

impl Script {
    /// Answers with these bodies, each with status 200.
    fn new(bodies: impl IntoIterator<Item = Value>) -> Self {
        bodies.into_iter().fold(Self::default(), |script, body| script.then(200, body.to_string()))
    }

    /// Answers with this status and body after the others.
    fn then(self, status: u16, body: impl Into<Bytes>) -> Self {
        self.0.lock().unwrap().answers.push_back((status, body.into()));
        self
    }

    fn transport(&self) -> impl Transport + use<> {
        let scripted = Arc::clone(&self.0);
        move |request: Request<Bytes>| {
            let mut scripted = scripted.lock().unwrap();
            scripted.requests.push(request);
            let (status, body) = scripted.answers.pop_front().expect("a request too many");
            ready(Ok::<_, Error>(Response::builder().status(status).body(body).unwrap()))
        }
    }

    /// The only request there was.
    fn request(&self) -> Request<Bytes> {
        let scripted = self.0.lock().unwrap();
        assert_eq!(scripted.requests.len(), 1);
        scripted.requests[0].clone()
    }

    fn bodies(&self) -> Vec<Value> {
        let scripted = self.0.lock().unwrap();
        scripted.requests.iter().map(|it| serde_json::from_slice(it.body()).unwrap()).collect()
    }

    /// The offset of each request, as the guide places it.
    fn offsets(&self) -> Vec<u64> {
        self.bodies().iter().map(|body| body["input"]["offset"].as_u64().unwrap()).collect()
    }
}

/// A page with more behind it; its records are numbers.
fn page(records: Range<u64>, next_offset: u64) -> Value {
    let data = records.collect::<Vec<_>>();
    json!({"data": data, "pagination": {"hasMore": true, "nextOffset": next_offset}})
}

fn last(records: Range<u64>) -> Value {
    json!({"data": records.collect::<Vec<_>>(), "pagination": {"hasMore": false}})
}

fn builder<T>(script: &Script) -> ActionBuilder<T> {
    Action::builder("hubspot", "listContacts")
        .api_key(KEY)
        .credential_id(CREDENTIAL)
        .transport(script.transport())
}

fn action(script: &Script) -> Action<u64> {
    builder(script).build().unwrap()
}

#[derive(Debug, PartialEq, Deserialize)]
struct Contact {
    id: u64,
}

fn contacts(ids: Range<u64>) -> Vec<Contact> {
    ids.map(|id| Contact { id }).collect()
}

/// What came of a stream.
#[derive(Debug)]
struct Outcome<T> {
    records: Vec<T>,
    error: Option<Error>,
    progress: Progress,
}

async fn read<T: DeserializeOwned + Send + 'static>(action: &Action<T>) -> Outcome<T> {
    drain(action.read()).await
}

/// Reads to the end or to the one error, and a little beyond.
async fn drain<S: Source>(
    reading: Read<S>,
) -> Outcome<<<S as Source>::Paginator as Paginator>::Record> {
    let mut stream = Box::pin(reading.retry(Retry::never()).records());
    let (mut records, mut error) = (Vec::new(), None);
    while let Some(item) = stream.next().await {
        assert!(error.is_none(), "an item after the error");
        match item {
            Ok(record) => records.push(record),
            Err(it) => error = Some(it),
        }
    }
    assert!(stream.next().await.is_none(), "an item after the end");
    let progress = stream.monitor().progress();
    Outcome { records, error, progress }
}

impl<T> Outcome<T> {
    /// All the records of a reading that came to its end.
    fn whole(self) -> Vec<T> {
        assert!(self.error.is_none(), "{:?}", self.error);
        assert_eq!(self.progress.stop, Some(StopReason::End));
        self.records
    }

    /// The error of a reading that failed, with all that it has to say of where.
    fn failed(self, kind: ErrorKind, page: u64, offset: u64) -> Error {
        assert_eq!(self.progress.stop, Some(StopReason::Failed));
        let error = self.error.expect("an error");
        assert_eq!((error.kind(), error.page()), (kind, Some(page)), "{error:?}");
        let cursor = serde_json::from_str::<Value>(error.cursor().unwrap()).unwrap();
        assert_eq!(cursor["offset"], offset);
        let records = error.checkpoint().map(Checkpoint::records);
        assert_eq!(records, Some(self.records.len() as u64));
        error
    }
}

/// Reads a single body, which is an error of this kind.
async fn refuse(kind: ErrorKind, body: impl Into<Bytes>) -> Error {
    let outcome = read(&action(&Script::default().then(200, body))).await;
    assert_eq!(outcome.records, NONE);
    outcome.failed(kind, 1, 0)
}

async fn refuse_json(kind: ErrorKind, body: &Value) -> Error {
    refuse(kind, body.to_string()).await
}

/// Why a builder does not build.
fn refusal(builder: ActionBuilder<u64>) -> String {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

/// Reads some records and gives the checkpoint, through its text.
async fn cut<T: DeserializeOwned + Send + 'static>(
    action: &Action<T>,
    records: usize,
) -> (Vec<T>, Checkpoint) {
    let mut stream = action.records();
    let mut out = Vec::new();
    while out.len() < records {
        out.push(stream.next().await.unwrap().unwrap());
    }
    let text = serde_json::to_string(&stream.checkpoint().unwrap()).unwrap();
    (out, serde_json::from_str(&text).unwrap())
}
