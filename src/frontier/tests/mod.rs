//! The core by itself, against services of random shape.

mod batches;
mod chain;
mod guesses;
mod offsets;
mod tree;

use std::collections::VecDeque;

use super::Plan;

/// A paginator that rearranges and predicts nothing.
struct Plain;

impl<C> Plan<C> for Plain {
    fn pack(&self, _: &mut VecDeque<C>, _: u32) {}

    fn predict(&self, _: &C, _: &C, _: Option<u64>) -> Option<C> {
        None
    }

    fn is_full(&self, _: &C, _: u32) -> bool {
        true
    }
}
