use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::redaction::redact;
use crate::error::{Error, ErrorKind};

/// Provides the secret that requests carry: an access token or an API key.
///
/// Use it for a secret that changes while a reading runs, such as an OAuth token. It is
/// called before the first request, and again each time the service answers 401. Then
/// the request is sent once more, with the new secret. A second 401 is an error. If
/// several requests get a 401 at the same time, it is called once.
///
/// A closure is a provider:
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
    /// file, is left out. Do not return an older one from a cache: this is called
    /// because the service no longer accepts it.
    ///
    /// # Errors
    ///
    /// The reason why there is no secret. The stream tries again if the error is
    /// [retryable](Error::with_retryable). Otherwise it ends with this error.
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

/// The secrets of an endpoint: the current one and the one before.
pub(super) struct Keyring {
    /// `None` if there is only one secret.
    provider: Option<Arc<dyn Credentials>>,
    keys: Mutex<Keys>,
    /// Locked while the provider is called.
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
    pub(super) fn fixed(secret: &SecretString) -> Result<Self, Error> {
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

    /// Another key for a request whose key was rejected; `None` if there is no other.
    pub(super) async fn other_than(&self, rejected: &Key) -> Option<Result<Key, Error>> {
        self.provider.as_ref()?;
        Some(self.ask(Some(rejected)).await)
    }

    /// Calls the provider, unless another request has done so in the meantime.
    async fn ask(&self, rejected: Option<&Key>) -> Result<Key, Error> {
        let _asking = self.asking.lock().await;
        let current = self.lock().current.clone();
        if let Some(key) = current.filter(|key| rejected.is_none_or(|rejected| !key.is(rejected))) {
            return Ok(key);
        }
        let Some(provider) = &self.provider else {
            return Err(invalid_secret("there is none"));
        };
        let key = Key::new(&provider.secret().await?)?;
        let mut keys = self.lock();
        keys.former = keys.current.replace(key.clone());
        Ok(key)
    }

    /// The text without the current secret and the one before.
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
    fn new(secret: &SecretString) -> Result<Self, Error> {
        // One that comes from a file ends with a line break.
        let trimmed = secret.expose_secret().trim();
        if trimmed.is_empty() {
            return Err(invalid_secret("it is empty"));
        }
        let secret = SecretString::from(trimmed);
        // Its memory is wiped when the last header that shares it is dropped.
        let bearer = Zeroizing::new(format!("Bearer {}", secret.expose_secret()));
        let bearer = Bytes::from_owner(Wiped(bearer));
        let mut bearer = HeaderValue::from_maybe_shared(bearer)
            .map_err(|_| invalid_secret("it contains a character that a header can't carry"))?;
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

fn invalid_secret(why: &str) -> Error {
    let message =
        format!("invalid secret: {why}; give another one to the builder or in its `Credentials`");
    Error::new(ErrorKind::Configuration, message)
}
