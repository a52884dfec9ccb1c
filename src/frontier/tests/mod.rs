//! The core by itself, against services of random shape.

mod batches;
mod chain;
mod offsets;
mod speculation;
mod tree;

use std::{collections::VecDeque, hash::Hash, time::Instant};

use super::{Config, Frontier, Hooks, Next, Order, RequestId};
use crate::retry::Retry;

/// A paginator that rearranges and predicts nothing.
struct Plain;

impl<C> Hooks<C> for Plain {
    fn pack(&self, _: &mut VecDeque<C>, _: u32) {}

    fn predict(&self, _: &C, _: &C, _: Option<u64>) -> Option<C> {
        None
    }

    fn is_full(&self, _: &C, _: u32) -> bool {
        true
    }
}

/// How to read with a window.
fn window(window: usize) -> Config {
    Config {
        window,
        order: Order::OfRequests,
        max_pages: None,
        max_requests: None,
        retry: Retry::default(),
    }
}

/// The next request, where there is one to send now.
fn send<C: Clone + Eq + Hash>(
    frontier: &mut Frontier<C>,
    now: Instant,
    hooks: &impl Hooks<C>,
) -> Option<(RequestId, C)> {
    match frontier.next(|| now, hooks) {
        Next::Send(id, cursor) | Next::SendAndWait(id, cursor) => Some((id, cursor)),
        _ => None,
    }
}

/// Delivers the page of the first request whole.
fn deliver<C: Clone + Eq + Hash>(frontier: &mut Frontier<C>) {
    frontier.begin_delivery();
    frontier.end_delivery();
}
