use std::{cell::Cell, fmt::Debug, hash::Hash};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    error::{Error, ErrorKind},
    opaque_cursor::watch,
};

/// Everything that one request needs to know about where to read.
///
/// This trait is an alias: every type that meets its bounds is a cursor, so
/// `u64`, `String`, [`OpaqueCursor`](crate::OpaqueCursor) and `Option<String>` are,
/// and so is a struct of yours that derives them.
///
/// A cursor is compared and hashed to notice a service that goes in a cycle,
/// and serialized into a [`Checkpoint`](crate::Checkpoint), so it must come
/// back from JSON as it went.
///
/// ```
/// use pagestream::{Cursor, OpaqueCursor};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
/// struct Place {
///     shop: u32,
///     after: Option<OpaqueCursor>,
/// }
///
/// fn is_cursor(_: &impl Cursor) {}
/// is_cursor(&Place { shop: 7, after: None });
/// ```
pub trait Cursor:
    Clone + Debug + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<T> Cursor for T where
    T: Clone + Debug + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

thread_local! {
    /// Whether what is written goes into a checkpoint.
    static IS_FOR_CHECKPOINT: Cell<bool> = const { Cell::new(false) };
}

/// Whether a cursor that is being written goes into a checkpoint, and not into a request or
/// a [`BoxPaginator`](crate::BoxPaginator). It may leave out there what can be read again.
#[cfg_attr(not(feature = "hubspot"), allow(dead_code, reason = "only HubSpot asks"))]
pub(crate) fn is_for_checkpoint() -> bool {
    IS_FOR_CHECKPOINT.get()
}

/// A cursor as a checkpoint holds it.
pub(crate) fn to_checkpoint<C: Cursor>(cursor: &C) -> Result<Value, Error> {
    struct End;

    impl Drop for End {
        fn drop(&mut self) {
            IS_FOR_CHECKPOINT.set(false);
        }
    }

    IS_FOR_CHECKPOINT.set(true);
    let _end = End;
    to_json(cursor)
}

/// The one field of an object that holds the text of a cursor.
const TEXT: &str = "json_text";

/// A cursor as a value: as it is, or its text in an object if a value would not keep it.
pub(crate) fn to_json<C: Cursor>(cursor: &C) -> Result<Value, Error> {
    let failed = |error| {
        Error::new(ErrorKind::Contract, "a cursor can't be written as JSON").with_source(error)
    };
    let (value, text_counts) = watch(|| serde_json::to_value(cursor));
    let value = value.map_err(failed)?;
    if text_counts || text_of(&value).is_some() {
        return Ok(json!({TEXT: serde_json::to_string(cursor).map_err(failed)?}));
    }
    Ok(value)
}

/// A cursor that a checkpoint holds.
///
/// # Errors
///
/// It is another one's.
pub(crate) fn from_json<C: Cursor>(value: Value) -> Result<C, Error> {
    let cursor = match text_of(&value) {
        Some(text) => serde_json::from_str(text),
        None => serde_json::from_value(value),
    };
    cursor.map_err(|error| {
        Error::new(
            ErrorKind::Checkpoint,
            "the checkpoint holds an invalid cursor for this paginator: read from the start",
        )
        .with_source(error)
    })
}

/// The text of a cursor that a value would not keep.
pub(crate) fn text_of(value: &Value) -> Option<&str> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.get(TEXT)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize, Serializer};
    use serde_json::json;

    use super::{from_json, is_for_checkpoint, text_of, to_checkpoint, to_json};
    use crate::opaque_cursor::OpaqueCursor;

    /// A cursor that says what it is written for.
    #[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
    struct Told(bool);

    impl Serialize for Told {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            is_for_checkpoint().serialize(serializer)
        }
    }

    #[test]
    fn a_cursor_knows_that_it_is_written_into_a_checkpoint_and_not_afterwards() {
        assert_eq!(to_json(&Told(false)).unwrap(), json!(false));
        assert_eq!(to_checkpoint(&Told(false)).unwrap(), json!(true));
        assert!(!is_for_checkpoint());
        assert_eq!(to_json(&Told(false)).unwrap(), json!(false));
    }

    #[test]
    fn a_cursor_whose_text_counts_is_kept_as_its_text() {
        let cursor: OpaqueCursor = serde_json::from_str("1.10").unwrap();
        let value = to_json(&cursor).unwrap();
        assert_eq!(value, json!({"json_text": "1.10"}));
        assert_eq!(text_of(&value), Some("1.10"));
        assert_eq!(from_json::<OpaqueCursor>(value).unwrap(), cursor);

        // An object that looks like one is told apart from it.
        let alike = std::collections::BTreeMap::from([("json_text".to_owned(), "x".to_owned())]);
        let value = to_json(&alike).unwrap();
        assert_eq!(value, json!({"json_text": r#"{"json_text":"x"}"#}));
        assert_eq!(from_json::<std::collections::BTreeMap<_, _>>(value).unwrap(), alike);
        assert_eq!(text_of(&json!({"json_text": "x", "page": 2})), None);
    }

    #[test]
    fn a_cursor_of_something_else_is_an_error_of_the_checkpoint() {
        let error = from_json::<u64>(json!("x")).unwrap_err();
        assert!(error.is_checkpoint(), "{error}");
    }
}
