use std::{
    collections::BTreeSet,
    future::poll_fn,
    mem::replace,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

/// The requests that wait, in the order in which they came. All wake at the same time
/// when a request may start, in any order. Then the first of the queue should start.
///
/// Only its reader polls a request, and the reader may stop for as long as it likes. So
/// the queue waits for nobody: a request that is not polled in time is overtaken.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    next: u64,
    /// The numbers of those that wait, without those that were overtaken.
    waiting: BTreeSet<u64>,
}

impl Queue {
    pub(super) fn join(&self) -> Entry<'_> {
        let mut numbers = self.lock();
        let number = numbers.next;
        numbers.next += 1;
        numbers.waiting.insert(number);
        Entry { queue: self, number }
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An entry of the queue. It leaves the queue when it is dropped.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    queue: &'a Queue,
    number: u64,
}

impl Entry<'_> {
    pub(super) fn is_first(&self) -> bool {
        self.queue.lock().waiting.first() == Some(&self.number)
    }

    /// Lets all others that are awake run once.
    pub(super) async fn yield_once(&self) {
        let mut has_yielded = false;
        poll_fn(|cx| {
            if replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Waits again, with the same number. An entry that was overtaken is put back.
    pub(super) fn wait_again(&self) {
        self.queue.lock().waiting.insert(self.number);
    }

    /// Leaves the queue, and overtakes those that came earlier.
    pub(super) fn overtake(self) {
        let mut numbers = self.queue.lock();
        numbers.waiting = numbers.waiting.split_off(&self.number);
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.queue.lock().waiting.remove(&self.number);
    }
}
