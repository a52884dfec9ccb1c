use std::hash::Hash;

use super::{
    answer::Effects,
    cursor_queue::CursorQueue,
    hooks::{Hooks, packed},
    request::{Request, RequestId, RequestState, SpeculativeNext},
    requests::Requests,
};
use crate::{cycle_detector::fingerprint, page::Cursors};

/// How many speculative requests there may be before the first is confirmed, so that a large
/// window does not ask far beyond the end of a short list.
const FIRST_LIMIT: usize = 64;

/// After this many pages a service that contradicts every prediction is tried again.
const LONGEST_BREAK: u32 = 64;

/// Speculative requests: they are sent before the service leads to them, where the
/// paginator predicts the next cursor. One that the service leads to is *confirmed*, and
/// becomes a request like all others. One that it contradicts is *discarded*, with all
/// behind it.
///
/// As many may be in the air as the window allows, up to 64 and twice as many with each that
/// is confirmed, until one is contradicted. Then one is tried, and again twice as many with
/// each that is confirmed. A service that contradicts
/// them one after the other is read without for a while.
#[derive(Debug)]
pub(super) struct Speculation<C> {
    /// How many speculative requests there may be.
    limit: usize,
    /// Contradictions since the last confirmation.
    contradictions: u32,
    /// How many pages are read before the next speculative request.
    pages_until_next: u32,
    /// The request whose page was delivered last: predictions begin at it.
    last_delivered: Option<(RequestId, C)>,
}

impl<C> Speculation<C> {
    pub(super) fn new() -> Self {
        Self { limit: FIRST_LIMIT, contradictions: 0, pages_until_next: 0, last_delivered: None }
    }

    pub(super) fn delivered(&mut self, id: RequestId, cursor: C) {
        self.last_delivered = Some((id, cursor));
    }

    /// A page came behind which no request was speculative.
    pub(super) fn page_came(&mut self) {
        self.pages_until_next = self.pages_until_next.saturating_sub(1);
    }

    fn confirmed(&mut self) {
        self.limit = self.limit.saturating_mul(2);
        self.contradictions = 0;
    }

    fn contradicted(&mut self) {
        self.limit = 1;
        let pages = 1_u32.checked_shl(self.contradictions).unwrap_or(LONGEST_BREAK);
        self.pages_until_next = pages.min(LONGEST_BREAK) - 1;
        self.contradictions = self.contradictions.saturating_add(1);
    }

    /// The cursor that leads to a request, and to nothing else.
    fn cursor_before<'a>(
        &'a self,
        requests: &'a Requests<C>,
        request: &Request<C>,
    ) -> Option<&'a C> {
        let before = request.led_by?;
        match &self.last_delivered {
            Some((id, cursor)) if *id == before => Some(cursor),
            _ => requests.iter().rev().find(|it| it.id == before).map(|it| &it.cursor),
        }
    }
}

impl<C: Clone + Eq + Hash> Speculation<C> {
    /// The cursor that the last request will probably go on to, where one more
    /// speculative request may be made.
    ///
    /// One request of the window stays free for the page that tells whether the speculation
    /// is right. Nothing is predicted behind a speculative request that failed or brought
    /// nothing: the end may lie before it.
    pub(super) fn predict(
        &self,
        requests: &Requests<C>,
        total: Option<u64>,
        halvings: u32,
        window: usize,
        hooks: &impl Hooks<C>,
    ) -> Option<C> {
        let last = requests.last()?;
        let speculative = || requests.iter().filter(|request| request.is_speculative());
        let in_flight = speculative().filter(|request| request.is_in_flight()).count();
        let is_doubtful = speculative().any(|request| match &request.state {
            RequestState::FailedSpeculation(_) => true,
            RequestState::Arrived(shape) => shape.records == 0,
            _ => false,
        });
        let is_allowed = self.pages_until_next == 0 && speculative().count() < self.limit;
        if !is_allowed || in_flight + 1 >= window || is_doubtful {
            return None;
        }
        let cursor = match (&last.speculative, &last.state) {
            // Its page names the next cursor.
            (Some(SpeculativeNext::Known(next)), _) => match &next[..] {
                [next] => next.clone(),
                _ => return None,
            },
            (_, RequestState::Due(_) | RequestState::InFlight) => {
                let before = self.cursor_before(requests, last)?;
                let at = &last.cursor;
                hooks.predict(before, at, total).filter(|next| next != at)?
            }
            _ => return None,
        };
        packed(hooks, cursor, halvings)
    }

    /// The page of a speculative request came: where it goes on is kept until the service
    /// leads to it.
    pub(super) fn keep(
        requests: &mut Requests<C>,
        cursors: &CursorQueue<C>,
        index: usize,
        next: Cursors<C>,
        halvings: u32,
        hooks: &impl Hooks<C>,
        effects: &mut Effects,
    ) {
        if !is_confirmed(requests, cursors, index, &next, halvings, hooks) {
            requests.discard_behind(index, effects);
        }
        requests.get_mut(index).speculative = Some(SpeculativeNext::Known(next));
    }

    /// A page came behind which a request is speculative: confirms it, and those behind it
    /// whose pages are here, or discards them. Gives the request that turned out to be
    /// right after it had failed.
    #[expect(clippy::too_many_arguments, reason = "the parts of the frontier that it settles")]
    pub(super) fn settle(
        &mut self,
        requests: &mut Requests<C>,
        cursors: &mut CursorQueue<C>,
        index: usize,
        next: Cursors<C>,
        halvings: u32,
        hooks: &impl Hooks<C>,
        effects: &mut Effects,
    ) -> Option<usize> {
        let (mut index, mut next) = (index, next);
        while requests.is_speculative(index + 1) {
            if !is_confirmed(requests, cursors, index, &next, halvings, hooks) {
                self.contradicted();
                requests.discard_behind(index, effects);
                let request = requests.get(index);
                cursors.push_next(request.id, &request.cursor, request.shape(), next);
                return None;
            }
            self.confirmed();
            index += 1;
            let request = requests.get_mut(index);
            cursors.visit(fingerprint(&request.cursor));
            match request.speculative.take() {
                Some(SpeculativeNext::Known(cursors)) => next = cursors,
                _ => return Some(index).filter(|_| request.has_failed_speculation()),
            }
        }
        self.page_came();
        let request = requests.get(index);
        cursors.push_next(request.id, &request.cursor, request.shape(), next);
        None
    }
}

/// Whether the next cursors of a page are the speculative request behind it, and only that.
fn is_confirmed<C: Clone + Eq + Hash>(
    requests: &Requests<C>,
    cursors: &CursorQueue<C>,
    index: usize,
    next: &[C],
    halvings: u32,
    hooks: &impl Hooks<C>,
) -> bool {
    let [next] = next else { return false };
    if !requests.is_speculative(index + 1) || !cursors.waiting().is_empty() {
        return false;
    }
    let predicted = &requests.get(index + 1).cursor;
    !cursors.was_sent(fingerprint(predicted))
        && packed(hooks, next.clone(), halvings).as_ref() == Some(predicted)
}
