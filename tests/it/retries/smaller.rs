//! A page that is too large is asked for in halves.

use pagestream::{
    Error, ErrorKind, PaginatorExt, Retry,
    testing::{Alloy, HubSpot},
};
use serde_json::Value;

use super::{
    pages::{Pages, fails, status},
    vendors::{Answer, Faulty, all_of, answer, companies, contacts, read_companies},
};
use crate::support::{drain, sorted, told};

/// How much a request asks for.
fn size(body: &Value) -> u64 {
    let limit = body["input"]["limit"].as_u64();
    limit.unwrap_or_else(|| body["inputs"].as_array().unwrap().len() as u64)
}

fn sizes<T: pagestream::Transport + Clone + 'static>(service: &Faulty<T>) -> Vec<u64> {
    service.bodies().iter().map(size).collect()
}

/// Answers with an error what asks for more than so much.
fn more_than(
    most: u64,
    error: impl Fn() -> Answer + Send + Sync + 'static,
) -> impl Fn(usize, &http::Request<bytes::Bytes>) -> Option<Answer> + Send + Sync + 'static {
    move |_, request| {
        let body = serde_json::from_slice(request.body()).unwrap();
        (size(&body) > most).then(&error)
    }
}

fn too_large() -> Answer {
    answer(413, &[], "")
}

