use super::{
    page_shape::{PageShape, Position},
    request::RequestId,
};
use crate::replay::Replay;

/// The page being delivered, as a checkpoint sees it.
#[derive(Debug)]
pub(super) struct Delivering<C> {
    pub(super) id: RequestId,
    pub(super) cursor: C,
    pub(super) replay: Option<Box<Replay>>,
    pub(super) shape: PageShape,
    /// The failures that are delivered.
    pub(super) failures: usize,
}

impl<C> Delivering<C> {
    /// How much of it is delivered, where so many of its records are.
    pub(super) fn position(&self, records: usize) -> Position {
        Position { records, failures: self.failures }
    }
}
