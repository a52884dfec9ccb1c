use std::{error::Error as StdError, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use reqwest::ClientBuilder;

use super::{
    Transport, deadline::within, last_url::LastUrl, proxy::with_proxy, reqwest_error::cut_short,
};
use crate::error::{Error, ErrorKind};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a request may take, to the last byte of its response.
const DEADLINE: Duration = Duration::from_secs(2 * 60);

/// How large a body may be, unpacked.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Whether a feature of this crate brings TLS.
const HAS_TLS: bool = cfg!(any(
    feature = "rustls",
    feature = "rustls-ring",
    feature = "rustls-no-provider",
    feature = "native-tls"
));

/// The transport over [`reqwest`].
///
/// A clone shares the connections. Compressed bodies are asked for and unpacked:
/// gzip by default, zstd with the feature `zstd`.
///
/// # TLS
///
/// TLS is a feature of its own, and none is on by default. A service with an
/// `https` address needs one: `cargo add pagestream --features rustls`.
///
/// | feature | TLS by | roots |
/// |---|---|---|
/// | `rustls` | rustls, with aws-lc-rs | of the operating system |
/// | `rustls-ring` | rustls, with ring | of the operating system |
/// | `rustls-no-provider` | rustls, with the provider that you install | of the operating system |
/// | `native-tls` | the library of the operating system | of the operating system |
///
/// Where several are on, `rustls-ring` goes first, then `native-tls`, then `rustls`.
/// A rustls provider that the application has installed for the process goes before
/// aws-lc-rs and ring; this crate installs none. For all else, such as a client
/// certificate, a proxy or roots of your own, there is
/// [`from_client`](Reqwest::from_client).
///
/// # Bounds
///
/// | bound | default | beyond it |
/// |---|---|---|
/// | time for a connection | 10 s | [`Transport`](ErrorKind::Transport) |
/// | [`deadline`](Reqwest::deadline) of a request | 2 min | [`Timeout`](ErrorKind::Timeout) |
/// | [`max_body`](Reqwest::max_body), unpacked | 64 MiB | [`TooLarge`](ErrorKind::TooLarge) |
///
/// # Environment
///
/// [`Reqwest::new`] reads these variables of the environment, once:
///
/// | variable | what it changes |
/// |---|---|
/// | `HTTPS_PROXY`, `https_proxy`, `ALL_PROXY`, `all_proxy`; the first that is set | the proxy for `https`. It passes the encrypted bytes on, and sees no token |
/// | `NO_PROXY`, `no_proxy`; the first that is set | the hosts, domains and networks that are reached without it, separated by commas; `*` is all |
///
/// Plain `http` never goes through a proxy, which would see the token. Nor does what goes to
/// loopback. So `HTTP_PROXY` changes nothing.
///
/// What it is built on reads others:
///
/// | variable | read by | what it changes |
/// |---|---|---|
/// | `SSL_CERT_FILE`, `SSL_CERT_DIR` | rustls and OpenSSL, on Unix but for Apple's | whose certificates are accepted |
/// | `OPENSSL_CONF` | OpenSSL (`native-tls` on Linux) | protocols and ciphers |
/// | `RES_OPTIONS`, `LOCALDOMAIN`, `HOSTALIASES` | glibc | how names of hosts are looked up |
///
/// `SSLKEYLOGFILE` is not read.
///
/// ```
/// use std::time::Duration;
/// use pagestream::Reqwest;
///
/// let transport = Reqwest::new()?.deadline(Duration::from_secs(30)).max_body(1024 * 1024);
/// # Ok::<(), pagestream::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reqwest {
    client: reqwest::Client,
    deadline: Duration,
    max_body: usize,
    /// Of a client that was given, it is not known, and taken to be so.
    has_tls: bool,
    last_url: LastUrl,
}

impl Reqwest {
    /// A client that waits 10 seconds for a connection, follows no redirect and retries
    /// nothing by itself.
    ///
    /// Without a TLS feature it sends to `http` addresses only. A request to an
    /// `https` address is then an error of kind
    /// [`Configuration`](ErrorKind::Configuration).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if TLS can't be set up on this machine, or if
    /// the TLS feature is `rustls-no-provider` and no provider is installed.
    ///
    /// # Panics
    ///
    /// If no TLS feature of this crate is on, another crate turns on reqwest's
    /// `rustls-no-provider`, and no provider is installed: reqwest panics.
    pub fn new() -> Result<Self, Error> {
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            // Otherwise retries would multiply: a stream makes its own.
            .retry(reqwest::retry::never());
        let client = with_tls(with_proxy(builder))?.build().map_err(not_set_up)?;
        Ok(Self { has_tls: HAS_TLS, ..Self::from_client(client) })
    }

