use std::{fmt::Debug, hash::Hash};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// Everything that one request needs to know about where to read.
///
/// This trait is an alias: every type that meets its bounds is a cursor, so
/// `u64`, `String`, [`OpaqueCursor`](crate::OpaqueCursor) and `Option<String>` are,
/// and so is a struct of yours that derives them.
///
/// A cursor is compared and hashed to notice a service that goes in a cycle,
/// and serialized into a [`Checkpoint`](crate::Checkpoint), so it must come
/// back from JSON as it went.
pub trait Cursor:
    Clone + Debug + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<T> Cursor for T where
    T: Clone + Debug + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

pub(crate) fn to_json<C: Cursor>(cursor: &C) -> Result<Value, Error> {
    serde_json::to_value(cursor).map_err(|error| {
        Error::new(ErrorKind::Contract, "a cursor can't be written as JSON").with_source(error)
    })
}
