//! Which errors are retried.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use pagestream::{
    Error, ErrorKind, PaginatorExt, Transport,
    testing::{Alloy, HubSpot},
};

use super::{
    pages::{Pages, status},
    vendors::{Faulty, answer, companies, contacts},
};
use crate::support::{Contact, drain, told};

/// The rows of the table of statuses in the docs: the statuses, and what they mean.
fn documented() -> Vec<(Vec<u16>, String)> {
    let rows = include_str!("../../../src/retry.rs").lines().filter_map(|line| {
        let (statuses, meaning) = line.strip_prefix("/// | ")?.split_once(" | ")?;
        let words = statuses.split(|it: char| !it.is_ascii_digit());
        let statuses = words.filter_map(|word| word.parse().ok()).collect::<Vec<u16>>();
        statuses.iter().all(|it| *it > 99).then_some((statuses, meaning.to_owned()))
    });
    rows.filter(|(statuses, _)| !statuses.is_empty()).collect()
}

/// What is worth another attempt. Every other error response is for good.
fn retried() -> Vec<u16> {
    let rows = documented()
        .into_iter()
        .filter(|(_, meaning)| meaning.ends_with("retried |") || meaning == "throttled |");
    // 403 and 420 need a header.
    rows.flat_map(|(statuses, _)| statuses).filter(|it| ![403, 420].contains(it)).collect()
}

#[tokio::test(start_paused = true)]
async fn each_status_does_what_the_table_in_the_docs_says() {
    let rows = documented();
    assert_eq!(rows.len(), 6);
    for (statuses, meaning) in rows {
        for status in statuses {
            let headers: &[_] = match status {
                403 | 420 => &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "7")],
                _ => &[],
            };
            let response = answer(status, headers, "{}").unwrap();
            let error = Error::from_response(&response);
            assert_eq!(error.is_throttled(), meaning.contains("throttled"), "{status}");
            let is_retried = meaning.contains("throttled") || meaning.contains("retried");
            assert_eq!(error.is_retryable(), is_retried, "{status}");
            assert_eq!(error.is_too_large(), meaning.contains("halves"), "{status}");
            let wait = (headers.len() > 1).then_some(std::time::Duration::from_secs(7));
            assert_eq!(error.retry_after(), wait, "{status}");
        }
    }
    for status in [403, 420] {
        let response = answer(status, &[], "{}").unwrap();
        assert!(!Error::from_response(&response).is_throttled());
    }
}

#[tokio::test(start_paused = true)]
async fn of_all_statuses_those_that_pass_are_retried_and_no_other() {
    let retried = retried();
    assert!(retried.len() > 15, "{retried:?}");
    // 413 asks for less instead.
    for code in (300..1000).filter(|&code| code != 413) {
        let is_retried = retried.contains(&code);
        let once = move |n: usize, _: &Request<Bytes>| (n == 1).then(|| answer(code, &[], "{}"));

        let alloy = Faulty::new(Alloy::new(1).records(5), once);
        let outcome = drain(contacts(&alloy).records()).await;
        assert_eq!(outcome.errors.is_empty(), is_retried, "{code} of Alloy");
        assert_eq!(alloy.requests(), 1 + usize::from(is_retried), "{code} of Alloy");
        assert_eq!(outcome.records.len(), if is_retried { 5 } else { 0 });
        assert_eq!(outcome.fatal().and_then(Error::status), (!is_retried).then_some(code));

        let hubspot = HubSpot::new(1).objects(2);
        let faulty = Faulty::new(hubspot.clone(), once);
        let outcome = drain(companies(&hubspot, 10, faulty.transport()).records()).await;
        if code == 400 || code == 404 {
            // It may be about one of the ids, so each is asked for alone.
            assert_eq!((outcome.errors.len(), faulty.requests()), (0, 3));
        } else {
            assert_eq!(outcome.errors.is_empty(), is_retried, "{code} of HubSpot");
            assert_eq!(faulty.requests(), 1 + usize::from(is_retried), "{code} of HubSpot");
        }

        let own = Pages::chain(2, move |page, nth| (page == 1 && nth == 1).then(|| status(code)));
        let outcome = drain(own.records()).await;
        assert_eq!(outcome.errors.is_empty(), is_retried, "{code} of a paginator");
    }
}

