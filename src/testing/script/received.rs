use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, header::HOST, uri::Authority};
use serde_json::Value;

use crate::testing::url_text::{pairs, percent_decoded};

/// A request as it is compared: decoded.
pub(in crate::testing) struct Received {
    pub(in crate::testing) method: Method,
    pub(in crate::testing) host: Option<String>,
    pub(in crate::testing) path: String,
    pub(in crate::testing) query: Vec<(String, String)>,
    pub(in crate::testing) headers: HeaderMap,
    pub(in crate::testing) body: Bytes,
    /// The body, if it is JSON.
    pub(in crate::testing) json: Option<Value>,
}

impl Received {
    pub(in crate::testing) fn new(request: &Request<Bytes>) -> Self {
        let uri = request.uri();
        let in_header = || request.headers().get(HOST).map(HeaderValue::as_bytes);
        let host = uri.authority().map(Authority::as_str).map(str::to_owned);
        let host = host.or_else(|| Some(String::from_utf8_lossy(in_header()?).into_owned()));
        Self {
            method: request.method().clone(),
            host,
            path: percent_decoded(uri.path()),
            query: pairs(uri.query().unwrap_or_default()),
            headers: request.headers().clone(),
            body: request.body().clone(),
            json: serde_json::from_slice(request.body()).ok(),
        }
    }
}
