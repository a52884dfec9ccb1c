//! Reads the response of a batch read.

use std::{
    fmt::{self, Formatter},
    mem,
};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    association_types::KnownTypes,
    wire::{
        Associated, From_, ObjectId, Paging, Response, ResultRow, StandardError, null_as_default,
    },
};
use crate::json::{BadRecord, decode_each, decode_one};

/// A response of which not everything fits its type.
#[derive(Debug, Default)]
pub(super) struct Partial {
    pub(super) response: Response,
    /// The rows that can't be read at all, and their objects where those are known.
    pub(super) bad_rows: Vec<(BadRecord, Option<ObjectId>)>,
    /// The errors that can't be read.
    pub(super) bad_errors: Vec<BadRecord>,
}

/// Reads a response. Where it can't be read in one pass, each row and each association is
/// read by itself.
///
/// # Errors
///
/// What is wrong with the whole of it.
pub(super) fn decode(body: &str) -> serde_json::Result<Partial> {
    if let Ok(response) = one_pass(body) {
        return Ok(Partial { response, bad_rows: Vec::new(), bad_errors: Vec::new() });
    }
    let Raw { results, errors } = serde_json::from_str(body)?;
    let mut known = KnownTypes::default();
    let (mut rows, mut bad_rows) = (Vec::new(), Vec::new());
    for (index, raw) in results.iter().enumerate() {
        match row(raw, &mut known) {
            Ok(row) => rows.push(row),
            Err(mut bad) => {
                bad.index = index;
                let object = serde_json::from_str::<RawObject>(raw.get());
                bad_rows.push((bad, object.ok().map(|row| row.from.id)));
            }
        }
    }
    if rows.is_empty() && !bad_rows.is_empty() && bad_rows.iter().all(|(_, id)| id.is_none()) {
        // It says what is wrong first, and where in the body.
        serde_json::from_str::<Response>(body)?;
    }
    let (errors, bad_errors) = decode_each(&errors);
    Ok(Partial { response: Response { results: rows, errors }, bad_rows, bad_errors })
}

/// Reads a row, and each of its associations by itself.
fn row(raw: &RawValue, known: &mut KnownTypes<'_>) -> Result<ResultRow, BadRecord> {
    let RawRow { from, to, paging } = decode_one(raw)?;
    let (to, bad) = match to {
        Some(to) => {
            let (mut to, bad) = decode_each::<Associated>(&to);
            for associated in &mut to {
                associated.types = known.share(mem::take(&mut associated.types));
            }
            (Some(to), bad)
        }
        None => (None, Vec::new()),
    };
    Ok(ResultRow { from, to, paging, bad })
}

#[derive(Deserialize)]
struct Raw {
    results: Vec<Box<RawValue>>,
    #[serde(default, deserialize_with = "null_as_default")]
    errors: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct RawRow {
    from: From_,
    #[serde(default)]
    to: Option<Vec<Box<RawValue>>>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct RawObject {
    from: From_,
}

/// Reads a response of which everything fits. Anything unusual is an error, and read the slow
/// way.
fn one_pass(body: &str) -> serde_json::Result<Response> {
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let response = deserializer.deserialize_map(Body(&mut KnownTypes::default()))?;
    deserializer.end()?;
    Ok(response)
}

/// Sets a field. A key that is there twice is an error.
fn set<T, E: de::Error>(field: &mut Option<T>, name: &'static str, value: T) -> Result<(), E> {
    if field.replace(value).is_some() { Err(E::duplicate_field(name)) } else { Ok(()) }
}

/// A response.
struct Body<'k, 'de>(&'k mut KnownTypes<'de>);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum BodyField {
    Results,
    Errors,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for Body<'_, 'de> {
    type Value = Response;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a response")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Response, A::Error> {
        let (mut results, mut errors) = (None, None);
        while let Some(field) = map.next_key()? {
            match field {
                BodyField::Results => {
                    let rows = map.next_value_seed(Rows(self.0))?;
                    set(&mut results, "results", rows)?;
                }
                BodyField::Errors => {
                    let list = map.next_value::<Option<Vec<StandardError>>>()?;
                    set(&mut errors, "errors", list.unwrap_or_default())?;
                }
                BodyField::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let results = results.ok_or_else(|| de::Error::missing_field("results"))?;
        Ok(Response { results, errors: errors.unwrap_or_default() })
    }
}

/// The rows of a response.
struct Rows<'k, 'de>(&'k mut KnownTypes<'de>);

impl<'de> DeserializeSeed<'de> for Rows<'_, 'de> {
    type Value = Vec<ResultRow>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, 'de> {
    type Value = Vec<ResultRow>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element_seed(Row(self.0))? {
            rows.push(row);
        }
        Ok(rows)
    }
}

/// A row.
struct Row<'k, 'de>(&'k mut KnownTypes<'de>);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum RowField {
    From,
    To,
    Paging,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Row<'_, 'de> {
    type Value = ResultRow;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ResultRow, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, 'de> {
    type Value = ResultRow;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ResultRow, A::Error> {
        let (mut from, mut to, mut paging) = (None, None, None);
        while let Some(field) = map.next_key()? {
            match field {
                RowField::From => set(&mut from, "from", map.next_value()?)?,
                RowField::To => set(&mut to, "to", map.next_value_seed(To(self.0))?)?,
                RowField::Paging => set(&mut paging, "paging", map.next_value()?)?,
                RowField::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let from = from.ok_or_else(|| de::Error::missing_field("from"))?;
        let (to, paging) = (to.flatten(), paging.flatten());
        Ok(ResultRow { from, to, paging, bad: Vec::new() })
    }
}

/// The associations of a row, if it has any.
struct To<'k, 'de>(&'k mut KnownTypes<'de>);

impl<'de> DeserializeSeed<'de> for To<'_, 'de> {
    type Value = Option<Vec<Associated>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for To<'_, 'de> {
    type Value = Option<Vec<Associated>>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a list of associations")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut to = Vec::new();
        while let Some(associated) = seq.next_element_seed(One(self.0))? {
            to.push(associated);
        }
        Ok(Some(to))
    }
}

/// An association.
struct One<'k, 'de>(&'k mut KnownTypes<'de>);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum OneField {
    ToObjectId,
    AssociationTypes,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for One<'_, 'de> {
    type Value = Associated;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Associated, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One<'_, 'de> {
    type Value = Associated;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("an association")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Associated, A::Error> {
        let (mut to, mut types) = (None, None);
        while let Some(field) = map.next_key()? {
            match field {
                OneField::ToObjectId => set(&mut to, "toObjectId", map.next_value()?)?,
                OneField::AssociationTypes => {
                    let text = map.next_value::<&RawValue>()?.get();
                    let read = self.0.read(text).map_err(de::Error::custom)?;
                    set(&mut types, "associationTypes", read)?;
                }
                OneField::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let to = to.ok_or_else(|| de::Error::missing_field("toObjectId"))?;
        Ok(Associated { to, types: types.unwrap_or_default() })
    }
}
