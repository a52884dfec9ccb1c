//! Requests that are sent before the service has led to them, where the way goes
//! on evenly. A guess that the service confirms is a request like all others; one
//! that it contradicts is thrown away, with all behind it.

use std::{collections::VecDeque, hash::Hash};

use super::{
    Frontier, Ticket,
    open::{LeadsTo, Open, State},
    plan::Plan,
};
use crate::{cycle_detector::fingerprint, page::Next};

impl<C: Clone + Eq + Hash> Frontier<C> {
    /// The cursor to which the last request will probably lead.
    ///
    /// One place in the window is left to the page that will tell whether the guesses
    /// are right. None is made behind a guess that failed or brought nothing: the end
    /// may lie before it.
    pub(super) fn guess(&self, plan: &impl Plan<C>, halvings: u32, window: usize) -> Option<C> {
        let last = self.open.last()?;
        let guesses = || self.open.iter().filter(|open| open.is_guess());
        let on_their_way = guesses().filter(|guess| guess.is_in_flight()).count();
        let is_doubtful = guesses().any(|guess| match &guess.state {
            State::Held => true,
            State::Arrived(shape) => shape.records == 0,
            _ => false,
        });
        if !self.confidence.allows(guesses().count()) || on_their_way + 1 >= window || is_doubtful {
            return None;
        }
        let cursor = match (&last.guess, &last.state) {
            // It knows better.
            (Some(LeadsTo::Pages(next)), _) => match &next[..] {
                [next] => next.clone(),
                _ => return None,
            },
            (_, State::Due(_) | State::InFlight) => {
                let at = &last.request.cursor;
                let before = self.cursor_before(last)?;
                plan.predict(before, at, self.total).filter(|next| next != at)?
            }
            _ => return None,
        };
        packed(plan, cursor, halvings)
    }

    /// The cursor that led to a request, and to nothing else.
    fn cursor_before(&self, open: &Open<C>) -> Option<&C> {
        let before = open.before?;
        let closed = self.closed.as_ref().filter(|(ticket, _)| *ticket == before);
        let still_open = || self.open.iter().rev().find(|open| open.ticket == before);
        closed.map(|(_, cursor)| cursor).or_else(|| Some(&still_open()?.request.cursor))
    }

    /// Goes on behind a page that arrived: to the guesses that were right, and else
    /// to what waits.
    pub(super) fn lead_on(&mut self, place: usize, next: Next<C>, plan: &impl Plan<C>) {
        let (mut place, mut next) = (place, next);
        loop {
            let is_guessed = self.is_guess(place + 1);
            let is_right = is_guessed && self.is_followed_by(place, &next, plan);
            if self.open[place].is_guess() {
                self.open[place].guess = Some(LeadsTo::Pages(next));
                if !is_right {
                    self.discard_behind(place);
                }
                return;
            }
            if !is_right {
                if is_guessed {
                    self.confidence.contradicted();
                    self.discard_behind(place);
                } else {
                    self.confidence.unguessed();
                }
                return self.wait_for(place, next);
            }
            self.confidence.confirmed();
            place += 1;
            let open = &mut self.open[place];
            self.trail = self.trail.visit(fingerprint(&open.request.cursor));
            match (open.guess.take(), &open.state) {
                (Some(LeadsTo::Pages(leads_to)), _) => next = leads_to,
                (_, State::Held) => return self.confirmed_failures.push(open.ticket),
                _ => return,
            }
        }
    }

    /// Whether what a page leads to is the guess that stands behind it, and only that.
    fn is_followed_by(&self, place: usize, next: &[C], plan: &impl Plan<C>) -> bool {
        let [next] = next else { return false };
        let guess = &self.open[place + 1].request.cursor;
        self.waiting.is_empty()
            && !self.trail.is_cycle(fingerprint(guess))
            && packed(plan, next.clone(), self.size.halvings).as_ref() == Some(guess)
    }

    fn is_guess(&self, place: usize) -> bool {
        self.open.get(place).is_some_and(Open::is_guess)
    }

    /// Throws away the guesses behind a request.
    fn discard_behind(&mut self, place: usize) {
        let guesses = self.open[place + 1..].iter().take_while(|open| open.is_guess()).count();
        for guess in self.open.drain(place + 1..=place + guesses) {
            if guess.is_in_flight() {
                self.draining.push(guess.ticket);
            }
            self.discarded.push(guess.ticket);
        }
    }

    /// A guess that was thrown away.
    pub(crate) fn take_discarded(&mut self) -> Option<Ticket> {
        self.discarded.pop()
    }

    /// Whether what this request brings is for nobody: it was a wrong guess.
    pub(crate) fn is_drained(&mut self, ticket: Ticket) -> bool {
        let place = self.draining.iter().position(|draining| *draining == ticket);
        place.map(|place| self.draining.swap_remove(place)).is_some()
    }

    /// A guess that failed, and turned out to be right.
    pub(crate) fn take_confirmed_failure(&mut self) -> Option<Ticket> {
        self.confirmed_failures.pop()
    }
}

/// A cursor as a request for it would have it, if that is one request.
fn packed<C>(plan: &impl Plan<C>, cursor: C, halvings: u32) -> Option<C> {
    let mut packed = VecDeque::from([cursor]);
    plan.pack(&mut packed, halvings);
    packed.pop_front().filter(|_| packed.is_empty())
}
