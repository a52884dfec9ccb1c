use std::{
    fmt::{self, Debug, Formatter},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::grant::{Exchange, Grant, OnRefreshToken};
use crate::{
    error::{Error, ErrorKind},
    transport::{
        Credentials, EndpointBuilder, ReadError, SharedCredentials, endpoint_setters,
        percent_encoded, secret_header,
    },
};

/// How long before its end a token is taken for expired.
const SKEW: Duration = Duration::from_secs(60);

/// From this length on, the value of a parameter is told from a word, and so may be a secret.
const SHORTEST_SECRET: usize = 12;

/// [`Credentials`] of OAuth 2.0 (RFC 6749): access tokens from a token endpoint, and a new one
/// in time.
///
/// Two grants need nobody in front of a browser:
///
/// - [`client_credentials`](Self::client_credentials) (section 4.4), for a service that
///   acts for itself.
/// - [`refresh_token`](Self::refresh_token) (section 6), for an account whose user has agreed
///   before.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use bytes::Bytes;
/// use futures::executor::block_on;
/// use pagestream::http::{Client, OAuth};
/// # use http::{Request, Response};
/// # use pagestream::Error;
///
/// # let token_endpoint = |request: Request<Bytes>| async move {
/// #     assert_eq!(request.body(), "grant_type=client_credentials&scope=orders.read");
/// #     let token = r#"{"access_token": "t-12345678", "token_type": "Bearer", "expires_in": 3600}"#;
/// #     Ok::<_, Error>(Response::new(Bytes::from(token)))
/// # };
/// # let api = |request: Request<Bytes>| async move {
/// #     assert_eq!(request.headers()["authorization"], "Bearer t-12345678");
/// #     Ok::<_, Error>(Response::new(Bytes::from("[]")))
/// # };
/// let tokens = OAuth::client_credentials("https://example.com/oauth/token", "my-id", "my-secret")
///     .scope("orders.read");
/// # let tokens = tokens.transport(token_endpoint);
/// let client = Client::builder("https://api.example.com").credentials(tokens.build()?);
/// # let client = client.transport(api);
/// let response = block_on(client.build()?.get("/orders").send())?;
/// assert_eq!(response.body(), "[]");
/// # }
/// # Ok::<(), pagestream::Error>(())
/// ```
///
/// # When it asks for a token
///
/// Before the first request, before a request for which the token is about to expire
/// ([`skew`](OAuthBuilder::skew)), and after a 401. A token without `expires_in` is used until
/// a 401. So is one whose `expires_in` is 0 or no number.
///
/// Clones share the token. However many requests need another one, there is one exchange: an
/// `OAuth` is a [`SharedCredentials`] by itself, and needs none around it.
///
/// # Refresh tokens that rotate
///
/// A service may answer with a new refresh token, and end the one before. The new one is used
/// from then on, and [`on_refresh_token`](OAuthBuilder::on_refresh_token) gets it, so that the
/// application stores it.
///
/// A request may be dropped in the middle of an exchange. The exchange then stays, and the next
/// request goes on with it instead of sending the old refresh token again. What can't be
/// helped: if the process ends, if no request follows, or if the answer is lost on its way, the
/// new refresh token is lost too. A service that ended the old one then answers
/// `invalid_grant`, which is the error.
///
/// # Errors
///
/// They are delivered by the request that needed the token. None shows a client secret, a
/// refresh token or an access token, also where the token endpoint repeats one.
///
/// - [`Status`](ErrorKind::Status) for an error of the token endpoint (section 5.2), with its
///   name as the [category](crate::ServiceError::category): `invalid_grant`, `invalid_client`.
///   It is fatal for a 400 and a 401, and retried for the statuses for which a stream retries
///   a page ([`Retry`](crate::Retry)), such as 429 and 503.
/// - [`Decode`](ErrorKind::Decode) for an answer without a token, and for a token of another
///   type than bearer (section 7.1).
/// - Those of the transport. They are retried as those of a page.
#[derive(Clone)]
pub struct OAuth {
    shared: SharedCredentials,
}

impl OAuth {
    /// Tokens for the client itself (RFC 6749, section 4.4).
    pub fn client_credentials(
        token_url: impl AsRef<str>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> OAuthBuilder {
        OAuthBuilder::new(token_url.as_ref(), client_id.into(), client_secret.into(), None)
    }

    /// Tokens for the account of a refresh token (RFC 6749, section 6). A public client has an
    /// empty secret, and [sends its id in the body](OAuthBuilder::secret_in_body).
    pub fn refresh_token(
        token_url: impl AsRef<str>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        refresh_token: impl Into<String>,
    ) -> OAuthBuilder {
        let refresh_token = SecretString::from(refresh_token.into());
        let refresh_token = Some(refresh_token);
        OAuthBuilder::new(token_url.as_ref(), client_id.into(), client_secret.into(), refresh_token)
    }
}

#[async_trait]
impl Credentials for OAuth {
    async fn secret(&self) -> Result<SecretString, Error> {
        self.shared.secret().await
    }

    async fn renew(&self, refused: &SecretString) -> Result<SecretString, Error> {
        self.shared.renew(refused).await
    }

    fn is_fresh(&self, secret: &SecretString) -> bool {
        self.shared.is_fresh(secret)
    }
}

impl Debug for OAuth {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth").finish_non_exhaustive()
    }
}

/// Builds an [`OAuth`]: [`OAuth::client_credentials`], [`OAuth::refresh_token`].
#[must_use = "call `build` to make credentials of it"]
pub struct OAuthBuilder {
    /// What stands in the token URL behind the address that the endpoint has.
    end: String,
    endpoint: EndpointBuilder,
    client_id: String,
    client_secret: SecretString,
    refresh_token: Option<SecretString>,
    scope: Option<String>,
    parameters: Vec<(String, SecretString)>,
    is_secret_in_body: bool,
    skew: Duration,
    on_refresh_token: Option<Arc<OnRefreshToken>>,
}

impl OAuthBuilder {
    fn new(
        token_url: &str,
        client_id: String,
        client_secret: String,
        refresh_token: Option<SecretString>,
    ) -> Self {
        // The endpoint leaves out slashes at the end, and takes no query.
        let stem = token_url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let end = token_url.strip_prefix(stem).unwrap_or_default().to_owned();
        let mut endpoint = EndpointBuilder::new(stem, ReadError::Common);
        endpoint.url_name = "token URL";
        Self {
            end,
            endpoint,
            client_id,
            client_secret: SecretString::from(client_secret),
            refresh_token,
            scope: None,
            parameters: Vec::new(),
            is_secret_in_body: false,
            skew: SKEW,
            on_refresh_token: None,
        }
    }

    /// What the token is for: names with spaces between them (RFC 6749, section 3.3). By
    /// default it is what the service gives.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Another field of the form, such as `audience` or `resource`.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), SecretString::from(value.into())));
        self
    }

    /// Sends the id and the secret of the client as `client_id` and `client_secret` of the form.
    /// By default they are in the header `Authorization: Basic`, both percent-encoded (RFC 6749,
    /// section 2.3.1). Use it for a service that knows no other way, or that does not decode
    /// the header. An empty secret is left out.
    pub fn secret_in_body(mut self) -> Self {
        self.is_secret_in_body = true;
        self
    }

    /// How long before its end a token is taken for expired: 60 seconds by default, and half of
    /// the token's life at most. It is for the time that a request takes, and for clocks that
    /// differ.
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew;
        self
    }

    endpoint_setters!();

    /// Called with each new refresh token, so that the application stores it. No request has the
    /// new access token before it returns, so be quick. It must not ask for a token itself:
    /// that would wait for ever.
    ///
    /// ```
    /// use std::sync::mpsc::channel;
    /// use pagestream::{ExposeSecret, http::OAuth};
    ///
    /// let (sender, stored) = channel();
    /// let tokens = OAuth::refresh_token("https://example.com/token", "my-id", "my-secret", "r-1")
    ///     .on_refresh_token(move |token| {
    ///         let _ = sender.send(token.expose_secret().to_owned());
    ///     });
    /// # let _ = (tokens, stored);
    /// ```
    pub fn on_refresh_token(
        mut self,
        store: impl Fn(&SecretString) + Send + Sync + 'static,
    ) -> Self {
        self.on_refresh_token = Some(Arc::new(store));
        self
    }

    /// Builds the credentials. It asks for no token yet.
    ///
    /// # Errors
    ///
    /// [`Configuration`](ErrorKind::Configuration) for a token URL that can't be used or would
    /// send secrets unencrypted, for an empty client id or refresh token, for a parameter
    /// that the form has already, and for a missing transport or TLS.
    pub fn build(self) -> Result<OAuth, Error> {
        if self.end.contains('#') {
            return Err(invalid("invalid token URL: expected one without a fragment"));
        }
        let uri = self.endpoint.uri(&self.end)?;
        if self.client_id.is_empty() {
            return Err(invalid("missing client id: give one to `OAuth`"));
        }
        let refresh_token = self
            .refresh_token
            .as_ref()
            .map(|token| SecretString::from(token.expose_secret().trim()));
        if refresh_token.as_ref().is_some_and(|token| token.expose_secret().is_empty()) {
            return Err(invalid("missing refresh token: give one to `OAuth`"));
        }
        let mut secrets = vec![self.client_secret.clone()];
        let authorization = if self.is_secret_in_body {
            None
        } else {
            let (id, secret) = (&self.client_id, self.client_secret.expose_secret());
            let secret = Zeroizing::new(percent_encoded(secret));
            let user = Zeroizing::new(format!("{}:{}", percent_encoded(id), *secret));
            let encoded = SecretString::from(BASE64_STANDARD.encode(&*user));
            let header = secret_header("Basic ", encoded.expose_secret())?;
            secrets.push(encoded);
            Some(header)
        };
        let values = self.parameters.iter().map(|(_, value)| value);
        secrets
            .extend(values.filter(|value| value.expose_secret().len() >= SHORTEST_SECRET).cloned());
        Ok(OAuth {
            shared: SharedCredentials::new(Grant {
                transport: self.endpoint.sender(&uri)?,
                uri,
                authorization,
                form: self.form()?,
                secrets,
                skew: self.skew,
                on_refresh_token: self.on_refresh_token,
                token: Mutex::default(),
                exchange: Exchange::new(refresh_token).into(),
            }),
        })
    }

    /// The form without the refresh token.
    fn form(&self) -> Result<SecretString, Error> {
        let grant = match self.refresh_token {
            Some(_) => "refresh_token",
            None => "client_credentials",
        };
        let mut fields = vec![("grant_type", grant)];
        fields.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        if self.is_secret_in_body {
            fields.push(("client_id", &self.client_id));
            let secret = Some(self.client_secret.expose_secret()).filter(|it| !it.is_empty());
            fields.extend(secret.map(|secret| ("client_secret", secret)));
        }
        for (name, _) in &self.parameters {
            let is_there = fields.iter().any(|(other, _)| other == name);
            if is_there || name == "refresh_token" || name.is_empty() {
                return Err(invalid(format!(
                    "invalid parameter {name:?}: expected one that the form does not have already"
                )));
            }
        }
        let parameters = self.parameters.iter();
        fields.extend(parameters.map(|(name, value)| (name.as_str(), value.expose_secret())));
        let pairs = fields.into_iter().map(|(name, value)| {
            let value = Zeroizing::new(percent_encoded(value));
            Zeroizing::new(format!("{}={}", percent_encoded(name), *value))
        });
        let pairs = pairs.collect::<Vec<_>>();
        let pairs = pairs.iter().map(|pair| pair.as_str()).collect::<Vec<_>>();
        Ok(SecretString::from(pairs.join("&")))
    }
}

impl Debug for OAuthBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The values of parameters may be secrets.
        f.debug_struct("OAuthBuilder").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}
