//! One provider for several readings.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, future::join_all, poll};
use http::{Request, Response, header::AUTHORIZATION};
use pagestream::{
    Credentials, Error, ErrorKind, ExposeSecret, PaginatorExt, SecretString, SharedCredentials,
    Transport, async_trait,
    testing::{Alloy, HubSpot},
};

use tokio::sync::Semaphore;

use super::{companies, contacts, read};

/// An account whose every exchange ends the token before. Each token is taken for so many
/// requests.
#[derive(Clone)]
struct Account {
    requests_of_each: usize,
    state: Arc<Mutex<State>>,
    /// Each exchange needs a permit to come to its end.
    permits: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    token: usize,
    taken: usize,
    /// What the provider was told, for each exchange.
    refused: Vec<Option<String>>,
}

impl Account {
    fn new(requests_of_each: usize) -> Self {
        let permits = Arc::new(Semaphore::new(1_000));
        Self { requests_of_each, state: Arc::default(), permits }
    }

    async fn exchange(&self, refused: Option<String>) -> Result<SecretString, Error> {
        let token = {
            let mut state = self.state.lock().unwrap();
            state.refused.push(refused);
            state.token += 1;
            state.taken = 0;
            state.token
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.permits.acquire().await.unwrap().forget();
        Ok(SecretString::from(format!("secret-{token}")))
    }

    /// A service that takes the latest token alone.
    fn over<T: Transport + Clone + 'static>(&self, service: T) -> impl Transport + use<T> {
        let account = self.clone();
        move |request: Request<Bytes>| {
            let (account, service) = (account.clone(), service.clone());
            async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let is_taken = {
                    let mut state = account.state.lock().unwrap();
                    let bearer = request.headers()[AUTHORIZATION].to_str().unwrap();
                    state.taken += 1;
                    bearer == format!("Bearer secret-{}", state.token)
                        && state.taken <= account.requests_of_each
                };
                if is_taken {
                    return service.send(request).await;
                }
                Ok(Response::builder().status(401).body(Bytes::new()).unwrap())
            }
        }
    }

    fn refused(&self) -> Vec<Option<String>> {
        self.state.lock().unwrap().refused.clone()
    }
}

#[async_trait]
impl Credentials for Account {
    async fn secret(&self) -> Result<SecretString, Error> {
        self.exchange(None).await
    }

    async fn renew(&self, refused: &SecretString) -> Result<SecretString, Error> {
        self.exchange(Some(refused.expose_secret().to_owned())).await
    }
}

/// Reads 20 objects with 2 associations each.
async fn read_companies(account: &Account, credentials: SharedCredentials, window: usize) {
    let hubspot = HubSpot::new(1).objects(20);
    let builder = companies(&hubspot).credentials(credentials).transport(account.over(hubspot));
    read(builder.build().unwrap(), window).await.assert_whole(40);
}

async fn read_contacts(account: &Account, credentials: SharedCredentials, window: usize) {
    let builder = contacts().credentials(credentials).transport(account.over(Alloy::new(1)));
    read(builder.build().unwrap(), window).await.assert_whole(100);
}

