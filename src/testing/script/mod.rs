//! A service that answers from a script.

mod comparison;
mod difference;
mod expectation;
mod expectations;
mod received;
mod removed;
mod reply;

use std::{
    error::Error as StdError,
    fmt::{self, Debug, Formatter},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;

pub use self::{
    expectation::{Expectation, get, post, request},
    reply::Reply,
};
pub(super) use self::{
    expectations::{Expectations, Order, Uses},
    received::Received,
};
use super::{
    faults::deliver,
    service::{Log, Logged, Service, json as json_response},
};
use crate::{error::Error, transport::Transport};

/// A service that answers from a script: these requests, with these replies.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, http::Client, rest::NextCursor};
/// use pagestream::testing::{Reply, Script, script::get};
/// use serde_json::{Value, json};
///
/// # let mut runtime = tokio::runtime::Builder::new_current_thread();
/// # runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
/// let script = Script::new()
///     .on(get("/issues").without_query("cursor"))
///     .reply(json!({"items": [1, 2], "next": "c2"}))
///     .on(get("/issues").query("cursor", "c2"))
///     .reply(Reply::status(503).header("retry-after", "3"))
///     .on(get("/issues").query("cursor", "c2"))
///     .reply(json!({"items": [3], "next": null}));
///
/// let client = Client::builder("https://api.example.com").transport(script.clone()).build()?;
/// let issues = client
///     .get("/issues")
///     .pages(NextCursor::at("/next").into_query("cursor"))
///     .records_at("/items")
///     .build::<Value>()?;
/// let records: Vec<_> = issues.records().try_collect().await?;
///
/// assert_eq!(records, [1, 2, 3]);
/// script.verify();
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
///
/// # Which expectation answers
///
/// Each expectation answers once, or as often as [`times`](Expecting::times) says. The first
/// that fits and is not used up answers. So expectations that fit the same request answer in
/// their order, and those of different requests in any. What is
/// [`always`](Expecting::always) answers where no other does.
///
/// A request that none of them fits gets an error that is not retried, of kind
/// [`Other`](crate::ErrorKind::Other). Its source shows the nearest expectation, and the
/// lines that differ. Over a [`Server`](super::Server) it gets the status 501.
///
/// # What is checked
///
/// [`verify`](Script::verify) panics if an expectation was not used, or a request was not
/// expected. A script that is dropped without it does the same. Clones share the
/// expectations and don't check: keep the script in the test, and give clones away.
///
/// # Panics
///
/// The drop of a script panics as [`verify`](Script::verify) does, unless `verify` was called,
/// the thread panics already, or the script is a clone.
#[must_use = "a script answers when it is a transport or given to a server"]
pub struct Script {
    expectations: Arc<Mutex<Expectations>>,
    log: Log,
    /// Whether its drop checks. A clone's does not.
    is_first: bool,
    is_verified: AtomicBool,
}

/// A [`Script`] with a request that has no reply yet.
#[derive(Debug)]
#[must_use = "call `reply`"]
pub struct Expecting {
    script: Script,
    expectation: Expectation,
    uses: Uses,
}

impl Script {
    /// A script that expects nothing.
    pub fn new() -> Self {
        let expectations = Expectations::new(("the script", "expectation"), Order::Any);
        Self {
            expectations: Arc::new(Mutex::new(expectations)),
            log: Log::new(),
            is_first: true,
            is_verified: AtomicBool::new(false),
        }
    }

    /// Expects a request, once.
    pub fn on(self, expectation: Expectation) -> Expecting {
        Expecting { script: self, expectation, uses: Uses::Times(1) }
    }

    /// The requests that came, in order.
    #[must_use]
    pub fn log(&self) -> Vec<Logged> {
        self.log.requests()
    }

    /// What was not used, and what was not expected. `None` if there is neither.
    ///
    /// ```
    /// use pagestream::testing::{Script, script::get};
    ///
    /// let script = Script::new().on(get("/issues")).reply("[]");
    /// let report = "the script was not followed\nunused: expectation 1, GET /issues\n";
    /// assert_eq!(script.report().unwrap(), report);
    /// # std::mem::forget(script);
    /// ```
    #[must_use]
    pub fn report(&self) -> Option<String> {
        self.lock().report()
    }

    /// Checks that each expectation was used, and that no other request came.
    ///
    /// # Panics
    ///
    /// It panics with the [`report`](Script::report) if there is one, to fail the test.
    #[track_caller]
    pub fn verify(&self) {
        self.is_verified.store(true, Ordering::Relaxed);
        if let Some(report) = self.report() {
            panic!("{report}");
        }
    }

    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Error> {
        self.log.add(request);
        let received = Received::new(request);
        let reply = self.lock().answer(&received)?;
        reply.response()
    }

    fn lock(&self) -> MutexGuard<'_, Expectations> {
        self.expectations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

impl Expecting {
    /// It answers so many times, and must be asked as often.
    ///
    /// ```
    /// use pagestream::testing::{Reply, Script, script::get};
    /// use serde_json::json;
    ///
    /// let script = Script::new()
    ///     .on(get("/issues")).times(2).reply(Reply::status(503))
    ///     .on(get("/issues")).reply(json!([]));
    /// # std::mem::forget(script);
    /// ```
    pub fn times(mut self, times: usize) -> Self {
        self.uses = Uses::Times(times);
        self
    }

    /// It answers however often, also never, where no other expectation does.
    pub fn always(mut self) -> Self {
        self.uses = Uses::Always;
        self
    }

    /// What it answers.
    pub fn reply(self, reply: impl Into<Reply>) -> Script {
        self.script.lock().add(self.expectation, reply.into(), self.uses);
        self.script
    }
}

impl Clone for Script {
    fn clone(&self) -> Self {
        Self {
            expectations: Arc::clone(&self.expectations),
            log: self.log.clone(),
            is_first: false,
            is_verified: AtomicBool::new(false),
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let is_checked = self.is_first && !*self.is_verified.get_mut() && !thread::panicking();
        if is_checked && let Some(report) = self.report() {
            panic!("{report}");
        }
    }
}

/// What a server answers to an unexpected request. No reading asks again after it.
pub(super) fn response_to_unexpected(error: &Error) -> Response<Bytes> {
    let source = StdError::source(error).map(ToString::to_string);
    let body = json!({"error": error.to_string(), "difference": source});
    json_response(StatusCode::NOT_IMPLEMENTED, &body)
}

impl Service for Script {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.answer(request).unwrap_or_else(|error| response_to_unexpected(&error))
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        deliver(self.answer(&request)?).await
    }
}

impl Debug for Script {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Script").field(&*self.lock()).finish()
    }
}
