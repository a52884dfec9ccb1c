//! Where the secret comes from.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response, header::AUTHORIZATION};
use pagestream::{
    Credentials, Error, ErrorKind, ExposeSecret, PaginatorExt, Retry, SecretString,
    SharedCredentials, Transport, async_trait,
    hubspot::Association,
    testing::{Alloy, HubSpot},
};
use tokio::time::Instant;

use super::{companies, contacts, read};
use crate::support::{Outcome, drain};
use serde_json::Value;

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

/// Reads 20 objects with 2 associations each from a service of this patience.
async fn read_companies(
    provider: &Provider,
    requests_of_each: usize,
    window: usize,
) -> (Outcome<Association>, Vec<String>) {
    let hubspot = HubSpot::new(1).objects(20);
    let service = Expiring::new(hubspot.clone(), requests_of_each);
    let builder = companies(&hubspot).credentials(provider.clone());
    let outcome = read(builder.transport(service.transport()).build().unwrap(), window).await;
    (outcome, service.bearers())
}

/// Reads 100 contacts, ten to a page.
async fn read_contacts(
    provider: &Provider,
    requests_of_each: usize,
) -> (Outcome<Value>, Vec<String>) {
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
    assert_eq!(outcome.progress().retries, 0);
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
async fn a_401_that_stays_some_seconds_after_the_secret_was_renewed_is_the_error() {
    let provider = Provider::new();
    let start = Instant::now();
    let (outcome, bearers) = read_companies(&provider, 0, 1).await;
    let took = start.elapsed();
    assert!(took > Duration::from_secs(5) && took < Duration::from_secs(15), "{took:?}");
    assert_eq!(bearers[0], "Bearer secret-1");
    assert!(bearers.len() < 10 && bearers[1..].iter().all(|it| it == "Bearer secret-2"));
    let error = outcome.error();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(401)));
    assert_eq!((error.attempts(), provider.asked()), (1, 2));
    assert_eq!(error.service_error().category.as_deref(), Some("EXPIRED_AUTHENTICATION"));
    assert!(!error.is_retryable() && error.checkpoint().is_some());

    let provider = Provider::new();
    let (outcome, bearers) = read_contacts(&provider, 0).await;
    assert_eq!((outcome.error().status(), provider.asked()), (Some(401), 2));
    assert_eq!(bearers.last().unwrap(), "Bearer secret-2");
}

#[tokio::test(start_paused = true)]
async fn a_new_secret_that_is_not_known_everywhere_at_once_is_waited_for() {
    // Every secret but the first is taken from three seconds after its first request on.
    let new_since = Arc::new(Mutex::new(None));
    for window in [1, 16] {
        let hubspot = HubSpot::new(1).objects(20);
        let (service, since) = (hubspot.clone(), Arc::clone(&new_since));
        *since.lock().unwrap() = None;
        let transport = move |request: Request<Bytes>| {
            let (service, since) = (service.clone(), Arc::clone(&since));
            async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let is_new = request.headers()[AUTHORIZATION] == "Bearer secret-2";
                let is_known = is_new && {
                    let first = *since.lock().unwrap().get_or_insert_with(Instant::now);
                    first.elapsed() >= Duration::from_secs(3)
                };
                if is_known {
                    return service.send(request).await;
                }
                Ok(Response::builder().status(401).body(Bytes::new()).unwrap())
            }
        };
        let provider = Provider::new();
        let builder = companies(&hubspot).credentials(provider.clone()).transport(transport);
        let outcome = read(builder.build().unwrap(), window).await;
        outcome.assert_whole(40);
        assert_eq!((provider.asked(), outcome.progress().retries), (2, 0), "window {window}");
    }
}

