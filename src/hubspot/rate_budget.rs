use std::{num::NonZeroU32, time::Duration};

use crate::transport::RateLimiter;

/// How many requests HubSpot allows an app in one account, as its "API usage
/// guidelines and limits" have it. The daily limit is not among these.
///
/// ```
/// use pagestream::hubspot::{Associations, RateBudget};
/// # let transport = pagestream::testing::HubSpot::new(7);
///
/// let limiter = RateBudget::Professional.limiter();
/// let companies = Associations::builder("deals", "companies")
///     .ids([1_u64, 2, 3])
///     .token("a-test-token")
///     .transport(limiter.limit(transport)) // and for others the same limiter
///     .build()?;
/// # Ok::<(), pagestream::Error>(())
/// ```
///
/// Where HubSpot granted more, [`RateLimiter::new`] takes any numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RateBudget {
    /// A private app, account Free or Starter: 100 requests in 10 seconds.
    Free,
    /// A private app, account Professional or Enterprise: 190 requests in 10 seconds.
    Professional,
    /// An app with OAuth, for each account that installed it: 110 requests in 10
    /// seconds.
    OAuth,
    /// The search of the CRM: 5 requests in a second, for all apps of an account
    /// together. They count against the budget of the app too.
    Search,
}

impl RateBudget {
    /// A new limiter of this budget. Clone it, so that all who spend the budget
    /// share it.
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
