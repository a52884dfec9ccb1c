//! Where the secret comes from, and where it goes.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use pagestream::{
    Credentials, Error, ErrorKind, Paginator, PaginatorExt, Progress, Retry, SecretString,
    StopReason, Transport,
    alloy::{Action, ActionBuilder},
    async_trait,
    hubspot::{Associations, AssociationsBuilder},
    testing::{Alloy, HubSpot, Server, Service},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

// ---- A provider that numbers its secrets, and a service that takes some of them

/// Gives `secret-1`, `secret-2` and so on, and fails where the test says so.
#[derive(Clone)]
struct Provider {
    asked: Arc<AtomicUsize>,
    fault: Arc<Fault>,
}

type Fault = dyn Fn(usize) -> Option<Error> + Send + Sync;

impl Provider {
    fn new() -> Self {
        Self::failing(|_| None)
    }

    fn failing(fault: impl Fn(usize) -> Option<Error> + Send + Sync + 'static) -> Self {
        Self { asked: Arc::default(), fault: Arc::new(fault) }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Credentials for Provider {
    async fn secret(&self) -> Result<SecretString, Error> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
        match (self.fault)(asked) {
            Some(error) => Err(error),
            None => Ok(SecretString::from(format!("secret-{asked}"))),
        }
    }
}

/// Takes a secret for so many requests, and then the next.
#[derive(Clone)]
struct Expiring<T> {
    service: T,
    requests_of_each: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    taken: usize,
    bearers: Vec<String>,
    bodies: Vec<Bytes>,
}

impl<T: Transport + Clone + 'static> Expiring<T> {
    fn new(service: T, requests_of_each: usize) -> Self {
        Self { service, requests_of_each, state: Arc::default() }
    }

    fn transport(&self) -> impl Transport + use<T> {
        let this = self.clone();
        move |request: Request<Bytes>| {
            let this = this.clone();
            async move { this.answer(request).await }
        }
    }

    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let bearer = request.headers()[AUTHORIZATION].to_str().unwrap().to_owned();
        let is_taken = {
            let mut state = self.state.lock().unwrap();
            let current = state.taken.checked_div(self.requests_of_each).map(|it| it + 1);
            let is_taken = current.is_some_and(|it| bearer == format!("Bearer secret-{it}"));
            state.taken += usize::from(is_taken);
            state.bearers.push(bearer);
            state.bodies.push(request.body().clone());
            is_taken
        };
        tokio::time::sleep(Duration::from_millis(10)).await;
        if is_taken {
            return self.service.send(request).await;
        }
        let body = r#"{"category":"EXPIRED_AUTHENTICATION","error":"Unauthorized"}"#;
        Ok(Response::builder().status(401).body(Bytes::from(body)).unwrap())
    }

    fn bearers(&self) -> Vec<String> {
        self.state.lock().unwrap().bearers.clone()
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.state.lock().unwrap().bodies.clone()
    }
}

// ---- The vendors

fn companies(service: &HubSpot) -> AssociationsBuilder {
    Associations::builder("deals", "companies").ids(service.ids()).batch_size(1)
}

fn contacts() -> ActionBuilder<Value> {
    Action::builder("hubspot", "listContacts").credential_id("68d9876543210fedcba98765").limit(10)
}

/// What came of a reading.
struct Outcome {
    records: usize,
    error: Option<Error>,
    progress: Progress,
}

impl Outcome {
    fn error(self) -> Error {
        self.error.expect("it fails")
    }

    fn assert_whole(&self, records: usize) {
        assert!(self.error.is_none(), "{:?}", self.error);
        assert_eq!((self.records, self.progress.stop), (records, Some(StopReason::End)));
    }
}

async fn read(paginator: impl Paginator, window: usize) -> Outcome {
    let mut stream = paginator.read().window(window).records();
    let monitor = stream.monitor();
    let (mut records, mut error) = (0, None);
    while let Some(item) = stream.next().await {
        match item {
            Ok(_) => records += 1,
            Err(it) => error = Some(it),
        }
    }
    Outcome { records, error, progress: monitor.progress() }
}

/// Reads 20 objects with 2 associations each from a service of this patience.
async fn read_companies(
    provider: &Provider,
    requests_of_each: usize,
    window: usize,
) -> (Outcome, Vec<String>) {
    let hubspot = HubSpot::new(1).objects(20);
    let service = Expiring::new(hubspot.clone(), requests_of_each);
    let builder = companies(&hubspot).credentials(provider.clone());
    let outcome = read(builder.transport(service.transport()).build().unwrap(), window).await;
    (outcome, service.bearers())
}

