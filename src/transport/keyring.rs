//! The secrets of an account, and how the provider is asked for another one.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::{credentials::Credentials, redaction::redact};
use crate::{
    clock,
    error::{Error, ErrorKind},
};

/// How long a new secret may be unknown to a part of the service.
const SPREADS: Duration = Duration::from_secs(10);

/// How long to wait before a request is sent again with a new secret; then twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// How many secrets a request tries.
const MOST_KEYS: u32 = 4;

/// How many former secrets are known, to remove them from texts.
const FORMER: usize = 4;

/// The secrets of an account: the current one and those before.
pub(super) struct Keyring {
    /// `None` if there is only one secret.
    provider: Option<Arc<dyn Credentials>>,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    current: Option<Arc<Key>>,
    /// The latest is first.
    former: Vec<Arc<Key>>,
    /// The call of the provider, which all wait for that need another secret. Each of them
    /// can drive it, so one that nobody polls holds up no other. It is dropped with the last.
    exchange: Option<WeakShared<Exchange>>,
}

type Exchange = BoxFuture<'static, Result<Arc<Key>, Failed>>;

/// A secret, and the header that carries it.
pub(super) struct Key {
    secret: SecretString,
    pub(super) bearer: HeaderValue,
    /// When the provider gave it in place of another one.
    renewed: Option<Instant>,
    /// Whether the service took it once.
    is_accepted: AtomicBool,
}

/// What the provider is asked for.
enum Wanted {
    First,
    /// One after a key that is not fresh any more.
    InPlaceOf(Arc<Key>),
    /// One after a key that the service refused.
    OtherThan(Arc<Key>),
}

impl Wanted {
    fn is_in_place_of(&self, key: &Arc<Key>) -> bool {
        match self {
            Self::First => false,
            Self::InPlaceOf(former) | Self::OtherThan(former) => Arc::ptr_eq(former, key),
        }
    }

    /// The key of the secret that the provider gave.
    fn key(&self, secret: &SecretString) -> Result<Arc<Key>, Error> {
        match self {
            Self::First => Key::new(secret, false).map(Arc::new),
            // It is as well known to the service as before.
            Self::InPlaceOf(former) if former.is(secret.expose_secret()) => Ok(Arc::clone(former)),
            Self::InPlaceOf(_) | Self::OtherThan(_) => Key::new(secret, true).map(Arc::new),
        }
    }
}

/// The 401s of one request.
#[derive(Default)]
pub(super) struct Refusals {
    keys: u32,
    waits: u32,
}

impl Keyring {
    pub(super) fn fixed(secret: &SecretString) -> Result<Self, Error> {
        let current = Some(Arc::new(Key::new(secret, false)?));
        Ok(Self { provider: None, keys: Mutex::new(Keys { current, ..Keys::default() }) })
    }

    pub(super) fn provided(provider: Arc<dyn Credentials>) -> Self {
        Self { provider: Some(provider), keys: Mutex::default() }
    }

    /// The key for a request.
    pub(super) async fn key(self: &Arc<Self>) -> Result<Arc<Key>, Error> {
        let current = self.lock().current.clone();
        match current {
            Some(key) if self.is_fresh(&key.secret) => Ok(key),
            Some(key) => self.ask(Wanted::InPlaceOf(key)).await,
            None => self.ask(Wanted::First).await,
        }
    }

    /// Whether the provider says that a secret can still be used.
    pub(super) fn is_fresh(&self, secret: &SecretString) -> bool {
        self.provider.as_ref().is_none_or(|provider| provider.is_fresh(secret))
    }

    /// Another key than one that was refused: the current one, or one of the provider.
    pub(super) async fn other_than(
        self: &Arc<Self>,
        refused: &Arc<Key>,
    ) -> Result<Arc<Key>, Error> {
        self.ask(Wanted::OtherThan(Arc::clone(refused))).await
    }

