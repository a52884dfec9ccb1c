//! Whether a record has names for its columns.

use std::fmt;

use serde::ser::{Error, Impossible, Serialize, Serializer};

/// Whether a record is a struct or a map. No field is looked at.
pub(crate) fn has_names(record: &(impl Serialize + ?Sized)) -> bool {
    matches!(record.serialize(Top), Err(Kind::Named))
}

/// It sees what stands at the top, and ends there.
struct Top;

/// What stands at the top. It is an error, so that nothing below is written.
#[derive(Debug)]
enum Kind {
    Named,
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "a struct or a map",
            Self::Other => "something without names",
        })
    }
}

impl std::error::Error for Kind {}

impl Error for Kind {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

/// Methods of values that have no names.
macro_rules! other {
    ($($method:ident: $value:ty),* $(,)?) => {
        $(fn $method(self, _: $value) -> Result<(), Kind> {
            Err(Kind::Other)
        })*
    };
}

impl Serializer for Top {
    type Ok = ();
    type Error = Kind;
    type SerializeSeq = Impossible<(), Kind>;
    type SerializeTuple = Impossible<(), Kind>;
    type SerializeTupleStruct = Impossible<(), Kind>;
    type SerializeTupleVariant = Impossible<(), Kind>;
    type SerializeMap = Impossible<(), Kind>;
    type SerializeStruct = Impossible<(), Kind>;
    type SerializeStructVariant = Impossible<(), Kind>;

    other! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_none(self) -> Result<(), Kind> {
        Err(Kind::Other)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Kind> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Kind> {
        Err(Kind::Other)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Kind> {
        Err(Kind::Other)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Kind> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Kind> {
        Err(Kind::Named)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Kind> {
        Err(Kind::Other)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Kind> {
        Err(Kind::Other)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Kind> {
        Err(Kind::Other)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Kind> {
        Err(Kind::Named)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Kind> {
        Err(Kind::Named)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Kind> {
        Err(Kind::Named)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Kind> {
        Err(Kind::Named)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;
    use serde_json::{Value, json};

    use super::has_names;

    #[derive(Serialize)]
    struct Deal {
        id: u64,
    }

    #[derive(Serialize)]
    struct Wrapped(Deal);

    #[test]
    fn structs_and_maps_have_names_and_nothing_else_has() {
        let deal = Deal { id: 7 };
        assert!(has_names(&deal) && has_names(&Some(&deal)));
        assert!(has_names(&Wrapped(deal)) && has_names(&BTreeMap::from([("id", 7)])));
        assert!(has_names(&json!({"id": 7})));
        for other in [json!([7]), json!("id"), json!(7), json!(true), Value::Null] {
            assert!(!has_names(&other), "{other}");
        }
        assert!(!has_names(&(7, "deal")) && !has_names(&[7]) && !has_names(&None::<Deal>));
    }
}
