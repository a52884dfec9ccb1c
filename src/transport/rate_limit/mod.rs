//! A budget of requests that the paginators of one account share.

mod pacing;
mod queue;
mod remaining;
#[cfg(test)]
mod tests;

use std::{
    fmt::{self, Debug, Formatter},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use governor::{
    Quota,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use http::{Request, Response, StatusCode};

use self::{pacing::Pacing, queue::Queue, remaining::Remaining};
use super::{Transport, retry_after};
use crate::{
    clock,
    error::{Error, ErrorKind},
    waiting_count::{Waiting, WaitingCount},
};

/// The longest time of a budget.
const LONGEST_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Limits requests to what a service allows. Use one limiter for all paginators of an
/// account: a clone shares the budget.
///
/// ```
/// use std::time::Duration;
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, RateLimiter, hubspot::Associations, testing::HubSpot};
///
/// # futures::executor::block_on(async {
/// let service = HubSpot::new(7).objects(3);
/// let limiter = RateLimiter::new(100, Duration::from_secs(10))?;
/// let companies = Associations::builder("deals", "companies")
///     .ids(service.ids())
///     .token("a-test-token")
///     .transport(limiter.limit(service.clone()))
///     .build()?;
/// let contacts = Associations::builder("deals", "contacts")
///     .ids(service.ids())
///     .token("a-test-token")
///     .transport(limiter.limit(service.clone()))
///     .build()?;
///
/// // Both spend the same 100 requests per 10 seconds.
/// let (companies, contacts) = futures::try_join!(
///     companies.records().try_collect::<Vec<_>>(),
///     contacts.records().try_collect::<Vec<_>>(),
/// )?;
/// assert_eq!(companies.len() + contacts.len(), 12);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
///
/// # What it promises
///
/// - In any window of the given time, at most the given number of requests start. It
///   does not matter when the window begins. A tenth of them, and at least one, may
///   start at the same time. The others start evenly over the time. So with 100 per 10
///   seconds, 10 start at the same time, and then one each 110 milliseconds.
/// - The request that came first starts first, if it is polled when its turn comes. A
///   stream that nobody polls delays no other.
/// - A request that is dropped while it waits spends nothing of the budget.
///
/// # What it learns from the service
///
/// - **How many requests remain.** A response may tell it in one of these pairs of
///   headers:
///   - `X-HubSpot-RateLimit-Remaining` and `X-HubSpot-RateLimit-Interval-Milliseconds`,
///   - `RateLimit-Remaining` and `RateLimit-Reset`, in seconds,
///   - `X-RateLimit-Remaining` and `X-RateLimit-Reset`, in seconds.
///
///   If less than a fifth remains, the remaining requests are spread evenly over the
///   interval. If none remains, requests wait until the interval is over. A fifth is
///   counted of the service's own maximum, or else of the given number of requests. So
///   a single reading uses about four fifths of what such a service allows.
/// - **`429` with `Retry-After`.** All requests of this limiter wait. After a `429`
///   without `Retry-After` nothing waits here. The stream that got it waits by itself.
///
/// No response makes requests wait for longer than 60 seconds. If a `Retry-After` is
/// longer, the caller decides what to do ([`Error::retry_after`]). A header that can't
/// be understood is ignored, and so is a reset that is a point in time.
#[derive(Clone)]
pub struct RateLimiter(Arc<Shared>);

struct Shared {
    requests: NonZeroU32,
    per: Duration,
    budget: governor::RateLimiter<NotKeyed, InMemoryState, Time, NoOpMiddleware<Instant>>,
    pacing: Mutex<Pacing>,
    queue: Queue,
    waiting: WaitingCount,
}

/// The clock of this crate.
#[derive(Clone)]
struct Time;

impl Clock for Time {
    type Instant = Instant;

    fn now(&self) -> Instant {
        clock::now()
    }
}

impl RateLimiter {
    /// A budget of so many requests per time. It is full at the beginning.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if the number of requests is 0, or if the time is 0
    /// or longer than a year.
    pub fn new(requests: u32, per: Duration) -> Result<Self, Error> {
        let timely = !per.is_zero() && per <= LONGEST_TIME;
        NonZeroU32::new(requests).filter(|_| timely).map(|it| Self::of(it, per)).ok_or_else(|| {
            let rule = "expected at least 1 request, and a time above 0 and up to a year";
            let message = format!("invalid rate limit of {requests} requests per {per:?}: {rule}");
            Error::new(ErrorKind::Configuration, message)
        })
    }

    pub(crate) fn of(requests: NonZeroU32, per: Duration) -> Self {
        // A burst of b with one more each t starts at most b + ⌈per / t⌉ - 1 in a
        // half-open window. That is all of them if t is per / (requests - b + 1),
        // rounded up.
        let burst = NonZeroU32::new(requests.get() / 10).unwrap_or(NonZeroU32::MIN);
        let evenly = u128::from(requests.get() - burst.get() + 1);
        let spacing = u64::try_from(per.as_nanos().div_ceil(evenly)).unwrap_or(u64::MAX);
        let quota = Quota::with_period(Duration::from_nanos(spacing))
            .unwrap_or(Quota::per_second(NonZeroU32::MAX))
            .allow_burst(burst);
        Self(Arc::new(Shared {
            requests,
            per,
            budget: governor::RateLimiter::direct_with_clock(quota, Time),
            pacing: Mutex::default(),
            queue: Queue::default(),
            waiting: WaitingCount::default(),
        }))
    }

    /// A transport whose requests spend this budget.
    pub fn limit<T: Transport>(&self, transport: T) -> RateLimited<T> {
        RateLimited { limiter: self.clone(), transport }
    }

    /// How many requests wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting.get()
    }

    /// Waits until a request may start, and spends it. Nothing is spent before the wait
    /// is over, so a request that is dropped while it waits spends nothing.
    async fn turn(&self) {
        let entry = self.0.queue.join();
        let mut waiting = None;
        let wait = || (Waiting::from(&self.0.waiting), Waiting::begin());
        loop {
            if !entry.is_first() {
                waiting.get_or_insert_with(wait);
                entry.yield_once().await;
            }
            let Err(until) = self.start() else { return entry.overtake() };
            waiting.get_or_insert_with(wait);
            entry.wait_again();
            clock::sleep_until(until).await;
        }
    }

    /// Starts a request, or returns when to try again.
    fn start(&self) -> Result<(), Instant> {
        self.with_pacing(|pacing, now| {
            pacing.holds(now).map_or(Ok(()), Err)?;
            self.0.budget.check().map_err(|not| not.earliest_possible())?;
            pacing.started(now);
            Ok(())
        })
    }

    /// Updates the pacing from a response.
    fn observe(&self, response: &Response<Bytes>) {
        let headers = response.headers();
        let limited = response.status() == StatusCode::TOO_MANY_REQUESTS;
        let wait = if limited { retry_after(headers) } else { None };
        let remaining = Remaining::of(headers);
        self.with_pacing(|pacing, now| {
            if let Some(wait) = wait {
                pacing.hold(now, wait);
            }
            if let Some(remaining) = remaining {
                pacing.spread(now, remaining, self.0.requests.get());
            }
        });
    }

    fn with_pacing<T>(&self, f: impl FnOnce(&mut Pacing, Instant) -> T) -> T {
        let mut pacing = self.0.pacing.lock().unwrap_or_else(PoisonError::into_inner);
        f(&mut pacing, clock::now())
    }
}

impl Debug for RateLimiter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("requests", &self.0.requests)
            .field("per", &self.0.per)
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

/// A transport whose requests wait for their turn: [`RateLimiter::limit`].
#[derive(Clone, Debug)]
pub struct RateLimited<T> {
    limiter: RateLimiter,
    transport: T,
}

#[async_trait]
impl<T: Transport> Transport for RateLimited<T> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        self.limiter.turn().await;
        let response = self.transport.send(request).await?;
        self.limiter.observe(&response);
        Ok(response)
    }
}
