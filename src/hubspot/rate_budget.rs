use std::{num::NonZeroU32, time::Duration};

use crate::transport::RateLimiter;

/// How many requests HubSpot allows an app in one account, from its "API usage
/// guidelines and limits".
///
/// Use it where several paginators read one account. It does not contain the daily
/// limit.
///
/// ```
/// use pagestream::hubspot::{Associations, RateBudget};
/// # let transport = pagestream::testing::HubSpot::new(7);
///
/// let limiter = RateBudget::Professional.limiter();
/// let companies = Associations::builder("deals", "companies")
///     .ids([1_u64, 2, 3])
///     .token("a-test-token")
///     .transport(limiter.limit(transport)) // share the limiter with other paginators
///     .build()?;
/// # Ok::<(), pagestream::Error>(())
/// ```
///
/// If HubSpot granted you more, use [`RateLimiter::new`] with your own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RateBudget {
    /// A private app in a Free or Starter account: 100 requests in 10 seconds.
    Free,
    /// A private app in a Professional or Enterprise account: 190 requests in 10
    /// seconds.
    Professional,
    /// An app with OAuth, for each account that installed it: 110 requests in 10
    /// seconds.
    OAuth,
    /// The CRM search: 5 requests in a second for all apps of an account together.
    /// They count in the budget of the app too. [`Search`](super::Search#rate-limit) shows how
    /// both are kept.
    Search,
}

impl RateBudget {
    /// A new limiter with this budget. Give clones of it to all that spend the budget.
    #[must_use]
    pub fn limiter(self) -> RateLimiter {
        let (requests, seconds) = match self {
            Self::Free => (const { NonZeroU32::new(100).unwrap() }, 10),
            Self::Professional => (const { NonZeroU32::new(190).unwrap() }, 10),
            Self::OAuth => (const { NonZeroU32::new(110).unwrap() }, 10),
            Self::Search => (const { NonZeroU32::new(5).unwrap() }, 1),
        };
        RateLimiter::of(requests, Duration::from_secs(seconds))
    }
}
