//! Reads a list of records in one pass, from the bytes of a document, wherever in it the list
//! is.

use std::{
    fmt::{self, Formatter},
    ops::Range,
};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use smallvec::SmallVec;
use twox_hash::XxHash3_64;

use super::{
    bad_record::{BadRecord, decode_each},
    key::KeyIs,
    pointer::{Pointer, find},
};

/// A list of records.
#[derive(Debug)]
pub(crate) struct List<T> {
    pub(crate) data: Data<T>,
    /// Where the text of the data is in the document.
    pub(crate) text: Range<usize>,
    /// A digest of that text.
    pub(crate) digest: u64,
}

/// The records of a document.
#[derive(Debug)]
pub(crate) enum Data<T> {
    List(Vec<T>),
    Null,
    Missing,
}

/// Reads a document in one pass: the list at a pointer.
///
/// # Errors
///
/// It is no JSON, or a record does not fit.
pub(crate) fn decode<T: DeserializeOwned>(
    document: &str,
    data: &Pointer,
) -> Result<List<T>, serde_json::Error> {
    let mut found = Found { data: Data::Missing, others: SmallVec::new(), others_before_data: 0 };
    let mut deserializer = serde_json::Deserializer::from_str(document);
    Node { path: Some(&data.0), found: &mut found }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    let text = data_text(document, &found, data);
    let digest = XxHash3_64::oneshot(&document.as_bytes()[text.clone()]);
    Ok(List { data: found.data, text, digest })
}

/// Reads a document that can't be read in one pass: each record by itself. If none fits, the
/// type is wrong, and not the records.
///
/// # Errors
///
/// What is wrong with the whole of it.
pub(crate) fn decode_each_record<T: DeserializeOwned>(
    document: &str,
    data: &Pointer,
) -> Result<(List<T>, Vec<BadRecord>), serde_json::Error> {
    let whole = match decode(document, data) {
        Ok(list) => return Ok((list, Vec::new())),
        Err(error) => error,
    };
    let List { data: Data::List(records), text, digest } = decode::<Box<RawValue>>(document, data)?
    else {
        return Err(whole);
    };
    let (good, bad) = decode_each(&records);
    if bad.is_empty() || good.is_empty() && bad.len() > 1 {
        return Err(whole);
    }
    Ok((List { data: Data::List(good), text, digest }, bad))
}

/// Where the text of the data is. The data is between two other values, with nothing but
/// keys around it, and it has a bracket on each side unless it is null.
fn data_text<T>(body: &str, found: &Found<'_, T>, data: &Pointer) -> Range<usize> {
    let start = |value: &str| value.as_ptr().addr() - body.as_ptr().addr();
    let (before, after) = found.others.split_at(found.others_before_data);
    let begin = before.last().map_or(0, |value| start(value) + value.len());
    let end = after.first().map_or(body.len(), |value| start(value));
    let around = &body[begin..end];
    if let (Some(open), Some(close)) = (around.find('['), around.rfind(']'))
        && open < close
        && !data.may_lead_through_a_list()
        && has_whole_keys(&around[..open])
        && has_whole_keys(&around[close + 1..])
    {
        return begin + open..begin + close + 1;
    }
    // Slower, and always right.
    let text = find(body, data).ok().flatten().map_or("", RawValue::get);
    if text.is_empty() { 0..0 } else { start(text)..start(text) + text.len() }
}

/// Whether a text that is between two values, or between a value and a bracket, has no key
/// that goes on beyond it. Keys may have brackets of their own.
fn has_whole_keys(text: &str) -> bool {
    !text.contains('\\') && text.matches('"').count().is_multiple_of(2)
}

/// What was found in a document so far.
struct Found<'de, T> {
    data: Data<T>,
    /// The values that are not part of the data, in their order.
    others: SmallVec<[&'de str; 4]>,
    /// How many of them are before the data.
    others_before_data: usize,
}

/// The keys from the value of this key on; `None` if what is searched is elsewhere.
fn below<'p>(path: Option<&'p [String]>, key: &str) -> Option<&'p [String]> {
    let (first, remaining) = path?.split_first()?;
    (first == key).then_some(remaining)
}

/// A value that is searched.
struct Node<'p, 'f, 'de, T> {
    /// The keys from this value to the records; `None` if they are elsewhere.
    path: Option<&'p [String]>,
    found: &'f mut Found<'de, T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Node<'_, '_, 'de, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_some_and(<[_]>::is_empty) {
            if !matches!(self.found.data, Data::Missing) {
                return Err(D::Error::custom("the records are in the response twice"));
            }
            let data = Option::deserialize(deserializer)?;
            self.found.others_before_data = self.found.others.len();
            self.found.data = data.map_or(Data::Null, Data::List);
        } else if self.path.is_none() {
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
        let first = self.path.and_then(<[String]>::first).map(String::as_str);
        while let Some(is_first) = map.next_key_seed(KeyIs(first))? {
            let path = self.path.filter(|_| is_first).map(|path| &path[1..]);
            map.next_value_seed(Node { path, found: self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            let path = below(self.path, &index.to_string());
            if seq.next_element_seed(Node { path, found: self.found })?.is_none() {
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
