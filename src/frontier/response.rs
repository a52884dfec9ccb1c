//! What follows from a page that came, and from a request that failed.

use std::{collections::VecDeque, hash::Hash, time::Instant};

use super::{
    Frontier,
    answer::{Arrival, Effect, Effects},
    cursor_queue::Front,
    hooks::Hooks,
    page_shape::PageShape,
    request::{Request, RequestId, RequestState},
    requests::Part,
    retrying::{FailedAttempt, Failures},
    speculation::Speculation,
};
use crate::{page::Cursors, replay::Replay};

impl<C: Clone + Eq + Hash> Frontier<C> {
    /// The page of a request came, which goes on to the `next` cursors.
    pub(crate) fn page(
        &mut self,
        id: RequestId,
        next: Cursors<C>,
        mut shape: PageShape,
        total: Option<u64>,
        now: impl Fn() -> Instant,
        hooks: &impl Hooks<C>,
    ) -> Arrival {
        let Some(index) = self.requests.index(id) else {
            return Arrival::Keep(self.discarded_came(id));
        };
        self.retrying.page_came();
        if self.retrying.has_failed() && !self.requests.iter().any(Request::is_delayed) {
            self.retrying.all_came();
        }
        self.page_size.page_came();
        self.concurrency_limit.page_came();
        if let Some(total) = total {
            self.total = Some(total);
            let is_by_offset = shape.parts.as_ref().is_some_and(|it| it.positions.is_some());
            self.total_check.add(total, is_by_offset);
        }
        shape.goes_on = !next.is_empty();
        let request = self.requests.get_mut(index);
        let (part_of, is_alone) = match &request.failures {
            Some(failures) => (failures.part_of, failures.fails_alone),
            None => (None, false),
        };
        if !is_alone && let Some(halvings) = self.isolation.page_came(part_of) {
            self.page_size.shrink(halvings);
        }
        request.state = RequestState::Arrived(shape);
        if let Some(sent) = request.sent {
            self.linger.response_came(sent, now());
        }
        if request.is_speculative() || self.requests.is_speculative(index + 1) {
            return Arrival::Keep(self.speculative_page(index, next, now, hooks));
        }
        self.speculation.page_came();
        let request = self.requests.get(index);
        self.cursors.push_next(id, &request.cursor, request.shape(), next);
        self.turn_of(index)
    }

    /// Whether a page that came is delivered at once, or kept until its turn.
    fn turn_of(&self, index: usize) -> Arrival {
        let is_at_once = self.config.window == 1 && index == 0;
        if is_at_once { Arrival::Deliver } else { Arrival::Keep(Effects::new()) }
    }

    /// The same for a page that is speculative, or that tells whether others are right.
    fn speculative_page(
        &mut self,
        index: usize,
        next: Cursors<C>,
        now: impl Fn() -> Instant,
        hooks: &impl Hooks<C>,
    ) -> Effects {
        let mut effects = Effects::new();
        let Self { requests, cursors, speculation, page_size, .. } = self;
        let halvings = page_size.halvings();
        if requests.is_speculative(index) {
            Speculation::keep(requests, cursors, index, next, halvings, hooks, &mut effects);
            return effects;
        }
        let failed =
            speculation.settle(requests, cursors, index, next, halvings, hooks, &mut effects);
        if let Some(index) = failed
            && let RequestState::FailedSpeculation(attempt) = &self.requests.get(index).state
        {
            let attempt = **attempt;
            effects.push(self.failed(index, attempt, now(), hooks));
        }
        effects
    }

    /// A request failed.
    pub(crate) fn error(
        &mut self,
        id: RequestId,
        attempt: FailedAttempt,
        now: Instant,
        hooks: &impl Hooks<C>,
    ) -> Effects {
        let Some(index) = self.requests.index(id) else { return self.discarded_came(id) };
        if !self.requests.is_speculative(index) {
            return vec![self.failed(index, attempt, now, hooks)];
        }
        // Nobody knows yet whether this failure matters, but for the service's limit.
        self.slow_down(attempt);
        self.retrying.pause_for(&attempt, now);
        self.requests.get_mut(index).state = RequestState::FailedSpeculation(Box::new(attempt));
        Effects::new()
    }

