use std::fmt::{self, Debug, Display, Formatter};

use serde::{Deserialize, Deserializer, Serialize, de};

/// A cursor of a service: a string or a whole number. It goes back to the service
/// exactly as it came.
///
/// Use it in the response type of your own paginator. `"7"` and `7` are different
/// cursors, and `0` is a cursor. Services tell the end in several forms.
/// [`or_end`](OpaqueCursor::or_end) reads them all.
///
/// ```
/// use pagestream::OpaqueCursor;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Answer {
///     #[serde(default, deserialize_with = "OpaqueCursor::or_end")]
///     next: Option<OpaqueCursor>,
/// }
///
/// let next = |body| serde_json::from_str::<Answer>(body).unwrap().next;
/// assert_eq!(next(r#"{"next": 0}"#), Some(OpaqueCursor::from(0)));
/// assert_eq!(next(r#"{"next": "0"}"#), Some(OpaqueCursor::from("0")));
/// for end in [r#"{"next": ""}"#, r#"{"next": null}"#, "{}"] {
///     assert_eq!(next(end), None);
/// }
/// assert_eq!(serde_json::to_string(&next(r#"{"next": 7}"#)).unwrap(), "7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct OpaqueCursor(Opaque);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
enum Opaque {
    Number(i128),
    Text(Box<str>),
}

impl OpaqueCursor {
    /// Reads the cursor of the next page. Use it with serde's `deserialize_with`. `null`
    /// and `""` are the end. With serde's `default`, a missing field is the end too.
    ///
    /// # Errors
    ///
    /// If it is not a string, a whole number of 64 bits, or `null`.
    pub fn or_end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(Option::<Self>::deserialize(deserializer)?.filter(|cursor| !cursor.is_empty()))
    }

    /// Whether it is the empty string. Services use it to say that there is no cursor.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Opaque::Text(text) if text.is_empty())
    }
}

impl From<u64> for OpaqueCursor {
    fn from(cursor: u64) -> Self {
        Self(Opaque::Number(cursor.into()))
    }
}

impl From<&str> for OpaqueCursor {
    fn from(cursor: &str) -> Self {
        Self(Opaque::Text(cursor.into()))
    }
}

/// The text for a URL, without percent-encoding.
impl Display for OpaqueCursor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Opaque::Number(number) => Display::fmt(number, f),
            Opaque::Text(text) => Display::fmt(text, f),
        }
    }
}

impl<'de> Deserialize<'de> for OpaqueCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = OpaqueCursor;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("a cursor, as a string or a whole number of 64 bits")
            }

            fn visit_u64<E: de::Error>(self, cursor: u64) -> Result<OpaqueCursor, E> {
                Ok(cursor.into())
            }

            fn visit_i64<E: de::Error>(self, cursor: i64) -> Result<OpaqueCursor, E> {
                Ok(OpaqueCursor(Opaque::Number(cursor.into())))
            }

            fn visit_str<E: de::Error>(self, cursor: &str) -> Result<OpaqueCursor, E> {
                Ok(cursor.into())
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
