use std::{hash::Hasher, sync::Arc};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Uri,
    header::{CONTENT_TYPE, Entry},
};
use serde_json::{Value, json};
use twox_hash::XxHash3_64;

use super::{
    limit::{Limit, LimitPlace},
    request::RequestBuilder,
    service::Service,
};
use crate::{
    error::{Error, ErrorKind},
    json::{Pointer, digest_value},
    transport::percent_encoded,
};

/// All of a request but the position, checked.
pub(crate) struct Template {
    pub(crate) service: Arc<Service>,
    pub(super) method: Method,
    /// The address without a query.
    pub(super) address: Uri,
    /// Names and values, percent-encoded.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Value>,
    pub(crate) limit: Option<Limit>,
    pub(super) limit_pointer: Option<Pointer>,
    pub(crate) is_graphql: bool,
    /// The method, the path, and a digest of all else but credentials and the limit.
    pub(crate) identity: String,
}

impl Template {
    pub(crate) fn new(request: RequestBuilder) -> Result<Self, Error> {
        let RequestBuilder { service, method, path, parameters, query, headers, body, .. } =
            request;
        let endpoint = &service.endpoint;
        let path = expanded(&path, &parameters)?;
        let base = endpoint.uri().to_string();
        let address = format!("{}{path}", base.trim_end_matches('/'));
        let address =
            address.parse::<Uri>().map_err(|_| invalid(format!("invalid path {path:?}")))?;
        let mut query = query
            .into_iter()
            .map(|(name, value)| (percent_encoded(&name), percent_encoded(&value)))
            .collect::<Vec<_>>();
        let mut map = endpoint.headers().clone();
        map.remove(CONTENT_TYPE);
        let mut own = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).map_err(|_| {
                invalid(format!("invalid value for the header {name}: expected visible ASCII"))
            })?;
            own.append(header_name(&name)?, value);
        }
        let body = body.transpose().map_err(|error| {
            invalid("the body can't be written as JSON").with_source(error.to_string())
        })?;
        if body.is_some()
            && let Entry::Vacant(entry) = map.entry(CONTENT_TYPE)
        {
            entry.insert(HeaderValue::from_static("application/json"));
        }
        let limit_pointer = request.limit.as_ref().map_or(Ok(None), Limit::pointer)?;
        if request.limit.as_ref().is_some_and(|limit| limit.records == 0) {
            return Err(invalid("invalid limit 0: expected at least 1 record to a page"));
        }
        let mut identified = query.clone();
        identified.sort_unstable();
        let own_names = own.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let mut digest = XxHash3_64::new();
        digest_value(&mut digest, &json!([identified, own_names.collect::<Vec<_>>(), body]));
        let base_path = endpoint.uri().path().trim_end_matches('/');
        let identity = format!("{method} {base_path}{path} with {:016x}", digest.finish());
        for name in own.keys() {
            map.remove(name);
        }
        map.extend(own);
        if let Some(Limit { place: LimitPlace::Query(name), .. }) = &request.limit {
            let name = percent_encoded(name);
            query.retain(|(other, _)| *other != name);
        }
        Ok(Self {
            method,
            address,
            query,
            headers: map,
            body,
            limit_pointer,
            identity,
            limit: request.limit,
            is_graphql: request.is_graphql,
            service,
        })
    }
}

/// The path with the values of its parameters.
fn expanded(path: &str, parameters: &[(String, String)]) -> Result<String, Error> {
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Err(invalid(format!(
            "invalid path {path:?}: expected a slash first and no query; `query` adds to the query"
        )));
    }
    let mut expanded = String::with_capacity(path.len());
    let mut remaining = path;
    while let Some((before, after)) = remaining.split_once('{') {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| invalid(format!("invalid path {path:?}: a brace is not closed")))?;
        let value = parameters.iter().rev().find(|(other, _)| other == name);
        let (_, value) = value.ok_or_else(|| {
            invalid(format!("missing parameter {name:?} of the path {path:?}: call `path`"))
        })?;
        if value.bytes().all(|byte| byte == b'.') {
            return Err(invalid(format!(
                "invalid value {value:?} for the parameter {name:?} of the path: expected more \
                 than dots"
            )));
        }
        expanded.push_str(before);
        expanded.push_str(&percent_encoded(value));
        remaining = after;
    }
    if let Some((name, _)) =
        parameters.iter().find(|(name, _)| !path.contains(&format!("{{{name}}}")))
    {
        return Err(invalid(format!("the path {path:?} has no parameter {name:?}")));
    }
    expanded.push_str(remaining);
    Ok(expanded)
}

pub(crate) fn header_name(name: &str) -> Result<HeaderName, Error> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| invalid(format!("invalid name of a header: {name:?}")))
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}
