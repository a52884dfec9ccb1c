use std::{
    borrow::Cow,
    fmt::{self, Formatter},
    sync::Arc,
};

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::key::{KeyIs, KeyText};

/// A JSON pointer (RFC 6901), as a list of keys. A clone shares them.
#[derive(Clone, Debug)]
pub(crate) struct Pointer(pub(super) Arc<[String]>);

impl Pointer {
    /// `None` if this is not a JSON pointer.
    pub(crate) fn parse(pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(Self(Arc::new([])));
        }
        let keys = pointer.strip_prefix('/')?.split('/').map(unescape);
        keys.collect::<Option<_>>().map(Self)
    }

    /// The pointer to the value that holds this one, and its key there. `None` for all of a
    /// document.
    pub(crate) fn parent(&self) -> Option<(&[String], &str)> {
        let (last, parent) = self.0.split_last()?;
        Some((parent, last))
    }
}

impl Pointer {
    /// Whether one of its keys may be an index.
    pub(super) fn may_lead_through_a_list(&self) -> bool {
        self.0.iter().any(|key| key.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// A key of a pointer, in which `~1` means a slash and `~0` a tilde.
fn unescape(key: &str) -> Option<String> {
    let is_bad = key.split('~').skip(1).any(|after| !after.starts_with(['0', '1']));
    (!is_bad).then(|| key.replace("~1", "/").replace("~0", "~"))
}

/// The value at a pointer in a document, as its text. `None` if it is missing.
///
/// # Errors
///
/// The document is no JSON.
pub(crate) fn find<'de>(
    document: &'de str,
    pointer: &Pointer,
) -> Result<Option<&'de RawValue>, serde_json::Error> {
    find_keys(document, &pointer.0)
}

/// The same with the keys of a pointer.
pub(crate) fn find_keys<'de>(
    document: &'de str,
    keys: &[String],
) -> Result<Option<&'de RawValue>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(document);
    let found = Step(keys).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
}

/// The fields of an object, each with its text.
pub(crate) struct Fields<'de>(Vec<(Cow<'de, str>, &'de RawValue)>);

impl<'de> Fields<'de> {
    /// The fields of this value; none if it is no object.
    ///
    /// # Errors
    ///
    /// The value is no JSON.
    pub(crate) fn of(value: &'de RawValue) -> Result<Self, serde_json::Error> {
        let text = value.get();
        if !text.starts_with('{') {
            return Ok(Self(Vec::new()));
        }
        serde_json::Deserializer::from_str(text).deserialize_map(FieldsVisitor)
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// The key is there twice.
    pub(crate) fn get(&self, key: &str) -> Result<Option<&'de RawValue>, serde_json::Error> {
        let mut found = self.0.iter().filter(|(other, _)| other == key).map(|(_, value)| *value);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(serde_json::Error::custom(TWICE)),
            (found, None) => Ok(found),
        }
    }
}

const TWICE: &str = "a key is there twice";

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Vec::with_capacity(8);
        while let Some(key) = map.next_key_seed(KeyText)? {
            fields.push((key, map.next_value()?));
        }
        Ok(Fields(fields))
    }
}

/// A value, and the keys from it to the one that is looked for.
struct Step<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for Step<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.0 {
            [] => <&RawValue>::deserialize(deserializer).map(Some),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Step<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut is_seen) = (None, false);
        let first = self.0.first().map(String::as_str);
        while let Some(is_first) = map.next_key_seed(KeyIs(first))? {
            if !is_first {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if std::mem::replace(&mut is_seen, true) {
                return Err(A::Error::custom(TWICE));
            }
            found = map.next_value_seed(Step(&self.0[1..]))?;
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        for index in 0_usize.. {
            match self.0.split_first() {
                Some((first, remaining)) if *first == index.to_string() => {
                    let Some(value) = seq.next_element_seed(Step(remaining))? else { break };
                    found = value;
                }
                _ => {
                    if seq.next_element::<IgnoredAny>()?.is_none() {
                        break;
                    }
                }
            }
        }
        Ok(found)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::{Pointer, find};

    fn at(pointer: &str) -> Option<&'static str> {
        let document = r#"{"a": {"b": [1.10, {"c~/": "x"}], "n": null}, "s": "text"}"#;
        find(document, &Pointer::parse(pointer).unwrap()).unwrap().map(RawValue::get)
    }

    #[test]
    fn a_value_is_found_with_its_text() {
        assert_eq!(at("/a/b/0"), Some("1.10"));
        assert_eq!(at("/a/b/1/c~0~1"), Some(r#""x""#));
        assert_eq!(at("/a/n"), Some("null"));
    }

    #[test]
    fn what_is_not_there_is_missing() {
        for pointer in ["/b", "/a/b/2", "/a/n/x", "/s/x", "/a/b/0/x"] {
            assert_eq!(at(pointer), None, "{pointer}");
        }
    }
}