/// Reads 100 contacts, ten to a page.
async fn read_contacts(provider: &Provider, requests_of_each: usize) -> (Outcome, Vec<String>) {
    let service = Expiring::new(Alloy::new(1), requests_of_each);
    let builder = contacts().credentials(provider.clone());
    let outcome = read(builder.transport(service.transport()).build().unwrap(), 1).await;
    (outcome, service.bearers())
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_asked_before_the_first_request_and_once() {
    let provider = Provider::new();
    let service = Expiring::new(Alloy::new(1), 1_000);
    let builder = contacts().credentials(provider.clone()).transport(service.transport());
    let action = builder.build().unwrap();
    let mut stream = action.records();
    assert_eq!(provider.asked(), 0);
    stream.next().await.unwrap().unwrap();
    assert_eq!(provider.asked(), 1);
    drop(stream);
    // Another stream of the paginator has it already.
    read(action, 1).await.assert_whole(100);
    assert_eq!(provider.asked(), 1);

    let provider = Provider::new();
    let (outcome, bearers) = read_companies(&provider, 1_000, 1).await;
    outcome.assert_whole(40);
    assert_eq!((provider.asked(), bearers.len()), (1, 20));
    assert!(bearers.iter().all(|bearer| bearer == "Bearer secret-1"));
}

#[tokio::test(start_paused = true)]
async fn requests_that_begin_together_ask_once() {
    let provider = Provider::new();
    let (outcome, _) = read_companies(&provider, 1_000, 16).await;
    outcome.assert_whole(40);
    assert_eq!(provider.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_expires_is_asked_for_again_and_the_reading_goes_on() {
    let provider = Provider::new();
    let (outcome, bearers) = read_companies(&provider, 7, 1).await;
    outcome.assert_whole(40);
    // It is no retry, and none of them waits.
    assert_eq!(outcome.progress.retries, 0);
    assert_eq!((provider.asked(), bearers.len()), (3, 22));

    let provider = Provider::new();
    let (outcome, bearers) = read_contacts(&provider, 4).await;
    outcome.assert_whole(100);
    assert_eq!((provider.asked(), bearers.len()), (3, 12));
    assert_eq!(bearers[3..6], ["Bearer secret-1", "Bearer secret-1", "Bearer secret-2"]);
}

#[tokio::test(start_paused = true)]
async fn the_request_that_met_a_401_is_made_again_just_as_it_was() {
    let service = Expiring::new(Alloy::new(1), 4);
    let builder = contacts().credentials(Provider::new()).transport(service.transport());
    read(builder.build().unwrap(), 1).await.assert_whole(100);
    let bodies = service.bodies();
    assert_eq!(bodies[4], bodies[5]);
    assert_ne!(bodies[3], bodies[4]);
}

#[tokio::test(start_paused = true)]
async fn a_second_401_is_the_error() {
    let provider = Provider::new();
    let (outcome, bearers) = read_companies(&provider, 0, 1).await;
    assert_eq!(bearers, ["Bearer secret-1", "Bearer secret-2"]);
    let error = outcome.error();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(401)));
    assert_eq!((error.attempts(), provider.asked()), (1, 2));
    assert_eq!(error.service_error().category.as_deref(), Some("EXPIRED_AUTHENTICATION"));
    assert!(!error.is_retryable() && error.checkpoint().is_some());

    let provider = Provider::new();
    let (outcome, bearers) = read_contacts(&provider, 0).await;
    assert_eq!((outcome.error().status(), provider.asked(), bearers.len()), (Some(401), 2, 2));
}

#[tokio::test(start_paused = true)]
async fn sixteen_requests_that_meet_a_401_together_ask_once() {
    let hubspot = HubSpot::new(1).objects(20);
    let refused = Arc::new(AtomicUsize::new(0));
    let (service, count) = (hubspot.clone(), Arc::clone(&refused));
    let transport = move |request: Request<Bytes>| {
        let (service, count) = (service.clone(), Arc::clone(&count));
        async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if request.headers()[AUTHORIZATION] == "Bearer secret-2" {
                return service.send(request).await;
            }
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Response::builder().status(401).body(Bytes::new()).unwrap())
        }
    };
    let provider = Provider::new();
    let builder = companies(&hubspot).credentials(provider.clone()).transport(transport);
    read(builder.build().unwrap(), 16).await.assert_whole(40);
    assert_eq!((provider.asked(), refused.load(Ordering::Relaxed)), (2, 16));
}

