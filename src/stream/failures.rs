use std::collections::HashSet;

use crate::error::Error;

/// The errors of a reading that concern some ids alone.
#[derive(Debug, Default)]
pub(super) struct Failures {
    ids: Vec<String>,
    /// Errors that were set aside and not taken yet.
    set_aside: Vec<Error>,
}

impl Failures {
    pub(super) fn new(ids: Vec<String>) -> Self {
        Self { ids, set_aside: Vec::new() }
    }

    /// The ids of all errors that were delivered.
    pub(super) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Each of the ids once.
    pub(super) fn distinct_ids(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        self.ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
    }

    pub(super) fn delivered(&mut self, ids: &[String]) {
        self.ids.extend_from_slice(ids);
    }

    pub(super) fn set_aside(&mut self, error: Error) {
        self.set_aside.push(error);
    }

    pub(super) fn take_set_aside(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.set_aside)
    }
}
