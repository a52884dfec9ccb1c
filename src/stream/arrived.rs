use super::{ledger::Entries, source::Fetched};
use crate::{
    frontier::{Plan, Ticket},
    paginator::Paginator,
};

/// What came back and waits for its turn.
pub(super) struct Arrived<P: Paginator + ?Sized> {
    /// Mostly there is one alone, and it is the next to be handed out.
    last: Option<(Ticket, Fetched<P>)>,
    others: Vec<(Ticket, Fetched<P>)>,
}

impl<P: Paginator + ?Sized> Arrived<P> {
    pub(super) fn new() -> Self {
        Self { last: None, others: Vec::new() }
    }

    /// Takes in what a request brought, and throws away what that tells to be wrong
    /// guesses.
    // Not a part of the driver's loop, which is the faster the smaller it is.
    #[inline(never)]
    pub(super) fn take_in(
        &mut self,
        entries: &mut Entries<P::Cursor>,
        (ticket, mut fetched): (Ticket, Fetched<P>),
        plan: &impl Plan<P::Cursor>,
    ) {
        if entries.frontier.is_drained(ticket) {
            return;
        }
        if let Ok(page) = &mut fetched
            && let Err(error) = entries.take_in(ticket, page, plan)
        {
            fetched = Err(error);
        }
        if let Err(error) = fetched {
            let Some(error) = entries.judge(ticket, error, plan) else { return };
            fetched = Err(error);
        }
        self.keep(ticket, fetched);
        while let Some(ticket) = entries.frontier.take_discarded() {
            entries.closed.discarded += 1;
            self.take(ticket);
        }
        while let Some(ticket) = entries.frontier.take_confirmed_failure() {
            if let Some(Err(error)) = self.take(ticket)
                && let Some(error) = entries.judge(ticket, error, plan)
            {
                self.keep(ticket, Err(error));
            }
        }
    }

    fn keep(&mut self, ticket: Ticket, fetched: Fetched<P>) {
        if let Some(before) = self.last.replace((ticket, fetched)) {
            self.others.push(before);
        }
    }

    /// Takes out what this request brought.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Fetched<P>> {
        let last = self.last.take_if(|(arrived, _)| *arrived == ticket);
        let (_, fetched) = last.or_else(|| {
            let place = self.others.iter().position(|(arrived, _)| *arrived == ticket)?;
            Some(self.others.swap_remove(place))
        })?;
        Some(fetched)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }
}
