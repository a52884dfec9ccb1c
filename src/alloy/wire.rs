//! The bodies of requests and responses. A response is read in one pass, from its
//! bytes to records, wherever in it they are.

use std::{
    borrow::Cow,
    fmt::{self, Formatter},
    ops::Range,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Map, Value, value::RawValue};
use smallvec::SmallVec;
use twox_hash::XxHash3_64;

use crate::transport::{BadRecord, decode_each};

/// The field of the body that contains the limit, the offset and the action's other
/// inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterPosition {
    /// `input`, as in the pagination guide.
    #[default]
    Input,
    /// `queryParameters`, as in the API reference.
    QueryParameters,
    /// `requestBody`, as in the API reference.
    RequestBody,
}

impl ParameterPosition {
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::QueryParameters => "queryParameters",
            Self::RequestBody => "requestBody",
        }
    }
}

/// The body of a request.
pub(super) struct Body<'a> {
    pub(super) fields: &'a Map<String, Value>,
    /// The field that contains the parameters.
    pub(super) position: ParameterPosition,
    pub(super) parameters: Parameters<'a>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len() + 1))?;
        for (field, value) in self.fields {
            map.serialize_entry(field, value)?;
        }
        map.serialize_entry(self.position.field(), &self.parameters)?;
        map.end()
    }
}

/// The inputs of an action.
#[derive(Serialize)]
pub(super) struct Parameters<'a> {
    #[serde(flatten)]
    pub(super) inputs: &'a Map<String, Value>,
    pub(super) limit: u64,
    pub(super) offset: u64,
}

/// A JSON pointer (RFC 6901), as a list of keys.
#[derive(Clone, Debug)]
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    /// `None` if this is not a JSON pointer.
    pub(super) fn parse(pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(Self(Vec::new()));
        }
        pointer.strip_prefix('/')?.split('/').map(unescape).collect::<Option<_>>().map(Self)
    }
}

/// A key of a pointer, in which `~1` means a slash and `~0` a tilde.
fn unescape(key: &str) -> Option<String> {
    let is_bad = key.split('~').skip(1).any(|after| !after.starts_with(['0', '1']));
    (!is_bad).then(|| key.replace("~1", "/").replace("~0", "~"))
}

/// Where the records and the paging object are in a response.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) data: Pointer,
    pub(super) pagination: Pointer,
}

/// The content of a response.
#[derive(Debug)]
pub(super) struct Envelope<T> {
    pub(super) data: Data<T>,
    /// `None` if it is missing or null.
    pub(super) pagination: Option<Pagination>,
    /// Where the text of the data is in the body.
    pub(super) text: Range<usize>,
    /// A digest of that text.
    pub(super) digest: u64,
}

/// The same, where not all records fit their type.
pub(super) struct Partial<T> {
    pub(super) envelope: Envelope<T>,
    pub(super) bad: Vec<BadRecord>,
}

/// The records of a response.
#[derive(Debug)]
pub(super) enum Data<T> {
    List(Vec<T>),
    Null,
    Missing,
}

/// The paging object. `paging.rs` checks what its fields mean together.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pagination {
    #[serde(default)]
    pub(super) has_more: Option<bool>,
    /// Any value, since it only matters if `has_more` is true.
    #[serde(default)]
    pub(super) next_offset: Option<Value>,
    /// Not in the guide, and optional.
    #[serde(default)]
    total: Option<Value>,
}

impl Pagination {
    pub(super) fn total(&self) -> Option<u64> {
        self.total.as_ref()?.as_u64()
    }
}

/// Reads a response in one pass.
pub(super) fn decode<T: DeserializeOwned>(
    body: &str,
    layout: &Layout,
) -> Result<Envelope<T>, serde_json::Error> {
    let mut found = Found {
        data: Data::Missing,
        pagination: None,
        others: SmallVec::new(),
        others_before_data: 0,
    };
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let seek = Seek { data: Some(&layout.data.0), pagination: Some(&layout.pagination.0) };
    Node { seek, found: &mut found }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    let text = data_text(body, &found);
    let digest = XxHash3_64::oneshot(&body.as_bytes()[text.clone()]);
    let pagination = found.pagination.map(RawValue::get).filter(|raw| *raw != "null");
    let pagination = pagination.map(|raw| {
        // Serde would read an array as the fields in their order.
        if !raw.starts_with('{') {
            return Err(serde_json::Error::custom("invalid paging object: expected a JSON object"));
        }
        serde_json::from_str(raw)
    });
    let pagination = pagination.transpose()?;
    Ok(Envelope { data: found.data, pagination, text, digest })
}

