//! One request and its response, in a span of its own.

use bytes::Bytes;
use http::{Request, Response};
#[cfg(feature = "tracing")]
use tracing::{Instrument, Span, field::Empty};

use super::Transport;
use crate::error::Error;
#[cfg(feature = "tracing")]
use crate::send_count::SendCount;

/// Sends a request. `resends` is how often it was sent before, as far as the caller knows; a page
/// that counts knows better. It is `None` for a request that is none of a page. `redact` removes
/// secrets from a path.
#[cfg(feature = "tracing")]
pub(crate) async fn attempt(
    transport: &dyn Transport,
    request: Request<Bytes>,
    resends: Option<u32>,
    redact: impl FnOnce(&str) -> String,
) -> Result<Response<Bytes>, Error> {
    let (method, uri) = (request.method().as_str(), request.uri());
    let span = tracing::debug_span!(
        target: "pagestream",
        "attempt",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = method,
        http.request.resend_count = Empty,
        http.response.status_code = Empty,
        "error.type" = Empty,
        server.address = uri.host(),
        server.port = port(uri),
        url.scheme = uri.scheme_str(),
        url.path = redact(uri.path()),
    );
    if span.is_disabled() {
        return transport.send(request).await;
    }
    let resends = resends.map(|resends| SendCount::add_to_current().unwrap_or(resends));
    if let Some(resends @ 1..) = resends {
        span.record("http.request.resend_count", resends);
    }
    let sent = transport.send(request).instrument(span.clone()).await;
    record(&span, &sent);
    sent
}

#[cfg(not(feature = "tracing"))]
pub(crate) async fn attempt(
    transport: &dyn Transport,
    request: Request<Bytes>,
    _: Option<u32>,
    _: impl FnOnce(&str) -> String,
) -> Result<Response<Bytes>, Error> {
    transport.send(request).await
}

/// The port, also where the scheme says it.
#[cfg(feature = "tracing")]
fn port(uri: &http::Uri) -> Option<u16> {
    uri.port_u16().or(match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    })
}

/// What came of an attempt. The name of an error is its status, or its kind.
#[cfg(feature = "tracing")]
fn record(span: &Span, sent: &Result<Response<Bytes>, Error>) {
    let error = match sent {
        Ok(response) => {
            let status = response.status();
            span.record("http.response.status_code", status.as_u16());
            (status.is_client_error() || status.is_server_error())
                .then(|| status.as_str().to_owned())
        }
        Err(error) => Some(format!("{:?}", error.kind()).to_ascii_lowercase()),
    };
    if let Some(error) = error {
        span.record("error.type", error.as_str());
        span.record("otel.status_code", "ERROR");
    }
}
