use super::source::Fetched;
use crate::{error::Error, frontier::RequestId, paginator::Paginator};

/// What came back and waits for its turn.
pub(super) struct Arrived<P: Paginator + ?Sized> {
    /// Mostly there is one alone, and it is the next to be delivered.
    last: Option<(RequestId, Fetched<P>)>,
    others: Vec<(RequestId, Fetched<P>)>,
}

impl<P: Paginator + ?Sized> Arrived<P> {
    pub(super) fn new() -> Self {
        Self { last: None, others: Vec::new() }
    }

    #[inline]
    pub(super) fn keep(&mut self, id: RequestId, fetched: Fetched<P>) {
        if self.last.is_some() {
            self.set_last_aside();
        }
        self.last = Some((id, fetched));
    }

    #[cold]
    fn set_last_aside(&mut self) {
        self.others.extend(self.last.take());
    }

    /// Takes out what this request brought.
    #[inline]
    pub(super) fn take(&mut self, id: RequestId) -> Option<Fetched<P>> {
        if self.last.as_ref().is_some_and(|(arrived, _)| *arrived == id) {
            return self.last.take().map(|(_, fetched)| fetched);
        }
        let index = self.others.iter().position(|(arrived, _)| *arrived == id)?;
        Some(self.others.swap_remove(index).1)
    }

    /// Takes out the error that this request brought.
    pub(super) fn take_error(&mut self, id: RequestId) -> Option<Error> {
        self.take(id)?.err()
    }
}
