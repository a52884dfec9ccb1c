//! The errors of GraphQL, which come in a 200.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use crate::{
    error::{Error, ErrorKind, ServiceError},
    json::{Pointer, find},
};

/// The error of an answer without data.
pub(super) fn fatal(response: &Response<Bytes>) -> Option<Error> {
    // Most answers have none, and this is faster than to read them.
    let has_errors = response.body().windows(8).any(|window| window == b"\"errors\"");
    let text = std::str::from_utf8(response.body()).ok().filter(|_| has_errors)?;
    let data = find(text, &Pointer::parse("/data")?).ok()?;
    let has_data = data.is_some_and(|data| data.get() != "null");
    if has_data { None } else { errors(text).into_iter().next() }
}

/// The errors of an answer.
pub(crate) fn errors(document: &str) -> Vec<Error> {
    let errors = Pointer::parse("/errors").and_then(|at| find(document, &at).ok().flatten());
    let errors = errors.and_then(|it| serde_json::from_str::<Vec<Value>>(it.get()).ok());
    let wait = wait(document);
    errors.unwrap_or_default().iter().map(|error| read(error, wait)).collect()
}

fn read(error: &Value, wait: Option<Duration>) -> Error {
    let text = |pointer| error.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let category = text("/extensions/code").or_else(|| text("/type"));
    let message = text("/message");
    let told = message.as_ref().or(category.as_ref());
    let told = told.map_or_else(String::new, |told| format!(": {told:?}"));
    let path = error.get("path").filter(|path| path.is_array());
    let path = path.map_or_else(String::new, |path| format!(" at {path}"));
    let is_throttle = matches!(category.as_deref(), Some("THROTTLED" | "RATE_LIMITED"));
    let message = format!("the service answered with a GraphQL error{path}{told}");
    let service_error =
        ServiceError { category, message: text("/message"), ..ServiceError::default() };
    let error = Error::new(ErrorKind::Status, message).with_service_error(service_error);
    if is_throttle { error.with_throttled().with_retry_after(wait) } else { error }
}

/// How long it takes until there is as much left as the query costs, as Shopify tells it.
fn wait(document: &str) -> Option<Duration> {
    let cost = find(document, &Pointer::parse("/extensions/cost")?).ok()??;
    let cost = serde_json::from_str::<Value>(cost.get()).ok()?;
    let number = |pointer| cost.pointer(pointer).and_then(Value::as_f64);
    let missing = number("/requestedQueryCost")? - number("/throttleStatus/currentlyAvailable")?;
    let rate = number("/throttleStatus/restoreRate").filter(|rate| *rate > 0.0)?;
    Duration::try_from_secs_f64((missing / rate).max(0.0)).ok()
}
