use std::{
    fmt::{self, Debug, Formatter},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header, uri::PathAndQuery};
use serde::Serialize;

/// A service that answers requests, without a network. Implement it to emulate a
/// service of your own.
///
/// ```
/// use std::time::Duration;
/// use bytes::Bytes;
/// use futures::executor::block_on;
/// use http::{Request, Response};
/// use pagestream::{Transport, testing::{Fault, Faults, Service}};
///
/// #[derive(Clone)]
/// struct Greeter;
///
/// impl Service for Greeter {
///     fn respond(&self, _: &Request<Bytes>) -> Response<Bytes> {
///         Response::new("hello".into())
///     }
///
///     fn latency(&self) -> Duration {
///         Duration::ZERO
///     }
/// }
///
/// // It may fail too, as each service may.
/// let greeter = Faults::script([(1, Fault::status(503))]).on(Greeter);
/// let status = || block_on(greeter.send(Request::default())).map(|it| it.status().as_u16());
/// assert_eq!((status()?, status()?), (503, 200));
/// # Ok::<(), pagestream::Error>(())
/// ```
pub trait Service: Clone + Send + Sync + 'static {
    /// The response to a request.
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes>;

    /// How long a response takes.
    fn latency(&self) -> Duration;

    /// The response with a status that a [`Fault`](super::Fault) asks for: empty by
    /// default. The fault sets the status.
    fn error(&self, status: StatusCode) -> Response<Bytes> {
        let _ = status;
        Response::default()
    }
}

/// A request that a service got.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, hubspot::{Object, Objects}, testing::HubSpot};
///
/// # futures::executor::block_on(async {
/// let service = HubSpot::new(1).objects(150);
/// let deals = Objects::builder("deals").token("a-token").transport(service.clone());
/// let deals: Vec<Object> = deals.build()?.into_records().try_collect().await?;
///
/// let requests = service.log();
/// assert_eq!(requests[0].path, "/crm/objects/2026-03/deals?limit=100");
/// assert_eq!(requests[1].headers["authorization"], "Bearer a-token");
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Logged {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub path: String,
    /// Its headers, credentials and all.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Debug for Logged {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logged")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// The requests that a service and its clones got.
#[derive(Clone, Debug)]
pub(super) struct Log {
    entries: Arc<Mutex<Entries>>,
    counts_only: bool,
}

#[derive(Debug, Default)]
struct Entries {
    count: usize,
    requests: Vec<Logged>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { entries: Arc::default(), counts_only: false }
    }

    pub(super) fn counting_only(self) -> Self {
        Self { counts_only: true, ..self }
    }

    pub(super) fn add(&self, request: &Request<Bytes>) {
        let mut entries = self.lock();
        entries.count += 1;
        if !self.counts_only {
            entries.requests.push(Logged {
                method: request.method().clone(),
                path: request.uri().path_and_query().map_or("", PathAndQuery::as_str).to_owned(),
                headers: request.headers().clone(),
                body: request.body().clone(),
            });
        }
    }

    pub(super) fn count(&self) -> usize {
        self.lock().count
    }

    pub(super) fn requests(&self) -> Vec<Logged> {
        self.lock().requests.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The methods of all emulations: their log, their latency, and [`Transport`].
///
/// [`Transport`]: crate::Transport
macro_rules! emulation {
    ($service:ident) => {
        impl $service {
            /// How long a response takes: no time by default. A latency needs tokio's
            /// timer.
            pub fn latency(mut self, latency: Duration) -> Self {
                self.latency = latency;
                self
            }

            /// Counts the requests and does not store them. Use it for long readings.
            pub fn counting_only(mut self) -> Self {
                self.log = self.log.counting_only();
                self
            }

            /// How many requests this service and its clones got.
            #[must_use]
            pub fn requests(&self) -> usize {
                self.log.count()
            }

            /// The requests that this service and its clones got, in order.
            #[must_use]
            pub fn log(&self) -> Vec<$crate::testing::Logged> {
                self.log.requests()
            }
        }

        #[async_trait::async_trait]
        impl $crate::transport::Transport for $service {
            async fn send(
                &self,
                request: Request<Bytes>,
            ) -> Result<Response<Bytes>, $crate::error::Error> {
                $crate::testing::faults::sleep(self.latency).await;
                Ok(self.respond(&request))
            }
        }
    };
}
pub(super) use emulation;

/// The path of a request. The services have no query parameters, so a query changes
/// nothing.
pub(super) fn path(request: &Request<Bytes>) -> &str {
    request.uri().path()
}

/// Whether this is one part of a path.
pub(super) fn is_segment(segment: &&str) -> bool {
    !segment.is_empty() && !segment.contains('/')
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The bearer token of a request, if it has one.
pub(super) fn bearer(request: &Request<Bytes>) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").filter(|token| !token.is_empty())
}

pub(super) fn is_json(request: &Request<Bytes>) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE);
    value.is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

/// An evenly spread number, made from a seed and an index (SplitMix64).
pub(super) fn mix(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
