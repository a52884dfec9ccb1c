use std::{
    collections::BTreeSet,
    future::poll_fn,
    mem::replace,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

/// Who waits, in the order in which they came. All wake at once when a request may
/// start, in any order, and the first of the line is to have it.
///
/// A request is polled by its reader alone, which may leave it for as long as it
/// likes. So nobody is waited for: who does not come forward in time is passed by.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    next: u64,
    /// The numbers of those who wait; not of those who were passed by.
    numbers: BTreeSet<u64>,
}

impl Line {
    pub(super) fn join(&self) -> Place<'_> {
        let mut places = self.lock();
        let number = places.next;
        places.next += 1;
        places.numbers.insert(number);
        Place { line: self, number }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line, until it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    line: &'a Line,
    number: u64,
}

impl Place<'_> {
    pub(super) fn is_first(&self) -> bool {
        self.line.lock().numbers.first() == Some(&self.number)
    }

    /// Lets all run once who are awake.
    pub(super) async fn give_way(&self) {
        let mut given = false;
        poll_fn(|cx| {
            if replace(&mut given, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Goes on waiting, at the same place.
    pub(super) fn stay(&self) {
        self.line.lock().numbers.insert(self.number);
    }

    /// Goes forward, past those who came earlier and did not.
    pub(super) fn advance(self) {
        let mut places = self.line.lock();
        places.numbers = places.numbers.split_off(&self.number);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.line.lock().numbers.remove(&self.number);
    }
}
