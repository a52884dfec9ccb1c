//! A token that is planted in every request, and that the service repeats wherever it
//! can, is in no error, no event, no `Debug` and no checkpoint.
//!
//! There is one exception. A cursor goes back byte for byte, so one that a service made
//! of the token is in the checkpoint and in [`Error::cursor`], as it is in the request.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    error::Error as _,
    fmt::{Debug, Write},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response, header::AUTHORIZATION};
use pagestream::{
    Error, ErrorKind, Paginator, PaginatorExt, Read, Reqwest, Retry, SecretString, Source,
    Transport,
    alloy::{Action, ActionBuilder},
    hubspot::{Associations, AssociationsBuilder},
    testing::{Server, Service},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

/// The part of each token that is written in the same way in JSON, HTML and a URL.
const CORE: &str = "0c0ffee05ec2ba5e";

const TOKENS: [&str; 2] = ["pat-na1-0c0ffee05ec2ba5e", r#"sk/"a\b"+0c0ffee05ec2ba5e==&<'>"#];

const ID: u64 = 515_690_208_000;

// ---- What is seen of a reading from outside

thread_local! {
    /// The kinds of errors that were seen on this thread, and so by its tests.
    static KINDS: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Everything that was seen, and which kinds of errors.
#[derive(Default)]
struct Seen {
    texts: Vec<String>,
    kinds: Vec<ErrorKind>,
}

impl Seen {
    fn see(&mut self, what: &impl Debug) {
        self.texts.push(format!("{what:?} {what:#?}"));
    }

    fn error(&mut self, error: &Error) {
        self.kinds.push(error.kind());
        KINDS.with_borrow_mut(|kinds| kinds.insert(format!("{:?}", error.kind())));
        self.see(error);
        self.see(error.service_error());
        self.see(&error.ids());
        self.see(&error.checkpoint());
        self.texts.extend(error.cursor().map(str::to_owned));
        self.texts.push(serde_json::to_string(&error.checkpoint()).unwrap());
        self.texts.push(error.to_string());
        let mut source = error.source();
        while let Some(error) = source {
            self.texts.push(format!("{error} {error:?} {error:#?}"));
            source = error.source();
        }
    }

    /// Reads to the end, and looks at everything on the way.
    async fn read<S: Source + Debug>(&mut self, read: Read<S>) {
        self.see(&read);
        // Two attempts, so that there are events, and they come soon.
        let retry = Retry::default().max_attempts(2).first_delay(Duration::ZERO);
        let mut stream = read.retry(retry).records();
        let monitor = stream.monitor();
        while let Some(item) = stream.next().await {
            if let Err(error) = item {
                self.error(&error);
            }
            self.see(&stream);
            self.see(&monitor);
        }
        self.see(&monitor.failed_ids());
        let checkpoint = monitor.checkpoint().unwrap();
        self.texts.push(serde_json::to_string(&checkpoint).unwrap());
        self.see(&checkpoint);
        self.see(&monitor.take_failures());
    }

    fn assert_hides_the_token(&self) {
        for text in &self.texts {
            assert!(!text.contains(CORE), "{text}");
        }
        for event in events().lock().unwrap().iter() {
            assert!(!event.contains(CORE), "{event}");
        }
    }
}

// ---- What is logged, by whomever

#[derive(Clone, Copy)]
struct Log;

/// The events of this process, of every level and crate.
fn events() -> &'static Mutex<Vec<String>> {
    static EVENTS: OnceLock<Mutex<Vec<String>>> = OnceLock::new();
    EVENTS.get_or_init(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Log)).unwrap();
        Mutex::default()
    })
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(event.metadata().target().to_owned());
        event.record(&mut fields);
        events().lock().unwrap().push(fields.0);
    }

    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut fields = Fields(span.metadata().name().to_owned());
        span.record(&mut fields);
        events().lock().unwrap().push(fields.0);
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        events().lock().unwrap().push(fields.0);
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

