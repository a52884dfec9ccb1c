use std::{
    cell::Cell,
    fmt::{self, Debug, Display, Formatter},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::{Value, value::RawValue};

/// A cursor of a service: a string, a number, or any other JSON. It goes back to the service
/// exactly as it came: a fraction with its digits, an object with its order and its spaces.
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
/// let sent = |body| serde_json::to_string(&next(body)).unwrap();
/// assert_eq!(sent(r#"{"next": 7}"#), "7");
/// assert_eq!(sent(r#"{"next": [1767225600.10, "b7"]}"#), r#"[1767225600.10, "b7"]"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpaqueCursor(Opaque);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Opaque {
    Number(i128),
    Text(Box<str>),
    /// Any other JSON, as its text.
    Json(Box<str>),
}

/// The name by which `serde_json` gives the text of a value. Another one would be read as
/// a value, whose text may differ.
const RAW: &str = "$serde_json::private::RawValue";

thread_local! {
    /// Whether JSON was written whose text counts.
    static WROTE_JSON: Cell<bool> = const { Cell::new(false) };
}

/// What `write` gives, and whether a cursor was in it whose text counts: it does not come
/// back from a [`Value`] as it was.
pub(crate) fn watch<T>(write: impl FnOnce() -> T) -> (T, bool) {
    WROTE_JSON.set(false);
    (write(), WROTE_JSON.get())
}

impl OpaqueCursor {
    /// Reads the cursor of the next page. Use it with serde's `deserialize_with`. `null`
    /// and `""` are the end. With serde's `default`, a missing field is the end too.
    ///
    /// # Errors
    ///
    /// If it is no JSON.
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
            Opaque::Text(text) | Opaque::Json(text) => Display::fmt(text, f),
        }
    }
}

impl Serialize for OpaqueCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Opaque::Number(number) => number.serialize(serializer),
            Opaque::Text(text) => text.serialize(serializer),
            Opaque::Json(text) => {
                WROTE_JSON.set(true);
                let raw = RawValue::from_string(text.to_string()).map_err(ser::Error::custom)?;
                raw.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for OpaqueCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(RAW, Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = OpaqueCursor;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a cursor: any JSON but null")
    }

    /// Whoever has no text gives the value.
    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<OpaqueCursor, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_u64<E: de::Error>(self, cursor: u64) -> Result<OpaqueCursor, E> {
        Ok(cursor.into())
    }

    fn visit_i64<E: de::Error>(self, cursor: i64) -> Result<OpaqueCursor, E> {
        Ok(OpaqueCursor(Opaque::Number(cursor.into())))
    }

    fn visit_f64<E: de::Error>(self, cursor: f64) -> Result<OpaqueCursor, E> {
        of_value(&cursor.into())
    }

    fn visit_bool<E: de::Error>(self, cursor: bool) -> Result<OpaqueCursor, E> {
        of_value(&cursor.into())
    }

    fn visit_str<E: de::Error>(self, cursor: &str) -> Result<OpaqueCursor, E> {
        Ok(cursor.into())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<OpaqueCursor, A::Error> {
        of_value(&Value::deserialize(de::value::SeqAccessDeserializer::new(seq))?)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<OpaqueCursor, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == RAW {
                return of_text(&map.next_value::<String>()?);
            }
            object.insert(key, map.next_value()?);
        }
        of_value(&object.into())
    }
}

/// The cursor that JSON is.
fn of_text<E: de::Error>(text: &str) -> Result<OpaqueCursor, E> {
    let text = text.trim();
    if text == "null" {
        return Err(E::invalid_type(de::Unexpected::Unit, &Visitor));
    }
    let number = text.parse::<i128>().ok().filter(|number| number.to_string() == text);
    let number = number.filter(|it| (i64::MIN.into()..=u64::MAX.into()).contains(it));
    // A string that is no text, such as half of an emoji, stays as it is.
    Ok(OpaqueCursor(match (number, serde_json::from_str::<String>(text)) {
        (Some(number), _) => Opaque::Number(number),
        (None, Ok(text)) => Opaque::Text(text.into()),
        (None, Err(_)) => Opaque::Json(text.into()),
    }))
}

fn of_value<E: de::Error>(value: &Value) -> Result<OpaqueCursor, E> {
    of_text(&value.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    use super::OpaqueCursor;

    fn json() -> impl Strategy<Value = String> {
        let plain = prop_oneof![
            Just("true".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            "-?[1-9][0-9]{0,30}",
            "-?(0|[1-9][0-9]{0,3})[.][0-9]{1,9}([eE][+-]?[0-9]{1,2})?",
            "[a-z ]{0,9}".prop_map(|text| format!("{text:?}")),
        ];
        plain.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|all| format!("[{}]", all.join(" , "))),
                prop::collection::vec(inner, 0..4).prop_map(|all| {
                    let fields = all.iter().rev().enumerate();
                    let fields = fields.map(|(at, value)| format!("\"{}\":{value}", 9 - at));
                    format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_goes_back_as_it_came(text in json()) {
            let cursor = serde_json::from_str::<OpaqueCursor>(&text).unwrap();
            prop_assert_eq!(&serde_json::to_string(&cursor).unwrap(), &text);
            let listed = serde_json::from_str::<Vec<Option<OpaqueCursor>>>(&format!("[{text},null]"));
            prop_assert_eq!(listed.unwrap(), [Some(cursor.clone()), None]);
            // By way of a value, it is a cursor too.
            let value = serde_json::from_str::<Value>(&text).unwrap();
            prop_assert!(serde_json::from_value::<OpaqueCursor>(value).is_ok());
        }
    }

    #[test]
    fn a_cursor_in_a_type_that_is_buffered_is_read_as_a_value() {
        #[derive(Deserialize)]
        struct Outer {
            #[serde(flatten)]
            inner: Inner,
        }
        #[derive(Deserialize)]
        struct Inner {
            next: Option<OpaqueCursor>,
        }
        for text in ["7", r#""a""#, "1.5", "[1,2]", r#"{"a":1}"#, "true"] {
            let outer = serde_json::from_str::<Outer>(&format!(r#"{{"next":{text}}}"#)).unwrap();
            assert_eq!(serde_json::to_string(&outer.inner.next).unwrap(), text);
        }
    }

    #[test]
    fn null_alone_is_no_cursor() {
        assert!(serde_json::from_str::<OpaqueCursor>("null").is_err());
        assert!(serde_json::from_value::<OpaqueCursor>(Value::Null).is_err());
    }
}
