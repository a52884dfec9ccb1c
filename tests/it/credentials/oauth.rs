//! Tokens from a token endpoint.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::{
    future::{join_all, ready},
    poll,
};
use http::{Request, Response, header::AUTHORIZATION};
use pagestream::{
    Credentials, Error, ErrorKind, ExposeSecret, PaginatorExt, Transport,
    http::{Client, OAuth, OAuthBuilder},
    hubspot::Associations,
    rest::SinglePage,
    testing::{HubSpot, Server, Service},
};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, time::advance};

use super::{companies, read};
use crate::support::{Script, drain, events};

const TOKEN_URL: &str = "https://auth.example.com/oauth/token";

/// The part of each secret that is looked for in texts.
const CORE: &str = "0c0ffee05ec2ba5e";

fn client_credentials(script: &Script) -> OAuthBuilder {
    let builder = OAuth::client_credentials(TOKEN_URL, "my-id", "my-secret");
    builder.transport(script.transport())
}

fn refreshed(script: &Script) -> OAuthBuilder {
    let builder = OAuth::refresh_token(TOKEN_URL, "my-id", "my-secret", "refresh-1");
    builder.transport(script.transport())
}

/// Tokens `token-1`, `token-2` and so on, each of which is valid for an hour.
fn tokens(last: usize) -> Script {
    Script::json((1..=last).map(|nth| {
        json!({"access_token": format!("token-{nth}"), "token_type": "Bearer", "expires_in": 3600})
    }))
}

async fn secret(oauth: &OAuth) -> String {
    oauth.secret().await.unwrap().expose_secret().to_owned()
}

/// A service that takes some tokens, and which it was sent.
#[derive(Clone, Default)]
struct Api {
    refused: Vec<&'static str>,
    bearers: Arc<Mutex<Vec<String>>>,
}

impl Api {
    fn refusing(refused: &[&'static str]) -> Self {
        Self { refused: refused.to_vec(), ..Self::default() }
    }

    fn transport(&self) -> impl Transport + use<> {
        let api = self.clone();
        move |request: Request<Bytes>| {
            let bearer = request.headers()[AUTHORIZATION].to_str().unwrap();
            let bearer = bearer.strip_prefix("Bearer ").unwrap().to_owned();
            let is_refused = api.refused.contains(&bearer.as_str());
            api.bearers.lock().unwrap().push(bearer);
            let status = if is_refused { 401 } else { 200 };
            async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok::<_, Error>(Response::builder().status(status).body("[1]".into()).unwrap())
            }
        }
    }

    fn client(&self, oauth: &OAuth) -> Client {
        let client = Client::builder("https://api.example.com").credentials(oauth.clone());
        client.transport(self.transport()).build().unwrap()
    }

