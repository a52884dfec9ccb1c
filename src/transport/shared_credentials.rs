use std::{
    any::Any,
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::{credentials::Credentials, keyring::Keyring};
use crate::error::Error;

/// Credentials that several readings share, for one account.
///
/// Give clones of it to the builders. The provider is then asked once for all requests of
/// all of them, and one new secret serves all. Without it each reading asks for itself. Where
/// a new secret ends the one before, as with refresh tokens that rotate, they would end each
/// other's.
///
/// A paginator of your own can use it too: send the [`secret`](Credentials::secret), and after
/// a 401 the one that [`renew`](Credentials::renew) gives.
///
/// ```
/// use pagestream::{Error, SecretString, SharedCredentials, hubspot::Associations};
///
/// let credentials = SharedCredentials::new(|| async {
///     Ok::<_, Error>(SecretString::from("pat-na1-...")) // your OAuth client
/// });
/// let associations = |to: &str| {
///     let builder = Associations::builder("deals", to).ids([1, 2, 3]);
///     builder.credentials(credentials.clone())
/// };
/// let (companies, contacts) = (associations("companies"), associations("contacts"));
/// # let _ = (companies, contacts);
/// ```
#[derive(Clone)]
pub struct SharedCredentials(Arc<Keyring>);

impl SharedCredentials {
    /// Shares a provider. One that is shared already stays as it is.
    pub fn new(provider: impl Credentials + 'static) -> Self {
        match (&provider as &dyn Any).downcast_ref::<Self>() {
            Some(shared) => shared.clone(),
            None => Self(Arc::new(Keyring::provided(Arc::new(provider)))),
        }
    }

    pub(super) fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.0)
    }
}

#[async_trait]
impl Credentials for SharedCredentials {
    /// The secret that all share. The provider is asked if there is none yet, or if it is not
    /// [fresh](Credentials::is_fresh) any more.
    async fn secret(&self) -> Result<SecretString, Error> {
        Ok(self.0.key().await?.secret())
    }

    /// The secret that all share, if it is another one already. Otherwise the provider is
    /// asked.
    async fn renew(&self, refused: &SecretString) -> Result<SecretString, Error> {
        let current = self.0.key().await?;
        if !current.is(refused.expose_secret()) {
            return Ok(current.secret());
        }
        Ok(self.0.other_than(&current).await?.secret())
    }

    fn is_fresh(&self, secret: &SecretString) -> bool {
        self.0.is_fresh(secret)
    }
}

impl Debug for SharedCredentials {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedCredentials").finish_non_exhaustive()
    }
}
