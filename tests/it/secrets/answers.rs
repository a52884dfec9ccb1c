//! A service that repeats the token, and the kind of error that each answer brings.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};
use pagestream::{
    Error, ErrorKind, Paginator, PaginatorExt, Transport,
    alloy::{Action, ActionBuilder},
    hubspot::{Associations, AssociationsBuilder},
    testing::Service,
};

use super::seen::{ID, Seen};
use crate::support::CREDENTIAL;

#[derive(Clone)]
struct Answer {
    status: u16,
    body: String,
}

/// The answers in order, of which the last is given for ever.
#[derive(Clone)]
pub(super) struct Echo {
    token: &'static str,
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl Echo {
    /// `TOKEN` stands in the answers for the token as `escape` writes it.
    pub(super) fn new(token: &'static str, escape: Escape, answers: &[(u16, &str)]) -> Self {
        let escaped = escape(token);
        let answers = answers.iter().rev().map(|(status, body)| Answer {
            status: *status,
            body: body.replace("TOKEN", &escaped).replace("FIRST", &ID.to_string()),
        });
        Self { token, answers: Arc::new(Mutex::new(answers.collect())) }
    }

    pub(super) fn transport(&self) -> impl Transport + Clone + use<> {
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

pub(super) type Escape = fn(&str) -> String;

/// How a service may write the token in a JSON string.
pub(super) const IN_JSON: [Escape; 5] = [
    |token| serde_json::to_string(token).unwrap().trim_matches('"').to_owned(),
    |token| IN_JSON[0](token).replace('/', r"\/"),
    |token| {
        token.chars().map(|it| format!("\\u{:04x}", u32::from(it))).collect::<Vec<_>>().concat()
    },
    |token| IN_JSON[0](&IN_JSON[0](token)),
    |token| token.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat(),
];

/// How it may write it elsewhere.
pub(super) const IN_TEXT: [Escape; 3] = [
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

pub(super) fn deals(token: &str) -> AssociationsBuilder {
    Associations::builder("deals", "companies").ids([ID, ID + 1]).token(token)
}

/// Records that quote what they do not know.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contact {
    #[serde(rename = "id")]
    _id: u64,
    #[serde(rename = "kind", default)]
    _kind: Option<Kind>,
}

#[derive(Debug, serde::Deserialize)]
pub(super) enum Kind {
    Person,
}

pub(super) fn contacts(token: &str) -> ActionBuilder<Contact> {
    Action::builder("hubspot", "listContacts").credential_id(CREDENTIAL).api_key(token)
}

// ---- The answers, and the kind of error that each brings

pub(super) const ERROR_RESPONSES: [&str; 6] = [
    r#"{"message":"TOKEN","category":"TOKEN","subCategory":"TOKEN","correlationId":"TOKEN"}"#,
    r#"{"message":"of TOKEN","errorType":"TOKEN","policyName":"of TOKEN","TOKEN":"TOKEN"}"#,
    r#"{"error":"TOKEN","message":"TOKEN and TOKEN"}"#,
    r#"{"error":{"code":"TOKEN","message":"TOKEN","TOKEN":"TOKEN"}}"#,
    r#"["TOKEN"]"#,
    r#""TOKEN""#,
];

pub(super) const PAGES_OF_HUBSPOT: [(ErrorKind, &str); 16] = [
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
        ErrorKind::Contradiction,
        r#"{"results":[{"from":{"id":"FIRST"},"to":[],"paging":{"next":{"after":"TOKEN"}}}]}"#,
    ),
    (
        ErrorKind::Contradiction,
        r#"{"results":[{"from":{"id":"FIRST"},"to":[],"paging":{"next":{"after":"a.TOKEN.2"}}}]}"#,
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

pub(super) const PAGES_OF_ALLOY: [(ErrorKind, &str); 16] = [
    (ErrorKind::Decode, r#"{"data":"TOKEN"}"#),
    (ErrorKind::Decode, r#"{"data":["TOKEN","TOKEN"]}"#),
    (ErrorKind::Decode, r#"{"data":[{"id":"TOKEN"},{"id":"TOKEN"}]}"#),
    (ErrorKind::Decode, r#"{"data":[{"TOKEN":1},{"TOKEN":1}]}"#),
    (ErrorKind::Decode, r#"{"data":[{"id":1,"kind":"TOKEN"},{"id":1,"kind":"TOKEN"}]}"#),
    (ErrorKind::Decode, r#"{"data":[],"data":"TOKEN"}"#),
    (ErrorKind::Contradiction, r#"{"data":[],"pagination":"TOKEN"}"#),
    (ErrorKind::Decode, r#"{"data":[],"pagination":{"hasMore":"TOKEN"}}"#),
    (ErrorKind::Decode, r#"{"data":[],"pagination":{"hasMore":true,"nextOffset":"TOKEN"}}"#),
    (ErrorKind::Contradiction, r#"{"data":null,"TOKEN":"TOKEN"}"#),
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
pub(super) async fn read_both(
    token: &'static str,
    escape: Escape,
    answers: &[(u16, &str)],
) -> Seen {
    let mut seen = read_hubspot(token, escape, answers).await;
    let alloy = read_alloy(token, escape, answers).await;
    seen.texts.extend(alloy.texts);
    seen.kinds.extend(alloy.kinds);
    seen
}

pub(super) async fn read_hubspot(
    token: &'static str,
    escape: Escape,
    answers: &[(u16, &str)],
) -> Seen {
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

pub(super) async fn read_alloy(
    token: &'static str,
    escape: Escape,
    answers: &[(u16, &str)],
) -> Seen {
    let mut seen = Seen::default();
    let builder = contacts(token).transport(Echo::new(token, escape, answers).transport());
    seen.see(&builder);
    let action = builder.build().unwrap();
    seen.see(&action);
    seen.texts.push(action.identity());
    seen.read(action.read()).await;
    seen
}
