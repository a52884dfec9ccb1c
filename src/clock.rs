//! Time on any executor: tokio's inside of its runtime, and so virtual in tests;
//! elsewhere that of the system, and a helper thread that wakes.

#[cfg(feature = "tokio")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

pub(crate) fn now() -> Instant {
    #[cfg(feature = "tokio")]
    return tokio::time::Instant::now().into_std();
    #[cfg(not(feature = "tokio"))]
    return Instant::now();
}

/// Waits until an instant.
pub(crate) fn sleep_until(until: Instant) -> Sleep {
    #[cfg(feature = "tokio")]
    if tokio::runtime::Handle::try_current().is_ok()
        // A runtime without time has no other way to say so than a panic.
        && let Ok(sleep) = catch_unwind(|| tokio::time::sleep_until(until.into()))
    {
        return Sleep::Tokio(Box::pin(sleep));
    }
    on_thread(until)
}

/// Waits without a runtime.
fn on_thread(until: Instant) -> Sleep {
    Sleep::Thread(futures_timer::Delay::new(until.saturating_duration_since(now())))
}

/// Waits for a while; one beyond all bounds is a year.
#[allow(dead_code, reason = "what waits with it may be switched off")]
pub(crate) fn sleep(duration: Duration) -> Sleep {
    sleep_until(after(now(), duration))
}

/// An instant some time after another; one beyond all bounds is a year after.
pub(crate) fn after(instant: Instant, duration: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    instant + duration.min(YEAR)
}

/// A wait: [`sleep_until`].
#[derive(Debug)]
pub(crate) enum Sleep {
    #[cfg(feature = "tokio")]
    Tokio(Pin<Box<tokio::time::Sleep>>),
    Thread(futures_timer::Delay),
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        #[cfg(feature = "tokio")]
        if let Self::Tokio(sleep) = &mut *self {
            // A runtime that was shut down has no other way to say so than a panic.
            match catch_unwind(AssertUnwindSafe(|| sleep.as_mut().poll(cx))) {
                Ok(polled) => return polled,
                Err(_) => *self = on_thread(sleep.deadline().into_std()),
            }
        }
        match &mut *self {
            #[cfg(feature = "tokio")]
            Self::Tokio(_) => Poll::Pending,
            Self::Thread(delay) => Pin::new(delay).poll(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_beyond_all_bounds_is_a_year() {
        let (start, year) = (now(), Duration::from_secs(31_536_000));
        let less = Duration::from_secs(31_535_999);
        assert_eq!(after(start, Duration::MAX), start + year);
        assert_eq!(after(start, year + year), start + year);
        assert_eq!(after(start, less), start + less);
    }
}