    /// A client of your own, with the default bounds on a request.
    ///
    /// Build it with [`Policy::none`](reqwest::redirect::Policy::none): a client that
    /// follows redirects carries the body and headers such as `x-api-key` along to
    /// another host. Give it a `connect_timeout`, and
    /// [no retries](reqwest::retry::never), which would multiply with those of a stream.
    /// reqwest sends plain http, and what goes to loopback, through the proxy that
    /// `HTTP_PROXY` names: call `no_proxy` if you have none. None of this can be checked
    /// here. [`deadline`](Self::deadline) and [`max_body`](Self::max_body)
    /// hold as for [`new`](Self::new).
    ///
    /// ```
    /// use std::time::Duration;
    /// use pagestream::Reqwest;
    ///
    /// let client = reqwest::Client::builder()
    ///     .redirect(reqwest::redirect::Policy::none())
    ///     .retry(reqwest::retry::never())
    ///     .no_proxy()
    ///     .connect_timeout(Duration::from_secs(10))
    ///     .user_agent("my-connector/1.0")
    ///     .build()?;
    /// let transport = Reqwest::from_client(client);
    /// # Ok::<(), reqwest::Error>(())
    /// ```
    #[must_use]
    pub fn from_client(client: reqwest::Client) -> Self {
        let last_url = LastUrl::default();
        Self { client, deadline: DEADLINE, max_body: MAX_BODY, has_tls: true, last_url }
    }

    /// Checks that a request to this address can be sent: `https` needs TLS.
    pub(super) fn check(&self, uri: &Uri) -> Result<(), Error> {
        if self.has_tls || uri.scheme_str() != Some("https") {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Configuration,
            "invalid scheme https without TLS; add a TLS feature: cargo add pagestream --features \
             rustls",
        ))
    }

    /// How long a request may take, from its start to the last byte of its
    /// response: 2 minutes by default. Beyond it, it is dropped with an error of
    /// kind [`Timeout`](ErrorKind::Timeout).
    ///
    /// Only the time counts in which the request is waited for. A consumer that is
    /// busy with its records does not use it up.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many bytes a body may have when it is unpacked: 64 MiB by default. At
    /// more, reading stops with an error of kind [`TooLarge`](ErrorKind::TooLarge),
    /// and a stream asks for smaller pages.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    async fn exchange(&self, request: reqwest::Request) -> Result<Response<Bytes>, Error> {
        let response = self.client.execute(request).await?;
        // What says so itself is not waited for.
        let is_in_bounds = |length| usize::try_from(length).is_ok_and(|it| it <= self.max_body);
        if !response.content_length().is_none_or(is_in_bounds) {
            return Err(self.too_large());
        }
        let (head, body) = Response::from(response).into_parts();
        let body = Limited::new(body, self.max_body).collect().await;
        Ok(Response::from_parts(head, body.map_err(|error| self.broken(error))?.to_bytes()))
    }

    fn broken(&self, error: Box<dyn StdError + Send + Sync>) -> Error {
        if error.is::<LengthLimitError>() { self.too_large() } else { cut_short(error) }
    }

    fn too_large(&self) -> Error {
        let message = format!("the response is larger than {} bytes", self.max_body);
        Error::new(ErrorKind::TooLarge, message)
    }
}

/// As [`Reqwest::from_client`]; what it requires of the client holds here too.
impl From<reqwest::Client> for Reqwest {
    fn from(client: reqwest::Client) -> Self {
        Self::from_client(client)
    }
}

#[async_trait]
impl Transport for Reqwest {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        self.check(request.uri())?;
        let (head, body) = request.into_parts();
        let mut sent = reqwest::Request::new(head.method, self.last_url.of(&head.uri)?);
        *sent.version_mut() = head.version;
        *sent.headers_mut() = head.headers;
        *sent.body_mut() = Some(body.into());
        within(self.deadline, self.exchange(sent)).await.unwrap_or_else(|| {
            let message = format!("the service took longer than {:?}", self.deadline);
            Err(Error::new(ErrorKind::Timeout, message))
        })
    }
}

/// Sets the TLS that the features ask for, where reqwest does not do so itself.
#[cfg(not(any(
    feature = "rustls-ring",
    all(feature = "rustls-no-provider", not(any(feature = "native-tls", feature = "rustls")))
)))]
#[expect(clippy::unnecessary_wraps, reason = "with other features it can fail")]
fn with_tls(builder: ClientBuilder) -> Result<ClientBuilder, Error> {
    Ok(builder)
}

/// As reqwest sets rustls up, but with ring.
#[cfg(feature = "rustls-ring")]
fn with_tls(builder: ClientBuilder) -> Result<ClientBuilder, Error> {
    use std::sync::Arc;

    use rustls::{
        ClientConfig,
        crypto::{CryptoProvider, ring},
    };
    use rustls_platform_verifier::Verifier;

    let installed = CryptoProvider::get_default().map(Arc::clone);
    let provider = installed.unwrap_or_else(|| Arc::new(ring::default_provider()));
    let verifier = Verifier::new(Arc::clone(&provider)).map_err(not_set_up)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(not_set_up)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(builder.tls_backend_preconfigured(config))
}

/// reqwest panics where no provider is installed.
#[cfg(all(
    feature = "rustls-no-provider",
    not(any(feature = "rustls-ring", feature = "native-tls", feature = "rustls"))
))]
fn with_tls(builder: ClientBuilder) -> Result<ClientBuilder, Error> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::new(
            ErrorKind::Configuration,
            "no rustls crypto provider is installed; install one with \
             `CryptoProvider::install_default`, or take the feature rustls or rustls-ring",
        ));
    }
    Ok(builder.tls_backend_rustls())
}

fn not_set_up(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Configuration, "the HTTP client can't be set up").with_source(error)
}
