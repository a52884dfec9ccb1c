//! A budget of requests that the paginators of one account share.

mod brake;
mod line;
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

use self::{brake::Brake, line::Line, remaining::Remaining};
use super::{Transport, retry_after};
use crate::{
    clock,
    error::{Error, ErrorKind},
    waiting_count::{Waiting, WaitingCount},
};

/// A longer time to spend a budget in is refused.
const LONGEST_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Lets through as many requests as a service allows, and no more. The paginators
/// of one account share it: a clone is the same budget.
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
/// - In no window of the given time, wherever it begins, do more than the given
///   requests start. A tenth of them may start at once, at least one, and the rest
///   evenly over the time. So of 100 per 10 seconds 10 start at once, and then one
///   each 110 milliseconds.
/// - Who came first goes first, if it is polled when its turn comes. A stream that
///   nobody polls holds up no other.
/// - A request that is dropped while it waits takes nothing of the budget.
///
/// # What it hears from the service
///
/// - **What is left.** A response may say how many requests are left, in
///   `X-HubSpot-RateLimit-Remaining` with `-Interval-Milliseconds`, in
///   `RateLimit-Remaining` with `RateLimit-Reset` in seconds, or in the same with
///   `X-` in front. Where that is less than a fifth of what the service says there
///   are in all, or else of the given requests, what is left is spread evenly over
///   the interval; with none left, the interval is waited out. So a reading that
///   is alone uses about four fifths of what such a service allows.
/// - **`429` with `Retry-After`.** All wait who share the limiter. A `429` without
///   it holds nobody here; the stream that met it backs off by itself.
///
/// No response holds anyone for longer than 60 seconds. A longer `Retry-After` is
/// for the caller to judge ([`Error::retry_after`]). What can't be understood is
/// ignored, as is a reset that is a point in time.
#[derive(Clone)]
pub struct RateLimiter(Arc<Shared>);

struct Shared {
    requests: NonZeroU32,
    per: Duration,
    budget: governor::RateLimiter<NotKeyed, InMemoryState, Time, NoOpMiddleware<Instant>>,
    brake: Mutex<Brake>,
    line: Line,
    waiting: WaitingCount,
}

/// Time as the rest of the crate has it.
#[derive(Clone)]
struct Time;

impl Clock for Time {
    type Instant = Instant;

    fn now(&self) -> Instant {
        clock::now()
    }
}

impl RateLimiter {
    /// A budget of so many requests in each such time. It is full at first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if there are no requests, or if the time is
    /// nothing or longer than a year.
    pub fn new(requests: u32, per: Duration) -> Result<Self, Error> {
        let timely = !per.is_zero() && per <= LONGEST_TIME;
        NonZeroU32::new(requests).filter(|_| timely).map(|it| Self::of(it, per)).ok_or_else(|| {
            let rule = "give at least 1 request, and a time of more than nothing and up to a year";
            let message = format!("{requests} requests per {per:?} are no rate limit: {rule}");
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
            brake: Mutex::default(),
            line: Line::default(),
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

    /// Waits until a request may start, and spends it. Nothing is spent before
    /// the wait is over, so who is dropped while it waits takes nothing along.
    async fn turn(&self) {
        let place = self.0.line.join();
        let mut waiting = None;
        let wait = || (Waiting::from(&self.0.waiting), Waiting::begin());
        loop {
            if !place.is_first() {
                waiting.get_or_insert_with(wait);
                place.give_way().await;
            }
            let Err(until) = self.start() else { return place.advance() };
            waiting.get_or_insert_with(wait);
            place.stay();
            clock::sleep_until(until).await;
        }
    }

    /// Starts a request, or says when to try again.
    fn start(&self) -> Result<(), Instant> {
        self.with_brake(|brake, now| {
            brake.holds(now).map_or(Ok(()), Err)?;
            self.0.budget.check().map_err(|not| not.earliest_possible())?;
            brake.started(now);
            Ok(())
        })
    }

    /// Takes in what a response says about the budget.
    fn heed(&self, response: &Response<Bytes>) {
        let headers = response.headers();
        let limited = response.status() == StatusCode::TOO_MANY_REQUESTS;
        let wait = if limited { retry_after(headers) } else { None };
        let left = Remaining::of(headers);
        self.with_brake(|brake, now| {
            if let Some(wait) = wait {
                brake.hold(now, wait);
            }
            if let Some(left) = left {
                brake.heed(now, left, self.0.requests.get());
            }
        });
    }

    fn with_brake<T>(&self, f: impl FnOnce(&mut Brake, Instant) -> T) -> T {
        let mut brake = self.0.brake.lock().unwrap_or_else(PoisonError::into_inner);
        f(&mut brake, clock::now())
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
        self.limiter.heed(&response);
        Ok(response)
    }
}