#[tokio::test(start_paused = true)]
async fn one_exchange_serves_all_readings_and_the_provider_is_told_what_was_refused() {
    for window in [1, 4] {
        let account = Account::new(25);
        let credentials = SharedCredentials::new(account.clone());
        let companies = (0..2).map(|_| read_companies(&account, credentials.clone(), window));
        let contacts = read_contacts(&account, credentials.clone(), window);
        futures::join!(join_all(companies), contacts);
        // 50 requests, and more for those that met a 401.
        let refused = account.refused();
        assert!((2..=6).contains(&refused.len()), "{refused:?}");
        let told = (1..refused.len()).map(|token| Some(format!("secret-{token}")));
        assert_eq!(refused, [None].into_iter().chain(told).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn clones_of_one_builder_share_the_provider() {
    let account = Account::new(1_000);
    let hubspot = HubSpot::new(1).objects(20);
    let builder = companies(&hubspot).credentials(account.clone());
    let builder = builder.transport(account.over(hubspot));
    for _ in 0..2 {
        read(builder.clone().build().unwrap(), 4).await.assert_whole(40);
    }
    assert_eq!(account.refused(), [None]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_polls_and_that_asked_the_provider_holds_up_no_other() {
    let account = Account { permits: Arc::new(Semaphore::new(0)), ..Account::new(1_000) };
    let credentials = SharedCredentials::new(account.clone());
    let builder = contacts().credentials(credentials.clone());
    let action = builder.transport(account.over(Alloy::new(1))).build().unwrap();
    let mut unpolled = action.records();
    assert!(poll!(unpolled.next()).is_pending());
    assert_eq!(account.refused(), [None]);
    account.permits.add_permits(1);
    // The other goes on with the exchange that the first one began.
    read_companies(&account, credentials.clone(), 4).await;
    assert_eq!(account.refused(), [None]);
    assert_eq!(unpolled.count().await, 100);

    // One that is dropped takes its exchange along.
    let account = Account { permits: Arc::new(Semaphore::new(0)), ..Account::new(1_000) };
    let credentials = SharedCredentials::new(account.clone());
    let builder = contacts().credentials(credentials.clone());
    let action = builder.transport(account.over(Alloy::new(1))).build().unwrap();
    let mut dropped = action.records();
    assert!(poll!(dropped.next()).is_pending());
    drop(dropped);
    account.permits.add_permits(1);
    read_companies(&account, credentials, 4).await;
    assert_eq!(account.refused(), [None, None]);
}

#[tokio::test(start_paused = true)]
async fn all_that_wait_get_the_error_of_the_provider() {
    #[derive(Debug)]
    struct Sealed;
    impl std::fmt::Display for Sealed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the vault is sealed")
        }
    }
    impl std::error::Error for Sealed {}

    let credentials = SharedCredentials::new(|| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(Error::other(Sealed))
    });
    let secrets = join_all((0..3).map(|_| credentials.secret())).await;
    let errors = secrets.into_iter().map(Result::unwrap_err).collect::<Vec<_>>();
    for error in &errors {
        assert_eq!(error.kind(), ErrorKind::Other);
        let source = std::error::Error::source(error).unwrap();
        assert_eq!(source.to_string(), "the vault is sealed");
    }
    assert!(errors.iter().any(|error| error.downcast_ref::<Sealed>().is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_is_an_error_and_is_asked_again() {
    let asked = Arc::new(Mutex::new(0));
    let provider = {
        let asked = Arc::clone(&asked);
        move || {
            let asked = {
                let mut asked = asked.lock().unwrap();
                *asked += 1;
                *asked
            };
            async move {
                assert!(asked > 1, "it panics");
                Ok(SecretString::from("secret-1"))
            }
        }
    };
    let account = Account::new(1_000);
    account.state.lock().unwrap().token = 1;
    let builder = contacts().credentials(provider).transport(account.over(Alloy::new(1)));
    let action = builder.build().unwrap();
    let error = read(action.clone(), 1).await.error();
    assert_eq!(error.kind(), ErrorKind::Contract);
    assert!(error.checkpoint().is_some());
    read(action, 1).await.assert_whole(100);
}

#[tokio::test(start_paused = true)]
async fn a_paginator_of_a_user_gets_the_secret_that_all_share() {
    let account = Account::new(1_000);
    let credentials = SharedCredentials::new(account.clone());
    let first = credentials.secret().await.unwrap();
    assert_eq!(first.expose_secret(), "secret-1");
    let again = SharedCredentials::new(credentials.clone());
    assert_eq!(again.secret().await.unwrap().expose_secret(), "secret-1");
    let renewed = join_all((0..3).map(|_| credentials.renew(&first))).await;
    assert!(renewed.into_iter().all(|it| it.unwrap().expose_secret() == "secret-2"));
    // It was refused to all, and renewed once.
    assert_eq!(credentials.renew(&first).await.unwrap().expose_secret(), "secret-2");
    assert_eq!(account.refused(), [None, Some("secret-1".to_owned())]);
}