/// Reads a response that can't be read in one pass: each record by itself. If none fits, the
/// type is wrong, and not the records.
///
/// # Errors
///
/// What is wrong with the whole of it.
pub(super) fn decode_each_record<T: DeserializeOwned>(
    body: &str,
    layout: &Layout,
) -> Result<Partial<T>, serde_json::Error> {
    let whole = match decode(body, layout) {
        Ok(envelope) => return Ok(Partial { envelope, bad: Vec::new() }),
        Err(error) => error,
    };
    let Envelope { data: Data::List(records), pagination, text, digest } =
        decode::<Box<RawValue>>(body, layout)?
    else {
        return Err(whole);
    };
    let (good, bad) = decode_each(&records);
    let is_one = bad.len() == 1 && pagination.is_some();
    if bad.is_empty() || good.is_empty() && !is_one {
        return Err(whole);
    }
    Ok(Partial { envelope: Envelope { data: Data::List(good), pagination, text, digest }, bad })
}

/// Where the text of the data is. The data is between two other values, with nothing but
/// keys around it, and it has a bracket on each side unless it is null.
fn data_text<T>(body: &str, found: &Found<'_, T>) -> Range<usize> {
    let start = |value: &&str| value.as_ptr().addr() - body.as_ptr().addr();
    let (before, after) = found.others.split_at(found.others_before_data);
    let begin = before.last().map_or(0, |value| start(value) + value.len());
    let end = after.first().map_or(body.len(), start);
    let around = &body[begin..end];
    // Keys may have brackets of their own.
    match (around.find('['), around.rfind(']')) {
        (Some(open), Some(close)) if open < close => begin + open..begin + close + 1,
        _ => begin..end,
    }
}

/// What was found in a document so far.
struct Found<'de, T> {
    data: Data<T>,
    pagination: Option<&'de RawValue>,
    /// The values that are not part of the data, in their order.
    others: SmallVec<[&'de str; 4]>,
    /// How many of them are before the data.
    others_before_data: usize,
}

/// The keys from this value to the searched ones; `None` if that one is elsewhere.
#[derive(Clone, Copy)]
struct Seek<'p> {
    data: Option<&'p [String]>,
    pagination: Option<&'p [String]>,
}

impl Seek<'_> {
    /// The keys from the value of this key on.
    fn below(self, key: &str) -> Self {
        Self { data: below(self.data, key), pagination: below(self.pagination, key) }
    }

    fn is_over(self) -> bool {
        self.data.is_none() && self.pagination.is_none()
    }
}

fn below<'p>(path: Option<&'p [String]>, key: &str) -> Option<&'p [String]> {
    let (first, remaining) = path?.split_first()?;
    (first == key).then_some(remaining)
}

/// A value that is searched.
struct Node<'p, 'f, 'de, T> {
    seek: Seek<'p>,
    found: &'f mut Found<'de, T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Node<'_, '_, 'de, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.seek.data.is_some_and(<[_]>::is_empty) {
            if !matches!(self.found.data, Data::Missing) {
                return Err(D::Error::custom("the records are in the response twice"));
            }
            let data = Option::deserialize(deserializer)?;
            self.found.others_before_data = self.found.others.len();
            self.found.data = data.map_or(Data::Null, Data::List);
        } else if self.seek.pagination.is_some_and(<[_]>::is_empty) {
            if self.found.pagination.is_some() {
                return Err(D::Error::custom("the paging object is in the response twice"));
            }
            let raw = <&RawValue>::deserialize(deserializer)?;
            self.found.pagination = Some(raw);
            self.found.others.push(raw.get());
        } else if self.seek.is_over() {
            self.found.others.push(<&RawValue>::deserialize(deserializer)?.get());
        } else {
            deserializer.deserialize_any(self)?;
        }
        Ok(())
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Node<'_, '_, 'de, T> {
    type Value = ();

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array that contains the records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            map.next_value_seed(Node { seek: self.seek.below(&key), found: self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            let seek = self.seek.below(&index.to_string());
            if seq.next_element_seed(Node { seek, found: self.found })?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Nothing is inside of `null`, so what is searched there is missing.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
