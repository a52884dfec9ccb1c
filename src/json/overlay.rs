use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, value::RawValue};
use smallvec::SmallVec;

use super::pointer::Pointer;

/// A value with other values at some pointers, which are written as they came. Objects that a
/// pointer leads through and that are not there are made.
pub(crate) struct Overlay<'a> {
    value: Option<&'a Value>,
    others: SmallVec<[(&'a [String], &'a RawValue); 4]>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(
        value: Option<&'a Value>,
        others: impl IntoIterator<Item = (&'a Pointer, &'a RawValue)>,
    ) -> Self {
        let others = others.into_iter().map(|(pointer, other)| (&pointer.0[..], other));
        Self { value, others: others.collect() }
    }

    /// What stands at a key of this value.
    fn below(&self, key: &str, value: Option<&'a Value>) -> Self {
        let others = self.others.iter().filter_map(|(path, other)| {
            let (first, remaining) = path.split_first()?;
            (first == key).then_some((remaining, *other))
        });
        Self { value, others: others.collect() }
    }
}

impl Serialize for Overlay<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some((_, other)) = self.others.iter().rev().find(|(path, _)| path.is_empty()) {
            return other.serialize(serializer);
        }
        if self.others.is_empty() {
            return self.value.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        let fields = self.value.and_then(Value::as_object);
        for (key, value) in fields.into_iter().flatten() {
            map.serialize_entry(key, &self.below(key, Some(value)))?;
        }
        let new = self.others.iter().filter_map(|(path, _)| path.first());
        let mut new = new.collect::<SmallVec<[_; 4]>>();
        new.sort_unstable();
        new.dedup();
        for key in new.into_iter().filter(|key| !fields.is_some_and(|it| it.contains_key(*key))) {
            map.serialize_entry(key, &self.below(key, None))?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::RawValue};

    use super::Overlay;
    use crate::json::Pointer;

    #[test]
    fn what_is_put_into_a_value_is_written_as_it_came() {
        let value = json!({"filter": {"a": 1}, "page": {"size": 9}});
        let cursor = RawValue::from_string("[1.10,  \"x\"]".to_owned()).unwrap();
        let size = RawValue::from_string("5".to_owned()).unwrap();
        let pointers = ["/page/after", "/page/size", "/new/deep"];
        let pointers = pointers.map(|pointer| Pointer::parse(pointer).unwrap());
        let others = [(&pointers[0], &*cursor), (&pointers[1], &*size), (&pointers[2], &*size)];
        let written = serde_json::to_string(&Overlay::new(Some(&value), others)).unwrap();
        assert_eq!(
            written,
            r#"{"filter":{"a":1},"page":{"size":5,"after":[1.10,  "x"]},"new":{"deep":5}}"#
        );
    }
}
