use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::error::Error;

/// Provides the secret that requests carry: an access token or an API key.
///
/// Use it for a secret that changes while a reading runs. For the tokens of OAuth there is
/// [`http::OAuth`](crate::http::OAuth).
///
/// [`secret`](Credentials::secret) is called before the first request, and again before a
/// request for which the secret is not [fresh](Credentials::is_fresh) any more.
/// [`renew`](Credentials::renew) is called each time the service answers 401. Then the request
/// is sent again with the new secret. If several requests need another secret at the same
/// time, it is called once.
///
/// A new secret is not known everywhere at once. Up to 10 seconds after it came, a 401 is
/// waited out: the request is sent again after 0.5 s, 1 s, 2 s and so on. A 401 after that is
/// an error.
///
/// Readings of one account share a provider by a
/// [`SharedCredentials`](crate::SharedCredentials), and so do clones of one builder.
///
/// An error of the provider is never taken for one of the page: no id fails and no page gets
/// smaller because of it.
///
/// A [`SecretString`] shows its text to nobody who does not ask for it. A provider that needs
/// the text, such as that of the refused secret, imports [`ExposeSecret`](crate::ExposeSecret)
/// and calls `expose_secret`.
///
/// A closure is a provider, and is called for both:
///
/// ```
/// use pagestream::{Credentials, Error, SecretString};
///
/// let from_a_vault = || async { Ok::<_, Error>(SecretString::from("pat-na1-...")) };
/// # futures::executor::block_on(async {
/// assert_eq!(format!("{:?}", from_a_vault.secret().await?), "SecretBox<str>([REDACTED])");
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[async_trait]
pub trait Credentials: Send + Sync {
    /// The current secret. White space around it, such as the line break at the end of a
    /// file, is left out.
    ///
    /// # Errors
    ///
    /// The reason why there is no secret. The stream tries again if the error is
    /// [retryable](Error::with_retryable). Otherwise it ends with this error.
    async fn secret(&self) -> Result<SecretString, Error>;

    /// Another secret than the one that the service refused. By default it is
    /// [`secret`](Credentials::secret), which then must not return an older one from a cache.
    ///
    /// # Errors
    ///
    /// As of [`secret`](Credentials::secret).
    async fn renew(&self, refused: &SecretString) -> Result<SecretString, Error> {
        let _ = refused;
        self.secret().await
    }

    /// Whether a secret that this provider gave can still be used. It is asked before each
    /// request, so it must be quick. If it is not, [`secret`](Credentials::secret) is called
    /// before the request is sent, and what it gives is used.
    ///
    /// By default it is true: a secret is used until the service answers 401. A provider that
    /// knows when a secret expires saves that 401.
    fn is_fresh(&self, secret: &SecretString) -> bool {
        let _ = secret;
        true
    }
}

#[async_trait]
impl<F, Fut> Credentials for F
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Result<SecretString, Error>> + Send,
{
    async fn secret(&self) -> Result<SecretString, Error> {
        self().await
    }
}

#[async_trait]
impl<T: Credentials + ?Sized> Credentials for Arc<T> {
    async fn secret(&self) -> Result<SecretString, Error> {
        (**self).secret().await
    }

    async fn renew(&self, refused: &SecretString) -> Result<SecretString, Error> {
        (**self).renew(refused).await
    }

    fn is_fresh(&self, secret: &SecretString) -> bool {
        (**self).is_fresh(secret)
    }
}
