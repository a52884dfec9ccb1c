use std::fmt::{self, Debug, Display, Formatter};

use serde::{Deserialize, Deserializer, Serialize, de};

/// A cursor as a service gave it: a string or a whole number, which goes back as
/// it came.
///
/// `"7"` and `7` are different cursors, and `0` is one. A service that has no more
/// says so in several ways; [`or_end`](OpaqueCursor::or_end) knows them.
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
    /// Reads the cursor of the next page, for serde's `deserialize_with`; the end
    /// is `null` or `""`, and with serde's `default` also a missing field.
    ///
    /// # Errors
    ///
    /// What is neither a string nor a whole number of 64 bits nor `null`.
    pub fn or_end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(Option::<Self>::deserialize(deserializer)?.filter(|cursor| !cursor.is_empty()))
    }

    /// Whether it is the empty string, by which services mean that there is no
    /// cursor.
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

/// As it stands in a URL, but for its percent-encoding.
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
