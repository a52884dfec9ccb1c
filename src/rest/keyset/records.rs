//! The records of a page with their keys.

use std::cmp::Ordering;

use serde_json::{Value, value::RawValue};

use super::{Answer, Keyset, bound::Mark, contradiction};
use crate::{
    error::Error,
    json::{Pointer, find},
    keys::key,
    opaque_cursor::OpaqueCursor,
};

/// A page: the key of each record, and what tells it apart from others with that key.
pub(in crate::rest) struct Keyed<'a> {
    pub(super) keys: Vec<OpaqueCursor>,
    records: &'a [&'a RawValue],
    tie: Option<Pointer>,
}

impl Keyset {
    /// The keys of a page.
    ///
    /// # Errors
    ///
    /// A record without a key, and keys that are not in the order.
    pub(in crate::rest) fn keyed<'a>(&self, answer: &'a Answer<'_>) -> Result<Keyed<'a>, Error> {
        let records = answer.records();
        let pointer = Pointer::parse(&self.key);
        let keys = records.iter().enumerate().map(|(index, record)| {
            let found = pointer.as_ref().and_then(|it| find(record.get(), it).ok().flatten());
            let key = found.and_then(|it| serde_json::from_str::<OpaqueCursor>(it.get()).ok());
            key.filter(|key| !key.is_empty()).ok_or_else(|| {
                let place = &self.key;
                contradiction(format!(
                    "missing key at {place:?} of the record at index {index} of the page"
                ))
            })
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        self.check_order(&keys)?;
        Ok(Keyed { keys, records, tie: self.tie.as_deref().and_then(Pointer::parse) })
    }

    fn check_order(&self, keys: &[OpaqueCursor]) -> Result<(), Error> {
        let Some(order) = self.order else { return Ok(()) };
        for (index, pair) in keys.windows(2).enumerate() {
            let found = compared(&pair[0], &pair[1]);
            if !found.is_some_and(|found| found == order || found == Ordering::Equal) {
                let (name, method) = match order {
                    Ordering::Less => ("ascending", "descending"),
                    _ => ("descending", "ascending"),
                };
                return Err(contradiction(format!(
                    "the keys of records {index} and {} are not {name}: let the query sort by \
                     {:?}, or call `{method}`",
                    index + 1,
                    self.key
                )));
            }
        }
        Ok(())
    }
}

impl Keyed<'_> {
    pub(in crate::rest) fn len(&self) -> usize {
        self.keys.len()
    }

    fn digest(&self, index: usize) -> u64 {
        let record = self.records[index];
        let found = self.tie.as_ref().and_then(|tie| find(record.get(), tie).ok().flatten());
        key(found.unwrap_or(record).get())
    }

    /// The indices of the records that were there before.
    pub(in crate::rest) fn seen(&self, before: &[u64]) -> Vec<usize> {
        if before.is_empty() {
            return Vec::new();
        }
        let mut before = before.to_vec();
        let is_seen = |index: &usize| {
            let digest = self.digest(*index);
            let found = before.iter().position(|it| *it == digest);
            found.map(|at| before.swap_remove(at)).is_some()
        };
        (0..self.len()).filter(is_seen).collect()
    }

    /// The first key, and the digests of the records that share it at the beginning.
    pub(super) fn first(&self) -> Option<(&OpaqueCursor, Vec<u64>)> {
        let first = self.keys.first()?;
        let ties = self.keys.iter().take_while(|key| *key == first).count();
        Some((first, (0..ties).map(|index| self.digest(index)).collect()))
    }

    /// A key that two records in a row share.
    pub(in crate::rest) fn first_tie(&self) -> Option<&OpaqueCursor> {
        self.keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| &pair[0])
    }

    /// The last key, and how many records share it at the end.
    pub(in crate::rest) fn last(&self) -> Option<(&OpaqueCursor, usize)> {
        let last = self.keys.last()?;
        Some((last, self.keys.iter().rev().take_while(|key| *key == last).count()))
    }

    /// The digests of so many records at the end.
    pub(in crate::rest) fn last_digests(&self, records: usize) -> Vec<u64> {
        (self.len() - records..self.len()).map(|index| self.digest(index)).collect()
    }

    /// The indices of the records that a reading before this one had, which began at the mark;
    /// and whether no other page has new ones. Behind records with the key of an inclusive
    /// mark, others with this key may come that are new.
    ///
    /// # Errors
    ///
    /// Keys that can't be compared with the mark.
    pub(super) fn read_before(
        &self,
        mark: Option<&Mark>,
        is_inclusive: bool,
    ) -> Result<(Vec<usize>, bool), Error> {
        let Some(mark) = mark else { return Ok((Vec::new(), false)) };
        let (mut behind, mut is_end) = (Vec::new(), false);
        for (index, key) in self.keys.iter().enumerate() {
            let was_read = match compared(key, &mark.key) {
                Some(Ordering::Greater) => false,
                Some(Ordering::Equal) if is_inclusive => mark.seen.contains(&self.digest(index)),
                Some(_) => {
                    is_end = true;
                    true
                }
                None => {
                    let mark = &mark.key;
                    return Err(contradiction(format!(
                        "the key {key} can't be compared with {mark}, where the reading before \
                         this one began"
                    )));
                }
            };
            if was_read {
                behind.push(index);
            }
        }
        Ok((behind, is_end))
    }
}

/// The order of two keys, if both are numbers or both are texts.
fn compared(left: &OpaqueCursor, right: &OpaqueCursor) -> Option<Ordering> {
    let value = |key: &OpaqueCursor| serde_json::to_value(key).ok();
    match (value(left)?, value(right)?) {
        (Value::Number(left), Value::Number(right)) => {
            let whole = |it: &serde_json::Number| it.as_i128();
            match (whole(&left), whole(&right)) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
            }
        }
        (Value::String(left), Value::String(right)) => Some(left.cmp(&right)),
        _ => None,
    }
}
