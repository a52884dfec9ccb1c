use std::hash::Hasher;

use serde_json::{Value, value::RawValue};
use twox_hash::XxHash3_64;

use super::{
    digest::digest_value,
    pointer::{Pointer, find},
};

/// What tells a record apart from others: the value at a pointer, or all of it but some fields.
#[derive(Debug)]
pub(crate) struct RecordKey {
    pointer: Option<Pointer>,
    ignored: Vec<String>,
}

impl RecordKey {
    pub(crate) fn new(pointer: Option<Pointer>, ignored: Vec<String>) -> Self {
        Self { pointer, ignored }
    }

    /// Whether it is the whole record, as it is written.
    pub(crate) fn is_whole(&self) -> bool {
        self.pointer.is_none() && self.ignored.is_empty()
    }

    /// The keys of the records in the text of a list.
    pub(crate) fn keys(&self, text: &[u8]) -> Vec<u64> {
        let records = serde_json::from_slice::<Vec<&RawValue>>(text).unwrap_or_default();
        records.into_iter().map(|record| self.key(record)).collect()
    }

    fn key(&self, record: &RawValue) -> u64 {
        let whole = || XxHash3_64::oneshot(record.get().as_bytes());
        if let Some(pointer) = &self.pointer {
            let found = find(record.get(), pointer).ok().flatten();
            return found.map_or_else(whole, |key| XxHash3_64::oneshot(key.get().as_bytes()));
        }
        match serde_json::from_str::<Value>(record.get()) {
            Ok(mut value) if !self.ignored.is_empty() => {
                remove(&mut value, &self.ignored);
                let mut digest = XxHash3_64::new();
                digest_value(&mut digest, &value);
                digest.finish()
            }
            _ => whole(),
        }
    }
}

/// Removes the fields with these names, wherever they are.
fn remove(value: &mut Value, ignored: &[String]) {
    match value {
        Value::Object(map) => {
            map.retain(|name, _| !ignored.iter().any(|it| it == name));
            map.values_mut().for_each(|value| remove(value, ignored));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| remove(value, ignored)),
        _ => {}
    }
}
