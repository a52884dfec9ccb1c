use std::{collections::VecDeque, hash::Hash};

use super::{hooks::Hooks, page_shape::PageShape, request::RequestId};
use crate::{
    cycle_detector::{CycleDetector, fingerprint},
    page::Cursors,
    recent_set::RecentSet,
    repeated_cursor::RepeatedCursor,
    replay::Replay,
};

/// How many of the last cursors are known exactly.
const EXACT: usize = 65_536;

/// The cursors that wait for their request.
#[derive(Debug)]
pub(super) struct CursorQueue<C> {
    /// The requests of a checkpoint, and those that ask for the same cursor once more: they
    /// are made as they stand, before what waits.
    resumed: VecDeque<(C, Option<Box<Replay>>)>,
    waiting: VecDeque<C>,
    /// The request that led to the cursor that waits, if it is one and all there is.
    led_by: Option<RequestId>,
    /// The cursors that were sent. One that comes again closes a cycle.
    sent: RecentSet,
    /// The same beyond them, and over checkpoints.
    detector: CycleDetector,
    /// What a cursor means that leads to itself.
    repeated_cursor: RepeatedCursor,
    /// The ones that wait and led to themselves, where they may.
    continuing: Vec<u64>,
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
        Self {
            resumed: VecDeque::new(),
            waiting,
            led_by: None,
            sent: RecentSet::new(EXACT),
            detector: CycleDetector::default(),
            repeated_cursor: RepeatedCursor::default(),
            continuing: Vec::new(),
        }
    }

    pub(super) fn with_repeated_cursor(self, repeated_cursor: RepeatedCursor) -> Self {
        Self { repeated_cursor, ..self }
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
    /// Whether a cursor with this fingerprint was read before.
    #[inline]
    pub(super) fn was_sent(&self, fingerprint: u64) -> bool {
        self.detector.is_cycle(fingerprint) || self.sent.contains(fingerprint)
    }

    /// Puts the next cursors of a page in front of all that waits: they finish what has
    /// begun, and the longest chain decides how long a reading takes. `page` is the one that
    /// leads to them.
    #[inline]
    pub(super) fn push_next(
        &mut self,
        id: RequestId,
        cursor: &C,
        page: &PageShape,
        next: Cursors<C>,
    ) {
        match next.into_inner() {
            // It is so at nearly every page.
            Ok([next]) if next != *cursor => {
                self.led_by = self.is_empty().then_some(id);
                self.waiting.push_front(next);
            }
            Ok([next]) => {
                self.led_by = None;
                self.push_repeated(next, page);
            }
            Err(next) => {
                self.led_by = None;
                for next in next.into_iter().rev() {
                    if next == *cursor {
                        self.push_repeated(next, page);
                    } else {
                        self.waiting.push_front(next);
                    }
                }
            }
        }
    }

    /// This cursor leads to itself.
    #[cold]
    fn push_repeated(&mut self, cursor: C, page: &PageShape) {
        match self.repeated_cursor {
            RepeatedCursor::Error => {
                // The shortest cycle is noticed at once, over a checkpoint too.
                self.detector = self.detector.move_mark(fingerprint(&cursor));
                self.waiting.push_front(cursor);
            }
            RepeatedCursor::End => {
                let replay = Replay::repeated(page.all_keys(), page.records);
                self.resumed.push_front((cursor, Some(Box::new(replay))));
            }
            RepeatedCursor::Continue => {
                self.continuing.push(fingerprint(&cursor));
                self.waiting.push_front(cursor);
            }
        }
    }

    /// Takes out the next request of a checkpoint. One whose page had not arrived is
    /// packed by itself, since a request may hold less than when it was made.
    #[inline]
    pub(super) fn pop_resumed(
        &mut self,
        hooks: &impl Hooks<C>,
        halvings: u32,
    ) -> Option<(C, Option<Box<Replay>>)> {
        if self.resumed.is_empty() { None } else { self.next_resumed(hooks, halvings) }
    }

    #[cold]
    fn next_resumed(
        &mut self,
        hooks: &impl Hooks<C>,
        halvings: u32,
    ) -> Option<(C, Option<Box<Replay>>)> {
        loop {
            let (cursor, replay) = self.resumed.pop_front()?;
            if replay.is_some() {
                self.sent.insert(fingerprint(&cursor));
                return Some((cursor, replay));
            }
            let mut parts = VecDeque::from([cursor]);
            hooks.pack(&mut parts, halvings);
            let first = parts.pop_front();
            for cursor in parts.into_iter().rev() {
                self.resumed.push_front((cursor, None));
            }
            if let Some(cursor) = first {
                self.sent.insert(fingerprint(&cursor));
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
        if self.was_sent(fingerprint) && !self.may_continue(fingerprint) {
            return Front::Cycle;
        }
        Front::Ready { cursor, fingerprint }
    }

    #[cold]
    fn may_continue(&self, fingerprint: u64) -> bool {
        self.continuing.contains(&fingerprint)
    }

    /// Takes out the front, and the request that led to it.
    #[inline]
    pub(super) fn pop(&mut self, fingerprint: u64) -> Option<(C, Option<RequestId>)> {
        self.visit(fingerprint);
        if !self.continuing.is_empty() {
            self.continuing.retain(|it| *it != fingerprint);
        }
        Some((self.waiting.pop_front()?, self.led_by.take()))
    }

    /// A cursor with this fingerprint is read.
    #[inline]
    pub(super) fn visit(&mut self, fingerprint: u64) {
        self.sent.insert(fingerprint);
        self.detector = self.detector.visit(fingerprint);
    }
}
