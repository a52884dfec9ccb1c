//! How often a page was asked for. The reading lends the count to the thread while it polls a
//! request, and the layer far below that sends the request counts in it; neither knows the other.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

thread_local! {
    /// The count of the page whose request is polled on this thread.
    static CURRENT: RefCell<Option<SendCount>> = const { RefCell::new(None) };
}

/// How many requests were sent for a page. Clones are the same count.
#[derive(Clone, Debug, Default)]
pub(crate) struct SendCount(Arc<AtomicU32>);

impl SendCount {
    /// Runs `f`; what is sent meanwhile on this thread counts here.
    pub(crate) fn count<T>(&self, f: impl FnOnce() -> T) -> T {
        let _lent = Lent(CURRENT.replace(Some(self.clone())));
        f()
    }

    /// Counts one that is sent now, and gives how many were sent for the page before. `None` where
    /// no page counts.
    #[cfg_attr(
        not(feature = "rest"),
        allow(dead_code, reason = "only the client of `http` sends requests")
    )]
    pub(crate) fn add_to_current() -> Option<u32> {
        CURRENT.with_borrow(|current| {
            current.as_ref().map(|SendCount(count)| count.fetch_add(1, Ordering::Relaxed))
        })
    }
}

/// Gives the thread back the count that it had before, after a panic too.
struct Lent(Option<SendCount>);

impl Drop for Lent {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}