    /// What becomes of a request that the service led to, and that failed. Where that is
    /// for good, its error waits for its turn, and nothing new is sent any more.
    fn failed(
        &mut self,
        index: usize,
        attempt: FailedAttempt,
        now: Instant,
        hooks: &impl Hooks<C>,
    ) -> Effect {
        self.slow_down(attempt);
        let request = self.requests.get_mut(index);
        let id = request.id;
        let failures = request.failures.get_or_insert_default();
        self.retrying.add(failures, &attempt, now);
        let failures = **failures;
        if self.retrying.may_be_partial(&attempt)
            && let Some(effect) = self.isolate(index, failures, now, hooks)
        {
            return effect;
        }
        if self.retrying.wants_smaller(&failures, &attempt)
            && let Some((parts, halvings)) = self.halve(index, hooks)
            && self.retrying.spend()
        {
            self.page_size.shrink(halvings);
            self.requests.replace(index, parts, now, failures.of_part(), halvings);
            return Effect::Smaller(id);
        }
        let due = self.retrying.retry_at(&failures, &attempt, now);
        let request = self.requests.get_mut(index);
        match due {
            Ok(due) => {
                request.state = RequestState::Due(due);
                Effect::Retry(id, due)
            }
            Err(why)
                if self.config.passes_over_unreadable
                    && failures.are_of_unreadable(&attempt, why)
                    && request.replay.is_none()
                    && hooks.pass_over(&request.cursor).is_some()
                    && self.isolation.passes_over() =>
            {
                request.failures.get_or_insert_default().fails_alone = true;
                Effect::PassOver(id, failures.attempts())
            }
            Err(why) => {
                request.state = RequestState::Failed;
                Effect::Fatal(id, failures.attempts(), why)
            }
        }
    }

    /// Halves the concurrency if the service asks for fewer requests, once for a pause.
    fn slow_down(&mut self, attempt: FailedAttempt) {
        if attempt.is_throttled() && self.retrying.paused_until().is_none() {
            self.concurrency_limit.decrease(self.in_flight());
        }
    }

    /// Looks for the unit because of which the service refuses a request. `None` where it
    /// refuses everything.
    fn isolate(
        &mut self,
        index: usize,
        failures: Failures,
        now: Instant,
        hooks: &impl Hooks<C>,
    ) -> Option<Effect> {
        if !self.isolation.refused(failures.part_of) {
            return None;
        }
        let id = self.requests.get(index).id;
        if let Some((parts, halvings)) = self.halve(index, hooks) {
            let split = self.isolation.split(failures.part_of, parts.len(), halvings);
            let mut failures = failures.of_part();
            failures.part_of = Some(split);
            self.requests.replace(index, parts, now, failures, halvings);
            return Some(Effect::Smaller(id));
        }
        let request = self.requests.get_mut(index);
        if request.replay.as_ref().is_some_and(|replay| replay.units.len() != 1) {
            return None;
        }
        let last = self.requests.last_part();
        let others = last > index || self.put_other_before(index, now, hooks);
        if self.isolation.fails_alone(!others) {
            self.isolation.came(failures.part_of);
            let request = self.requests.get_mut(index);
            request.failures.get_or_insert_default().fails_alone = true;
            return Some(Effect::FailAlone(id, failures.attempts()));
        }
        if !others {
            return None;
        }
        // Nobody knows yet whether the service refuses everything, so the others come first.
        let index = self.requests.index(id)?;
        let due = self.retrying.suspect_until(&failures, now);
        self.requests.get_mut(index).state = RequestState::Due(due);
        if last > index {
            self.requests.move_behind(index, last);
        }
        Some(Effect::Retry(id, due))
    }

    /// Puts what waits before a request, if there is something. It is asked for first.
    fn put_other_before(&mut self, index: usize, now: Instant, hooks: &impl Hooks<C>) -> bool {
        let halvings = self.page_size.halvings();
        let other = self.cursors.pop_resumed(hooks, halvings).or_else(|| {
            let Front::Ready { fingerprint, .. } = self.cursors.front(hooks, halvings) else {
                return None;
            };
            Some((self.cursors.pop(fingerprint)?.0, None))
        });
        let Some((cursor, replay)) = other else { return self.requests.len() > 1 };
        self.requests.insert_due(index, cursor, replay, now, halvings);
        true
    }

    /// What a request falls into if the page size is halved, as often as it takes for it
    /// to fall. A page that is read again for its records falls into its units, if it has
    /// some; its next cursors are known already.
    fn halve(&self, index: usize, hooks: &impl Hooks<C>) -> Option<(VecDeque<Part<C>>, u32)> {
        let request = self.requests.get(index);
        let cursor = &request.cursor;
        if let Some(replay) = &request.replay {
            let middle = replay.units.len() / 2;
            let units = (0..replay.units.len()).collect::<Vec<_>>();
            let part = |units: &[usize]| {
                let known = units.iter().map(|unit| replay.units[*unit].clone()).collect();
                let replay = Replay { units: known, ..Replay::default() };
                (hooks.narrow(cursor, units), Some(Box::new(replay)))
            };
            let parts = || VecDeque::from([part(&units[..middle]), part(&units[middle..])]);
            return (middle > 0).then(|| (parts(), request.halvings + 1));
        }
        (request.halvings + 1..u64::BITS).find_map(|halvings| {
            let mut parts = VecDeque::from([cursor.clone()]);
            hooks.pack(&mut parts, halvings);
            let is_smaller = !parts.is_empty() && parts != [cursor.clone()];
            let parts = || parts.into_iter().map(|cursor| (cursor, None)).collect();
            is_smaller.then(|| (parts(), halvings))
        })
    }

    /// The response of a request came that is discarded.
    pub(crate) fn discarded_came(&mut self, id: RequestId) -> Effects {
        self.requests.discarded_came(id);
        vec![Effect::Ignore(id)]
    }
}
