use super::{ledger::Entries, source::Fetched};
use crate::{
    frontier::{Plan, Ticket},
    paginator::Paginator,
};

/// What came back and waits for its turn.
pub(super) struct Arrived<P: Paginator + ?Sized>(Vec<(Ticket, Fetched<P>)>);

impl<P: Paginator + ?Sized> Arrived<P> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes in what a request brought, and throws away what that tells to be wrong
    /// guesses.
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
        self.0.push((ticket, fetched));
        let discarded = entries.frontier.take_discarded();
        if !discarded.is_empty() {
            entries.closed.discarded += discarded.len() as u64;
            self.0.retain(|(ticket, _)| !discarded.contains(ticket));
        }
        while let Some(ticket) = entries.frontier.take_confirmed_failure() {
            if let Some(Err(error)) = self.take(ticket) {
                let error = entries.judge(ticket, error, plan);
                self.0.extend(error.map(|error| (ticket, Err(error))));
            }
        }
    }

    /// Takes out what this request brought.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Fetched<P>> {
        let place = self.0.iter().position(|(arrived, _)| *arrived == ticket)?;
        Some(self.0.swap_remove(place).1)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