fn deep() -> HubSpot {
    HubSpot::new(1).objects(70).pages(|index| index % 4)
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_too_large_is_asked_for_in_halves_and_each_record_comes_once() {
    for window in [1, 8] {
        for most in 1..16 {
            let service = Faulty::new(deep(), more_than(most, too_large));
            let associations = companies(&deep(), 16, service.transport());
            let records = associations.read().window(window).records();
            assert_eq!(read_companies(records).await, all_of(&deep()), "{most} at {window}");
        }
    }
    let service = Faulty::new(deep(), more_than(3, too_large));
    let associations = companies(&deep(), 16, service.transport());
    read_companies(associations.records()).await;
    assert_eq!(sizes(&service)[..5], [16, 8, 4, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_too_large_is_halved_and_each_record_comes_once_in_order() {
    for most in 1..10 {
        let service = Faulty::new(Alloy::new(1).records(95), more_than(most, too_large));
        let records = drain(contacts(&service).records()).await.whole();
        assert!(records.into_iter().map(|contact| contact.id).eq(0..95), "{most}");
    }
    let service = Faulty::new(Alloy::new(1).records(95), more_than(3, too_large));
    drain(contacts(&service).records()).await.whole();
    assert_eq!(sizes(&service)[..4], [10, 5, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_body_above_the_bound_is_asked_for_in_halves_too() {
    let beyond = || Err(Error::new(ErrorKind::TooLarge, "the response is larger than 9 bytes"));
    let service = Faulty::new(Alloy::new(1).records(95), more_than(3, beyond));
    assert_eq!(drain(contacts(&service).records()).await.whole().len(), 95);
    assert_eq!(sizes(&service)[..4], [10, 5, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_or_stops_a_gateway_twice_is_asked_for_in_halves() {
    let timeouts: [fn() -> Answer; 6] = [
        || Err(Error::new(ErrorKind::Timeout, "the service took too long")),
        || answer(408, &[], ""),
        || answer(504, &[], ""),
        || answer(524, &[], ""),
        || answer(502, &[], ""),
        || answer(503, &[], ""),
    ];
    for timeout in timeouts {
        let service = Faulty::new(deep(), more_than(3, timeout));
        let associations = companies(&deep(), 16, service.transport());
        assert_eq!(read_companies(associations.records()).await, all_of(&deep()));
        assert_eq!(sizes(&service)[..3], [16, 16, 8]);

        let service = Faulty::new(Alloy::new(1).records(95), more_than(3, timeout));
        assert_eq!(drain(contacts(&service).records()).await.whole().len(), 95);
        assert_eq!(sizes(&service)[..5], [10, 10, 5, 5, 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_once_and_what_fails_otherwise_keeps_its_size() {
    for (code, failing) in [(504, 1), (503, 1), (500, 5), (429, 5)] {
        let service = Faulty::new(Alloy::new(1).records(95), move |n, _| {
            (n <= failing).then(|| answer(code, &[], ""))
        });
        drain(contacts(&service).records()).await.whole();
        assert!(sizes(&service).iter().all(|size| *size == 10), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_id_and_a_single_record_that_are_too_large_are_an_error() {
    let service = Faulty::new(deep(), |n, _| (n <= 5).then(too_large));
    let associations = companies(&deep(), 16, service.transport());
    let outcome = drain(associations.records()).await;
    assert_eq!(sizes(&service), [16, 8, 4, 2, 1], "nothing is sent behind what failed");
    assert!(outcome.records.is_empty());
    let error = outcome.error();
    assert!(error.is_too_large() && error.status() == Some(413), "{error:?}");
    // It goes on where the service does.
    let remaining = associations.read().resume(error.checkpoint().unwrap().clone());
    assert_eq!(read_companies(remaining.records()).await, all_of(&deep()));

    let service = Faulty::new(Alloy::new(1).records(95), |n, _| (n <= 4).then(too_large));
    let action = contacts(&service);
    let error = drain(action.records()).await.error();
    assert_eq!((error.status(), sizes(&service)), (Some(413), vec![10, 5, 2, 1]));
    let remaining = action.read().resume(error.checkpoint().unwrap().clone());
    assert_eq!(drain(remaining.records()).await.whole().len(), 95);
}

#[tokio::test(start_paused = true)]
async fn a_single_record_that_is_too_large_leaves_those_before_it() {
    // The record 33 is too large, by itself and in any page.
    let service = Faulty::new(Alloy::new(1).records(95), |_, request| {
        let body = serde_json::from_slice::<Value>(request.body()).unwrap();
        let begin = body["input"]["offset"].as_u64().unwrap();
        (begin..begin + size(&body)).contains(&33).then(too_large)
    });
    let outcome = drain(contacts(&service).records()).await;
    assert!(outcome.records.iter().map(|contact| contact.id).eq(0..33));
    assert_eq!(outcome.error().cursor(), Some(r#"{"at":{"start":33},"limit":1}"#));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_the_service_cannot_build_fails_alone_by_choice() {
    for window in [1, 4] {
        for code in [413, 502, 503, 504] {
            let poisoned = |id: u64| [0, 33, 34, 94].contains(&id);
            let service = Faulty::new(Alloy::new(1).records(95), move |_, request| {
                let body = serde_json::from_slice::<Value>(request.body()).unwrap();
                let begin = body["input"]["offset"].as_u64().unwrap();
                let is_poisoned = (begin..begin + size(&body)).any(poisoned);
                is_poisoned.then(|| answer(code, &[], ""))
            });
            let contacts = contacts(&service);
            let stream = contacts.read().window(window).pass_over_unreadable().records();
            let outcome = drain(stream).await;
            let expected = (0..95).filter(|id| !poisoned(*id));
            assert!(outcome.records.iter().map(|contact| contact.id).eq(expected), "{code}");
            let places = outcome.errors.iter().map(|error| {
                assert!(error.is_partial() && error.status() == Some(code), "{error}");
                error.cursor().unwrap()
            });
            let place = |start| format!(r#"{{"at":{{"start":{start}}},"limit":1}}"#);
            assert!(places.eq([0, 33, 34, 94].map(place)), "{code}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_the_service_cannot_build_fails_alone_by_choice() {
    let poisoned = deep().ids().nth(41).unwrap().to_string();
    let service = Faulty::new(deep(), {
        let poisoned = poisoned.clone();
        move |_, request| {
            let body = String::from_utf8_lossy(request.body()).into_owned();
            body.contains(&format!("\"{poisoned}\"")).then(|| answer(502, &[], ""))
        }
    });
    let associations = companies(&deep(), 16, service.transport());
    let outcome = drain(associations.read().pass_over_unreadable().records()).await;
    let error = &outcome.errors[0];
    assert_eq!((outcome.errors.len(), error.ids()), (1, &[poisoned.clone()][..]));
    let found = sorted(outcome.records.iter().map(told).collect());
    let of_others = |it: &String| !it.starts_with(&poisoned);
    assert!(found.into_iter().eq(all_of(&deep()).into_iter().filter(of_others)));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_down_is_fatal_though_records_are_passed_over() {
    let service = Faulty::new(Alloy::new(1).records(95), |_, _| Some(answer(502, &[], "")));
    let contacts = contacts(&service);
    let outcome = drain(contacts.read().pass_over_unreadable().records()).await;
    assert!(outcome.records.is_empty());
    assert_eq!(outcome.errors.len(), 4);
    assert!(outcome.errors[..3].iter().all(Error::is_partial));
    assert!(!outcome.errors[3].is_partial());
}

#[tokio::test(start_paused = true)]
async fn the_size_grows_again_when_all_goes_well() {
    let service = Faulty::new(Alloy::new(1).records(2_000), move |n, request| {
        let body = serde_json::from_slice(request.body()).unwrap();
        (n < 20 && size(&body) > 2).then(too_large)
    });
    assert_eq!(drain(contacts(&service).records()).await.whole().len(), 2_000);
    let sizes = sizes(&service);
    let last = *sizes.iter().rev().nth(1).unwrap();
    assert_eq!(last, 10, "{sizes:?}");
    assert!(sizes.len() < 250, "{}", sizes.len());
}

#[tokio::test(start_paused = true)]
async fn a_page_of_which_no_half_can_be_asked_for_is_an_error() {
    let pages = Pages::chain(3, fails(2, 1, || status(413)));
    let error = drain(pages.records()).await.error();
    assert_eq!((error.status(), error.attempts(), pages.times(2).len()), (Some(413), 1, 1));
}

#[tokio::test(start_paused = true)]
async fn each_halving_is_paid_for_by_the_budget() {
    let service = Faulty::new(Alloy::new(1).records(95), more_than(3, too_large));
    let retry = Retry::default().budget(1);
    let error = drain(contacts(&service).read().retry(retry).records()).await.error();
    assert_eq!((error.status(), sizes(&service)), (Some(413), vec![10, 5]));
}

#[tokio::test(start_paused = true)]
async fn a_group_is_whole_though_it_was_asked_for_in_halves() {
    let service = Faulty::new(deep(), more_than(3, too_large));
    let groups = companies(&deep(), 16, service.transport()).grouped();
    let groups = drain(groups.records()).await.whole();
    assert_eq!(groups.len(), 70);
    for group in groups {
        let id = group.from.to_string().parse().unwrap();
        let to = group.to.iter().map(|it| it.to.to_string());
        assert!(to.eq(deep().associations(id).into_iter().map(|to| to.to_string())));
    }
}
