//! What a checkpoint holds of the frontier.

use std::hash::Hash;

use super::{
    Frontier,
    page_shape::{Position, Remaining},
    request::{Request, RequestState},
};
use crate::cycle_detector::CycleDetector;

impl<C: Clone + Eq + Hash> Frontier<C> {
    /// The requests that remain, where so many records of the page being delivered are.
    pub(crate) fn remaining(&self, delivered: usize) -> Vec<Remaining<'_, C>> {
        let mut remaining = Vec::new();
        if let Some(page) = &self.delivering {
            let position = page.position(delivered);
            page.shape.remaining(&page.cursor, position, page.replay.as_deref(), &mut remaining);
        }
        for request in self.requests.iter() {
            add(request, &mut remaining);
        }
        let resumed = self.cursors.resumed();
        remaining.extend(resumed.map(|(cursor, replay)| Remaining {
            cursor,
            units: None,
            replay: replay.cloned(),
        }));
        remaining
    }

    /// The cursors that wait behind them, in order.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &C> {
        self.cursors.waiting().iter()
    }

    pub(crate) fn cycle_detector(&self) -> CycleDetector {
        self.cursors.detector()
    }
}

/// Adds what remains of a request. Nobody needs a speculative one.
fn add<'a, C>(request: &'a Request<C>, remaining: &mut Vec<Remaining<'a, C>>) {
    if request.is_speculative() {
        return;
    }
    let (cursor, replay) = (&request.cursor, request.replay.as_deref());
    match &request.state {
        RequestState::Arrived(shape) => {
            shape.remaining(cursor, Position::default(), replay, remaining);
        }
        _ => remaining.push(Remaining { cursor, units: None, replay: replay.cloned() }),
    }
}
