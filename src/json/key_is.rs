use std::fmt::{self, Formatter};

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

/// Reads the key of an object: whether it is this one. It is compared where it stands.
pub(super) struct KeyIs<'a>(pub(super) Option<&'a str>);

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(self.0 == Some(key))
    }
}
