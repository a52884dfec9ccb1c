//! A token that is planted in every request, and that the service repeats wherever it
//! can, is in no error, no event, no `Debug` and no checkpoint.
//!
//! A cursor goes back byte for byte, so one that has the token in it is refused.

mod answers;
mod seen;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::support::events::{heard, listen};
use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response, header::AUTHORIZATION};
use pagestream::{
    Error, ErrorKind, PaginatorExt, Reqwest, SecretString,
    testing::{HubSpot, Server},
};

use self::{
    answers::{
        ERROR_RESPONSES, Echo, IN_JSON, IN_TEXT, PAGES_OF_ALLOY, PAGES_OF_HUBSPOT, contacts, deals,
        read_alloy, read_both, read_hubspot,
    },
    seen::{CORE, KINDS, Seen, TOKENS},
};

#[tokio::test(start_paused = true)]
async fn an_error_response_that_repeats_the_token_does_not_show_it() {
    listen();
    for token in TOKENS {
        for (escape, status, body) in IN_JSON.iter().flat_map(|escape| {
            let statuses = [400, 401, 404, 410, 413, 423, 429, 503, 307];
            statuses
                .into_iter()
                .flat_map(move |it| ERROR_RESPONSES.map(move |body| (escape, it, body)))
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
    let retried = heard();
    assert!(retried.iter().any(|it| it.text.contains("asked for again")), "the events are seen");
    assert!(retried.iter().any(|it| it.text.contains("[secret]")), "the token was in them");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_repeats_the_token_does_not_show_it() {
    listen();
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
    listen();
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
    listen();
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
    listen();
    let asked = Arc::new(Mutex::new(0));
    let provider = move || {
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        let secret = format!("{asked}-of-{CORE}");
        async move { Ok(SecretString::from(secret)) }
    };
    let body = format!(r#"{{"message":"1-of-{CORE} and 2-of-{CORE}","error":"1-of-{CORE}"}}"#);
    let rejecting = move |_: Request<Bytes>| {
        std::future::ready(Ok::<_, Error>(
            Response::builder().status(401).body(Bytes::from(body.clone())).unwrap(),
        ))
    };
    let mut seen = Seen::default();
    let builder = contacts("").credentials(provider.clone()).transport(rejecting.clone());
    seen.see(&builder);
    seen.read(builder.build().unwrap().read()).await;
    assert_eq!(seen.kinds, [ErrorKind::Status]);
    assert!(seen.texts.iter().any(|text| text.contains("[secret] and [secret]")));
    seen.assert_hides_the_token();
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_provider_shows_no_token() {
    listen();
    let provider = || async { Err(Error::other("the vault is sealed")) };
    let mut seen = Seen::default();
    let deals = deals(TOKENS[0]).transport(HubSpot::new(1));
    seen.read(deals.credentials(provider).build().unwrap().read()).await;
    let contacts = contacts(TOKENS[0]).transport(HubSpot::new(1));
    seen.read(contacts.credentials(provider).build().unwrap().read()).await;
    assert_eq!(seen.kinds, [ErrorKind::Other, ErrorKind::Other]);
    seen.assert_hides_the_token();
}

#[tokio::test]
async fn an_invalid_configuration_does_not_show_the_token() {
    listen();
    let mut seen = Seen::default();
    for token in TOKENS {
        let unsendable = format!("{token}\n{CORE}");
        let with_user = format!("https://{CORE}:{CORE}@example.com");
        let with_query = format!("https://example.com?key={CORE}");
        let errors = [
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
        for error in errors {
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
    let deals = deals("").transport(HubSpot::new(1));
    seen.read(deals.credentials(unsendable).build().unwrap().read()).await;
    assert!(seen.kinds.iter().all(|kind| *kind == ErrorKind::Configuration));
    seen.assert_hides_the_token();
}

#[tokio::test]
async fn an_error_of_the_transport_does_not_show_the_token() {
    listen();
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
    listen();
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
    let (_, list) =
        include_str!("../../../src/error/kind.rs").split_once("pub enum ErrorKind {").unwrap();
    let lines = list.split_once("\n}").unwrap().0.lines().map(str::trim);
    let kinds = lines.filter(|line| !line.starts_with("//")).filter_map(|it| it.strip_suffix(','));
    kinds.filter(|kind| *kind != "Contract")
}

#[test]
fn each_kind_of_error_is_looked_at() {
    assert!(kinds().count() >= 13);
    an_error_response_that_repeats_the_token_does_not_show_it();
    a_page_that_repeats_the_token_does_not_show_it();
    a_cursor_that_has_expired_does_not_show_the_token();
    a_page_that_has_changed_and_a_checkpoint_of_another_do_not_show_the_token();
    the_error_of_a_provider_shows_no_token();
    an_invalid_configuration_does_not_show_the_token();
    an_error_of_the_transport_does_not_show_the_token();
    for kind in kinds() {
        let is_seen = KINDS.with_borrow(|seen| seen.contains(kind));
        assert!(is_seen, "no test brings an error of the kind {kind}");
    }
}
