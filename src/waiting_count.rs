//! How many requests of a reading wait for a rate limiter. A layer far below counts them,
//! and the reading above shows the count; neither knows the other.

use std::{
    cell::Cell,
    mem::ManuallyDrop,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
#[cfg(feature = "tokio")]
use std::{
    pin::Pin,
    task::{Context, Poll},
};

thread_local! {
    /// Where what begins to wait on this thread counts.
    // A count is lent for the time of a call, so none is left when the thread ends.
    static CURRENT: Cell<Option<ManuallyDrop<WaitingCount>>> = const { Cell::new(None) };
}

/// A count of what waits. Clones are the same count.
#[derive(Clone, Debug, Default)]
pub(crate) struct WaitingCount(Arc<AtomicUsize>);

impl WaitingCount {
    /// How many wait now.
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// A counter that counts here.
    pub(crate) fn counter(&self) -> WaitingCounter {
        WaitingCounter(Some(self.clone()))
    }
}

/// Lends a count to the thread while something runs on it.
#[derive(Debug)]
pub(crate) struct WaitingCounter(Option<WaitingCount>);

impl WaitingCounter {
    /// Runs `f`; what begins to wait meanwhile on this thread counts. Of counters within
    /// each other, the innermost counts.
    // The count is moved and not cloned: a stream does this at each page.
    #[inline]
    pub(crate) fn count<T>(&mut self, f: impl FnOnce() -> T) -> T {
        self.swap();
        let _lent = Lent(self);
        f()
    }

    /// Swaps the count with that of the thread.
    #[inline]
    fn swap(&mut self) {
        let before = CURRENT.replace(self.0.take().map(ManuallyDrop::new));
        self.0 = before.map(ManuallyDrop::into_inner);
    }

    /// Another counter of the same count.
    #[cfg(feature = "tokio")]
    pub(crate) fn another(&self) -> Self {
        Self(self.0.clone())
    }

    /// A future that is polled as [`count`](Self::count) runs, on whatever thread.
    #[cfg(feature = "tokio")]
    pub(crate) fn counting<F: Future>(self, future: F) -> Counting<F> {
        Counting { counter: self, future }
    }
}

/// Takes a count back from the thread, after a panic too. Meanwhile its counter holds the
/// one that the thread had before.
struct Lent<'a>(&'a mut WaitingCounter);

impl Drop for Lent<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.swap();
    }
}

/// The future of [`WaitingCounter::counting`].
#[cfg(feature = "tokio")]
#[pin_project::pin_project]
pub(crate) struct Counting<F> {
    counter: WaitingCounter,
    #[pin]
    future: F,
}

#[cfg(feature = "tokio")]
impl<F: Future> Future for Counting<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.counter.count(|| this.future.poll(cx))
    }
}

/// Counts as one until it is dropped, on whatever thread, in the count that was lent to the
/// thread when it began; nowhere if there was none.
#[derive(Debug)]
#[must_use = "it counts until it is dropped"]
pub(crate) struct Waiting(Option<WaitingCount>);

impl Waiting {
    /// Begins to wait.
    pub(crate) fn begin() -> Self {
        let current = CURRENT.take();
        CURRENT.set(current.clone());
        Self::in_count(current.map(ManuallyDrop::into_inner))
    }

    fn in_count(count: Option<WaitingCount>) -> Self {
        if let Some(WaitingCount(count)) = &count {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Self(count)
    }
}

impl From<&WaitingCount> for Waiting {
    fn from(count: &WaitingCount) -> Self {
        Self::in_count(Some(count.clone()))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(WaitingCount(count)) = &self.0 {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::{Waiting, WaitingCount};

    #[test]
    fn what_waits_counts_until_it_is_dropped() {
        let count = WaitingCount::default();
        let [one, other] = count.counter().count(|| [Waiting::begin(), Waiting::begin()]);
        assert_eq!(count.get(), 2);
        drop(one);
        assert_eq!(count.get(), 1);
        std::thread::spawn(move || drop(other)).join().unwrap();
        assert_eq!(count.get(), 0);
    }

    #[test]
    fn the_innermost_counter_counts_and_then_the_outer_one_again() {
        let [outer, inner] = [WaitingCount::default(), WaitingCount::default()];
        let waiting = outer.counter().count(|| {
            let first = inner.counter().count(Waiting::begin);
            [first, Waiting::begin()]
        });
        assert_eq!([outer.get(), inner.get()], [1, 1]);
        drop(waiting);
        assert_eq!([outer.get(), inner.get()], [0, 0]);
    }

    #[test]
    fn a_panic_gives_the_count_back_and_brings_the_outer_one_back() {
        let [outer, inner] = [WaitingCount::default(), WaitingCount::default()];
        let mut within = inner.counter();
        outer.counter().count(|| {
            catch_unwind(AssertUnwindSafe(|| within.count(|| panic!("within")))).unwrap_err();
            let _waiting = Waiting::begin();
            assert_eq!([outer.get(), inner.get()], [1, 0]);
        });
        let _waiting = within.count(Waiting::begin);
        assert_eq!([outer.get(), inner.get()], [0, 1]);
    }

    #[test]
    fn without_a_counter_nothing_counts() {
        let count = WaitingCount::default();
        count.counter().count(|| ());
        let _waiting = Waiting::begin();
        assert_eq!(count.get(), 0);
    }
}
