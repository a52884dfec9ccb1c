//! Time on any executor: tokio's inside of its runtime, and so virtual in tests;
//! elsewhere that of the system, and a helper thread that wakes.

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
    if tokio::runtime::Handle::try_current().is_ok() {
        return Sleep::Tokio(Box::pin(tokio::time::sleep_until(until.into())));
    }
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
        match &mut *self {
            #[cfg(feature = "tokio")]
            Self::Tokio(sleep) => sleep.as_mut().poll(cx),
            Self::Thread(delay) => Pin::new(delay).poll(cx),
        }
    }
}
