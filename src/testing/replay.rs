use std::{
    fmt::{self, Debug, Formatter},
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, header::CONTENT_LENGTH};

use super::{
    faults::deliver,
    har::{self, Entry, Outcome, header},
    script::{Expectation, Expectations, Order, Received, Reply, Uses, response_to_unexpected},
    service::Service,
    url_text::split,
};
use crate::{
    error::{Error, ErrorKind},
    transport::Transport,
};

/// Headers that are not those of a body as a HAR file has it, or of no HTTP/1.1 response in
/// memory.
const LEFT_OUT: [&str; 5] =
    ["content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"];

/// Plays a HAR file back: of a [`Recorder`](super::Recorder), a browser or a proxy.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, http::Client, rest::NextCursor, testing::Replay};
/// use serde_json::Value;
///
/// # futures::executor::block_on(async {
/// let har = r#"{"log": {"entries": [
///     {"request": {"method": "GET", "url": "https://api.example.com/issues?limit=2"},
///      "response": {"status": 200, "content": {"text": "{\"items\": [1, 2], \"next\": \"c2\"}"}}},
///     {"request": {"method": "GET", "url": "https://api.example.com/issues?limit=2&cursor=c2"},
///      "response": {"status": 200, "content": {"text": "{\"items\": [3]}"}}}
/// ]}}"#;
/// let replay = Replay::from_har(har)?;
///
/// let client = Client::builder("https://elsewhere.example").transport(replay.clone()).build()?;
/// let issues = client
///     .get("/issues")
///     .limit("limit", 2)
///     .pages(NextCursor::at("/next").into_query("cursor"))
///     .records_at("/items")
///     .build::<Value>()?;
/// let records: Vec<_> = issues.records().try_collect().await?;
///
/// assert_eq!(records, [1, 2, 3]);
/// replay.verify();
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
///
/// # Which entry answers
///
/// Each entry answers once, in the order of the file. The method, the path, the query in any
/// order, and the body must be those of the request. Bodies of JSON are compared as values.
/// Headers are not compared, and hosts not by default. Where the recording has `[secret]`,
/// anything fits. Otherwise the request is an error that is not retried, whose source shows
/// what differs. [`by_match`](Replay::by_match) is for readings with a window, whose requests
/// have no order.
///
/// Links in a recording lead to the host of the recording. So give the client its base URL,
/// or call [`ignore_link_hosts`](crate::http::ClientBuilder::ignore_link_hosts).
///
/// # What is left out
///
/// Preflight requests (`OPTIONS`), and what is not HTTP. [`only`](Replay::only) leaves out
/// more. Headers about the encoding of a body are left out, since a HAR file has it decoded.
#[derive(Clone)]
#[must_use = "a replay answers when it is a transport or given to a server"]
pub struct Replay {
    entries: Arc<Vec<Entry>>,
    options: Options,
    expectations: Arc<Mutex<Expectations>>,
}

#[derive(Clone, Debug)]
struct Options {
    only: Vec<String>,
    order: Order,
    uses: Uses,
    has_timings: bool,
    checks_hosts: bool,
}

impl Replay {
    /// Reads the text of a HAR file.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if it is not JSON, has no list of entries, or an entry
    /// lacks its method, address or status.
    pub fn from_har(text: &str) -> Result<Self, Error> {
        let entries = Arc::new(har::read(text)?);
        let options = Options {
            only: Vec::new(),
            order: Order::Strict,
            uses: Uses::Times(1),
            has_timings: false,
            checks_hosts: false,
        };
        let expectations = Arc::new(Mutex::new(expectations(&entries, &options)));
        Ok(Self { entries, options, expectations })
    }

