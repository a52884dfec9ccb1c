use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::redaction::redact;
use crate::error::{Error, ErrorKind};

/// Gives the secret that requests carry: an access token or an API key.
///
/// It is asked before the first request, and again each time the service answers
/// 401: with a new secret that request is made once more, and a second 401 is the
/// error. Requests that meet a 401 together ask once. A closure is a provider:
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
    /// The secret as it is now. Do not give one from before that has expired: it
    /// is asked for because the service refused that one.
    ///
    /// # Errors
    ///
    /// Why there is none. The stream tries again if the error
    /// [says so](Error::with_retryable), and gives it out otherwise.
    async fn secret(&self) -> Result<SecretString, Error>;
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

/// The secrets of an endpoint: the one that requests carry now, and the one before.
pub(super) struct Keyring {
    /// None where the first secret is the only one.
    provider: Option<Arc<dyn Credentials>>,
    keys: Mutex<Keys>,
    /// Held by the one who asks the provider.
    asking: futures::lock::Mutex<()>,
}

#[derive(Default)]
struct Keys {
    current: Option<Key>,
    former: Option<Key>,
}

/// A secret, and the header that carries it.
#[derive(Clone)]
pub(super) struct Key {
    secret: Arc<SecretString>,
    pub(super) bearer: HeaderValue,
}

impl Keyring {
    pub(super) fn fixed(secret: SecretString) -> Result<Self, Error> {
        let keys = Keys { current: Some(Key::new(secret)?), former: None };
        Ok(Self { provider: None, keys: Mutex::new(keys), asking: futures::lock::Mutex::default() })
    }

    pub(super) fn provided(provider: Arc<dyn Credentials>) -> Self {
        Self {
            provider: Some(provider),
            keys: Mutex::default(),
            asking: futures::lock::Mutex::default(),
        }
    }

    /// The key for a request.
    pub(super) async fn key(&self) -> Result<Key, Error> {
        let current = self.lock().current.clone();
        match current {
            Some(key) => Ok(key),
            None => self.ask(None).await,
        }
    }

    /// The key for a request whose last one was refused; `None` if there is no other.
    pub(super) async fn other_than(&self, refused: &Key) -> Option<Result<Key, Error>> {
        self.provider.as_ref()?;
        Some(self.ask(Some(refused)).await)
    }

    /// Asks the provider, unless another request has done so meanwhile.
    async fn ask(&self, refused: Option<&Key>) -> Result<Key, Error> {
        let _asking = self.asking.lock().await;
        let current = self.lock().current.clone();
        if let Some(key) = current.filter(|key| refused.is_none_or(|refused| !key.is(refused))) {
            return Ok(key);
        }
        let Some(provider) = &self.provider else {
            return Err(refused_secret("there is no secret"));
        };
        let key = Key::new(provider.secret().await?)?;
        let mut keys = self.lock();
        keys.former = keys.current.replace(key.clone());
        Ok(key)
    }

    /// A text without any secret that requests carried lately.
    pub(super) fn redact(&self, text: &str) -> String {
        let keys = self.lock();
        let keys = [&keys.current, &keys.former].into_iter().flatten();
        keys.fold(text.to_owned(), |text, key| redact(&text, key.secret.expose_secret()))
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn new(secret: SecretString) -> Result<Self, Error> {
        if secret.expose_secret().is_empty() {
            return Err(refused_secret("the secret is empty"));
        }
        // Wiped when the last header that shares it is dropped.
        let bearer = Zeroizing::new(format!("Bearer {}", secret.expose_secret()));
        let bearer = Bytes::from_owner(Wiped(bearer));
        let mut bearer = HeaderValue::from_maybe_shared(bearer)
            .map_err(|_| refused_secret("the secret holds a character that no header can carry"))?;
        bearer.set_sensitive(true);
        Ok(Self { secret: Arc::new(secret), bearer })
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.secret, &other.secret)
    }
}

struct Wiped(Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn refused_secret(message: &'static str) -> Error {
    let message = format!("{message}: give another to the builder, or by its provider");
    Error::new(ErrorKind::Configuration, message)
}