#[tokio::test(start_paused = true)]
async fn a_401_for_a_fixed_token_is_the_error_at_once() {
    let service = Expiring::new(HubSpot::new(1), 0);
    let builder = companies(&HubSpot::new(1)).token("secret-9");
    let outcome = read(builder.transport(service.transport()).build().unwrap(), 1).await;
    assert_eq!(outcome.error().status(), Some(401));
    assert_eq!(service.bearers(), ["Bearer secret-9"]);

    let service = Expiring::new(Alloy::new(1), 0);
    let builder = contacts().api_key("secret-9").transport(service.transport());
    assert_eq!(read(builder.build().unwrap(), 1).await.error().status(), Some(401));
    assert_eq!(service.bearers(), ["Bearer secret-9"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_provider_is_given_out_as_it_is() {
    let sealed = || Error::new(ErrorKind::Other, "the vault is sealed");
    for asked in [1, 2] {
        let provider = Provider::failing(move |nth| (nth == asked).then(sealed));
        let (outcome, _) = read_contacts(&provider, 4).await;
        assert_eq!((outcome.records, provider.asked()), (40 * (asked - 1), asked));
        let error = outcome.error();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Other, 1));
        assert!(error.to_string().starts_with("the vault is sealed"), "{error}");
        assert!(error.checkpoint().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_provider_is_retried_where_it_says_so() {
    let slow = || Error::new(ErrorKind::Other, "the vault is slow").with_retryable(true);
    let provider = Provider::failing(move |nth| (nth == 1 || nth == 2).then(slow));
    let service = Expiring::new(HubSpot::new(1), 0);
    let transport = {
        let service = service.clone();
        move |request: Request<Bytes>| {
            let service = service.clone();
            async move { service.service.send(request).await }
        }
    };
    let builder = companies(&HubSpot::new(1).objects(3)).credentials(provider.clone());
    let outcome = read(builder.transport(transport).build().unwrap(), 1).await;
    outcome.assert_whole(6);
    assert_eq!((provider.asked(), outcome.progress.retries), (3, 2));
    assert_eq!(service.service.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_the_provider_that_can_not_be_sent_is_a_configuration_error() {
    for secret in ["", "se\ncret", "se\u{0}cret"] {
        let provider = move || async move { Ok(SecretString::from(secret)) };
        let service = Expiring::new(Alloy::new(1), 1);
        let builder = contacts().credentials(provider).transport(service.transport());
        let error = read(builder.build().unwrap(), 1).await.error();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Configuration, 1), "{secret:?}");
        assert!(!format!("{error} {error:?}").contains("cret\""), "{error:?}");
        assert!(service.bearers().is_empty());

        let builder = companies(&HubSpot::new(1)).credentials(provider);
        let error = read(builder.transport(HubSpot::new(1)).build().unwrap(), 1).await.error();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{secret:?}");
    }
}

#[test]
fn an_empty_or_unsendable_secret_is_refused_by_build() {
    for secret in ["", "se\ncret"] {
        let error = companies(&HubSpot::new(1)).token(secret).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let error = contacts().api_key(secret).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}

// ---- Where it goes

/// What both builders say to a base URL, and to the same with plain http allowed.
fn build(base_url: &str) -> (Result<(), Error>, Result<(), Error>) {
    // Given, because the default one needs a TLS feature for https.
    let companies = companies(&HubSpot::new(1)).transport(HubSpot::new(1));
    let contacts = || contacts().transport(HubSpot::new(1));
    let hubspot = companies.token("a-token").base_url(base_url);
    let alloy = contacts().api_key("a-key").base_url(base_url);
    let allowed = hubspot.clone().allow_plain_http().build().map(drop);
    let refused = hubspot.build().map(drop);
    assert_eq!(refused.is_ok(), alloy.build().is_ok(), "{base_url}");
    let alloy = contacts().api_key("a-key").base_url(base_url).allow_plain_http();
    assert_eq!(allowed.is_ok(), alloy.build().is_ok(), "{base_url}");
    (refused, allowed)
}

#[test]
fn plain_http_is_refused_but_to_this_machine_unless_it_is_allowed() {
    for url in [
        "http://localhost",
        "http://LOCALHOST:8080/path",
        "http://127.0.0.1:1",
        "http://127.9.8.7",
        "http://[::1]:1",
        "https://example.com",
        "HTTPS://example.com:444/path",
    ] {
        assert!(build(url).0.is_ok(), "{url}");
    }
    for url in [
        "http://example.com",
        "HTTP://example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://128.0.0.1",
        "http://10.0.0.1",
        "http://[::2]",
        "http://0.0.0.0",
    ] {
        let (refused, allowed) = build(url);
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
        assert!(error.to_string().contains("allow_plain_http"), "{error}");
        assert!(allowed.is_ok(), "{url}");
    }
}

#[test]
fn a_base_url_with_a_user_is_refused_and_not_shown() {
    for url in [
        "https://me:pass-word@example.com",
        "https://pass-word@localhost",
        "http://x:pass-word@[::1]",
    ] {
        let (refused, allowed) = build(url);
        for error in [refused.unwrap_err(), allowed.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!format!("{error} {error:?}").contains("pass-word"), "{error:?}");
        }
        let builders = format!(
            "{:?} {:?}",
            companies(&HubSpot::new(1)).base_url(url),
            contacts().base_url(url)
        );
        assert!(!builders.contains("pass-word"), "{builders}");
    }
}

#[test]
fn a_secret_in_the_query_of_a_base_url_is_not_shown() {
    let url = "https://example.com/?hapikey=pass-word";
    let error = build(url).0.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("pass-word"), "{error:?}");
    let builder = format!("{:?}", companies(&HubSpot::new(1)).base_url(url));
    assert!(!builder.contains("pass-word"), "{builder}");
}

/// Answers every request in one way.
#[derive(Clone)]
struct Always {
    status: u16,
    location: Option<String>,
    body: Value,
    heads: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Always {
    fn new(status: u16, location: Option<String>, body: Value) -> Self {
        Self { status, location, body, heads: Arc::default() }
    }
}

impl Service for Always {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.heads.lock().unwrap().push(request.headers().clone());
        let response = Response::builder().status(self.status);
        let response =
            self.location.iter().fold(response, |it, location| it.header("location", location));
        response.body(Bytes::from(self.body.to_string())).unwrap()
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

/// A place that nobody may come to.
struct Elsewhere(TcpListener);

impl Elsewhere {
    async fn start() -> (Self, SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        (Self(listener), address)
    }

    /// Reads while nobody comes.
    async fn read(&self, paginator: impl Paginator) -> Outcome {
        tokio::select! {
            outcome = read(paginator, 1) => outcome,
            _ = self.0.accept() => panic!("somebody came"),
        }
    }

    fn assert_nobody_came(self) {
        // A connection would be waiting to be accepted.
        let accepted = self.0.into_std().unwrap().accept();
        assert_eq!(accepted.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_is_an_error_and_nothing_arrives_there() {
    for status in [301, 302, 303, 307, 308] {
        let (elsewhere, address) = Elsewhere::start().await;
        let location = Some(format!("http://{address}/take-this"));
        let service = Always::new(status, location, json!({"message": "moved"}));
        let server = Server::start(service.clone()).await.unwrap();

        let builder = companies(&HubSpot::new(1)).token("a-token").base_url(server.base_url());
        let error = elsewhere.read(builder.build().unwrap()).await.error();
        assert_eq!((error.status(), error.attempts()), (Some(status), 1));

        let builder = contacts().api_key("a-key").user_id("a-user").base_url(server.base_url());
        let error = elsewhere.read(builder.build().unwrap()).await.error();
        assert_eq!((error.status(), error.attempts()), (Some(status), 1));

        assert_eq!(service.heads.lock().unwrap().len(), 2);
        elsewhere.assert_nobody_came();
    }
}

#[tokio::test]
async fn a_link_to_the_next_page_is_never_followed() {
    let (elsewhere, address) = Elsewhere::start().await;
    let link = format!("http://{address}/next?after=a");
    let id = HubSpot::new(1).ids().next().unwrap().to_string();
    let page = |after: Value| {
        let next = json!({"link": link, "after": after});
        json!({"results": [{"from": {"id": id}, "to": [], "paging": {"next": next}}]})
    };
    // With a cursor it is read on at the same place, and without one it is an error.
    let requests = [(json!("a"), 2, ErrorKind::Loop), (Value::Null, 1, ErrorKind::Contradiction)];
    for (after, requests, kind) in requests {
        let service = Always::new(200, None, page(after));
        let server = Server::start(service.clone()).await.unwrap();
        let builder = companies(&HubSpot::new(1).objects(1)).token("a-token");
        let builder = builder.base_url(server.base_url()).build().unwrap();
        let mut records = builder.read().retry(Retry::never()).records();
        let error = records.next().await.unwrap().unwrap_err();
        assert!(error.is_partial() && error.kind() == kind, "{error}");
        assert!(records.next().await.is_none());
        assert_eq!(service.heads.lock().unwrap().len(), requests);
    }
    elsewhere.assert_nobody_came();
}
