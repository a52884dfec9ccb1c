use std::hash::Hasher;

use serde_json::Value;
use twox_hash::XxHash3_64;

/// Adds a value to a digest, the same one for every order of a map's keys. It is the same on
/// every machine, since checkpoints contain it.
pub(crate) fn digest_value(digest: &mut XxHash3_64, value: &Value) {
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
