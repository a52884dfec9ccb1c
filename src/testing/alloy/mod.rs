mod flaw;

use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::flaw::AlloyFlaw;
use super::service::{Log, Service, bearer, emulation, is_json, is_segment, json, mix, path};

/// The largest limit of a request.
const MAX_LIMIT: u64 = 50;

/// An emulation of the Alloy Connectivity API, after its pagination guide.
///
/// Every action of every connector lists the same contacts: `{"id": 0, "email": ...,
/// "score": ...}`, 100 by default. It works as documented, unless it is
/// [flawed](Alloy::flawed).
#[derive(Clone)]
#[must_use = "a service answers when it is a transport or given to a server"]
pub struct Alloy {
    seed: u64,
    records: u64,
    flaws: Arc<dyn Fn(u64) -> Option<AlloyFlaw> + Send + Sync>,
    latency: Duration,
    log: Log,
}

emulation!(Alloy);

impl Alloy {
    /// A service with data from a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            records: 100,
            flaws: Arc::new(|_| None),
            latency: Duration::ZERO,
            log: Log::new(),
        }
    }

    /// How many records there are.
    pub fn records(mut self, records: u64) -> Self {
        self.records = records;
        self
    }

    /// What is wrong with its pages, by the requested offset. The same request gets the
    /// same response each time.
    ///
    /// ```
    /// use pagestream::testing::{Alloy, AlloyFlaw};
    ///
    /// let clamped = Alloy::new(1).records(230).flawed(|_| Some(AlloyFlaw::Clamped(20)));
    /// let wrong_in_the_middle = Alloy::new(1)
    ///     .records(230)
    ///     .flawed(|offset| (offset == 50).then_some(AlloyFlaw::NoPagination));
    /// ```
    pub fn flawed(
        mut self,
        flaw: impl Fn(u64) -> Option<AlloyFlaw> + Send + Sync + 'static,
    ) -> Self {
        self.flaws = Arc::new(flaw);
        self
    }

    fn contact(&self, id: u64) -> Contact {
        let score = mix(self.seed, id);
        Contact { id, email: format!("contact-{id}@example.com"), score }
    }

    fn page(&self, Parameters { limit, offset }: Parameters) -> Envelope {
        let begin = offset.min(self.records);
        let end = begin.saturating_add(limit).min(self.records);
        let has_more = end < self.records;
        Envelope {
            data: Some((begin..end).map(|id| self.contact(id)).collect()),
            pagination: Some(Pagination {
                has_more,
                next_offset: has_more.then_some(end),
                total: None,
            }),
        }
    }

    fn list(&self, parameters: Parameters) -> Response<Bytes> {
        let page = match (self.flaws)(parameters.offset) {
            Some(flaw) => flaw.page(parameters, |parameters| self.page(parameters)),
            None => self.page(parameters),
        };
        json(StatusCode::OK, &page)
    }
}

impl Service for Alloy {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.log.add(request);
        let action = path(request)
            .strip_prefix("/connectors/")
            .and_then(|path| path.strip_suffix("/execute"))
            .and_then(|path| path.split_once("/actions/"))
            .filter(|(connector, action)| [connector, action].into_iter().all(is_segment))
            .map(|(_, action)| action);
        let Some(action) = action else {
            return error(StatusCode::NOT_FOUND, "Not Found", "No such path");
        };
        if request.method() != Method::POST {
            return error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", "Use POST");
        }
        if bearer(request).is_none() {
            return error(StatusCode::UNAUTHORIZED, "Unauthorized", "Invalid API key");
        }
        if !request.headers().contains_key("x-api-version") {
            return error(StatusCode::BAD_REQUEST, "Bad Request", "x-api-version is required");
        }
        if !is_json(request) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return error(status, "Unsupported Media Type", "Send application/json");
        }
        let body = match serde_json::from_slice::<Execution<'_>>(request.body()) {
            Ok(body) => body,
            Err(reason) => {
                return error(StatusCode::BAD_REQUEST, "Bad Request", &reason.to_string());
            }
        };
        let is_hex = body.credential_id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if body.credential_id.len() != 24 || !is_hex {
            return error(StatusCode::BAD_REQUEST, "Bad Request", "credentialId is invalid");
        }
        if body.action_id != action {
            return error(StatusCode::BAD_REQUEST, "Bad Request", "actionId is not the path's");
        }
        let Some(input) = body.input.or(body.query_parameters).or(body.request_body) else {
            return error(StatusCode::BAD_REQUEST, "Bad Request", "input is required");
        };
        if !(1..=MAX_LIMIT).contains(&input.limit) {
            let message = format!("limit must be between 1 and {MAX_LIMIT}");
            return error(StatusCode::BAD_REQUEST, "Bad Request", &message);
        }
        self.list(input)
    }

    fn latency(&self) -> Duration {
        self.latency
    }

    fn error(&self, status: StatusCode) -> Response<Bytes> {
        error(status, status.canonical_reason().unwrap_or("Error"), "It failed for a test")
    }
}

impl Debug for Alloy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alloy")
            .field("seed", &self.seed)
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

fn error(status: StatusCode, error: &str, message: &str) -> Response<Bytes> {
    json(status, &json!({"error": error, "message": message}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution<'a> {
    credential_id: &'a str,
    action_id: &'a str,
    input: Option<Parameters>,
    query_parameters: Option<Parameters>,
    request_body: Option<Parameters>,
}

#[derive(Clone, Copy, Deserialize)]
struct Parameters {
    #[serde(default = "default_limit")]
    limit: u64,
    #[serde(default)]
    offset: u64,
}

fn default_limit() -> u64 {
    MAX_LIMIT
}

#[derive(Serialize)]
struct Envelope {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<Contact>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    has_more: bool,
    next_offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

#[derive(Serialize)]
struct Contact {
    id: u64,
    email: String,
    score: u64,
}
