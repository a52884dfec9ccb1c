use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// A record that does not fit its type.
#[derive(Clone, Debug)]
pub(crate) struct BadRecord {
    /// Which one of the list it is, from 0 on.
    pub(crate) index: usize,
    /// Where in the record it does not fit.
    path: String,
    reason: String,
}

/// Decodes each record by itself. It is the slow way, for a list that can't be decoded as a
/// whole.
pub(crate) fn decode_each<T: DeserializeOwned>(
    records: &[Box<RawValue>],
) -> (Vec<T>, Vec<BadRecord>) {
    let (mut good, mut bad) = (Vec::with_capacity(records.len()), Vec::new());
    for (index, record) in records.iter().enumerate() {
        match decode_one(record) {
            Ok(record) => good.push(record),
            Err(record) => bad.push(BadRecord { index, ..record }),
        }
    }
    (good, bad)
}

/// Decodes a record that is alone.
pub(crate) fn decode_one<T: DeserializeOwned>(record: &RawValue) -> Result<T, BadRecord> {
    let mut deserializer = serde_json::Deserializer::from_str(record.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        BadRecord { index: 0, path, reason: error.into_inner().to_string() }
    })
}

impl BadRecord {
    /// What is wrong. `what` is the record, such as "record 3".
    pub(crate) fn told(&self, what: &str) -> String {
        let place = match &self.path[..] {
            "." | "?" => String::new(),
            path => format!(" at `{path}`"),
        };
        format!("{what} does not fit its type{place}: {}", self.reason)
    }
}