#[tokio::test(start_paused = true)]
async fn sixteen_requests_that_meet_a_401_together_ask_once() {
    let hubspot = HubSpot::new(1).objects(20);
    let rejected = Arc::new(AtomicUsize::new(0));
    let (service, count) = (hubspot.clone(), Arc::clone(&rejected));
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
    assert_eq!((provider.asked(), rejected.load(Ordering::Relaxed)), (2, 16));
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
async fn an_error_of_the_provider_is_delivered_as_it_is() {
    let sealed = || Error::new(ErrorKind::Other, "the vault is sealed");
    for asked in [1, 2] {
        let provider = Provider::failing(move |nth| (nth == asked).then(sealed));
        let (outcome, _) = read_contacts(&provider, 4).await;
        assert_eq!((outcome.records.len(), provider.asked()), (40 * (asked - 1), asked));
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
    assert_eq!((provider.asked(), outcome.progress().retries), (3, 2));
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
fn an_empty_or_unsendable_secret_is_invalid() {
    for secret in ["", "se\ncret"] {
        let error = companies(&HubSpot::new(1)).token(secret).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let error = contacts().api_key(secret).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}

#[tokio::test(start_paused = true)]
async fn the_line_break_at_the_end_of_a_token_is_left_out() {
    for (end, service) in
        ["\n", "\r\n", " \n\n"].map(|end| (end, Expiring::new(Alloy::new(1), 1_000)))
    {
        let secret = format!("secret-1{end}");
        let fixed = contacts().api_key(&secret).transport(service.transport()).build().unwrap();
        read(fixed, 1).await.assert_whole(100);
        let provider = move || {
            let secret = SecretString::from(secret.clone());
            async move { Ok(secret) }
        };
        let builder = contacts().credentials(provider).transport(service.transport());
        read(builder.build().unwrap(), 1).await.assert_whole(100);

        let service = Expiring::new(HubSpot::new(1).objects(20), 1_000);
        let builder = companies(&service.service).token(format!("secret-1{end}"));
        read(builder.transport(service.transport()).build().unwrap(), 1).await.assert_whole(40);
        assert!(service.bearers().iter().all(|bearer| bearer == "Bearer secret-1"));
    }
    assert!(contacts().api_key("\r\n").build().is_err());
}

/// Gives `secret-1`, `secret-2` and so on, of which each is fresh for a second.
#[derive(Clone)]
struct Timed {
    provider: Provider,
    given: Arc<Mutex<Option<(String, Instant)>>>,
}

#[async_trait]
impl Credentials for Timed {
    async fn secret(&self) -> Result<SecretString, Error> {
        let secret = self.provider.secret().await?;
        let given = (secret.expose_secret().to_owned(), Instant::now());
        *self.given.lock().unwrap() = Some(given);
        Ok(secret)
    }

    fn is_fresh(&self, secret: &SecretString) -> bool {
        let given = self.given.lock().unwrap();
        let (current, since) = given.as_ref().unwrap();
        current == secret.expose_secret() && since.elapsed() < Duration::from_secs(1)
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_knows_when_its_secret_expires_is_asked_before_that() {
    let bearers = Arc::new(Mutex::new(Vec::new()));
    let timed = Timed { provider: Provider::new(), given: Arc::default() };
    let hubspot = HubSpot::new(1).objects(20);
    let (service, sent) = (hubspot.clone(), Arc::clone(&bearers));
    let transport = move |request: Request<Bytes>| {
        sent.lock().unwrap().push(request.headers()[AUTHORIZATION].to_str().unwrap().to_owned());
        let service = service.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            service.send(request).await
        }
    };
    let shared = Arc::new(SharedCredentials::new(timed.clone()));
    let builder = companies(&hubspot).credentials(shared).transport(transport);
    read(builder.build().unwrap(), 2).await.assert_whole(40);
    // 20 requests, two at a time, and four times two with each secret.
    assert_eq!(timed.provider.asked(), 3);
    let bearers = bearers.lock().unwrap();
    let of = |nth| bearers.iter().filter(|it| **it == format!("Bearer secret-{nth}")).count();
    assert_eq!([of(1), of(2), of(3)], [8, 8, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_not_fresh_and_comes_again_is_sent_again() {
    struct Same;
    #[async_trait]
    impl Credentials for Same {
        async fn secret(&self) -> Result<SecretString, Error> {
            Ok(SecretString::from("secret-1"))
        }

        fn is_fresh(&self, _: &SecretString) -> bool {
            false
        }
    }
    let service = Expiring::new(Alloy::new(1), 1_000);
    let builder = contacts().credentials(Same).transport(service.transport());
    read(builder.build().unwrap(), 1).await.assert_whole(100);
    assert!(service.bearers().iter().all(|bearer| bearer == "Bearer secret-1"));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_provider_is_never_taken_for_one_of_the_page() {
    for (status, asked) in [(400, 1), (404, 1), (410, 1), (413, 1), (502, 4), (503, 4)] {
        let refused = move |_| Some(Error::new(ErrorKind::Status, "no").with_status(status));
        let provider = Provider::failing(refused);
        let hubspot = HubSpot::new(1).objects(20);
        let builder = companies(&hubspot).batch_size(20).transport(hubspot.clone());
        let companies = builder.credentials(provider.clone()).build().unwrap();
        let reading = companies.read().retry(Retry::default().max_attempts(4));
        let outcome = drain(reading.pass_over_unreadable().records()).await;
        // No id fails, and none is asked for alone.
        let error = outcome.error();
        assert_eq!((error.status(), provider.asked()), (Some(status), asked), "{error}");
        assert!(!error.is_partial() && !error.is_expired() && error.ids().is_empty());
        assert!(error.checkpoint().is_some());
    }
}
