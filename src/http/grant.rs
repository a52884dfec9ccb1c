//! How OAuth's tokens are asked for, kept and replaced: one exchange at a time.

use std::{
    cmp::Reverse,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture, lock::Mutex as AsyncMutex};
use http::{
    HeaderValue, Method, Request, Response, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use serde_json::Value;

use crate::{
    clock,
    error::{Error, ErrorKind},
    transport::{Credentials, Transport, attempt, percent_encoded, redact, wiped},
};

/// How many tokens that came are known, to remove them from texts.
const RECEIVED: usize = 8;

/// A larger body is not read for what it says about an error.
const LONGEST_ERROR: usize = 64 * 1024;

/// How many characters are shown of the type of a token.
const SHOWN_TYPE: usize = 100;

/// The fields of an answer that are secrets.
const TOKENS: [&str; 3] = ["access_token", "refresh_token", "id_token"];

/// Gets each new refresh token.
pub(super) type OnRefreshToken = dyn Fn(&SecretString) + Send + Sync;

/// What a token endpoint is asked for. The keyring around it sees to it that there is one call
/// of [`secret`](Credentials::secret) or [`renew`](Credentials::renew) at a time.
pub(super) struct Grant {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) uri: Uri,
    pub(super) authorization: Option<HeaderValue>,
    /// The form without the refresh token.
    pub(super) form: SecretString,
    /// What is removed from texts, beside the tokens.
    pub(super) secrets: Vec<SecretString>,
    pub(super) skew: Duration,
    pub(super) on_refresh_token: Option<Arc<OnRefreshToken>>,
    pub(super) token: Mutex<Option<Token>>,
    pub(super) exchange: AsyncMutex<Exchange>,
}

/// An access token.
pub(super) struct Token {
    secret: SecretString,
    /// From when on it is taken for expired.
    expires: Option<Instant>,
}

/// What only an exchange needs.
#[derive(Default)]
pub(super) struct Exchange {
    refresh_token: Option<SecretString>,
    /// The tokens that came. The latest is first.
    received: Vec<SecretString>,
    /// It outlives the call that began it. Otherwise the refresh token in its answer is lost.
    running: Option<Running>,
}

struct Running {
    began: Instant,
    response: BoxFuture<'static, Result<Response<Bytes>, Error>>,
}

/// What the token endpoint gave.
struct Given {
    token: Token,
    refresh_token: Option<SecretString>,
}

impl Exchange {
    pub(super) fn new(refresh_token: Option<SecretString>) -> Self {
        Self { refresh_token, ..Self::default() }
    }

    fn received(&mut self, token: &SecretString) {
        self.received.insert(0, token.clone());
        self.received.truncate(RECEIVED);
    }

    /// All secrets that a text may have in it.
    fn known<'s>(&'s self, fixed: &'s [SecretString], others: &[&'s str]) -> Vec<&'s str> {
        let known = self.refresh_token.iter().chain(&self.received).chain(fixed);
        let known = known.map(ExposeSecret::expose_secret).chain(others.iter().copied());
        let mut known = known.collect::<Vec<_>>();
        // One may begin with another, whose removal would leave its end.
        known.sort_unstable_by_key(|secret| Reverse(secret.len()));
        known
    }
}

impl Token {
    fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|expires| clock::now() < expires)
    }

    fn is(&self, secret: &SecretString) -> bool {
        self.secret.expose_secret() == secret.expose_secret()
    }
}

impl Grant {
    /// The token that is there, if it is fresh and not the one that was refused. Otherwise
    /// another one.
    async fn token(&self, refused: Option<&SecretString>) -> Result<SecretString, Error> {
        loop {
            let mut exchange = self.exchange.lock().await;
            let usable = |token: &&Token| {
                token.is_fresh() && refused.is_none_or(|refused| !token.is(refused))
            };
            if let Some(token) = self.lock().as_ref().filter(usable) {
                return Ok(token.secret.clone());
            }
            // What an earlier call began may be old by now.
            let is_new = exchange.running.is_none();
            let given = self.exchange(&mut exchange).await?;
            let secret = given.token.secret.clone();
            *self.lock() = Some(given.token);
            // The code of a user runs under no lock.
            drop(exchange);
            if let (Some(store), Some(token)) = (&self.on_refresh_token, &given.refresh_token) {
                store(token);
            }
            if is_new {
                return Ok(secret);
            }
        }
    }

    /// Asks for tokens, or goes on with what an earlier call began. Gives a refresh token if it
    /// is a new one.
    async fn exchange(&self, exchange: &mut Exchange) -> Result<Given, Error> {
        let Exchange { refresh_token, running, .. } = exchange;
        let Running { began, response } =
            running.get_or_insert_with(|| self.begin(refresh_token.as_ref()));
        let began = *began;
        let response = response.await;
        exchange.running = None;
        let response = response.map_err(|error| self.without_secrets(error, exchange));
        let given = response.and_then(|response| self.given(&response, began, exchange));
        let mut given = given.map_err(|error| self.in_context(error))?;
        exchange.received(&given.token.secret);
        // A client that acts for itself needs none.
        let current = exchange.refresh_token.as_ref().map(ExposeSecret::expose_secret);
        given.refresh_token = given
            .refresh_token
            .filter(|token| current.is_some_and(|current| current != token.expose_secret()));
        if let Some(token) = &given.refresh_token {
            let former = exchange.refresh_token.replace(token.clone());
            if let Some(former) = former {
                exchange.received(&former);
            }
        }
        Ok(given)
    }

