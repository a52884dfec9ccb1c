use std::{
    collections::HashMap,
    fmt::{self, Debug, Formatter},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use pagestream::{Error, ErrorKind, RateLimiter, SecretString};

/// What a process has and a plan does not: credentials, and the budgets of requests.
///
/// A connector travels by its name and its spec. Whoever reads a part asks its own environment
/// for the credentials that the connector names. A clone shares the budgets.
///
/// ```
/// use std::time::Duration;
/// use pagestream::ExposeSecret;
/// use pagestream_datafusion::Environment;
///
/// // HubSpot allows 19 requests in a second, and two executors share them.
/// let environment = Environment::new()
///     .with_secret("HUBSPOT_TOKEN", "pat-na1-...")
///     .executors(2)
///     .with_rate_limit("hubspot", 19, Duration::from_secs(1))?;
///
/// assert_eq!(environment.secret("HUBSPOT_TOKEN")?.expose_secret(), "pat-na1-...");
/// assert!(!format!("{environment:?}").contains("pat-na1"));
/// # Ok::<(), pagestream::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    secrets: HashMap<String, SecretString>,
    limiters: HashMap<String, RateLimiter>,
    executors: Option<NonZeroU32>,
    /// For what is not among the secrets.
    provider: Option<Arc<Provider>>,
}

type Provider = dyn Fn(&str) -> Option<SecretString> + Send + Sync;

impl Environment {
    /// An environment whose secrets are the variables of the process, unless
    /// [`with_secret`](Self::with_secret) or [`with_secrets`](Self::with_secrets) says
    /// otherwise.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret.
    #[must_use]
    pub fn with_secret(mut self, name: impl Into<String>, secret: impl Into<String>) -> Self {
        self.secrets.insert(name.into(), secret.into().into());
        self
    }

    /// Where secrets come from that [`with_secret`](Self::with_secret) does not give, in place
    /// of the variables of the process. It is called with the name each time.
    #[must_use]
    pub fn with_secrets(
        mut self,
        provider: impl Fn(&str) -> Option<SecretString> + Send + Sync + 'static,
    ) -> Self {
        self.provider = Some(Arc::new(provider));
        self
    }

    /// How many executors share each budget that is added after this: 1 by default.
    #[must_use]
    pub fn executors(mut self, executors: u32) -> Self {
        self.executors = NonZeroU32::new(executors);
        self
    }

    /// Adds a budget: so many requests per time, for all parts of all tables of this process
    /// that ask for this name. Each of several [`executors`](Self::executors) takes an equal
    /// share.
    ///
    /// # Errors
    ///
    /// As [`RateLimiter::new`].
    pub fn with_rate_limit(
        mut self,
        name: impl Into<String>,
        requests: u32,
        per: Duration,
    ) -> Result<Self, Error> {
        let executors = self.executors.map_or(1, NonZeroU32::get);
        let limiter = match requests / executors {
            // Each of them makes one request, in turn.
            0 if requests > 0 => {
                RateLimiter::new(1, per.saturating_mul(executors.div_ceil(requests)))?
            }
            share => RateLimiter::new(share, per)?,
        };
        self.limiters.insert(name.into(), limiter);
        Ok(self)
    }

    /// The secret of this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if there is none.
    pub fn secret(&self, name: &str) -> Result<SecretString, Error> {
        let given = || self.secrets.get(name).cloned();
        let found = given().or_else(|| match &self.provider {
            Some(provider) => provider(name),
            None => std::env::var(name).ok().map(Into::into),
        });
        found.ok_or_else(|| {
            let message = format!(
                "no secret {name:?} in this process: set the variable of this name, or call \
                 `Environment::with_secret`"
            );
            Error::new(ErrorKind::Configuration, message)
        })
    }

    /// The budget of this name. [`RateLimiter::limit`] puts it around a transport.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if there is none.
    pub fn rate_limiter(&self, name: &str) -> Result<RateLimiter, Error> {
        self.limiters.get(name).cloned().ok_or_else(|| {
            let message = format!(
                "no rate limit {name:?} in this process: call `Environment::with_rate_limit`"
            );
            Error::new(ErrorKind::Configuration, message)
        })
    }
}

impl Debug for Environment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("secrets", &self.secrets.keys())
            .field("rate_limits", &self.limiters)
            .field("executors", &self.executors)
            .finish_non_exhaustive()
    }
}
