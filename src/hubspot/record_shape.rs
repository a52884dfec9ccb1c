use super::{
    batch::Input,
    wire::{Associated, ObjectId},
};
use crate::error::Error;

/// A record that associations are read into.
pub(super) trait RecordShape: Send + Sized + 'static {
    /// What the identity of the paginator ends with.
    const IDENTITY_SUFFIX: &'static str;

    /// Whether an association may be missing in it.
    const TAKES_PARTS: bool;

    /// What tells the record apart from the others of its id, or of its page.
    fn key(&self) -> u64;

    /// Turns the answer to one input into records. Returns the input to go on with,
    /// if the id has more pages.
    fn append_records(
        id: &ObjectId,
        input: Option<&Input>,
        answer: Answer,
        records: &mut Vec<Self>,
    ) -> Option<Input>;
}

/// The answer to one input.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) to: Vec<Associated>,
    /// The input of the next page; `None` for an id that ends or failed.
    pub(super) next: Option<Input>,
    /// Whether the id failed, so that not all of it was read.
    pub(super) failed: bool,
    pub(super) failures: Vec<Error>,
    /// The errors of single associations. All others are in `to`.
    pub(super) bad: Vec<Error>,
    /// Whether the response mentions the id at all.
    pub(super) mentioned: bool,
}

impl Answer {
    pub(super) fn fail(&mut self, error: Error) {
        self.mentioned = true;
        self.failed = true;
        self.next = None;
        self.failures.push(error);
    }
}
