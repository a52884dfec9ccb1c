//! The rules of reading an Alloy action, a test each.

mod bad_records;
mod builder;
mod changes;
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

use std::ops::Range;

use crate::support::{CREDENTIAL, Contact, Outcome, Script, drain, stored};
use bytes::Bytes;
use futures::StreamExt;
use pagestream::{
    Checkpoint, Error, ErrorKind, Paginator, PaginatorExt, Read, Retry, Source, StopReason,
    alloy::{Action, ActionBuilder},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const KEY: &str = "sk-a-key-that-nobody-may-see";

const NONE: [u64; 0] = [];

const USER: &str = "68c3229752345278627ae373";

const ERROR_WITH_MESSAGE: &str = fixture!("alloy/error_with_message");

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

fn contacts(ids: Range<u64>) -> Vec<Contact> {
    ids.map(|id| Contact { id }).collect()
}

impl Script {
    /// The offset of each request, as in the guide.
    fn offsets(&self) -> Vec<u64> {
        self.bodies().iter().map(|body| body["input"]["offset"].as_u64().unwrap()).collect()
    }
}

async fn read<T: DeserializeOwned + Send + 'static>(action: &Action<T>) -> Outcome<T> {
    once(action.read()).await
}

/// Reads without a retry.
async fn once<S: Source>(read: Read<S>) -> Outcome<<S::Paginator as Paginator>::Record> {
    drain(read.retry(Retry::never()).records()).await
}

impl<T> Outcome<T> {
    /// The error of a reading that failed, with all that it has to say of where.
    fn failed_at(self, kind: ErrorKind, page: u64, offset: u64) -> Error {
        assert_eq!(self.progress().stop, Some(StopReason::Failed));
        let read = self.records.len() as u64;
        let error = self.error();
        assert_eq!((error.kind(), error.page()), (kind, Some(page)), "{error:?}");
        let cursor = serde_json::from_str::<Value>(error.cursor().unwrap()).unwrap();
        assert_eq!(cursor["at"]["start"], offset);
        let records = error.checkpoint().map(Checkpoint::records);
        assert_eq!(records, Some(read));
        error
    }
}

/// Reads a single body, which is an error of this kind.
async fn error_of(kind: ErrorKind, body: impl Into<Bytes>) -> Error {
    let outcome = read(&action(&Script::default().then(200, body))).await;
    assert_eq!(outcome.records, NONE);
    outcome.failed_at(kind, 1, 0)
}

async fn error_of_json(kind: ErrorKind, body: &Value) -> Error {
    error_of(kind, body.to_string()).await
}

/// Why a configuration is invalid.
fn invalid(builder: ActionBuilder<u64>) -> String {
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
    let mut read = Vec::new();
    while read.len() < records {
        read.push(stream.next().await.unwrap().unwrap());
    }
    let checkpoint = stored(&stream.checkpoint().unwrap());
    (read, checkpoint)
}