    /// The key to send a request with again that got a 401; `None` if there is none.
    ///
    /// A request whose secret was renewed for it waits until that one is known everywhere. So
    /// does one whose secret is new and was never accepted. Otherwise the secret is too old.
    pub(super) async fn after(
        self: &Arc<Self>,
        refused: &Arc<Key>,
        refusals: &mut Refusals,
    ) -> Option<Result<Arc<Key>, Error>> {
        self.provider.as_ref()?;
        let is_current = self.lock().current.as_ref().is_some_and(|it| Arc::ptr_eq(it, refused));
        let is_renewed = refusals.keys > 0;
        if is_current && (is_renewed || !refused.is_accepted.load(Ordering::Relaxed)) {
            let spread = refused.renewed.map(|renewed| clock::after(renewed, SPREADS));
            let left = spread.map(|spread| spread.saturating_duration_since(clock::now()));
            if let Some(left) = left.filter(|left| !left.is_zero()) {
                let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(refusals.waits));
                refusals.waits += 1;
                clock::sleep(wait.min(left)).await;
                return Some(Ok(Arc::clone(refused)));
            }
            if is_renewed {
                return None;
            }
        }
        refusals.keys += 1;
        (refusals.keys <= MOST_KEYS).then_some(())?;
        refusals.waits = 0;
        Some(self.other_than(refused).await)
    }

    /// Calls the provider, unless another request has done so in the meantime or does so.
    async fn ask(self: &Arc<Self>, wanted: Wanted) -> Result<Arc<Key>, Error> {
        let exchange = {
            let mut keys = self.lock();
            let is_other = |key: &&Arc<Key>| !wanted.is_in_place_of(key);
            if let Some(key) = keys.current.as_ref().filter(is_other) {
                return Ok(Arc::clone(key));
            }
            match keys.exchange.as_ref().and_then(WeakShared::upgrade) {
                Some(exchange) => exchange,
                None => self.begin(&mut keys, wanted)?,
            }
        };
        exchange.await.map_err(Failed::into_error)
    }

    fn begin(self: &Arc<Self>, keys: &mut Keys, wanted: Wanted) -> Result<Shared<Exchange>, Error> {
        let provider = self.provider.clone().ok_or_else(|| invalid_secret("there is none"))?;
        let keyring = Arc::clone(self);
        let exchange = async move {
            let asked = async {
                match &wanted {
                    Wanted::OtherThan(refused) => provider.renew(&refused.secret).await,
                    Wanted::First | Wanted::InPlaceOf(_) => provider.secret().await,
                }
            };
            // Otherwise all that wait would panic too, and so would each request after them.
            let asked = AssertUnwindSafe(asked).catch_unwind().await.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Contract, "the provider of the credentials panicked"))
            });
            let key = asked.and_then(|secret| wanted.key(&secret));
            let mut keys = keyring.lock();
            keys.exchange = None;
            let key = key.map_err(|error| Failed::new(error.of_credentials()))?;
            let former = keys.current.replace(Arc::clone(&key));
            if let Some(former) = former.filter(|former| !Arc::ptr_eq(former, &key)) {
                keys.former.insert(0, former);
                keys.former.truncate(FORMER);
            }
            Ok(key)
        };
        let exchange = exchange.boxed().shared();
        keys.exchange = exchange.downgrade();
        Ok(exchange)
    }

    /// The text without the current secret and those before.
    pub(super) fn redact(&self, text: &str) -> String {
        let keys = self.lock();
        let keys = keys.current.iter().chain(&keys.former);
        keys.fold(text.to_owned(), |text, key| redact(&text, key.secret.expose_secret()))
    }

    /// An error of an author without the secrets.
    pub(super) fn clean(&self, error: Error) -> Error {
        let keys = self.lock();
        let keys = keys.current.iter().chain(&keys.former).cloned().collect::<Vec<_>>();
        keys.iter().fold(error, |error, key| error.without_secret(key.secret.expose_secret()))
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn new(secret: &SecretString, is_renewed: bool) -> Result<Self, Error> {
        // One that comes from a file ends with a line break.
        let secret = secret.expose_secret().trim();
        if secret.is_empty() {
            return Err(invalid_secret("it is empty"));
        }
        Ok(Self {
            bearer: header("Bearer ", secret)?,
            secret: SecretString::from(secret),
            renewed: is_renewed.then(clock::now),
            is_accepted: AtomicBool::new(false),
        })
    }

    /// A header with the secret behind some text.
    pub(super) fn header(&self, before: &str) -> Result<HeaderValue, Error> {
        header(before, self.secret.expose_secret())
    }

    /// A request with it was not answered with a 401.
    pub(super) fn accepted(&self) {
        self.is_accepted.store(true, Ordering::Relaxed);
    }

    pub(super) fn secret(&self) -> SecretString {
        self.secret.clone()
    }

    /// Whether it is the key of this secret.
    pub(super) fn is(&self, secret: &str) -> bool {
        self.secret.expose_secret() == secret.trim()
    }
}

/// A header with a secret behind some text.
pub(crate) fn header(before: &str, secret: &str) -> Result<HeaderValue, Error> {
    let mut header = HeaderValue::from_maybe_shared(wiped(format!("{before}{secret}")))
        .map_err(|_| invalid_secret("it contains a character that a header can't carry"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// A text with a secret in it. Its memory is wiped when the last that shares it is dropped.
pub(crate) fn wiped(text: String) -> Bytes {
    Bytes::from_owner(Wiped(Zeroizing::new(text)))
}

struct Wiped(Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// An error of the provider, for all that waited. The first of them gets it as it is.
#[derive(Clone)]
struct Failed(Arc<(Mutex<Option<Error>>, Error)>);

impl Failed {
    fn new(error: Error) -> Self {
        let again = error.without_source();
        Self(Arc::new((Mutex::new(Some(error)), again)))
    }

    fn into_error(self) -> Error {
        let (first, again) = &*self.0;
        let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.unwrap_or_else(|| again.without_source())
    }
}

fn invalid_secret(why: &str) -> Error {
    let message =
        format!("invalid secret: {why}; give another one to the builder or in its `Credentials`");
    Error::new(ErrorKind::Configuration, message)
}
