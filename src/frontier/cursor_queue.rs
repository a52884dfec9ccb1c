use std::{collections::VecDeque, hash::Hash};

use super::{hooks::Hooks, request::RequestId};
use crate::{
    cycle_detector::{CycleDetector, fingerprint},
    page::Cursors,
    replay::Replay,
};

/// The cursors that wait for their request.
#[derive(Debug)]
pub(super) struct CursorQueue<C> {
    /// The requests of a checkpoint: they are made as they stood, before what waits.
    resumed: VecDeque<(C, Option<Box<Replay>>)>,
    waiting: VecDeque<C>,
    /// The request that led to the cursor that waits, if it is one and all there is.
    led_by: Option<RequestId>,
    /// The cursors that were sent. One that comes again closes a cycle.
    detector: CycleDetector,
}

/// The cursor at the front of the queue.
pub(super) enum Front<'a, C> {
    /// Nothing waits.
    Empty,
    /// It was sent before.
    Cycle,
    /// It can be sent.
    Ready { cursor: &'a C, fingerprint: u64 },
}

impl<C> CursorQueue<C> {
    pub(super) fn new(waiting: VecDeque<C>) -> Self {
        Self { resumed: VecDeque::new(), waiting, led_by: None, detector: CycleDetector::default() }
    }

    pub(super) fn resume(
        requests: impl IntoIterator<Item = (C, Option<Replay>)>,
        waiting: VecDeque<C>,
        detector: CycleDetector,
    ) -> Self {
        let requests = requests.into_iter();
        let resumed = requests.map(|(cursor, replay)| (cursor, replay.map(Box::new)));
        Self { resumed: resumed.collect(), detector, ..Self::new(waiting) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.resumed.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn detector(&self) -> CycleDetector {
        self.detector
    }

    pub(super) fn waiting(&self) -> &VecDeque<C> {
        &self.waiting
    }

    pub(super) fn resumed(&self) -> impl Iterator<Item = (&C, Option<&Replay>)> {
        self.resumed.iter().map(|(cursor, replay)| (cursor, replay.as_deref()))
    }
}

impl<C: Clone + Eq + Hash> CursorQueue<C> {
    /// Puts the next cursors of a page in front of all that waits: they finish what has
    /// begun, and the longest chain decides how long a reading takes.
    #[inline]
    pub(super) fn push_next(&mut self, id: RequestId, cursor: &C, next: Cursors<C>) {
        match next.into_inner() {
            // It is so at nearly every page.
            Ok([next]) => {
                if next == *cursor {
                    self.mark(cursor);
                }
                self.led_by = self.is_empty().then_some(id);
                self.waiting.push_front(next);
            }
            Err(next) => {
                if next.contains(cursor) {
                    self.mark(cursor);
                }
                self.led_by = None;
                next.into_iter().rev().for_each(|next| self.waiting.push_front(next));
            }
        }
    }

    /// This cursor leads to itself: the shortest cycle is noticed at once.
    #[cold]
    fn mark(&mut self, cursor: &C) {
        self.detector = self.detector.move_mark(fingerprint(cursor));
    }

    /// Takes out the next request of a checkpoint. One whose page had not arrived is
    /// packed by itself, since a request may hold less than when it was made.
    pub(super) fn pop_resumed(
        &mut self,
        hooks: &impl Hooks<C>,
        halvings: u32,
    ) -> Option<(C, Option<Box<Replay>>)> {
        loop {
            let (cursor, replay) = self.resumed.pop_front()?;
            if replay.is_some() {
                return Some((cursor, replay));
            }
            let mut parts = VecDeque::from([cursor]);
            hooks.pack(&mut parts, halvings);
            let first = parts.pop_front();
            for cursor in parts.into_iter().rev() {
                self.resumed.push_front((cursor, None));
            }
            if let Some(cursor) = first {
                return Some((cursor, None));
            }
        }
    }

    /// Packs what waits, and looks at its front.
    #[inline]
    pub(super) fn front(&mut self, hooks: &impl Hooks<C>, halvings: u32) -> Front<'_, C> {
        hooks.pack(&mut self.waiting, halvings);
        let Some(cursor) = self.waiting.front() else { return Front::Empty };
        let fingerprint = fingerprint(cursor);
        if self.detector.is_cycle(fingerprint) {
            return Front::Cycle;
        }
        Front::Ready { cursor, fingerprint }
    }

    /// Takes out the front, and the request that led to it.
    #[inline]
    pub(super) fn pop(&mut self, fingerprint: u64) -> Option<(C, Option<RequestId>)> {
        self.visit(fingerprint);
        Some((self.waiting.pop_front()?, self.led_by.take()))
    }

    /// A cursor with this fingerprint is read.
    pub(super) fn visit(&mut self, fingerprint: u64) {
        self.detector = self.detector.visit(fingerprint);
    }
}
