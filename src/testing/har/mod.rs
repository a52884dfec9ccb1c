//! HAR 1.2: HTTP requests and their responses in a JSON file. Browsers and proxies write it.

mod read;
mod write;

use bytes::Bytes;
use http::{Method, StatusCode};

pub(super) use self::{read::read, write::write};
use crate::error::ErrorKind;

/// A request and what came of it.
#[derive(Clone)]
pub(super) struct Entry {
    /// Its number in the file, from 1 on.
    pub(super) number: usize,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    /// `None` if it is not known.
    pub(super) body: Option<Bytes>,
    pub(super) outcome: Outcome,
    pub(super) milliseconds: f64,
}

#[derive(Clone)]
pub(super) enum Outcome {
    Response { status: StatusCode, headers: Vec<(String, String)>, body: Bytes },
    Failure { kind: ErrorKind, message: String },
}

/// The values of a header.
pub(super) fn header<'a>(
    headers: &'a [(String, String)],
    name: &'a str,
) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
}