// ---- A service that repeats the token

#[derive(Clone)]
struct Answer {
    status: u16,
    body: String,
}

/// The answers in order, of which the last is given for ever.
#[derive(Clone)]
struct Echo {
    token: &'static str,
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl Echo {
    /// `TOKEN` stands in the answers for the token as `escape` writes it.
    fn new(token: &'static str, escape: Escape, answers: &[(u16, &str)]) -> Self {
        let escaped = escape(token);
        let answers = answers.iter().rev().map(|(status, body)| Answer {
            status: *status,
            body: body.replace("TOKEN", &escaped).replace("FIRST", &ID.to_string()),
        });
        Self { token, answers: Arc::new(Mutex::new(answers.collect())) }
    }

    fn transport(&self) -> impl Transport + Clone + use<> {
        let echo = self.clone();
        move |request: Request<Bytes>| {
            let bearer = request.headers()[AUTHORIZATION].to_str().unwrap();
            assert_eq!(bearer, format!("Bearer {}", echo.token), "it is planted");
            std::future::ready(Ok::<_, Error>(echo.respond(&request)))
        }
    }
}

impl Service for Echo {
    fn respond(&self, _: &Request<Bytes>) -> Response<Bytes> {
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.pop().unwrap();
        if answers.is_empty() {
            answers.push(answer.clone());
        }
        Response::builder()
            .status(answer.status)
            .header("content-type", format!("text/{}", self.token))
            .header("retry-after", self.token)
            .header("x-request", self.token)
            .header("location", self.token)
            .body(Bytes::from(answer.body))
            .unwrap()
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

type Escape = fn(&str) -> String;

/// How a service may write the token in a JSON string.
const IN_JSON: [Escape; 5] = [
    |token| serde_json::to_string(token).unwrap().trim_matches('"').to_owned(),
    |token| IN_JSON[0](token).replace('/', r"\/"),
    |token| {
        token.chars().map(|it| format!("\\u{:04x}", u32::from(it))).collect::<Vec<_>>().concat()
    },
    |token| IN_JSON[0](&IN_JSON[0](token)),
    |token| token.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat(),
];

/// How it may write it elsewhere.
const IN_TEXT: [Escape; 3] = [
    str::to_owned,
    |token| {
        token
            .replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('<', "&lt;")
            .replace('>', "&#62;")
    },
    |token| token.replace('\\', r"\\").replace('"', "\\\""),
];

fn deals(token: &str) -> AssociationsBuilder {
    Associations::builder("deals", "companies").ids([ID, ID + 1]).token(token)
}

/// Records that quote what they do not know.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Contact {
    #[serde(rename = "id")]
    _id: u64,
    #[serde(rename = "kind", default)]
    _kind: Option<Kind>,
}

#[derive(Debug, serde::Deserialize)]
enum Kind {
    Person,
}

fn contacts(token: &str) -> ActionBuilder<Contact> {
    Action::builder("hubspot", "listContacts")
        .credential_id("68d9876543210fedcba98765")
        .api_key(token)
}

// ---- The answers, and the kind of error that each brings

const REFUSALS: [&str; 6] = [
    r#"{"message":"TOKEN","category":"TOKEN","subCategory":"TOKEN","correlationId":"TOKEN"}"#,
    r#"{"message":"of TOKEN","errorType":"TOKEN","policyName":"of TOKEN","TOKEN":"TOKEN"}"#,
    r#"{"error":"TOKEN","message":"TOKEN and TOKEN"}"#,
    r#"{"error":{"code":"TOKEN","message":"TOKEN","TOKEN":"TOKEN"}}"#,
    r#"["TOKEN"]"#,
    r#""TOKEN""#,
];

const PAGES_OF_HUBSPOT: [(ErrorKind, &str); 14] = [
    (ErrorKind::Decode, r#"{"results":"TOKEN"}"#),
    (ErrorKind::Decode, r#"{"results":[{"from":{"id":"TOKEN"},"to":"TOKEN"}]}"#),
    (ErrorKind::Decode, r#"{"results":[{"from":"TOKEN","to":[]}]}"#),
    (
        ErrorKind::Decode,
        r#"{"results":[{"from":{"id":"FIRST"},"to":[{"toObjectId":{"TOKEN":1}}]}]}"#,
    ),
    (ErrorKind::Decode, r#"{"results":[],"results":"TOKEN"}"#),
    (
        ErrorKind::Decode,
        r#"{"results":[{"from":{"id":"FIRST"},"to":[],"paging":{"next":"TOKEN"}}]}"#,
    ),
    (ErrorKind::Decode, r#"{"message":"TOKEN","category":"TOKEN"}"#),
    (ErrorKind::Decode, r#"{"results":[]} TOKEN"#),
    (ErrorKind::Contradiction, r#"{"results":[{"from":{"id":"TOKEN"},"to":[]}]}"#),
    (
        ErrorKind::Contradiction,
        r#"{"results":[{"from":{"id":"FIRST"},"to":[],"paging":{"next":{"link":"TOKEN"}}}]}"#,
    ),
    (
        ErrorKind::Rejected,
        r#"{"results":[],"errors":[{"category":"TOKEN","subCategory":"TOKEN","message":"TOKEN",
        "context":{"fromObjectId":["FIRST","TOKEN"],"TOKEN":["TOKEN"],"id":"TOKEN"}}]}"#,
    ),
    (
        ErrorKind::Rejected,
        r#"{"results":[],"errors":[{"message":"TOKEN","context":{"TOKEN":"TOKEN"}}]}"#,
    ),
    (
        ErrorKind::Contradiction,
        r#"{"results":[],"errors":[{"subCategory":"TOKEN.NO_ASSOCIATIONS_FOUND",
        "context":{"fromObjectId":["TOKEN"],"fromObjectType":["TOKEN"]}}]}"#,
    ),
    (
        ErrorKind::Loop,
        r#"{"results":[{"from":{"id":"FIRST"},"to":[],"paging":{"next":{"after":"a",
        "link":"TOKEN"}}}],"errors":null,"TOKEN":"TOKEN"}"#,
    ),
];