    /// Reads a HAR file.
    ///
    /// # Errors
    ///
    /// As of [`from_har`](Self::from_har), and of kind [`Other`](ErrorKind::Other) if the file
    /// can't be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|error| {
            let message = format!("the recording {} can't be read", path.display());
            Error::new(ErrorKind::Other, message).with_source(error)
        })?;
        Self::from_har(&text)
    }

    fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self.expectations = Arc::new(Mutex::new(expectations(&self.entries, &self.options)));
        self
    }

    /// Plays only the entries whose path begins with this, such as `/api`, and of them no
    /// images, fonts, styles and scripts. Call it again for another path.
    pub fn only(self, path: impl Into<String>) -> Self {
        self.with(|options| options.only.push(path.into()))
    }

    /// Any entry that fits may answer, not only the next one. Each answers once, those that fit
    /// the same request in their order.
    ///
    /// A window asks for pages beyond the end while it waits. Which of them depends on the time
    /// that responses take, so [`verify`](Self::verify) needs
    /// [`with_timings`](Self::with_timings) then.
    pub fn by_match(self) -> Self {
        self.with(|options| options.order = Order::Any)
    }

    /// An entry may answer again. An entry that was not used comes first.
    pub fn repeat(self) -> Self {
        self.with(|options| options.uses = Uses::Repeated)
    }

    /// A response takes as long as when it was recorded, on tokio's clock. By default it takes
    /// no time.
    pub fn with_timings(self) -> Self {
        self.with(|options| options.has_timings = true)
    }

    /// The host of a request must be that of the recording, with its port.
    pub fn check_hosts(self) -> Self {
        self.with(|options| options.checks_hosts = true)
    }

    /// How many entries are played.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.lock().len()
    }

    /// What was not used, and what was not expected. `None` if there is neither.
    #[must_use]
    pub fn report(&self) -> Option<String> {
        self.lock().report()
    }

    /// Checks that each entry was used, and that no other request came. A replay that is
    /// dropped does not check, since a reading may end early.
    ///
    /// # Panics
    ///
    /// It panics with the [`report`](Replay::report) if there is one, to fail the test.
    #[track_caller]
    pub fn verify(&self) {
        if let Some(report) = self.report() {
            panic!("{report}");
        }
    }

    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let received = Received::new(request);
        let reply = self.lock().answer(&received)?;
        reply.response()
    }

    fn lock(&self) -> MutexGuard<'_, Expectations> {
        self.expectations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn expectations(entries: &[Entry], options: &Options) -> Expectations {
    let mut expectations = Expectations::new(("the recording", "entry"), options.order);
    for entry in entries.iter().filter(|entry| is_played(entry, &options.only)) {
        let (host, ..) = split(&entry.url);
        let host = host.filter(|_| options.checks_hosts).map(str::to_owned);
        let (method, body) = (entry.method.clone(), entry.body.clone());
        let expectation = Expectation::recorded(method, &entry.url, host, body);
        let seconds = if options.has_timings { entry.milliseconds / 1_000.0 } else { 0.0 };
        let delay = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        expectations.add_numbered(
            entry.number,
            expectation,
            reply(entry).delay(delay),
            options.uses,
        );
    }
    expectations
}

fn is_played(entry: &Entry, only: &[String]) -> bool {
    if entry.method == Method::OPTIONS {
        return false;
    }
    let (_, path, _) = split(&entry.url);
    let is_other = match &entry.outcome {
        Outcome::Response { headers, .. } => header(headers, "content-type").any(|value| {
            let value = value.trim().to_ascii_lowercase();
            let begins = ["image/", "font/", "audio/", "video/", "text/css"];
            begins.iter().any(|begin| value.starts_with(begin)) || value.contains("javascript")
        }),
        Outcome::Failure { .. } => false,
    };
    only.is_empty() || (only.iter().any(|begin| path.starts_with(begin)) && !is_other)
}

fn reply(entry: &Entry) -> Reply {
    let (status, headers, body) = match &entry.outcome {
        Outcome::Response { status, headers, body } => (status, headers, body),
        Outcome::Failure { kind, message } => return Reply::failure(*kind, message.clone()),
    };
    let mut reply = Reply::status(status.as_u16()).body(body.clone());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        // What a header can't carry did not come in one.
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes()))
            && !LEFT_OUT.contains(&name.as_str())
        {
            reply = reply.more(name, value);
        }
    }
    // Otherwise a body that the recording lacks would be one that was cut.
    if body.is_empty() { reply.more(CONTENT_LENGTH, 0.into()) } else { reply }
}

impl Service for Replay {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.answer(request).unwrap_or_else(|error| response_to_unexpected(&error))
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

#[async_trait]
impl Transport for Replay {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        deliver(self.answer(&request)?).await
    }
}

impl Debug for Replay {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("options", &self.options)
            .field("expectations", &*self.lock())
            .finish_non_exhaustive()
    }
}
