//! What a service may do wrong with one of its answers, for every style: one table.
//!
//! The rules that concern one style alone are in `edge_cases.rs`.

use std::{
    cell::RefCell,
    future::ready,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Response, StatusCode};
use pagestream::{BoxPaginator, Error, ErrorKind, PaginatorExt, StopReason, Transport};
use serde_json::{Value, json};
use tokio::time::Instant;

use self::service::Record;
use crate::support::{drain, stored};

#[path = "../../../examples/connectors/connection.rs"]
mod connection;
#[path = "../../../examples/connectors/keyset.rs"]
mod keyset;
#[path = "../../../examples/connectors/link_header.rs"]
mod link_header;
#[path = "../../../examples/connectors/next_cursor.rs"]
mod next_cursor;
#[path = "../../../examples/connectors/next_link.rs"]
mod next_link;
#[path = "../../../examples/connectors/offset.rs"]
mod offset;
#[path = "../../../examples/connectors/page_number.rs"]
mod page_number;
#[path = "../../../examples/connectors/single_page.rs"]
mod single_page;
#[path = "../../../examples/connectors/ties.rs"]
mod ties;
#[path = "../../../examples/connectors/service.rs"]
mod unchanged;

/// The service of the connectors, whose answers a test may change.
mod service {
    use super::{
        Arc, AtomicUsize, Bytes, CHANGE, Error, Ordering, Request, Transport, ready, unchanged,
    };

    pub(crate) use super::unchanged::{Record, records};

    pub(crate) fn service() -> impl Transport + Clone {
        let change = CHANGE.with_borrow(Clone::clone);
        let service = Arc::new(unchanged::service());
        let requests = Arc::new(AtomicUsize::new(0));
        move |request: Request<Bytes>| {
            let number = 1 + requests.fetch_add(1, Ordering::SeqCst);
            let (service, change) = (Arc::clone(&service), Arc::clone(&change));
            async move {
                let response = service.send(request).await?;
                ready(Ok::<_, Error>(change(number, response))).await
            }
        }
    }
}

type Answer = Response<Bytes>;
type Change = Arc<dyn Fn(usize, Answer) -> Answer + Send + Sync>;

thread_local! {
    /// What becomes of the answers of the services that are built on this thread.
    static CHANGE: RefCell<Change> = RefCell::new(Arc::new(|_, answer| answer));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Offset,
    PageNumber,
    NextCursor,
    NextLink,
    LinkHeader,
    Keyset,
    Ties,
    Connection,
    SinglePage,
}

const STYLES: [Style; 9] = [
    Style::Offset,
    Style::PageNumber,
    Style::NextCursor,
    Style::NextLink,
    Style::LinkHeader,
    Style::Keyset,
    Style::Ties,
    Style::Connection,
    Style::SinglePage,
];

impl Style {
    /// A paginator of this style, over a service whose answers are changed.
    fn list(self, change: impl Fn(usize, Answer) -> Answer + Send + Sync + 'static) -> List {
        CHANGE.with_borrow_mut(|it| *it = Arc::new(change));
        match self {
            Self::Offset => offset::offset().unwrap().boxed(),
            Self::PageNumber => page_number::page_number().unwrap().boxed(),
            Self::NextCursor => next_cursor::next_cursor().unwrap().boxed(),
            Self::NextLink => next_link::next_link().unwrap().boxed(),
            Self::LinkHeader => link_header::link_header().unwrap().boxed(),
            Self::Keyset => keyset::keyset().unwrap().boxed(),
            Self::Ties => ties::ties().unwrap().boxed(),
            Self::Connection => connection::connection().unwrap().boxed(),
            Self::SinglePage => single_page::single_page().unwrap().boxed(),
        }
    }

    /// The number of the request whose answer is changed.
    fn changed(self) -> usize {
        if self == Self::SinglePage { 1 } else { 3 }
    }
}

type List = BoxPaginator<Record>;

/// What comes of a reading.
#[derive(Debug)]
enum Expected {
    /// All records, once each.
    Whole,
    /// All but so many of them, and as many partial errors of this kind.
    Without(usize, ErrorKind),
    /// All but so many, without an error: the service did not give them.
    NotGiven(usize),
    /// A fatal error of this kind, after one attempt; the rest comes from its checkpoint.
    Fatal(ErrorKind),
    /// The same, and the service says so as often as it is asked.
    Contradiction(ErrorKind),
}

/// One rule of the lists of edge cases.
struct Rule {
    case: u32,
    /// What becomes of the answer, and how often.
    change: fn(Answer) -> Answer,
    times: usize,
    /// How long the reading takes at least.
    waits: u64,
    expected: fn(Style) -> Expected,
}

fn status(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
    let mut answer = Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        answer.headers_mut().insert(*name, value.parse().unwrap());
    }
    answer
}