const PAGES_OF_ALLOY: [(ErrorKind, &str); 16] = [
    (ErrorKind::Decode, r#"{"data":"TOKEN"}"#),
    (ErrorKind::Decode, r#"{"data":["TOKEN"]}"#),
    (ErrorKind::Decode, r#"{"data":[{"id":"TOKEN"}]}"#),
    (ErrorKind::Decode, r#"{"data":[{"TOKEN":1}]}"#),
    (ErrorKind::Decode, r#"{"data":[{"id":1,"kind":"TOKEN"}]}"#),
    (ErrorKind::Decode, r#"{"data":[],"data":"TOKEN"}"#),
    (ErrorKind::Decode, r#"{"data":[],"pagination":"TOKEN"}"#),
    (ErrorKind::Decode, r#"{"data":[],"pagination":{"hasMore":"TOKEN"}}"#),
    (ErrorKind::Decode, r#"{"data":[],"pagination":{"hasMore":true,"nextOffset":"TOKEN"}}"#),
    (ErrorKind::Decode, r#"{"data":null,"TOKEN":"TOKEN"}"#),
    (ErrorKind::Decode, r#"{"error":"TOKEN","message":"TOKEN"}"#),
    (ErrorKind::Decode, r#"{"error":{"code":"TOKEN","message":"TOKEN"}}"#),
    (ErrorKind::Decode, r#"{"data":[]} TOKEN"#),
    (ErrorKind::Contradiction, r#"{"data":[],"TOKEN":"TOKEN"}"#),
    (ErrorKind::Contradiction, r#"{"data":[],"pagination":{"hasMore":true,"TOKEN":"TOKEN"}}"#),
    (
        ErrorKind::Loop,
        r#"{"data":[],"pagination":{"hasMore":true,"nextOffset":0},"TOKEN":"TOKEN"}"#,
    ),
];

/// Reads these answers through both vendors.
async fn read_both(token: &'static str, escape: Escape, answers: &[(u16, &str)]) -> Seen {
    let mut seen = read_hubspot(token, escape, answers).await;
    let alloy = read_alloy(token, escape, answers).await;
    seen.texts.extend(alloy.texts);
    seen.kinds.extend(alloy.kinds);
    seen
}

async fn read_hubspot(token: &'static str, escape: Escape, answers: &[(u16, &str)]) -> Seen {
    let mut seen = Seen::default();
    let builder = deals(token).transport(Echo::new(token, escape, answers).transport());
    seen.see(&builder);
    let associations = builder.clone().build().unwrap();
    seen.see(&associations);
    seen.texts.push(associations.identity());
    seen.read(associations.read()).await;
    let builder = deals(token).transport(Echo::new(token, escape, answers).transport());
    let grouped = builder.build().unwrap().grouped();
    seen.see(&grouped);
    seen.read(grouped.read().set_failures_aside()).await;
    seen
}

async fn read_alloy(token: &'static str, escape: Escape, answers: &[(u16, &str)]) -> Seen {
    let mut seen = Seen::default();
    let builder = contacts(token).transport(Echo::new(token, escape, answers).transport());
    seen.see(&builder);
    let action = builder.build().unwrap();
    seen.see(&action);
    seen.texts.push(action.identity());
    seen.read(action.read()).await;
    seen
}

// ---- Through the vendors

#[tokio::test(start_paused = true)]
async fn a_refusal_that_repeats_the_token_does_not_show_it() {
    events();
    for token in TOKENS {
        for (escape, status, body) in IN_JSON.iter().flat_map(|escape| {
            let statuses = [400, 401, 404, 410, 413, 423, 429, 503, 307];
            statuses.into_iter().flat_map(move |it| REFUSALS.map(move |body| (escape, it, body)))
        }) {
            let seen = read_both(token, *escape, &[(status, body)]).await;
            assert!(seen.kinds.iter().all(|kind| *kind == ErrorKind::Status), "{body}");
            seen.assert_hides_the_token();
        }
        for escape in IN_TEXT {
            for body in ["<html>TOKEN</html>", "TOKEN", "<p title=\"TOKEN\">"] {
                read_both(token, escape, &[(502, body)]).await.assert_hides_the_token();
            }
        }
    }
    let retried = events().lock().unwrap();
    assert!(retried.iter().any(|it| it.contains("asked for again")), "the events are seen");
    assert!(retried.iter().any(|it| it.contains("[secret]")), "the token was in them");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_repeats_the_token_does_not_show_it() {
    for token in TOKENS {
        for escape in IN_JSON {
            for (kind, page) in PAGES_OF_HUBSPOT {
                let seen = read_hubspot(token, escape, &[(200, page)]).await;
                assert!(seen.kinds.contains(&kind), "{:?} of {page}", seen.kinds);
                seen.assert_hides_the_token();
            }
            for (kind, page) in PAGES_OF_ALLOY {
                let seen = read_alloy(token, escape, &[(200, page)]).await;
                assert_eq!(seen.kinds, [kind], "{page}");
                seen.assert_hides_the_token();
            }
        }
        for escape in IN_TEXT {
            for body in ["<html>TOKEN</html>", "TOKEN", "{TOKEN", "\u{1}TOKEN"] {
                let seen = read_both(token, escape, &[(200, body)]).await;
                assert!(seen.kinds.iter().all(|kind| *kind == ErrorKind::Decode));
                seen.assert_hides_the_token();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_has_expired_does_not_show_the_token() {
    let first = r#"{"results":[{"from":{"id":"FIRST"},"to":[],"paging":{"next":{"after":"a"}}}]}"#;
    let expired = r#"{"message":"The paging cursor of TOKEN is not known","category":"TOKEN"}"#;
    for (token, escape) in TOKENS.into_iter().flat_map(|it| IN_JSON.map(|escape| (it, escape))) {
        let seen = read_hubspot(token, escape, &[(200, first), (400, expired)]).await;
        assert!(seen.kinds.contains(&ErrorKind::Expired), "{:?}", seen.kinds);
        seen.assert_hides_the_token();
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_has_changed_and_a_checkpoint_of_another_do_not_show_the_token() {
    for token in TOKENS {
        let pages = [
            r#"{"data":[{"id":1},{"id":2}],"pagination":{"hasMore":false,"TOKEN":"TOKEN"}}"#,
            r#"{"data":[{"id":1}],"pagination":{"hasMore":false},"TOKEN":"TOKEN"}"#,
        ];
        let echo = Echo::new(token, IN_JSON[0], &pages.map(|page| (200, page)));
        let action = contacts(token).transport(echo.transport()).build().unwrap();
        let mut stream = action.read().max_records(1).records();
        stream.next().await.unwrap().unwrap();
        let checkpoint = stream.checkpoint().unwrap();

        let mut seen = Seen::default();
        seen.read(action.read().resume(checkpoint.clone())).await;
        let associations = deals(token).transport(echo.transport()).build().unwrap();
        seen.read(associations.read().resume(checkpoint)).await;
        assert_eq!(seen.kinds, [ErrorKind::Changed, ErrorKind::Checkpoint]);
        seen.assert_hides_the_token();
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_renewed_is_shown_no_more_than_the_one_before() {
    let asked = Arc::new(Mutex::new(0));
    let provider = move || {
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        let secret = format!("{asked}-of-{CORE}");
        async move { Ok(SecretString::from(secret)) }
    };
    let body = format!(r#"{{"message":"1-of-{CORE} and 2-of-{CORE}","error":"1-of-{CORE}"}}"#);
    let refusing = move |_: Request<Bytes>| {
        std::future::ready(Ok::<_, Error>(
            Response::builder().status(401).body(Bytes::from(body.clone())).unwrap(),
        ))
    };
    let mut seen = Seen::default();
    let builder = contacts("").credentials(provider.clone()).transport(refusing.clone());
    seen.see(&builder);
    seen.read(builder.build().unwrap().read()).await;
    assert_eq!(seen.kinds, [ErrorKind::Status]);
    assert!(seen.texts.iter().any(|text| text.contains("[secret] and [secret]")));
    seen.assert_hides_the_token();
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_provider_shows_no_token() {
    let provider = || async { Err(Error::other("the vault is sealed")) };
    let mut seen = Seen::default();
    seen.read(deals(TOKENS[0]).credentials(provider).build().unwrap().read()).await;
    seen.read(contacts(TOKENS[0]).credentials(provider).build().unwrap().read()).await;
    assert_eq!(seen.kinds, [ErrorKind::Other, ErrorKind::Other]);
    seen.assert_hides_the_token();
}

#[tokio::test]
async fn a_refusal_of_a_builder_does_not_show_the_token() {
    let mut seen = Seen::default();
    for token in TOKENS {
        let unsendable = format!("{token}\n");
        let with_user = format!("https://{CORE}:{CORE}@example.com");
        let with_query = format!("https://example.com?key={CORE}");
        let refused = [
            deals(&unsendable).build().map(drop),
            contacts(&unsendable).build().map(drop),
            deals(token).base_url(&with_user).build().map(drop),
            contacts(token).base_url(&with_user).build().map(drop),
            deals(token).base_url(&with_query).build().map(drop),
            contacts(token).base_url(&with_query).build().map(drop),
            deals(token).batch_size(0).build().map(drop),
            contacts(token).limit(0).build().map(drop),
            contacts(token).api_version("a\nb").build().map(drop),
            deals(token).base_url("http://example.com").build().map(drop),
        ];
        for error in refused {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            seen.error(&error);
        }
        for base_url in [&with_user, &with_query] {
            seen.see(&deals(token).base_url(base_url));
            seen.see(&contacts(token).base_url(base_url));
        }
    }
    let unsendable = || async { Ok(SecretString::from(format!("{CORE}\u{0}"))) };
    seen.read(deals("").credentials(unsendable).build().unwrap().read()).await;
    assert!(seen.kinds.iter().all(|kind| *kind == ErrorKind::Configuration));
    seen.assert_hides_the_token();
}

// ---- Over HTTP

#[tokio::test]
async fn an_error_of_the_transport_does_not_show_the_token() {
    events();
    let token = TOKENS[0];
    let echo = Echo::new(token, IN_JSON[0], &[(200, r#"{"results":["TOKEN"]}"#)]);
    let server = Server::start(echo).await.unwrap();
    let gone = Server::start(Echo::new(token, IN_JSON[0], &[(200, "")])).await.unwrap();
    let nowhere = gone.base_url();
    drop(gone);
    tokio::task::yield_now().await;

    let transport = Reqwest::new().unwrap();
    let cases = [
        (server.base_url(), transport.clone(), ErrorKind::Decode),
        (server.base_url(), transport.clone().max_body(0), ErrorKind::TooLarge),
        (server.base_url(), transport.clone().deadline(Duration::ZERO), ErrorKind::Timeout),
        (nowhere, transport, ErrorKind::Transport),
    ];
    for (base_url, transport, kind) in cases {
        let mut seen = Seen::default();
        seen.see(&transport);
        let builder = deals(token).base_url(&base_url).transport(transport.clone());
        seen.see(&builder);
        seen.read(builder.build().unwrap().read()).await;
        let builder = contacts(token).base_url(base_url).transport(transport);
        seen.read(builder.build().unwrap().read()).await;
        assert_eq!(seen.kinds, [kind, kind]);
        seen.see(&server);
        seen.assert_hides_the_token();
    }
}

#[tokio::test]
async fn the_log_of_a_test_service_does_not_show_the_token() {
    let service = pagestream::testing::HubSpot::new(1);
    let server = Server::start(service.clone()).await.unwrap();
    let builder = deals(TOKENS[0]).base_url(server.base_url()).build().unwrap();
    let mut seen = Seen::default();
    seen.read(builder.read()).await;
    assert!(service.log()[0].headers[AUTHORIZATION].to_str().unwrap().contains(CORE));
    seen.see(&service.log());
    seen.see(&service);
    seen.see(&server);
    seen.assert_hides_the_token();
}

/// The kinds, as the crate lists them. `Contract` is missing: it is about a paginator of
/// one's own, and what it quotes are numbers.
fn kinds() -> impl Iterator<Item = &'static str> {
    let (_, list) = include_str!("../src/error.rs").split_once("pub enum ErrorKind {").unwrap();
    let lines = list.split_once("\n}").unwrap().0.lines().map(str::trim);
    let kinds = lines.filter(|line| !line.starts_with("//")).filter_map(|it| it.strip_suffix(','));
    kinds.filter(|kind| *kind != "Contract")
}

#[test]
fn each_kind_of_error_is_looked_at() {
    assert!(kinds().count() >= 13);
    a_refusal_that_repeats_the_token_does_not_show_it();
    a_page_that_repeats_the_token_does_not_show_it();
    a_cursor_that_has_expired_does_not_show_the_token();
    a_page_that_has_changed_and_a_checkpoint_of_another_do_not_show_the_token();
    the_error_of_a_provider_shows_no_token();
    a_refusal_of_a_builder_does_not_show_the_token();
    an_error_of_the_transport_does_not_show_the_token();
    for kind in kinds() {
        let is_seen = KINDS.with_borrow(|seen| seen.contains(kind));
        assert!(is_seen, "no test brings an error of the kind {kind}");
    }
}
