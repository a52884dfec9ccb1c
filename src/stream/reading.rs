use super::{
    monitor::{Progress, StopReason},
    page_check::{self, PageCheck},
};
use crate::{
    clock,
    cursor::Cursor,
    error::Error,
    frontier::{Arrival, Effect, Effects, FailedAttempt, Frontier, Hooks, Next, RequestId},
    page::{Details, Page},
};

/// The state of a reading: its frontier, and the counts. A checkpoint is made of it.
pub(super) struct Reading<C> {
    pub(super) frontier: Frontier<C>,
    pub(super) identity: String,
    /// The counts up to the page being delivered.
    pub(super) counts: Progress,
    pub(super) page: Option<PageInfo>,
    pub(super) page_check: PageCheck,
    /// Whether the code of a user that works on it came to its end. After a panic it did
    /// not, and a cursor may be missing.
    pub(super) is_whole: bool,
}

/// What the counts take in when the page being delivered ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageInfo {
    /// The positions that the service passed over behind it.
    pub(super) skipped: u64,
    pub(super) digest: Option<u64>,
}

impl PageInfo {
    /// Counts the page, of which so many records are delivered.
    fn count(self, delivered: usize, counts: &mut Progress) {
        counts.pages = counts.pages.saturating_add(1);
        counts.records = counts.records.saturating_add(delivered as u64);
        counts.skipped = counts.skipped.saturating_add(self.skipped);
    }
}

impl<C: Cursor> Reading<C> {
    /// What the driver does next.
    pub(super) fn next(&mut self, hooks: &impl Hooks<C>) -> Next<C> {
        let next = self.frontier.next(clock::now, hooks);
        if matches!(next, Next::Send(..) | Next::SendAndWait(..)) {
            self.counts.requests += 1;
        }
        next
    }

    /// A page came. What it goes on to is taken out of it.
    ///
    /// # Errors
    ///
    /// A page that breaks the contract. The request counts as failed then.
    pub(super) fn page<R>(
        &mut self,
        id: RequestId,
        page: &mut Page<R, C>,
        hooks: &impl Hooks<C>,
    ) -> Result<Arrival, Error> {
        let shape = page_check::shape(page)?;
        let next = std::mem::take(&mut page.next);
        if let Some(delay) = page.details().and_then(|details| details.retry_after) {
            let delay = delay.min(self.frontier.retry_policy().max_retry_after);
            self.frontier.pause_until(clock::after(clock::now(), delay));
        }
        let arrival = self.frontier.page(id, next, shape, page.total(), clock::now, hooks);
        Ok(match arrival {
            Arrival::Deliver => arrival,
            Arrival::Keep(effects) => Arrival::Keep(self.counted(effects)),
        })
    }

    /// A request failed.
    pub(super) fn error(
        &mut self,
        id: RequestId,
        attempt: FailedAttempt,
        hooks: &impl Hooks<C>,
    ) -> Effects {
        let effects = self.frontier.error(id, attempt, clock::now(), hooks);
        self.counted(effects)
    }

    /// The response of a discarded request came.
    pub(super) fn discarded_came(&mut self, id: RequestId) -> Effects {
        self.frontier.discarded_came(id)
    }

    /// A failure of the page being delivered is delivered.
    pub(super) fn failure_delivered(&mut self) {
        self.frontier.failure_delivered();
        self.counts.failures = self.counts.failures.saturating_add(1);
    }

    fn counted(&mut self, effects: Effects) -> Effects {
        for effect in &effects {
            match effect {
                Effect::Retry(..) | Effect::Smaller(_) => self.counts.retries += 1,
                Effect::Discard(_) => self.counts.discarded += 1,
                Effect::FailAlone(..)
                | Effect::PassOver(..)
                | Effect::Fatal(..)
                | Effect::Ignore(_) => {}
            }
        }
        effects
    }

    /// Begins to deliver the page of the first request.
    pub(super) fn begin_page(&mut self, details: Option<&Details>) {
        self.frontier.begin_delivery();
        self.page = Some(PageInfo {
            skipped: details.map_or(0, |details| details.skipped),
            digest: details.and_then(|details| details.digest),
        });
    }

    /// Ends the page being delivered, if there is one: so many of its records, all of them,
    /// are delivered.
    #[inline]
    pub(super) fn end_page(&mut self, delivered: usize) {
        if let Some(page) = self.page.take() {
            page.count(delivered, &mut self.counts);
            self.page_check.delivered(page.digest);
            self.frontier.end_delivery();
        }
    }

    /// How far it is, where so many records of the page being delivered are delivered.
    pub(super) fn progress(&self, delivered: usize) -> Progress {
        let mut counts = self.counts.clone();
        if let Some(page) = self.page {
            page.count(delivered, &mut counts);
        }
        let total = self.frontier.total();
        if counts.stop.is_some() {
            return Progress { total, ..counts };
        }
        let (in_flight, delayed) = (self.frontier.in_flight(), self.frontier.delayed());
        let throttled_until = self.frontier.throttled_until();
        Progress { in_flight, delayed, throttled_until, total, ..counts }
    }

    pub(super) fn stop(&mut self, reason: StopReason) {
        self.counts.stop = Some(reason);
    }

    /// Where a request is: the number of its page, and its cursor as JSON. `None` where it
    /// was discarded.
    pub(super) fn location(&self, id: RequestId) -> Option<(u64, Option<String>)> {
        let (cursor, pages_before) = self.frontier.cursor(id)?;
        let page = self.counts.pages.saturating_add(pages_before as u64 + 1);
        Some((page, serde_json::to_string(cursor).ok()))
    }

    /// Says where an error happened: at the page being delivered, or the one that is next,
    /// and at what `part` makes of its cursor.
    pub(super) fn locate_current(&self, error: Error, part: impl FnOnce(&C) -> C) -> Error {
        let cursor = self.frontier.current_cursor().map(part);
        let cursor = cursor.and_then(|cursor| serde_json::to_string(&cursor).ok());
        error.at(self.counts.pages.saturating_add(1), cursor)
    }
}
