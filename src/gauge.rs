//! How many requests of a reader wait for their turn. A layer far below counts
//! them, and the reader above reads the count; neither knows the other.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
#[cfg(feature = "tokio")]
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Whether anything can wait. Without a limiter in the process nobody needs to look.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// Says that something can wait from now on.
pub(crate) fn put_in_use() {
    IN_USE.store(true, Ordering::Relaxed);
}

thread_local! {
    static CURRENT: RefCell<Option<Gauge>> = const { RefCell::new(None) };
}

/// A count of what waits. Clones are the same gauge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge(Arc<AtomicUsize>);

impl Gauge {
    /// Runs `f`; what begins to wait meanwhile on this thread counts here. Of
    /// gauges within each other, the innermost counts.
    pub(crate) fn observe<T>(&self, f: impl FnOnce() -> T) -> T {
        if !IN_USE.load(Ordering::Relaxed) {
            return f();
        }
        let _former = Former(CURRENT.replace(Some(self.clone())));
        f()
    }

    /// The gauge that counts on this thread now; one that nobody reads if none does.
    #[cfg(feature = "tokio")]
    pub(crate) fn current() -> Self {
        CURRENT.with_borrow(|gauge| gauge.clone().unwrap_or_default())
    }

    /// A future that is polled as [`observe`](Gauge::observe) runs, on whatever thread.
    #[cfg(feature = "tokio")]
    pub(crate) fn observing<F: Future>(self, future: F) -> Observing<F> {
        Observing { gauge: self, future }
    }

    /// How many wait now.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The future of [`Gauge::observing`].
#[cfg(feature = "tokio")]
#[pin_project::pin_project]
pub(crate) struct Observing<F> {
    gauge: Gauge,
    #[pin]
    future: F,
}

#[cfg(feature = "tokio")]
impl<F: Future> Future for Observing<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.gauge.observe(|| this.future.poll(cx))
    }
}

/// Brings the former gauge back, after a panic too.
struct Former(Option<Gauge>);

impl Drop for Former {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Counts as one until it is dropped, on whatever thread, in the gauge that was
/// current when it began; nowhere if there was none.
#[derive(Debug)]
#[must_use = "it counts until it is dropped"]
pub(crate) struct Waiting(Option<Gauge>);

impl Waiting {
    pub(crate) fn begin() -> Self {
        let gauge = CURRENT.with_borrow(Clone::clone);
        if let Some(Gauge(count)) = &gauge {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Self(gauge)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(Gauge(count)) = &self.0 {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::{Gauge, Waiting, put_in_use};

    #[test]
    fn what_waits_counts_until_it_is_dropped() {
        put_in_use();
        let gauge = Gauge::default();
        let [one, other] = gauge.observe(|| [Waiting::begin(), Waiting::begin()]);
        assert_eq!(gauge.count(), 2);
        drop(one);
        assert_eq!(gauge.count(), 1);
        std::thread::spawn(move || drop(other)).join().unwrap();
        assert_eq!(gauge.count(), 0);
    }

    #[test]
    fn the_innermost_gauge_counts_and_then_the_former_again() {
        put_in_use();
        let [outer, inner] = [Gauge::default(), Gauge::default()];
        let waiting = outer.observe(|| {
            let first = inner.observe(Waiting::begin);
            [first, Waiting::begin()]
        });
        assert_eq!([outer.count(), inner.count()], [1, 1]);
        drop(waiting);
        assert_eq!([outer.count(), inner.count()], [0, 0]);
    }

    #[test]
    fn a_panic_brings_the_former_gauge_back() {
        put_in_use();
        let [outer, inner] = [Gauge::default(), Gauge::default()];
        outer.observe(|| {
            catch_unwind(|| inner.observe(|| panic!("within"))).unwrap_err();
            let _waiting = Waiting::begin();
            assert_eq!([outer.count(), inner.count()], [1, 0]);
        });
    }

    #[test]
    fn without_a_gauge_nothing_counts() {
        put_in_use();
        let gauge = Gauge::default();
        gauge.observe(|| ());
        let _waiting = Waiting::begin();
        assert_eq!(gauge.count(), 0);
    }
}
