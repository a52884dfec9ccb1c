use std::ops::Range;

use serde::de::{DeserializeOwned, Error as _};
use twox_hash::XxHash3_64;

use crate::json::{BadRecord, Data, List, Pointer, decode_each_record, decode_one, find};

/// Where the records are in an answer.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) pointer: Pointer,
    /// The pointer as it was given.
    pub(super) text: String,
    pub(super) options: Options,
}

/// What an author chose about the answers of a service.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "none depends on another one")]
pub(super) struct Options {
    /// There is one record, and no list.
    pub(super) is_one_record: bool,
    pub(super) missing_is_empty: bool,
    pub(super) null_is_missing: bool,
    pub(super) bad_records_are_fatal: bool,
    pub(super) accepts_repeated_pages: bool,
}

/// An answer, taken apart.
pub(super) struct Decoded<T> {
    pub(super) records: Vec<T>,
    /// The records that do not fit their type.
    pub(super) bad: Vec<BadRecord>,
    /// How many there are of both.
    pub(super) count: usize,
    /// Where the list is in the answer; at its end, if there is none.
    pub(super) text: Range<usize>,
    /// The digest of this text.
    pub(super) digest: u64,
    /// The answer with null instead of the records.
    pub(super) document: String,
}

/// Takes an answer apart. `None` if it has no records.
pub(super) fn decode<T: DeserializeOwned>(
    answer: &str,
    layout: &Layout,
) -> Result<Option<Decoded<T>>, serde_json::Error> {
    if layout.options.is_one_record {
        return one_record(answer, layout);
    }
    let (List { data, text, digest, .. }, bad) = decode_each_record::<T>(answer, &layout.pointer)?;
    let (records, document) = match data {
        Data::List(records) => {
            let document = [&answer[..text.start], "null", &answer[text.end..]].concat();
            (records, document)
        }
        // Some services write an empty list so.
        Data::Null if !layout.options.null_is_missing => (Vec::new(), answer.to_owned()),
        Data::Missing if layout.options.missing_is_empty => (Vec::new(), answer.to_owned()),
        Data::Null | Data::Missing => return Ok(None),
    };
    let count = records.len() + bad.len();
    let text = if count == 0 { 0..0 } else { text };
    Ok(Some(Decoded { records, bad, count, text, digest, document }))
}

/// An answer with a single object.
fn one_record<T: DeserializeOwned>(
    answer: &str,
    layout: &Layout,
) -> Result<Option<Decoded<T>>, serde_json::Error> {
    let Some(found) = find(answer, &layout.pointer)?.filter(|found| found.get() != "null") else {
        return Ok(None);
    };
    let record = decode_one(found)
        .map_err(|bad: BadRecord| serde_json::Error::custom(bad.told("the record")))?;
    Ok(Some(Decoded {
        records: vec![record],
        bad: Vec::new(),
        count: 1,
        text: 0..0,
        digest: XxHash3_64::oneshot(found.get().as_bytes()),
        document: answer.to_owned(),
    }))
}
