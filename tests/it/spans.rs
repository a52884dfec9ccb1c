//! The spans of a reading, of its pages and of their attempts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{Request, Response};
use pagestream::{
    Error, ErrorKind, Page, PaginatorExt, SecretString, Transport,
    http::Client,
    hubspot::{Object, Objects},
    rest::SinglePage,
    testing::{Alloy, HubSpot},
};
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::prelude::*;

use crate::support::{
    Contact, contacts_over, drain, from_fn, in_virtual_time,
    spans::{Span, Spans, Watch, watch},
};

const TOKEN: &str = "pat-na1-0c0ffee05ec2";

fn objects(transport: impl Transport + 'static) -> Objects {
    Objects::builder("deals").limit(10).token(TOKEN).transport(transport).build().unwrap()
}

/// A service whose requests, counted from 1, fail as the test says.
fn failing(
    service: HubSpot,
    fails: impl Fn(usize) -> Option<Result<u16, Error>> + Clone + Send + Sync + 'static,
) -> impl Transport + 'static {
    let asked = Arc::new(AtomicUsize::new(0));
    move |request: Request<Bytes>| {
        let (service, fault) = (service.clone(), fails(asked.fetch_add(1, Ordering::Relaxed) + 1));
        async move {
            match fault {
                None => service.send(request).await,
                Some(Ok(status)) => {
                    let response = Response::builder().status(status).body(Bytes::new());
                    Ok(response.unwrap())
                }
                Some(Err(error)) => Err(error),
            }
        }
    }
}

fn field<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    span.fields.get(name).map(String::as_str)
}