#[tokio::test(start_paused = true)]
async fn broken_connections_and_timeouts_are_retried_and_no_other_kind() {
    let kinds = [
        (ErrorKind::Transport, true),
        (ErrorKind::Timeout, true),
        (ErrorKind::Status, false),
        (ErrorKind::TooLarge, false),
        (ErrorKind::Expired, false),
        (ErrorKind::Decode, false),
        (ErrorKind::Contradiction, false),
        (ErrorKind::Loop, false),
        (ErrorKind::Rejected, false),
        (ErrorKind::Changed, false),
        (ErrorKind::Checkpoint, false),
        (ErrorKind::Configuration, false),
        (ErrorKind::Contract, false),
        (ErrorKind::Other, false),
    ];
    for (kind, is_retried) in kinds {
        let error = move || Error::new(kind, "for once");
        let pages = Pages::chain(3, move |page, nth| (page == 2 && nth == 1).then(error));
        let outcome = drain(pages.records()).await;
        assert_eq!(outcome.fatal().map(Error::kind), (!is_retried).then_some(kind));
        assert_eq!(pages.times(2).len(), 1 + usize::from(is_retried), "{kind:?}");

        let service =
            Faulty::new(Alloy::new(1).records(30), move |n, _| (n == 2).then(|| Err(error())));
        let outcome = drain(contacts(&service).records()).await;
        // A smaller page is another request.
        let is_read = is_retried || kind == ErrorKind::TooLarge;
        assert_eq!(outcome.errors.is_empty(), is_read, "{kind:?}");
    }
}

/// Cuts the first answer of a service after so many bytes.
fn cut<T: Transport + Clone + 'static>(
    service: T,
    at: usize,
) -> (Faulty<impl Transport + Clone + 'static>, usize) {
    let first = Arc::new(Mutex::new(true));
    let cutting = move |request: Request<Bytes>| {
        let (service, first) = (service.clone(), Arc::clone(&first));
        async move {
            let mut response = service.send(request).await?;
            if std::mem::take(&mut *first.lock().unwrap()) {
                response.body_mut().truncate(at);
            }
            Ok::<_, Error>(response)
        }
    };
    (Faulty::new(cutting, |_, _| None), at)
}

#[tokio::test(start_paused = true)]
async fn json_that_is_cut_anywhere_is_retried() {
    // Not of ASCII alone, so that it is cut within a character too.
    let page = r#"{"data":[{"id":1,"é":"ü€😀"},{"id":2}],"pagination":{"hasMore":false}}"#;
    let alloy = move |_: Request<Bytes>| async move { answer(200, &[], page) };
    for at in 0..page.len() {
        let (service, _) = cut(alloy, at);
        let records = drain(contacts(&service).records()).await.whole();
        assert_eq!(records, [Contact { id: 1 }, Contact { id: 2 }], "cut at {at}");
        assert_eq!(service.requests(), 2);
    }
    let page = r#"{"results":[{"from":{"id":"515690208000"},"to":[{"toObjectId":7,"associationTypes":[
        {"category":"USER_DEFINED","typeId":1,"label":"ü€😀"}]}],"paging":null}],"status":"é"}"#;
    let hubspot = move |_: Request<Bytes>| async move { answer(200, &[], page) };
    for at in 0..page.len() {
        let (service, _) = cut(hubspot, at);
        let associations = companies(&HubSpot::new(1).objects(1), 10, service.transport());
        let records = drain(associations.records()).await.whole();
        assert_eq!(records.iter().map(told).collect::<Vec<_>>(), ["515690208000 -> 7"]);
        assert_eq!(service.requests(), 2, "cut at {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_says_that_it_is_empty_is_an_error_at_once() {
    const LENGTH: &[(&str, &str)] = &[("content-length", "0")];
    for (code, headers) in [(204, &[][..]), (204, LENGTH), (205, &[]), (200, LENGTH)] {
        let empty = move |_: usize, _: &Request<Bytes>| Some(answer(code, headers, ""));
        let alloy = Faulty::new(Alloy::new(1), empty);
        let hubspot = Faulty::new(HubSpot::new(1), empty);
        let associations = companies(&HubSpot::new(1).objects(1), 10, hubspot.transport());
        for (error, requests) in [
            (drain(contacts(&alloy).records()).await.error(), alloy.requests()),
            (drain(associations.records()).await.error(), hubspot.requests()),
        ] {
            assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(code)));
            assert_eq!((error.attempts(), requests), (1, 1), "{error}");
            assert!(error.to_string().contains("is empty"), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn json_that_is_whole_and_wrong_is_not_retried() {
    for body in ["<html>", "{}", r#"{"data":7}"#, "[]", "{\"data\":[]}x", "{\"\u{0}\":1}"] {
        let service = Faulty::new(Alloy::new(1), move |_, _| Some(answer(200, &[], body)));
        let error = drain(contacts(&service).records()).await.error();
        assert_eq!((error.kind(), service.requests()), (ErrorKind::Decode, 1), "{body}");
    }
    let service =
        Faulty::new(Alloy::new(1), |_, _| Some(answer(200, &[], &b"{\"\xff\xff\":1}"[..])));
    assert_eq!(drain(contacts(&service).records()).await.error().kind(), ErrorKind::Decode);
    assert_eq!(service.requests(), 1);
}
