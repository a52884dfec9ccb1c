//! The bodies of requests and responses. They follow HubSpot's OpenAPI file for
//! associations 2026-03, and the live service where it is known to differ.

use std::fmt::{self, Display, Formatter};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IgnoredAny},
};
use serde_json::{Map, Value};

use super::association_types::AssociationTypes;
use crate::{json::BadRecord, keys::key, opaque_cursor::OpaqueCursor};

/// The id of an object, kept exactly.
///
/// In HubSpot's schema it is a string. The service sends numbers too, also above
/// 2^53. Both are read, and a string is written. Two ids are equal if they have the
/// same characters.
///
/// ```
/// use pagestream::hubspot::ObjectId;
///
/// let id = ObjectId::from(9_007_199_254_740_993);
/// assert_eq!(id, ObjectId::from("9007199254740993"));
/// assert_eq!(id.to_string(), "9007199254740993");
/// assert_ne!(ObjectId::from("007"), ObjectId::from(7));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(Digits);

/// Nearly all ids are numbers, which need no allocation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Digits {
    Number(u64),
    /// Any text that a `u64` would not write in the same way.
    Text(Box<str>),
}

impl ObjectId {
    /// A number that stands for it in checkpoints.
    pub(super) fn key(&self) -> u64 {
        match &self.0 {
            Digits::Number(number) => *number,
            Digits::Text(text) => key(text),
        }
    }
}

impl From<u64> for ObjectId {
    fn from(id: u64) -> Self {
        Self(Digits::Number(id))
    }
}

impl From<&str> for ObjectId {
    fn from(id: &str) -> Self {
        let canonical = id == "0" || id.starts_with(|first| matches!(first, '1'..='9'));
        match id.parse() {
            Ok(number) if canonical => Self(Digits::Number(number)),
            _ => Self(Digits::Text(id.into())),
        }
    }
}

impl From<String> for ObjectId {
    fn from(id: String) -> Self {
        Self::from(id.as_str())
    }
}

impl From<&ObjectId> for ObjectId {
    fn from(id: &ObjectId) -> Self {
        id.clone()
    }
}

impl Display for ObjectId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Digits::Number(number) => number.fmt(f),
            Digits::Text(text) => text.fmt(f),
        }
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = ObjectId;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("an object id, as a string or a whole number below 2^64")
            }

            fn visit_u64<E: de::Error>(self, id: u64) -> Result<ObjectId, E> {
                Ok(id.into())
            }

            fn visit_str<E: de::Error>(self, id: &str) -> Result<ObjectId, E> {
                Ok(id.into())
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// An object at the other end of an association.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Associated {
    /// The object.
    #[serde(rename = "toObjectId")]
    pub to: ObjectId,
    /// How it is associated.
    #[serde(rename = "associationTypes", default, deserialize_with = "null_as_default")]
    pub types: AssociationTypes,
}

/// The body of a batch read.
#[derive(Serialize)]
pub(super) struct Request<'a> {
    pub(super) inputs: Vec<RequestInput<'a>>,
}

#[derive(Serialize)]
pub(super) struct RequestInput<'a> {
    pub(super) id: &'a ObjectId,
    /// Left out if there is none: `null` breaks the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<&'a OpaqueCursor>,
}

/// The body of a success. The statuses 200 and 207 have the same body.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Response {
    pub(super) results: Vec<ResultRow>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) errors: Vec<StandardError>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ResultRow {
    pub(super) from: From_,
    #[serde(default)]
    pub(super) to: Option<Vec<Associated>>,
    #[serde(default)]
    pub(super) paging: Option<Paging>,
    /// The associations that do not fit their type, where each was read by itself.
    #[serde(skip)]
    pub(super) bad: Vec<BadRecord>,
}

/// The cursor of an object's next page.
#[derive(Debug)]
pub(super) enum NextCursor {
    After(OpaqueCursor),
    End,
    /// There are more pages, but no cursor to them.
    Missing,
}

impl From<Option<Paging>> for NextCursor {
    /// `link` is deprecated and never followed. A `link` without an `after` still means
    /// that there are more pages. An empty cursor is the end.
    fn from(paging: Option<Paging>) -> Self {
        match paging.and_then(|paging| paging.next) {
            Some(Next { after: Some(after), .. }) if !after.is_empty() => Self::After(after),
            Some(Next { after: None, link: Some(_) }) => Self::Missing,
            _ => Self::End,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct From_ {
    pub(super) id: ObjectId,
}

#[derive(Debug, Deserialize)]
pub(super) struct Paging {
    #[serde(default)]
    next: Option<Next>,
}

#[derive(Debug, Deserialize)]
struct Next {
    #[serde(default)]
    after: Option<OpaqueCursor>,
    #[serde(default)]
    link: Option<IgnoredAny>,
}

/// An entry of `errors`. Live entries lack fields that the schema requires, and have
/// strings instead of objects.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StandardError {
    #[serde(default)]
    pub(super) category: Option<String>,
    #[serde(default)]
    sub_category: Option<Value>,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    context: Option<Map<String, Value>>,
}

impl StandardError {
    /// Whether it says that an object has no associations, which is not a failure.
    pub(super) fn is_no_associations(&self) -> bool {
        let name = self.sub_category().and_then(|sub| sub.rsplit('.').next());
        name == Some("NO_ASSOCIATIONS_FOUND")
    }

    pub(super) fn sub_category(&self) -> Option<&str> {
        self.sub_category.as_ref()?.as_str()
    }

    /// The ids in its context: those of the from side, and then all that may be ids of
    /// either side.
    pub(super) fn ids(&self) -> (Vec<ObjectId>, Vec<ObjectId>) {
        let (mut from, mut others) = (Vec::new(), Vec::new());
        for (key, value) in self.context.iter().flatten() {
            if key.ends_with("Type") || key.starts_with("to") {
                continue;
            }
            let values = match value {
                Value::Array(values) => values.as_slice(),
                value => std::slice::from_ref(value),
            };
            let ids = values.iter().filter_map(|value| ObjectId::deserialize(value).ok());
            if key.starts_with("from") { from.extend(ids) } else { others.extend(ids) }
        }
        (from, others)
    }
}

/// Reads `null` as a missing field.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
