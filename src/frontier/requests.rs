use std::{collections::VecDeque, time::Instant};

use super::{
    answer::{Effect, Effects},
    request::{Request, RequestId, RequestState},
    retrying::Failures,
};
use crate::replay::Replay;

/// A part of a request, with what is known of it if it is read again.
pub(super) type Part<C> = (C, Option<Box<Replay>>);

/// The requests whose pages are not being delivered yet, in the order of delivery. A
/// speculative request stands behind the one that it follows.
#[derive(Debug)]
pub(super) struct Requests<C> {
    in_order: Vec<Request<C>>,
    /// Speculative requests that were discarded and are still in flight.
    discarded: Vec<RequestId>,
    next_id: RequestId,
}

impl<C> Requests<C> {
    pub(super) fn new() -> Self {
        Self { in_order: Vec::new(), discarded: Vec::new(), next_id: 0 }
    }

    /// Adds a request that is in flight.
    #[inline]
    pub(super) fn push(
        &mut self,
        cursor: C,
        replay: Option<Box<Replay>>,
        halvings: u32,
    ) -> &mut Request<C> {
        let id = self.next_id();
        let index = self.in_order.len();
        self.in_order.push(Request::new(id, cursor, replay, halvings));
        &mut self.in_order[index]
    }

    fn next_id(&mut self) -> RequestId {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Where a request stands; `None` for one that was discarded.
    #[inline]
    pub(super) fn index(&self, id: RequestId) -> Option<usize> {
        self.in_order.iter().position(|request| request.id == id)
    }

    pub(super) fn get(&self, index: usize) -> &Request<C> {
        &self.in_order[index]
    }

    pub(super) fn get_mut(&mut self, index: usize) -> &mut Request<C> {
        &mut self.in_order[index]
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Request<C>> {
        self.in_order.iter()
    }

    pub(super) fn first(&self) -> Option<&Request<C>> {
        self.in_order.first()
    }

    pub(super) fn last(&self) -> Option<&Request<C>> {
        self.in_order.last()
    }

    pub(super) fn len(&self) -> usize {
        self.in_order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }

    pub(super) fn is_speculative(&self, index: usize) -> bool {
        self.in_order.get(index).is_some_and(Request::is_speculative)
    }

    /// The requests that may be sent again. What stands behind one that failed for good
    /// is never delivered.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &Request<C>> {
        self.in_order.iter().take_while(|request| !request.is_failed())
    }

    /// The first request that is due now.
    pub(super) fn due_mut(&mut self, now: impl Fn() -> Instant) -> Option<&mut Request<C>> {
        let mut wanted = self.in_order.iter_mut().take_while(|request| !request.is_failed());
        wanted.find(|request| request.is_due(&now))
    }

    /// How many of them are in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.in_order.iter().filter(|request| request.is_in_flight()).count()
    }

    /// How many discarded requests are in flight besides.
    pub(super) fn discarded_in_flight(&self) -> usize {
        self.discarded.len()
    }

    /// The response of a discarded request came.
    pub(super) fn discarded_came(&mut self, id: RequestId) {
        self.discarded.retain(|discarded| *discarded != id);
    }

    /// Discards the speculative requests behind a request.
    pub(super) fn discard_behind(&mut self, index: usize, effects: &mut Effects) {
        let behind = index + 1;
        let speculative = self.in_order[behind..].iter().take_while(|it| it.is_speculative());
        let end = behind + speculative.count();
        for request in self.in_order.drain(behind..end) {
            if request.is_in_flight() {
                self.discarded.push(request.id);
            }
            effects.push(Effect::Discard(request.id));
        }
    }

    /// Puts smaller requests, due at once, where one stands that failed.
    pub(super) fn replace(
        &mut self,
        index: usize,
        parts: VecDeque<Part<C>>,
        due: Instant,
        failures: Failures,
        halvings: u32,
    ) {
        self.in_order.remove(index);
        for (cursor, replay) in parts.into_iter().rev() {
            let mut part = Request::new(self.next_id(), cursor, replay, halvings);
            part.state = RequestState::Due(due);
            part.failures = Some(Box::new(failures));
            self.in_order.insert(index, part);
        }
    }

    /// Puts a request, due now, before the one that stands there.
    pub(super) fn insert_due(
        &mut self,
        index: usize,
        cursor: C,
        replay: Option<Box<Replay>>,
        now: Instant,
        halvings: u32,
    ) {
        let mut request = Request::new(self.next_id(), cursor, replay, halvings);
        request.state = RequestState::Due(now);
        self.in_order.insert(index, request);
    }

    /// Where the last request stands that is a part of one that was split.
    pub(super) fn last_part(&self) -> usize {
        let is_part = |it: &Request<C>| it.failures.as_ref().is_some_and(|it| it.part_of.is_some());
        self.in_order.iter().rposition(is_part).unwrap_or(0)
    }

    /// Moves a request behind another one.
    pub(super) fn move_behind(&mut self, index: usize, other: usize) {
        self.in_order[index..=other].rotate_left(1);
    }

    /// Puts the first request that can be delivered before all others.
    pub(super) fn bring_ready_forward(&mut self) {
        if let Some(index) = self.in_order.iter().position(Request::is_ready) {
            self.in_order[..=index].rotate_right(1);
        }
    }

    /// Takes out the first request.
    #[inline]
    pub(super) fn take_first(&mut self) -> Request<C> {
        // Mostly it is alone, and nothing behind it is to be moved.
        if self.in_order.len() > 1 { self.in_order.remove(0) } else { self.in_order.swap_remove(0) }
    }
}