    fn begin(&self, refresh_token: Option<&SecretString>) -> Running {
        let token = refresh_token.map(|token| {
            let token = Zeroizing::new(percent_encoded(token.expose_secret()));
            Zeroizing::new(format!("&refresh_token={}", *token))
        });
        let token = token.as_ref().map_or("", |token| token.as_str());
        let mut request = Request::new(wiped([self.form.expose_secret(), token].concat()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let transport = Arc::clone(&self.transport);
        let response = async move {
            // What has panicked can't be gone on with.
            let sent = AssertUnwindSafe(attempt(&*transport, request, None, str::to_owned))
                .catch_unwind()
                .await;
            sent.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Contract, "the transport of the tokens panicked"))
            })
        };
        Running { began: clock::now(), response: response.boxed() }
    }

    /// Reads the answer to an exchange.
    fn given(
        &self,
        response: &Response<Bytes>,
        began: Instant,
        exchange: &Exchange,
    ) -> Result<Given, Error> {
        let body = serde_json::from_slice::<Value>(response.body());
        let text = |name: &str| {
            let text = body.as_ref().ok()?.get(name)?.as_str()?.trim();
            Some(text).filter(|text| !text.is_empty())
        };
        let tokens = TOKENS.iter().filter_map(|name| text(name)).collect::<Vec<_>>();
        let hidden = |it: &str| {
            let known = exchange.known(&self.secrets, &tokens).into_iter();
            known.fold(it.to_owned(), |it, secret| redact(&it, secret))
        };
        let status = response.status();
        let access_token = text("access_token").filter(|_| status.is_success());
        let Some(access_token) = access_token else {
            // Some tell their errors in a 200. A 202 is not ready.
            if status == http::StatusCode::OK && text("error").is_none() {
                let is_cut = body.as_ref().is_err_and(serde_json::Error::is_eof)
                    && !response.body().is_empty();
                let message = "the answer has no access token (RFC 6749, section 5.1)";
                return Err(Error::new(ErrorKind::Decode, message)
                    .with_status(status.as_u16())
                    .with_retryable(is_cut));
            }
            return Err(told(response, hidden));
        };
        if let Some(other) = text("token_type").filter(|it| !it.eq_ignore_ascii_case("bearer")) {
            let other = hidden(other).chars().take(SHOWN_TYPE).collect::<String>();
            let message = format!("the token is of type {other:?}, and only bearer can be sent");
            return Err(Error::new(ErrorKind::Decode, message));
        }
        let life = body.as_ref().ok().and_then(|body| life(body.get("expires_in")?));
        // It is counted from when it was asked for: the answer may have waited to be read.
        let expires =
            life.map(|life| clock::after(began, life.saturating_sub(self.skew.min(life / 2))));
        Ok(Given {
            token: Token { secret: SecretString::from(access_token), expires },
            refresh_token: text("refresh_token").map(SecretString::from),
        })
    }

    fn without_secrets(&self, error: Error, exchange: &Exchange) -> Error {
        let known = exchange.known(&self.secrets, &[]).into_iter();
        known.fold(error, Error::without_secret)
    }

    /// An error that says of what it is, and its name where the message is another text.
    fn in_context(&self, error: Error) -> Error {
        let host = self.uri.host().unwrap_or("the token endpoint");
        let told = error.service_error();
        let name = told.category.as_ref().filter(|name| told.message.as_ref() != Some(name));
        let name = name.map_or_else(String::new, |name| format!(" ({name:?})"));
        error.in_context(&format!("no access token from {host}{name}"))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Token>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Credentials for Grant {
    async fn secret(&self) -> Result<SecretString, Error> {
        self.token(None).await
    }

    async fn renew(&self, refused: &SecretString) -> Result<SecretString, Error> {
        self.token(Some(refused)).await
    }

    fn is_fresh(&self, secret: &SecretString) -> bool {
        self.lock().as_ref().is_some_and(|token| token.is(secret) && token.is_fresh())
    }
}

/// The error that a response tells. The body is read without its secrets, since texts are cut
/// afterwards.
fn told(response: &Response<Bytes>, hidden: impl Fn(&str) -> String) -> Error {
    let body = response.body();
    let body = if body.len() > LONGEST_ERROR { &[] } else { &body[..] };
    let mut readable = Response::new(hidden(&String::from_utf8_lossy(body)));
    *readable.status_mut() = response.status();
    *readable.headers_mut() = response.headers().clone();
    Error::from_response(&readable)
}

/// How long a token is valid. Some services write the number as a text.
fn life(expires_in: &Value) -> Option<Duration> {
    let seconds = match expires_in {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|life| !life.is_zero())
}
