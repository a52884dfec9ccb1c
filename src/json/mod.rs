//! JSON that is read from its text: a list of records wherever it is, one value at a pointer,
//! and what stands for a value.

mod bad_record;
mod digest;
mod key;
mod list;
mod overlay;
mod pointer;
mod record_key;

#[cfg(feature = "hubspot")]
pub(crate) use self::bad_record::decode_each;
pub(crate) use self::{
    bad_record::{BadRecord, decode_one},
    digest::digest_value,
    list::{Data, List, decode_each_record},
    overlay::Overlay,
    pointer::{Fields, Pointer, find, find_keys},
    record_key::RecordKey,
};
