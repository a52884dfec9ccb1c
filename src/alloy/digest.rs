//! What stands for a value: the same on every machine, since checkpoints contain it.

use std::hash::Hasher;

use serde_json::{Value, value::RawValue};
use twox_hash::XxHash3_64;

/// The keys of the records in a text: what each is written as, without the fields with these
/// names.
pub(super) fn keys(text: &[u8], ignored: &[String]) -> Vec<u64> {
    let records = serde_json::from_slice::<Vec<&RawValue>>(text).unwrap_or_default();
    let key = |record: &RawValue| match serde_json::from_str::<Value>(record.get()) {
        Ok(mut value) if !ignored.is_empty() => {
            remove(&mut value, ignored);
            let mut digest = XxHash3_64::new();
            digest_value(&mut digest, &value);
            digest.finish()
        }
        _ => XxHash3_64::oneshot(record.get().as_bytes()),
    };
    records.into_iter().map(key).collect()
}

/// Removes the fields with these names, wherever they are.
fn remove(value: &mut Value, ignored: &[String]) {
    match value {
        Value::Object(map) => {
            map.retain(|name, _| !ignored.contains(name));
            map.values_mut().for_each(|value| remove(value, ignored));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| remove(value, ignored)),
        _ => {}
    }
}

/// Adds a value to a digest, the same one for every order of a map's keys.
pub(super) fn digest_value(digest: &mut XxHash3_64, value: &Value) {
    match value {
        Value::Object(map) => {
            let mut entries = map.iter().collect::<Vec<_>>();
            entries.sort_unstable_by_key(|(key, _)| *key);
            digest.write(b"{");
            for (key, value) in entries {
                digest_value(digest, &Value::String(key.clone()));
                digest_value(digest, value);
            }
            digest.write(b"}");
        }
        Value::Array(values) => {
            digest.write(b"[");
            for value in values {
                digest_value(digest, value);
            }
            digest.write(b"]");
        }
        plain => {
            digest.write(plain.to_string().as_bytes());
            digest.write(b",");
        }
    }
}
