//! What follows from a page that came, and from a request that failed.

use std::{collections::VecDeque, hash::Hash, time::Instant};

use super::{
    Frontier,
    answer::{Arrival, Effect, Effects},
    hooks::Hooks,
    page_shape::PageShape,
    request::{Request, RequestId, RequestState},
    retrying::FailedAttempt,
    speculation::Speculation,
};
use crate::page::Cursors;

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
        self.total = total.or(self.total);
        shape.goes_on = !next.is_empty();
        let request = self.requests.get_mut(index);
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

    /// What a request falls into if the page size is halved, as often as it takes for it
    /// to fall. A page that is read again for its records falls into nothing, since its
    /// next cursors are known already.
    fn halve(&self, index: usize, hooks: &impl Hooks<C>) -> Option<(VecDeque<C>, u32)> {
        let request = self.requests.get(index);
        let cursor = &request.cursor;
        if request.replay.is_some() {
            return None;
        }
        (request.halvings + 1..u64::BITS).find_map(|halvings| {
            let mut parts = VecDeque::from([cursor.clone()]);
            hooks.pack(&mut parts, halvings);
            (!parts.is_empty() && parts != [cursor.clone()]).then_some((parts, halvings))
        })
    }

    /// The response of a request came that is discarded.
    pub(crate) fn discarded_came(&mut self, id: RequestId) -> Effects {
        self.requests.discarded_came(id);
        vec![Effect::Ignore(id)]
    }
}
