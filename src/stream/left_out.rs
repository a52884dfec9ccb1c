use std::sync::Arc;

use super::page_check::Novelty;
use crate::{
    error::{Error, ErrorKind},
    known_keys::KnownKeys,
    page::Page,
};

/// The records of a page that are not delivered, since they came before.
#[derive(Clone, Debug)]
pub(super) struct LeftOut {
    /// The keys of all records of the page.
    pub(super) keys: Arc<[u64]>,
    /// The indices of those that are left out, ascending.
    pub(super) indices: Vec<usize>,
    /// Whether the list is read anew, and this page stands before what was delivered lately.
    pub(super) is_passed_over: bool,
}

impl LeftOut {
    /// What of a page is known. `None` where nobody can tell, and need not.
    ///
    /// # Errors
    ///
    /// Records without keys.
    pub(super) fn of_page<R, C>(
        known: &mut KnownKeys,
        page: &Page<R, C>,
        keys: Option<Arc<[u64]>>,
    ) -> Result<Option<Self>, Error> {
        let records = page.records().len();
        if records == 0 {
            return Ok(None);
        }
        let Some(keys) = keys else {
            let has_units = page.details().is_some_and(|details| !details.units.is_empty());
            return if has_units && !known.passes_over() {
                Ok(None)
            } else {
                Err(Error::new(ErrorKind::Contract, WITHOUT_KEYS))
            };
        };
        let indices = known.left_out(&keys);
        Ok(Some(Self { is_passed_over: known.passes_over(), keys, indices }))
    }

    /// What the page brings.
    pub(super) fn novelty(&self) -> Novelty {
        if self.is_passed_over {
            Novelty::PassedOver
        } else if self.indices.len() == self.keys.len() {
            Novelty::Nothing
        } else {
            Novelty::New
        }
    }

    /// How many are left out in all.
    pub(super) fn all(&self) -> u64 {
        self.indices.len() as u64
    }

    /// How many records of the page are behind the reading, where so many were yielded: those
    /// that are left out between them and right behind them count too.
    pub(super) fn position(&self, yielded: usize) -> usize {
        let mut position = yielded;
        for index in &self.indices {
            if *index > position {
                break;
            }
            position += 1;
        }
        position
    }

    /// The keys of the records that are delivered of those before this position.
    pub(super) fn delivered_keys(&self, position: usize) -> Vec<u64> {
        let keys = self.keys.iter().enumerate().take(position);
        let delivered = keys.filter(|(index, _)| self.indices.binary_search(index).is_err());
        delivered.map(|(_, key)| *key).collect()
    }

    /// How many are left out, where so many were yielded.
    pub(super) fn count(&self, yielded: usize) -> u64 {
        (self.position(yielded) - yielded) as u64
    }
}

const WITHOUT_KEYS: &str = "the page has records without keys, so nobody can say which of them \
                            came before: say with `keyed` what tells them apart";

#[cfg(test)]
mod tests {
    use super::LeftOut;

    #[test]
    fn what_is_left_out_around_the_yielded_records_is_behind_the_reading() {
        let left_out =
            LeftOut { keys: (0..8).collect(), indices: vec![0, 3, 4, 7], is_passed_over: false };
        // Of the records 1, 2, 5 and 6.
        let positions = (0..=4).map(|yielded| left_out.position(yielded));
        assert!(positions.eq([1, 2, 5, 6, 8]));
        assert!((0..=4).map(|yielded| left_out.count(yielded)).eq([1, 1, 3, 3, 4]));
        assert_eq!(left_out.delivered_keys(6), [1, 2, 5]);
    }
}
