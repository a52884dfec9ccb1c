use std::{
    collections::{HashSet, VecDeque},
    hash::Hasher,
};

use twox_hash::XxHash3_64;

use super::{
    account::check_size,
    batch::{self, Batch},
    wire::ObjectId,
};
use crate::error::{Error, ErrorKind};

/// The ids that a batch read reads, and how many of them a request has at most.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) ids: Vec<ObjectId>,
    /// The ids that are not asked for.
    pub(super) left_out: HashSet<ObjectId>,
    pub(super) batch_size: usize,
}

impl Inputs {
    /// `most` is what the service allows in one request.
    pub(super) fn new(
        mut ids: Vec<ObjectId>,
        left_out: HashSet<ObjectId>,
        batch_size: usize,
        most: usize,
    ) -> Result<Self, Error> {
        check_size("batch size", batch_size, most)?;
        let mut seen = HashSet::with_capacity(ids.len());
        ids.retain(|id| seen.insert(id.clone()));
        if seen.contains(&ObjectId::from("")) {
            let message = "invalid id \"\": expected at least one character";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(Self { ids, left_out, batch_size })
    }

    /// The identity of a paginator that reads them. It is the same on every machine, since
    /// checkpoints contain it.
    pub(super) fn identity(&self, path: &str) -> String {
        let mut digest = XxHash3_64::new();
        for id in &self.ids {
            digest.write(id.to_string().as_bytes());
            digest.write(b"\n");
        }
        format!("hubspot {path} of {} ids {:016x}", self.ids.len(), digest.finish())
    }

    pub(super) fn start(&self) -> Batch {
        Batch::of_all(&self.ids)
    }

    pub(super) fn pack(&self, waiting: &mut VecDeque<Batch>, halvings: u32) {
        batch::pack(waiting, self.most(halvings), &self.ids);
    }

    pub(super) fn is_full(&self, batch: &Batch, halvings: u32) -> bool {
        batch.len() >= self.most(halvings)
    }

    pub(super) fn split(&self, batch: &Batch, parts: usize) -> Vec<Batch> {
        batch.split(parts, self.batch_size)
    }

    /// The largest number of inputs in a request.
    fn most(&self, halvings: u32) -> usize {
        self.batch_size.checked_shr(halvings).unwrap_or(0).max(1)
    }

    pub(super) fn narrow(&self, batch: &Batch, units: &[usize]) -> Batch {
        batch.narrow(&self.ids, units)
    }

    /// Whether a batch asks for one id alone.
    pub(super) fn is_single(&self, batch: &Batch) -> bool {
        batch.inputs(&self.ids).take(2).count() == 1
    }

    /// The id of an input.
    pub(super) fn ids(&self, batch: &Batch, unit: usize) -> Vec<String> {
        batch.inputs(&self.ids).nth(unit).map(|(id, _)| id.to_string()).into_iter().collect()
    }
}

/// All methods of a paginator but `fetch` and `identity`, where its cursors are batches.
macro_rules! forward_to_inputs {
    ($self:ident => $inputs:expr) => {
        fn start(&$self) -> Batch {
            $inputs.start()
        }

        fn pack(&$self, waiting: &mut std::collections::VecDeque<Batch>, halvings: u32) {
            $inputs.pack(waiting, halvings);
        }

        fn narrow(&$self, batch: &Batch, units: &[usize]) -> Batch {
            $inputs.narrow(batch, units)
        }

        fn ids(&$self, batch: &Batch, unit: usize) -> Vec<String> {
            $inputs.ids(batch, unit)
        }

        fn pass_over(&$self, batch: &Batch) -> Option<Vec<Batch>> {
            $inputs.is_single(batch).then(Vec::new)
        }

        fn is_full(&$self, batch: &Batch, halvings: u32) -> bool {
            $inputs.is_full(batch, halvings)
        }

        fn split_cursor(&$self, batch: &Batch, parts: usize, _: Option<u64>) -> Vec<Batch> {
            $inputs.split(batch, parts)
        }
    };
}
pub(super) use forward_to_inputs;