/// Changes the records of an answer.
fn records_of(answer: Answer, change: impl FnOnce(&mut Vec<Value>)) -> Answer {
    let (parts, body) = answer.into_parts();
    let mut body = serde_json::from_slice::<Value>(&body).unwrap();
    let places = ["", "/items", "/data/rows/nodes"];
    let place = places.into_iter().find(|it| body.pointer(it).is_some_and(Value::is_array));
    let records = body.pointer_mut(place.unwrap()).unwrap().as_array_mut().unwrap();
    change(records);
    Response::from_parts(parts, body.to_string().into())
}

fn with_header(mut answer: Answer, name: &'static str, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, value.parse().unwrap());
    answer
}

fn whole(_: Style) -> Expected {
    Expected::Whole
}

const RULES: &[Rule] = &[
    // A request that fails for a while is made again, without a gap and without a repeat.
    Rule { case: 27, change: |_| status(503, &[], ""), times: 2, waits: 0, expected: whole },
    Rule { case: 54, change: |_| status(520, &[], ""), times: 1, waits: 0, expected: whole },
    Rule { case: 54, change: |_| status(529, &[], ""), times: 1, waits: 0, expected: whole },
    Rule { case: 54, change: |_| status(598, &[], ""), times: 1, waits: 0, expected: whole },
    Rule {
        case: 37,
        change: |answer| {
            let half = answer.body().len() / 2;
            answer.map(|body| body.slice(..half))
        },
        times: 1,
        waits: 0,
        expected: whole,
    },
    // Throttling is waited for, as long and as often as the service says.
    Rule {
        case: 36,
        change: |_| status(429, &[("retry-after", "3")], ""),
        times: 1,
        waits: 3,
        expected: whole,
    },
    Rule {
        case: 53,
        change: |_| status(429, &[("retry-after", "1")], ""),
        times: 40,
        // In a window, several are throttled at once.
        waits: 30,
        expected: whole,
    },
    Rule {
        case: 54,
        change: |_| status(403, &[("retry-after", "2")], ""),
        times: 1,
        waits: 2,
        expected: whole,
    },
    Rule {
        case: 54,
        change: |_| status(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "7")], ""),
        times: 1,
        waits: 7,
        expected: whole,
    },
    Rule {
        case: 55,
        change: |_| status(503, &[("retry-after", "1.5")], ""),
        times: 1,
        waits: 1,
        expected: whole,
    },
    Rule {
        case: 82,
        change: |_| status(202, &[("retry-after", "3")], "{}"),
        times: 1,
        waits: 3,
        expected: whole,
    },
    Rule {
        case: 83,
        change: |answer| with_header(answer, "retry-after", "5"),
        times: 1,
        // The single page is the last one, and nothing waits behind it.
        waits: 0,
        expected: whole,
    },
    // What does not pass by itself is an error at once, and the rest comes from its checkpoint.
    Rule {
        case: 28,
        change: |_| status(403, &[], r#"{"message": "no"}"#),
        times: 1,
        waits: 0,
        expected: |_| Expected::Fatal(ErrorKind::Status),
    },
    Rule {
        case: 9,
        change: |_| status(410, &[], ""),
        times: 1,
        waits: 0,
        expected: |_| Expected::Fatal(ErrorKind::Status),
    },
    Rule {
        case: 39,
        change: |_| status(302, &[("location", "https://elsewhere.example.com/")], ""),
        times: 1,
        waits: 0,
        expected: |_| Expected::Fatal(ErrorKind::Status),
    },
    Rule {
        case: 56,
        change: |_| status(204, &[("content-length", "0")], ""),
        times: 1,
        waits: 0,
        expected: |_| Expected::Fatal(ErrorKind::Decode),
    },
    Rule {
        case: 38,
        change: |_| status(200, &[("content-type", "text/html")], "<html>Sign in</html>"),
        times: 1,
        waits: 0,
        expected: |_| Expected::Fatal(ErrorKind::Decode),
    },
    Rule {
        case: 40,
        change: |_| status(400, &[], r#"{"message": "bad token k-123456789"}"#),
        times: 1,
        waits: 0,
        expected: |_| Expected::Fatal(ErrorKind::Status),
    },
    // A bad record fails alone.
    Rule {
        case: 58,
        change: |answer| records_of(answer, |records| records[5]["time"] = json!("x")),
        times: 1,
        waits: 0,
        expected: |_| Expected::Without(1, ErrorKind::Decode),
    },
    // An empty page that leads on is not the end, unless an empty page was chosen as the end. It
    // is a contradiction where the next page depends on what this one has.
    Rule {
        case: 5,
        change: |answer| records_of(answer, Vec::clear),
        times: 1,
        waits: 0,
        expected: |style| match style {
            Style::Offset | Style::Keyset => Expected::Fatal(ErrorKind::Contradiction),
            Style::SinglePage => Expected::NotGiven(47),
            Style::Ties => Expected::NotGiven(28),
            _ => Expected::NotGiven(10),
        },
    },
    // A page that came before is a circle, although its cursor is new.
    Rule {
        case: 16,
        change: |answer| {
            records_of(answer, |records| {
                let again = (0..10).map(|id| json!({"id": id, "time": id / 3}));
                if records.len() <= 10 {
                    *records = again.collect();
                }
            })
        },
        times: usize::MAX,
        waits: 0,
        expected: |style| match style {
            Style::SinglePage => Expected::Whole,
            _ => Expected::Contradiction(ErrorKind::Loop),
        },
    },
];

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_with_one_answer_is_made_good_or_told_in_every_style() {
    let mut broken = Vec::new();
    for rule in RULES {
        for style in STYLES {
            for window in [1, 8] {
                let what = format!("case {}, {style:?}, window {window}", rule.case);
                let checked = AssertUnwindSafe(check(rule, style, window, &what)).catch_unwind();
                if checked.await.is_err() {
                    broken.push(what);
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

async fn check(rule: &Rule, style: Style, window: usize, what: &str) {
    let (change, times) = (rule.change, rule.times);
    let first = style.changed();
    let last = first.saturating_add(times);
    let list = style.list(
        move |number, answer| {
            if (first..last).contains(&number) { change(answer) } else { answer }
        },
    );
    let begin = Instant::now();
    let outcome = drain(list.read().window(window).records()).await;
    let waited = begin.elapsed();
    assert!(waited >= Duration::from_secs(rule.waits), "{what}: {waited:?}");
    let all = service::records();
    let is_end = outcome.progress().stop == Some(StopReason::End);
    for error in &outcome.errors {
        assert!(!format!("{error} {error:?}").contains("k-123456789"), "{what}: {error}");
    }
    match (rule.expected)(style) {
        Expected::Whole => {
            assert!(is_end && outcome.errors.is_empty(), "{what}: {:?}", outcome.errors);
            assert_eq!(outcome.records, all, "{what}");
        }
        Expected::Without(count, kind) => {
            assert_eq!(outcome.records.len() + count, all.len(), "{what}");
            assert_eq!(outcome.errors.len(), count, "{what}: {:?}", outcome.errors);
            let is_right = |error: &Error| error.is_partial() && error.kind() == kind;
            assert!(is_end && outcome.errors.iter().all(is_right), "{what}: {:?}", outcome.errors);
        }
        Expected::NotGiven(count) => {
            assert!(is_end && outcome.errors.is_empty(), "{what}: {:?}", outcome.errors);
            assert_eq!(outcome.records.len() + count, all.len(), "{what}");
        }
        Expected::Fatal(kind) => {
            let error = &outcome.errors[0];
            assert_eq!((error.kind(), error.attempts()), (kind, 1), "{what}: {error}");
            let checkpoint = stored(error.checkpoint().unwrap());
            let list = style.list(|_, answer| answer);
            let rest = drain(list.read().window(window).resume(checkpoint).records()).await;
            assert_eq!([outcome.records, rest.whole()].concat(), all, "{what}");
        }
        Expected::Contradiction(kind) => {
            assert_eq!(outcome.errors[0].kind(), kind, "{what}: {:?}", outcome.errors);
            let mut seen = outcome.records.clone();
            seen.dedup();
            assert!(seen.len() == outcome.records.len() && seen.len() <= 20, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_last_page_causes_no_request_in_any_style_that_tells_its_end() {
    for style in STYLES {
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let list = style.list(move |_, answer| {
            counted.fetch_add(1, Ordering::SeqCst);
            answer
        });
        drain(list.records()).await.whole();
        let expected = match style {
            Style::SinglePage => 1,
            // The next page begins with the ties of this one's last key.
            Style::Ties => 6,
            _ => 5,
        };
        assert_eq!(requests.load(Ordering::SeqCst), expected, "{style:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_deleted_before_the_place_shifts_no_other_in_any_style() {
    for style in STYLES {
        for cut in [1, 13, 17, 29] {
            let list = style.list(|_, answer| answer);
            let first = drain(list.read().max_records(cut).records()).await;
            let checkpoint = stored(&first.monitor.checkpoint().unwrap());
            // Of the page that is read again, the first record is gone.
            let list = style.list(|number, answer| {
                if number == 1 {
                    records_of(answer, |records| drop(records.remove(0)))
                } else {
                    answer
                }
            });
            let rest = drain(list.read().resume(checkpoint).records()).await;
            assert!(rest.errors.is_empty(), "{style:?} cut at {cut}: {:?}", rest.errors);
            let found = [first.records, rest.records].concat();
            assert_eq!(found, service::records(), "{style:?} cut at {cut}");
        }
    }
}
