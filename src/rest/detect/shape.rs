use std::{
    cell::Cell,
    collections::BTreeMap,
    fmt::{self, Formatter},
};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// How deep objects are read.
const DEEPEST: usize = 8;
/// How many values are read.
const VALUES: usize = 4096;
/// How many fields of a record are read.
const FIELDS: usize = 256;
/// A longer key is no name.
const LONGEST_KEY: usize = 256;

/// A JSON value without what could be a secret: a text is only a kind of text here.
#[derive(Debug)]
pub(super) enum Shape {
    /// Null or `""`.
    Nothing,
    Flag(bool),
    /// A whole number, or a text of digits.
    Number(u64),
    Text,
    /// A text that looks like an address.
    Link,
    List(Elements),
    Object(BTreeMap<String, Shape>),
    /// Anything else: other numbers, what is too deep, and keys that are there twice.
    Other,
}

/// The elements of a list. Only the first one is read.
#[derive(Debug)]
pub(super) struct Elements {
    pub(super) count: usize,
    pub(super) are_objects: bool,
    pub(super) have_ids: bool,
}

impl Shape {
    /// `None` if it is no JSON.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(std::str::from_utf8(body).ok()?);
        let values_left = Cell::new(VALUES);
        let seed = Seed { depth_left: DEEPEST, values_left: &values_left };
        let shape = seed.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        Some(shape)
    }

    fn of_text(text: &str) -> Self {
        let begins = |prefix: &str| {
            text.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix))
        };
        let is_one_word = !text.contains(char::is_whitespace);
        let is_link = ["https://", "http://", "/", "?"].into_iter().any(begins)
            || text.split_once('?').is_some_and(|(_, query)| query.contains('='));
        if text.is_empty() {
            Self::Nothing
        } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
            // A longer one is a cursor, and no count.
            text.parse().map_or(Self::Text, Self::Number)
        } else if is_link && is_one_word {
            Self::Link
        } else {
            Self::Text
        }
    }
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    depth_left: usize,
    values_left: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Shape;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut fields = BTreeMap::new();
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Shape::Other);
        };
        while let Some(values_left) = self.values_left.get().checked_sub(1) {
            let Some(key) = map.next_key::<String>()? else { return Ok(Shape::Object(fields)) };
            if key.len() > LONGEST_KEY {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.values_left.set(values_left);
            let value = map.next_value_seed(Self { depth_left, ..self })?;
            // No pointer leads to a key that is there twice.
            let is_twice = fields.contains_key(&key);
            fields.insert(key, if is_twice { Shape::Other } else { value });
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Shape::Object(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut elements = Elements { count: 0, are_objects: false, have_ids: false };
        let values_left = Cell::new(FIELDS);
        // What is in a record is not looked into.
        let depth_left = self.depth_left.saturating_sub(1).min(1);
        let first = Seed { depth_left, values_left: &values_left };
        if self.depth_left > 0
            && let Some(first) = seq.next_element_seed(first)?
        {
            elements.count = 1;
            if let Shape::Object(fields) = first {
                elements.are_objects = true;
                let id = fields.get("id");
                elements.have_ids = matches!(id, Some(Shape::Number(_) | Shape::Text));
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            elements.count += 1;
        }
        Ok(Shape::List(elements))
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Shape, E> {
        Ok(Shape::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Shape, E> {
        Ok(Shape::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::of_text(text))
    }
}