    fn bearers(&self) -> Vec<String> {
        self.bearers.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn the_client_is_in_the_header_by_default_with_both_parts_encoded() {
    let script = tokens(1);
    let builder = OAuth::client_credentials(TOKEN_URL, "my id:1", "se/cr:et+%ü");
    let builder = builder.scope("a b").parameter("audience", "https://api.example.com/?a=b&c");
    let oauth = builder.transport(script.transport()).build().unwrap();
    assert_eq!(secret(&oauth).await, "token-1");
    let request = script.request();
    assert_eq!((request.method().as_str(), request.uri().to_string()), ("POST", TOKEN_URL.into()));
    // my%20id%3A1:se%2Fcr%3Aet%2B%25%C3%BC
    let basic = "Basic bXklMjBpZCUzQTE6c2UlMkZjciUzQWV0JTJCJTI1JUMzJUJD";
    assert_eq!(request.headers()[AUTHORIZATION], basic);
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.headers()["accept"], "application/json");
    let audience = "audience=https%3A%2F%2Fapi.example.com%2F%3Fa%3Db%26c";
    assert_eq!(request.body(), &format!("grant_type=client_credentials&scope=a%20b&{audience}"),);
}

#[tokio::test]
async fn the_client_is_in_the_form_where_it_is_told_so() {
    let script = tokens(2);
    let builder = OAuth::refresh_token(TOKEN_URL, "my id", "a&b=c", "r/1+é");
    let oauth = builder.secret_in_body().transport(script.transport()).build().unwrap();
    assert_eq!(secret(&oauth).await, "token-1");
    let public = OAuth::refresh_token(TOKEN_URL, "my id", "", "r\n").secret_in_body();
    let public = public.transport(script.transport()).build().unwrap();
    assert_eq!(secret(&public).await, "token-2");
    let requests = script.all_requests();
    assert!(requests.iter().all(|it| !it.headers().contains_key(AUTHORIZATION)));
    assert_eq!(
        requests[0].body(),
        "grant_type=refresh_token&client_id=my%20id&client_secret=a%26b%3Dc\
         &refresh_token=r%2F1%2B%C3%A9"
    );
    assert_eq!(requests[1].body(), "grant_type=refresh_token&client_id=my%20id&refresh_token=r");
}

#[tokio::test]
async fn the_token_url_is_asked_as_it_was_given() {
    for url in ["https://a.example/", "https://a.example/token/", "https://a.example/t?p=a@b/c"] {
        let script = tokens(1);
        let builder = OAuth::client_credentials(url, "my-id", "my-secret");
        secret(&builder.transport(script.transport()).build().unwrap()).await;
        assert_eq!(script.request().uri(), url);
    }
}

#[test]
fn plain_http_to_a_token_endpoint_is_invalid_but_to_this_machine_unless_it_is_allowed() {
    let build = |url: &str| OAuth::client_credentials(url, "my-id", "my-secret").transport(nowhere);
    for url in ["http://localhost/t", "http://127.0.0.1:8080/t?a=b", "http://[::1]/t"] {
        assert!(build(url).build().is_ok(), "{url}");
    }
    for url in ["http://example.com/t", "http://10.0.0.1", "http://localhost.example.com/t?a=b"] {
        let error = build(url).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
        assert!(error.to_string().contains("token URL"), "{error}");
        assert!(error.to_string().contains("allow_plain_http"), "{error}");
        assert!(build(url).allow_plain_http().build().is_ok(), "{url}");
    }
}

/// A transport that no request may come to.
async fn nowhere(_: Request<Bytes>) -> Result<Response<Bytes>, Error> {
    panic!("a request came")
}

#[test]
fn what_can_not_work_is_a_configuration_error() {
    let builder = |url: &str| OAuth::client_credentials(url, "my-id", "my-secret");
    let invalid = [
        builder("auth.example.com"),
        builder("ftp://auth.example.com"),
        builder("https://me:pass-word@auth.example.com/token"),
        builder("https://auth.example.com/token#pass-word"),
        builder(""),
        builder("https://"),
        OAuth::client_credentials(TOKEN_URL, "", "my-secret"),
        OAuth::refresh_token(TOKEN_URL, "my-id", "my-secret", " \n"),
        builder(TOKEN_URL).parameter("grant_type", "password"),
        builder(TOKEN_URL).parameter("refresh_token", "r"),
        builder(TOKEN_URL).parameter("scope", "a").scope("b"),
        builder(TOKEN_URL).parameter("client_id", "another").secret_in_body(),
        builder(TOKEN_URL).parameter("", ""),
    ];
    for builder in invalid {
        assert!(!format!("{builder:?}").contains("pass-word"), "{builder:?}");
        let error = builder.transport(nowhere).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(!format!("{error} {error:?}").contains("pass-word"), "{error:?}");
    }
    let both = builder(TOKEN_URL).parameter("client_id", "my-id").parameter("resource", "a");
    assert!(both.parameter("resource", "b").transport(nowhere).build().is_ok());
}

#[tokio::test(start_paused = true)]
async fn many_requests_in_flight_make_one_exchange() {
    let script = tokens(1);
    let slow = {
        let transport = Arc::new(script.transport());
        move |request| {
            let transport = Arc::clone(&transport);
            async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                transport.send(request).await
            }
        }
    };
    let oauth = client_credentials(&script).transport(slow).build().unwrap();
    let api = Api::default();
    // Two clients, and each has a keyring of its own.
    let clients = [api.client(&oauth), api.client(&oauth)];
    let requests = (0..20).map(|nth| clients[nth % 2].get("/x").send());
    assert!(join_all(requests).await.iter().all(Result::is_ok));
    assert_eq!(script.all_requests().len(), 1);
    assert_eq!(api.bearers(), vec!["token-1"; 20]);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_the_skew_before_it_expires() {
    for (skew, used_for) in [(None, 3540), (Some(600), 3000), (Some(0), 3600), (Some(9000), 1800)] {
        let script = tokens(2);
        let builder = client_credentials(&script);
        let builder = skew.iter().fold(builder, |it, skew| it.skew(Duration::from_secs(*skew)));
        let (oauth, api) = (builder.build().unwrap(), Api::default());
        let client = api.client(&oauth);
        let send = async || client.get("/x").send().await.unwrap();
        send().await;
        let first = oauth.secret().await.unwrap();
        assert!(oauth.is_fresh(&first));
        // The first request took 10 ms.
        advance(Duration::from_millis(1000 * used_for - 11)).await;
        assert!(oauth.is_fresh(&first));
        send().await;
        assert!(!oauth.is_fresh(&first));
        send().await;
        assert!(!oauth.is_fresh(&first) && oauth.is_fresh(&oauth.secret().await.unwrap()));
        // No request met a 401 for it.
        assert_eq!(api.bearers(), ["token-1", "token-1", "token-2"], "{skew:?}");
        assert_eq!(script.all_requests().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_may_be_a_text_and_without_one_a_token_is_used_until_a_401() {
    let day = Duration::from_secs(24 * 60 * 60);
    for (expires_in, is_fresh) in [
        (json!("3600"), false),
        (json!(" 3600.5 "), false),
        (json!(3600.0), false),
        (json!(1e300), true),
        (json!(null), true),
        (json!(0), true),
        (json!(-1), true),
        (json!("NaN"), true),
        (json!("soon"), true),
        (json!([]), true),
    ] {
        let script = Script::json([json!({"access_token": "token-1", "expires_in": expires_in})]);
        let oauth = client_credentials(&script).build().unwrap();
        let token = oauth.secret().await.unwrap();
        assert!(oauth.is_fresh(&token));
        advance(day).await;
        assert_eq!(oauth.is_fresh(&token), is_fresh, "{expires_in}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_401_renews_once() {
    let script = tokens(2);
    let (oauth, api) = (client_credentials(&script).build().unwrap(), Api::refusing(&["token-1"]));
    let client = api.client(&oauth);
    let sent = join_all((0..5).map(|_| client.get("/x").send())).await;
    assert!(sent.iter().all(Result::is_ok));
    assert_eq!(script.all_requests().len(), 2);
    assert_eq!(api.bearers(), [["token-1"; 5], ["token-2"; 5]].concat());
    // Another one than the refused is there already.
    let renewed = oauth.renew(&"token-1".to_owned().into()).await.unwrap();
    assert_eq!(renewed.expose_secret(), "token-2");
}

/// Tokens whose refresh token is another one each time.
fn rotating(last: usize) -> Script {
    Script::json((1..=last).map(|nth| {
        json!({
            "access_token": format!("token-{nth}"),
            "expires_in": 3600,
            "refresh_token": format!("refresh-{}", nth + 1),
        })
    }))
}

fn refresh_tokens(script: &Script) -> Vec<String> {
    let bodies = script.requests();
    let token = |it: &Request<Bytes>| {
        let body = std::str::from_utf8(it.body()).unwrap();
        body.split_once("refresh_token=").unwrap().1.to_owned()
    };
    bodies.iter().map(token).map(|it| it.rsplit('=').next().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_refresh_token_replaces_the_old_one_and_is_told() {
    let script = rotating(2)
        .then(200, r#"{"access_token": "token-3", "expires_in": 3600}"#)
        .then(200, r#"{"access_token": "token-4", "refresh_token": "refresh-3"}"#);
    let told = Arc::new(Mutex::new(Vec::new()));
    let store = Arc::clone(&told);
    let oauth = refreshed(&script).on_refresh_token(move |token| {
        store.lock().unwrap().push(token.expose_secret().to_owned());
    });
    let oauth = oauth.build().unwrap();
    for nth in 1..=4 {
        assert_eq!(secret(&oauth).await, format!("token-{nth}"));
        advance(Duration::from_secs(3600)).await;
    }
    assert_eq!(refresh_tokens(&script), ["refresh-1", "refresh-2", "refresh-3", "refresh-3"]);
    assert_eq!(*told.lock().unwrap(), ["refresh-2", "refresh-3"]);
}

#[tokio::test(start_paused = true)]
async fn an_exchange_whose_request_is_dropped_is_gone_on_with() {
    let (script, permits) = (rotating(2), Arc::new(Semaphore::new(0)));
    let held = {
        let (transport, permits) = (Arc::new(script.transport()), Arc::clone(&permits));
        move |request| {
            let (transport, permits) = (Arc::clone(&transport), Arc::clone(&permits));
            async move {
                // The service has rotated the refresh token, and its answer is on its way.
                let response = transport.send(request).await;
                permits.acquire().await.unwrap().forget();
                response
            }
        }
    };
    let told = Arc::new(Mutex::new(Vec::new()));
    let store = Arc::clone(&told);
    let oauth = refreshed(&script).transport(held).on_refresh_token(move |token| {
        store.lock().unwrap().push(token.expose_secret().to_owned());
    });
    let oauth = oauth.build().unwrap();
    let client = Api::default().client(&oauth);
    let mut dropped = Box::pin(client.get("/x").send());
    assert!(poll!(&mut dropped).is_pending());
    drop(dropped);
    permits.add_permits(1);
    client.get("/x").send().await.unwrap();
    assert_eq!(refresh_tokens(&script), ["refresh-1"]);
    assert_eq!(*told.lock().unwrap(), ["refresh-2"]);

    // What it gives may be too old by then, and then it is asked for once more.
    advance(Duration::from_secs(3600)).await;
    let mut dropped = Box::pin(client.get("/x").send());
    assert!(poll!(&mut dropped).is_pending());
    drop(dropped);
    let script = script.then(200, r#"{"access_token": "token-3"}"#);
    advance(Duration::from_secs(3600)).await;
    permits.add_permits(2);
    client.get("/x").send().await.unwrap();
    assert_eq!(refresh_tokens(&script), ["refresh-1", "refresh-2", "refresh-3"]);
    assert_eq!(*told.lock().unwrap(), ["refresh-2", "refresh-3"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_token_endpoint_is_fatal_and_has_its_name() {
    let refused = json!({"error": "invalid_grant", "error_description": "The token is revoked"});
    for (status, body) in
        [(400, refused.clone()), (401, json!({"error": "invalid_grant"})), (200, refused)]
    {
        let script = Script::new([(status, body.to_string().into())]);
        let oauth = refreshed(&script).build().unwrap();
        // A 400 of HubSpot would split the batch.
        let hubspot = HubSpot::new(1).objects(20);
        let builder = Associations::builder("deals", "companies").ids(hubspot.ids());
        let builder = builder.credentials(oauth).transport(hubspot.clone());
        let error = read(builder.build().unwrap(), 4).await.error();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(status)));
        assert_eq!(error.service_error().category.as_deref(), Some("invalid_grant"));
        let text = error.to_string();
        assert!(text.starts_with("no access token from auth.example.com"), "{text}");
        assert!(text.contains("invalid_grant") && text.contains("renew the credentials"), "{text}");
        assert!(!error.is_retryable() && error.checkpoint().is_some());
        assert_eq!((script.all_requests().len(), hubspot.requests()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_is_busy_is_asked_again_and_the_page_stays_as_it_is() {
    let answers = [503, 503, 429, 502].map(|status| (status, Bytes::new()));
    let token = r#"{"access_token": "token-1"}"#;
    let script = Script::new(answers).then(200, token);
    let hubspot = HubSpot::new(1).objects(20);
    let builder = companies(&hubspot).batch_size(20).transport(hubspot.clone());
    let builder = builder.credentials(client_credentials(&script).build().unwrap());
    read(builder.build().unwrap(), 1).await.assert_whole(40);
    assert_eq!((script.all_requests().len(), hubspot.requests()), (5, 1));
}

#[tokio::test]
async fn an_answer_without_a_token_that_can_be_sent_is_an_error() {
    for (body, is_retryable) in [
        ("", false),
        ("<html>sign in</html>", false),
        ("{}", false),
        ("[]", false),
        (r#"{"access_token": ""}"#, false),
        (r#"{"access_token": 7}"#, false),
        (r#"{"access_token": "token-1", "token_type": "mac"}"#, false),
        (r#"{"access_token": "tok"#, true),
    ] {
        let script = Script::new([(200, body.into())]);
        let error = client_credentials(&script).build().unwrap().secret().await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Decode, is_retryable));
        assert!(error.to_string().starts_with("no access token from auth.example.com: "));
    }
    for token_type in ["bearer", "Bearer", "BEARER"] {
        let script = Script::json([json!({"access_token": "t", "token_type": token_type})]);
        assert_eq!(secret(&client_credentials(&script).build().unwrap()).await, "t");
    }
}

#[tokio::test]
async fn a_transport_that_panics_is_an_error_and_is_asked_again() {
    let answers = Mutex::new(VecDeque::from([None, Some(r#"{"access_token": "token-1"}"#)]));
    let transport = move |_| {
        let answer = answers.lock().unwrap().pop_front().unwrap();
        async move { Ok(Response::new(answer.expect("it panics").into())) }
    };
    let oauth = OAuth::client_credentials(TOKEN_URL, "my-id", "my-secret").transport(transport);
    let oauth = oauth.build().unwrap();
    assert_eq!(oauth.secret().await.unwrap_err().kind(), ErrorKind::Contract);
    assert_eq!(secret(&oauth).await, "token-1");
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_a_message_or_a_log_though_the_token_endpoint_repeats_it() {
    events::listen();
    let client_secret = format!("client-{CORE}/+&\"");
    let basic = "bXktaWQ6Y2xpZW50LTBjMGZmZWUwNWVjMmJhNWUlMkYlMkIlMjYlMjI=";
    let secrets = [
        client_secret.clone(),
        format!("refresh-1-{CORE}"),
        format!("refresh-2-{CORE}"),
        format!("access-1-{CORE}"),
        format!("assertion-{CORE}"),
        basic.to_owned(),
    ];
    let given = json!({
        "access_token": secrets[3],
        "refresh_token": secrets[2],
        "expires_in": 3600,
    });
    // Behind as much that the text is cut within a secret.
    let far = |secret: &str| format!("{}{secret} {secret}", "x".repeat(500 - 12));
    let bodies = secrets.iter().flat_map(|secret| {
        [
            json!({"error": secret, "error_description": secret, "error_uri": secret}),
            json!({"error": "invalid_grant", "error_description": far(secret)}),
            json!({"error": {"message": secret, "code": secret}}),
            json!({"error_description": format!("{secret:?}"), "access_token": secret}),
            json!([secret]),
            json!({"access_token": format!("other-{CORE}"), "token_type": format!("{secret} {CORE}")}),
            json!({"error": format!("new-{CORE}"), "refresh_token": format!("new-{CORE}")}),
        ]
    });
    let mut texts = Vec::new();
    for (body, status) in bodies.flat_map(|body| [200, 400, 401, 503].map(|it| (body.clone(), it)))
    {
        // The type of a token may be any word, so only a secret that is known is removed there.
        let body = body.to_string().replace(&format!(" {CORE}"), "");
        let script = Script::new([(200, given.to_string().into())]);
        let script = (0..2).fold(script, |it, _| it.then(status, body.clone()));
        let builder = OAuth::refresh_token(TOKEN_URL, "my-id", &client_secret, &secrets[1]);
        let builder = builder.parameter("client_assertion", &secrets[4]);
        let builder = builder.transport(script.transport());
        texts.push(format!("{builder:?} {builder:#?}"));
        let oauth = builder.build().unwrap();
        let client = Api::default().client(&oauth);
        let list = client.get("/x").pages(SinglePage).build::<u64>().unwrap();
        drain(list.records()).await.whole();
        let authorization = script.request().headers()[AUTHORIZATION].clone();
        assert_eq!(authorization, format!("Basic {basic}"), "it is planted");
        advance(Duration::from_secs(3600)).await;
        let retry = pagestream::Retry::default().max_attempts(2);
        let outcome = drain(list.read().retry(retry).records()).await;
        texts.push(format!("{oauth:?} {client:?} {:?}", outcome.progress()));
        for error in &outcome.errors {
            texts.push(format!("{error} {error:?} {error:#?} {:?}", error.service_error()));
            let source = std::error::Error::source(error);
            texts.push(format!("{source:?} {}", json!(error.checkpoint())));
        }
    }
    texts.extend(events::heard().into_iter().map(|event| event.text));
    assert!(texts.iter().any(|text| text.contains("[secret]")), "it was repeated");
    for text in texts {
        assert!(!text.contains(CORE) && !text.contains(basic), "{text}");
        // A part of it would do as well.
        assert!(!text.contains(&CORE[..6]) && !text.contains(&basic[..12]), "{text}");
    }
}

#[tokio::test]
async fn an_error_of_the_transport_shows_no_secret_either() {
    let transport = |request: Request<Bytes>| {
        let text = format!("no route for {:?}", request.body());
        ready(Err::<Response<Bytes>, _>(Error::new(ErrorKind::Transport, text)))
    };
    let secret = format!("client-{CORE}/");
    let builder = OAuth::refresh_token(TOKEN_URL, "my-id", secret, format!("refresh-{CORE}"));
    let oauth = builder.secret_in_body().transport(transport).build().unwrap();
    let error = oauth.secret().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Transport, true));
    assert!(error.to_string().contains("client_secret=[secret]"), "{error}");
    assert!(!format!("{error} {error:?}").contains(CORE), "{error}");
}

/// A token endpoint that rotates strictly: an old refresh token is `invalid_grant`.
#[derive(Clone, Default)]
struct TokenEndpoint(Arc<Mutex<usize>>);

impl Service for TokenEndpoint {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let mut rotated = self.0.lock().unwrap();
        let body = std::str::from_utf8(request.body()).unwrap();
        if !body.ends_with(&format!("refresh_token=refresh-{}", *rotated + 1)) {
            let body = json!({"error": "invalid_grant"}).to_string();
            return Response::builder().status(400).body(body.into()).unwrap();
        }
        *rotated += 1;
        let body: Value = json!({
            "access_token": format!("token-{rotated}"),
            "refresh_token": format!("refresh-{}", *rotated + 1),
        });
        Response::new(body.to_string().into())
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn tokens_come_over_http_too() {
    let server = Server::start(TokenEndpoint::default()).await.unwrap();
    let url = format!("{}/token", server.base_url());
    let oauth = OAuth::refresh_token(url, "my-id", "my-secret", "refresh-1").build().unwrap();
    let first = oauth.secret().await.unwrap();
    assert_eq!(first.expose_secret(), "token-1");
    assert_eq!(oauth.renew(&first).await.unwrap().expose_secret(), "token-2");
}