#[tokio::test]
async fn a_reading_has_a_span_for_each_page_and_each_of_its_attempts() {
    let spans = watch();
    let list = objects(HubSpot::new(7).objects(25));
    let job = tracing::info_span!("job");
    let records = job.in_scope(|| list.records());
    assert_eq!(records.try_collect::<Vec<_>>().await.unwrap().len(), 25);

    let names = spans.all().iter().map(|span| span.name).collect::<Vec<_>>();
    let page = ["page", "attempt"];
    assert_eq!(names, [&["job", "reading"][..], &page, &page, &page].concat());
    for attempt in spans.named("attempt") {
        assert_eq!(spans.path(&attempt), ["attempt", "page", "reading", "job"]);
        let all = attempt.fields.iter().map(|(name, value)| (*name, &**value));
        let expected = [
            ("http.request.method", "GET"),
            ("http.response.status_code", "200"),
            ("otel.kind", "client"),
            ("otel.name", "GET"),
            ("server.address", "api.hubapi.com"),
            ("server.port", "443"),
            ("url.path", "/crm/objects/2026-03/deals"),
            ("url.scheme", "https"),
        ];
        assert_eq!(all.collect::<Vec<_>>(), expected);
    }
    let pages = spans.named("page");
    let of_pages = pages.iter().map(|span| {
        (field(span, "pagestream.page").unwrap(), field(span, "pagestream.records").unwrap())
    });
    assert_eq!(of_pages.collect::<Vec<_>>(), [("1", "10"), ("2", "10"), ("3", "5")]);
    let reading = &spans.named("reading")[0];
    let expected = ["pagestream.pages", "pagestream.records", "pagestream.stop"];
    assert_eq!(expected.map(|name| field(reading, name).unwrap()), ["3", "25", "End"]);
    assert!(field(reading, "pagestream.paginator").unwrap().contains("::Objects"));
    drop(job);
    assert!(spans.all().iter().all(|span| span.is_closed));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_again_is_an_attempt_of_the_same_page() {
    let spans = watch();
    let timeout = || Error::new(ErrorKind::Timeout, "no response came in time");
    let service = failing(HubSpot::new(7).objects(15), move |n| match n {
        2 => Some(Ok(503)),
        3 => Some(Err(timeout())),
        _ => None,
    });
    drain(objects(service).records()).await.whole();

    let pages = spans.named("page");
    assert_eq!(pages.len(), 2);
    let told = spans.named("attempt").into_iter().map(|span| {
        let fields = ["http.request.resend_count", "error.type", "otel.status_code"];
        let told = fields.map(|name| field(&span, name).unwrap_or("-").to_owned()).join(" ");
        let page = &spans.all()[span.parent.unwrap()];
        (field(page, "pagestream.page").unwrap().to_owned(), told)
    });
    let expected = [("1", "- - -"), ("2", "- 503 ERROR"), ("2", "1 timeout ERROR"), ("2", "2 - -")];
    let expected = expected.map(|(page, told)| (page.to_owned(), told.to_owned()));
    assert_eq!(told.collect::<Vec<_>>(), expected);
    // The event of a retry is in the span of its page.
    let message = "a page failed and is asked for again";
    assert_eq!(
        (pages[0].events.len(), &*pages[1].events),
        (0, &[message, message].map(str::to_owned)[..])
    );
}

#[tokio::test]
async fn a_request_that_is_sent_again_with_another_secret_is_an_attempt() {
    let spans = watch();
    let service = failing(HubSpot::new(7).objects(5), |n| (n == 1).then_some(Ok(401)));
    let asked = Arc::new(AtomicUsize::new(0));
    let secrets = move || {
        let asked = asked.fetch_add(1, Ordering::Relaxed);
        async move { Ok(SecretString::from(format!("{TOKEN}-{asked}"))) }
    };
    let list = Objects::builder("deals").credentials(secrets).transport(service);
    drain(list.build::<Object>().unwrap().records()).await.whole();
    let attempts = spans.named("attempt");
    let fields = ["http.response.status_code", "error.type", "http.request.resend_count"];
    let told = attempts.iter().map(|span| fields.map(|name| field(span, name).unwrap_or("-")));
    assert_eq!(told.collect::<Vec<_>>(), [["401", "401", "-"], ["200", "-", "1"]]);
}

#[test]
fn pages_in_flight_side_by_side_are_in_no_span_of_each_other() {
    in_virtual_time(async {
        let spans = watch();
        let service = Alloy::new(7).records(200).latency(Duration::from_millis(50));
        let contacts = contacts_over::<Contact>(service).build().unwrap();
        let records = contacts.read().window(4).records();
        assert_eq!(records.try_collect::<Vec<_>>().await.unwrap().len(), 200);
        assert_side_by_side(&spans);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_on_the_threads_of_a_runtime_are_in_no_span_of_each_other() {
    let spans = watch();
    let contacts = contacts_over::<Contact>(Alloy::new(7).records(200)).build().unwrap();
    let records = contacts.into_read().window(4).records();
    assert_eq!(records.try_collect::<Vec<_>>().await.unwrap().len(), 200);
    assert_side_by_side(&spans);
}

/// Each attempt is one of a page of its own, and nothing was entered elsewhere.
fn assert_side_by_side(spans: &Spans) {
    let (attempts, mut pages) = (spans.named("attempt"), Vec::new());
    assert!(attempts.len() >= 4, "{attempts:?}");
    for attempt in &attempts {
        assert_eq!(spans.path(attempt), ["attempt", "page", "reading"]);
        pages.push(attempt.parent);
    }
    pages.sort_unstable();
    pages.dedup();
    assert_eq!(pages.len(), attempts.len());
    assert!(spans.all().iter().all(|span| span.events.is_empty()), "{:?}", spans.all());
}

/// Then the requests and the events of its pages are in its span.
#[tokio::test(start_paused = true)]
async fn a_reading_has_its_span_where_nobody_wants_those_of_its_pages() {
    let spans = watch();
    let subscriber = tracing_subscriber::registry().with(Watch).with(LevelFilter::INFO);
    let _subscriber = tracing::subscriber::set_default(subscriber);
    let service = failing(HubSpot::new(7).objects(25), |n| (n == 2).then_some(Ok(503)));
    let service = Arc::new(service);
    let logging = move |request: Request<Bytes>| {
        let service = Arc::clone(&service);
        async move {
            tracing::info!("a request");
            service.send(request).await
        }
    };
    drain(objects(logging).records()).await.whole();
    let [reading] = &spans.all()[..] else { panic!("{:?}", spans.all()) };
    let fields = ["pagestream.records", "pagestream.stop"].map(|name| field(reading, name));
    assert_eq!((reading.name, fields), ("reading", [Some("25"), Some("End")]));
    let retry = "a page failed and is asked for again";
    let request = "a request";
    assert_eq!(reading.events, [request, request, retry, request, request]);
}

#[tokio::test]
async fn the_event_of_a_list_that_is_read_anew_is_in_the_span_of_the_reading() {
    let spans = watch();
    let has_expired = Arc::new(AtomicUsize::new(0));
    let list = from_fn(0_u64, move |at| {
        let expires = at == 1 && has_expired.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if expires {
                return Err(Error::new(ErrorKind::Expired, "a cursor has expired"));
            }
            Ok(Page::new(vec![2 * at, 2 * at + 1], (at < 2).then_some(at + 1)))
        }
    });
    let list = list.keyed(|number| *number);
    let records = list.read().restarts(1).records();
    assert_eq!(drain(records).await.whole(), [0, 1, 2, 3, 4, 5]);
    let events = spans.all().into_iter().map(|span| (span.name, span.events));
    let events = events.filter(|(_, events)| !events.is_empty()).collect::<Vec<_>>();
    let message = "a cursor has expired and the list is read anew".to_owned();
    assert_eq!(events, [("reading", vec![message])]);
}

#[tokio::test]
async fn the_spans_of_a_reading_that_is_dropped_or_fails_are_closed() {
    let spans = watch();
    let list = objects(HubSpot::new(7).objects(25));
    let mut records = list.records();
    records.next().await.unwrap().unwrap();
    assert!(spans.all().iter().any(|span| !span.is_closed));
    drop(records);
    assert!(spans.all().iter().all(|span| span.is_closed), "{:?}", spans.all());

    let spans = watch();
    let list = objects(failing(HubSpot::new(7), |_| Some(Ok(403))));
    drain(list.records()).await.error();
    assert!(spans.all().iter().all(|span| span.is_closed), "{:?}", spans.all());
    assert_eq!(field(&spans.named("reading")[0], "pagestream.stop"), Some("Failed"));
    assert_eq!(field(&spans.named("attempt")[0], "error.type"), Some("403"));
    assert_eq!(field(&spans.named("page")[0], "pagestream.records"), None);
}

#[tokio::test]
async fn no_field_of_a_span_has_a_secret_or_a_query() {
    let spans = watch();
    let answer = |_: Request<Bytes>| async {
        let body = format!("[\"{TOKEN}\"]");
        Ok(Response::builder().header("x-echo", TOKEN).body(Bytes::from(body)).unwrap())
    };
    let client = Client::builder("https://api.example").key_in_query("key", TOKEN);
    let client = client.transport(answer).build().unwrap();
    // Some services have the key in the path.
    let list = client.get("/bot/{key}/list").path("key", TOKEN).query("since", "yesterday");
    let list = list.pages(SinglePage).build::<Value>().unwrap();
    drain(list.records()).await;
    let attempts = spans.named("attempt");
    assert_eq!(attempts.len(), 1);
    let path = field(&attempts[0], "url.path").unwrap();
    assert!(path.starts_with("/bot/") && path.ends_with("/list"), "{path}");
    let shown = format!("{:?}", spans.all());
    for hidden in [TOKEN, "yesterday"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
