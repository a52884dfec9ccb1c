//! The core by itself, against services of random shape.

mod batches;
mod chain;
mod offsets;
mod speculation;
mod tree;

use std::{collections::VecDeque, hash::Hash, time::Instant};

use super::{Config, Frontier, Hooks, Next, Order, PageShape, Parts, RequestId};
use crate::{page::Unit, repeated_cursor::RepeatedCursor, replay::Replay, retry::Retry};

/// A paginator that rearranges and predicts nothing.
struct Plain;

impl<C: Clone> Hooks<C> for Plain {
    fn pack(&self, _: &mut VecDeque<C>, _: u32) {}

    fn predict(&self, _: &C, _: &C, _: Option<u64>) -> Option<C> {
        None
    }

    fn is_full(&self, _: &C, _: u32) -> bool {
        true
    }

    fn pass_over(&self, _: &C) -> Option<Vec<C>> {
        None
    }

    fn narrow(&self, cursor: &C, _: &[usize]) -> C {
        cursor.clone()
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
        passes_over_unreadable: false,
        repeated_cursor: RepeatedCursor::default(),
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

/// A page of these records.
fn records_alone(records: usize) -> PageShape {
    PageShape { records, ..PageShape::default() }
}

/// A page with units.
fn with_units(units: Vec<Unit>, failures: Vec<Option<usize>>) -> PageShape {
    let records = units.iter().map(|unit| unit.records).sum();
    let parts = Parts { units, failures, ..Parts::default() };
    PageShape { records, goes_on: false, parts: Some(Box::new(parts)) }
}

/// A page without what is delivered of it, if it is read again. The driver takes it out.
/// Gives how many records and failures these are, too; of each unit, where there are some.
fn without_delivered(
    mut shape: PageShape,
    replay: Option<&Replay>,
) -> (PageShape, Vec<usize>, usize) {
    let Some(replay) = replay else { return (shape, Vec::new(), 0) };
    let mut parts = shape.parts.take().unwrap_or_default();
    let mut delivered = replay.units.iter().map(|unit| unit.delivered).collect::<Vec<_>>();
    if replay.units.is_empty() {
        delivered = match &parts.units[..] {
            [] => vec![shape.records],
            units => units.iter().map(|unit| unit.records).collect(),
        };
        parts.failures.retain(Option::is_none);
    }
    for (unit, delivered) in parts.units.iter_mut().zip(&delivered) {
        unit.records -= delivered;
    }
    shape.records -= delivered.iter().sum::<usize>();
    parts.failures.drain(..replay.failures);
    parts.resumed.clone_from(&replay.units);
    (PageShape { parts: Some(parts), ..shape }, delivered, replay.failures)
}
