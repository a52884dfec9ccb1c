//! What becomes of a request that failed.

use std::{collections::VecDeque, hash::Hash, time::Instant};

use super::{
    Frontier, Ticket, Verdict,
    open::{Open, Request, State},
    plan::Plan,
    retries::Failures,
};
use crate::error::Error;

impl<C: Clone + Eq + Hash> Frontier<C> {
    /// Takes in the failure of a request. Where it is fatal, it is given out when
    /// its turn comes, and nothing new is sent any more.
    pub(crate) fn fail(
        &mut self,
        ticket: Ticket,
        error: &Error,
        now: Instant,
        plan: &impl Plan<C>,
    ) -> Verdict {
        let in_flight = self.in_flight();
        if error.is_rate_limited() && self.retries.pause.is_none() {
            self.width.shrink(in_flight);
        }
        let open = self.at(ticket);
        if open.is_guess() {
            open.state = State::Held;
            self.retries.hold(error, now);
            return Verdict::Held;
        }
        let failures = open.failures.get_or_insert_default();
        failures.add(error, now);
        let failures = **failures;
        if self.retries.ask_for_less(&failures, error)
            && let Some((parts, halvings)) = self.halve(ticket, plan)
            && self.retries.spend()
        {
            self.size.shrink(halvings);
            self.replace(ticket, parts, now, failures.of_part(), halvings);
            return Verdict::Smaller;
        }
        let Some(due) = self.retries.again(&failures, error, now) else {
            self.at(ticket).state = State::Failed;
            self.failed = true;
            return Verdict::Fatal(failures.count);
        };
        self.at(ticket).state = State::Due(due);
        Verdict::Again(due)
    }

    /// What a request falls into if its size is halved, as often as it takes for
    /// it to fall. A page that is read again for its records falls into nothing,
    /// since what it leads to has joined what waits.
    fn halve(&self, ticket: Ticket, plan: &impl Plan<C>) -> Option<(VecDeque<C>, u32)> {
        let open = &self.open[self.place(ticket)];
        let cursor = &open.request.cursor;
        if open.request.replay.is_some() {
            return None;
        }
        (open.halvings + 1..u64::BITS).find_map(|halvings| {
            let mut parts = VecDeque::from([cursor.clone()]);
            plan.pack(&mut parts, halvings);
            (!parts.is_empty() && parts != [cursor.clone()]).then_some((parts, halvings))
        })
    }

    /// Puts parts in the place of an open request.
    fn replace(
        &mut self,
        ticket: Ticket,
        parts: VecDeque<C>,
        due: Instant,
        failures: Failures,
        halvings: u32,
    ) {
        let place = self.place(ticket);
        self.open.remove(place);
        for cursor in parts.into_iter().rev() {
            let open = self.open(Request::new(cursor), halvings);
            let failures = Some(Box::new(failures));
            self.open.insert(place, Open { state: State::Due(due), failures, ..open });
        }
    }
}
