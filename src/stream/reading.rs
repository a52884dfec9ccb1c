use super::{
    left_out::LeftOut,
    monitor::{Progress, StopReason, Wait, WaitReason},
    page_check::{self, Novelty, PageCheck},
};
use crate::{
    clock,
    cursor::Cursor,
    error::{Error, ErrorKind},
    frontier::{Arrival, Effect, Effects, FailedAttempt, Frontier, Hooks, Next, RequestId},
    known_keys::KnownKeys,
    page::Page,
};

/// The state of a reading: its frontier, and the counts. A checkpoint is made of it.
pub(super) struct Reading<C> {
    pub(super) frontier: Frontier<C>,
    pub(super) identity: String,
    /// The counts up to the page being delivered.
    pub(super) counts: Progress,
    pub(super) page: Option<PageInfo>,
    /// What few pages have, of the page being delivered.
    pub(super) rare: Option<Box<Rare<C>>>,
    pub(super) page_check: PageCheck,
    /// Where a later reading begins.
    pub(super) later: Vec<C>,
    /// The keys of what was delivered, where they are kept.
    pub(super) known_keys: Option<Box<KnownKeys>>,
    /// What was counted before the list was read anew, and does not count for its total.
    pub(super) counted_before: u64,
    /// Whether it reads a part, and not all.
    pub(super) is_part: bool,
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

/// What few pages have.
#[derive(Debug)]
pub(super) struct Rare<C> {
    /// The records that are left out, where keys are kept.
    pub(super) left_out: Option<LeftOut>,
    /// Where a later reading begins.
    pub(super) later: Option<Box<C>>,
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
        if page.next.len() > 1
            && let Some(known) = &mut self.known_keys
        {
            known.branched();
        }
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
    ///
    /// # Errors
    ///
    /// A page that is the same as one before, too many empty pages, and records without keys
    /// where keys are needed.
    #[inline]
    pub(super) fn begin_page<R>(
        &mut self,
        page: &mut Page<R, C>,
        max_empty_pages: u64,
    ) -> Result<(), Error> {
        if self.known_keys.is_some() || page.later.is_some() {
            self.begin_rare(page)?;
        }
        let novelty = self.left_out().map_or(Novelty::New, LeftOut::novelty);
        self.page_check.check(page, novelty, max_empty_pages)?;
        self.frontier.begin_delivery();
        let details = page.details();
        self.page = Some(PageInfo {
            skipped: details.map_or(0, |details| details.skipped),
            digest: details.and_then(|details| details.digest),
        });
        Ok(())
    }

    #[cold]
    fn begin_rare<R>(&mut self, page: &mut Page<R, C>) -> Result<(), Error> {
        let left_out = match &mut self.known_keys {
            Some(known) => LeftOut::of_page(known, page, self.frontier.first_keys())?,
            None => None,
        };
        self.rare = Some(Box::new(Rare { left_out, later: page.later.take() }));
        Ok(())
    }

    #[cold]
    fn end_rare(&mut self, rare: Rare<C>) {
        if let (Some(left_out), Some(known)) = (&rare.left_out, &mut self.known_keys) {
            known.insert(&left_out.delivered_keys(left_out.keys.len()));
            self.counts.repeated = self.counts.repeated.saturating_add(left_out.all());
        }
        self.later.extend(rare.later.map(|later| *later));
    }

    /// What is left out of the page being delivered.
    pub(super) fn left_out(&self) -> Option<&LeftOut> {
        self.rare.as_ref()?.left_out.as_ref()
    }

    /// How many records of the page being delivered are behind the reading, where so many were
    /// yielded.
    pub(super) fn position(&self, delivered: usize) -> usize {
        self.left_out().map_or(delivered, |left_out| left_out.position(delivered))
    }

    /// Reads the list anew from its start, where a cursor has expired, if it can be told then
    /// what was delivered.
    pub(super) fn restart(&mut self, start: C) -> bool {
        let known = self.known_keys.as_mut().filter(|_| !self.is_part);
        if !known.is_some_and(|known| known.restart()) {
            return false;
        }
        self.frontier.restart(start);
        self.counted_before = self.records_counted();
        self.page_check = PageCheck::new(None);
        self.later.clear();
        self.counts.restarts += 1;
        true
    }

    /// What counts for the total: what came, failed, was passed over or left out.
    fn records_counted(&self) -> u64 {
        let Progress { records, failures, skipped, repeated, .. } = self.counts;
        let counted = records.saturating_add(failures).saturating_add(skipped);
        counted.saturating_add(repeated)
    }

    /// What contradicts an end.
    pub(super) fn end_error(&self, checks_total: bool) -> Option<Error> {
        let records = self.records_counted().saturating_sub(self.counted_before);
        let mismatch = self.frontier.total_mismatch(records).filter(|_| checks_total);
        let mismatch = mismatch.filter(|_| !self.is_part)?;
        Some(Error::new(ErrorKind::Contradiction, mismatch))
    }

    /// Whether the list was read anew to its end, and nothing that was delivered came again.
    pub(super) fn has_lost_its_place(&self) -> bool {
        self.known_keys.as_ref().is_some_and(|known| known.passes_over())
    }

    /// Ends the page being delivered, if there is one: so many of its records, all of them,
    /// are delivered.
    #[inline]
    pub(super) fn end_page(&mut self, delivered: usize) {
        if let Some(page) = self.page.take() {
            page.count(delivered, &mut self.counts);
            if let Some(rare) = self.rare.take() {
                self.end_rare(*rare);
            }
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
        if let Some(left_out) = self.left_out() {
            counts.repeated = counts.repeated.saturating_add(left_out.count(delivered));
        }
        let total = self.frontier.total();
        if counts.stop.is_some() {
            return Progress { total, ..counts };
        }
        let (in_flight, delayed) = (self.frontier.in_flight(), self.frontier.delayed());
        Progress { in_flight, delayed, wait: self.wait(), total, ..counts }
    }

    fn wait(&self) -> Option<Wait> {
        if let Some((until, is_asked)) = self.frontier.paused_until() {
            let reason = if is_asked { WaitReason::Asked } else { WaitReason::Throttled };
            return Some(Wait { until, reason });
        }
        let until = self.frontier.retry_due()?;
        Some(Wait { until, reason: WaitReason::Retry })
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
