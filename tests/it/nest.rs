//! A list for each record of another list.

use std::{future::ready, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{Request, Response};
use pagestream::{
    Error, ErrorKind, Nested, Page, Paginator, PaginatorExt,
    http::Client,
    rest::{LinkHeader, NextCursor, Offset},
    testing::{Server, Service, conformance::Conformance},
};
use serde_json::{Value, json};

use crate::support::{drain, from_fn, sorted, stored};

/// Issues with 0 to 500 comments each. An issue may be deleted between its list and the
/// list of its comments.
#[derive(Clone)]
struct Tracker {
    issues: u64,
    deleted: Vec<u64>,
    latency: Duration,
}

impl Tracker {
    fn new(issues: u64) -> Self {
        Self { issues, deleted: Vec::new(), latency: Duration::ZERO }
    }

    fn comments_of(issue: u64) -> u64 {
        match issue % 10 {
            0 => 0,
            9 => 500,
            few => few * 7,
        }
    }

    /// All comments, but those of deleted issues.
    fn expected(&self) -> Vec<(u64, u64)> {
        let issues = (0..self.issues).filter(|issue| !self.deleted.contains(issue));
        issues.flat_map(|issue| (0..Self::comments_of(issue)).map(move |it| (issue, it))).collect()
    }
}

fn number(request: &Request<Bytes>, name: &str) -> Option<u64> {
    let pairs = request.uri().query()?.split('&');
    pairs.filter_map(|pair| pair.split_once('=')).find(|(it, _)| *it == name)?.1.parse().ok()
}

impl Service for Tracker {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let limit = number(request, "limit").unwrap_or(10);
        let from = number(request, "offset").or(number(request, "cursor")).unwrap_or(0);
        let path = request.uri().path().split('/').collect::<Vec<_>>();
        let (total, body) = match path[..] {
            ["", "issues"] => {
                let issues = (from..self.issues.min(from + limit)).map(|id| json!({"id": id}));
                (self.issues, issues.collect::<Vec<_>>())
            }
            ["", "issues", issue, "comments"] => {
                let issue = issue.parse().unwrap();
                if self.deleted.contains(&issue) {
                    return Response::builder().status(404).body(Bytes::new()).unwrap();
                }
                let count = Self::comments_of(issue);
                let comments = from..count.min(from + limit);
                (count, comments.map(|it| json!({"issue": issue, "number": it})).collect())
            }
            _ => panic!("{path:?}"),
        };
        let next = (from + limit < total).then(|| (from + limit).to_string());
        Response::new(json!({"items": body, "next": next, "total": total}).to_string().into())
    }

    fn latency(&self) -> Duration {
        self.latency
    }
}

/// The comments of all issues, in pages of 10 issues and 100 comments.
fn comments(base_url: &str) -> impl Paginator<Record = (u64, u64)> + use<> {
    let client = Client::builder(base_url).build().unwrap();
    let issues = client
        .get("/issues")
        .limit("limit", 10)
        .pages(Offset::query("offset").total_at("/total"))
        .records_at("/items")
        .build::<Value>()
        .unwrap();
    let comments =
        issues.map(|issue| issue["id"].as_u64().unwrap()).nest("comments", move |issue: &u64| {
            let comments = client.get("/issues/{id}/comments").path("id", issue.to_string());
            let comments = comments
                .limit("limit", 100)
                .pages(NextCursor::at("/next").into_query("cursor"))
                .records_at("/items");
            comments.build::<Value>().unwrap()
        });
    comments.map(|it| (it["issue"].as_u64().unwrap(), it["number"].as_u64().unwrap()))
}

#[tokio::test]
async fn two_hundred_lists_are_read_side_by_side_over_loopback() {
    let mut tracker = Tracker::new(200);
    tracker.latency = Duration::from_millis(20);
    let server = Server::start(tracker.clone()).await.unwrap();
    let comments = comments(&server.base_url());
    let records = comments.read().window(8).records().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(sorted(records), tracker.expected());
}

#[tokio::test(start_paused = true)]
async fn with_a_window_of_8_nested_lists_are_read_at_least_6_times_faster() {
    let latency = Duration::from_millis(20);
    let mut took = Vec::new();
    for window in [1, 8] {
        let parents = slow_numbers(200, 10, latency);
        let nest = parents.nest("numbers", move |parent: &u64| {
            slow_numbers(Tracker::comments_of(*parent), 100, latency)
        });
        let begin = tokio::time::Instant::now();
        let records = nest.read().window(window).records().try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(records.len() as u64, (0..200).map(Tracker::comments_of).sum::<u64>());
        took.push(begin.elapsed());
    }
    assert!(took[0] >= 6 * took[1], "{took:?}");
}

/// The numbers below `count`, each page after a latency.
fn slow_numbers(
    count: u64,
    limit: u64,
    latency: Duration,
) -> impl Paginator<Record = u64, Cursor = u64> {
    from_fn(0_u64, move |at| async move {
        tokio::time::sleep(latency).await;
        let end = count.min(at + limit);
        Ok(Page::new((at..end).collect(), (end < count).then_some(end)))
    })
}

#[tokio::test]
async fn a_nested_reading_cut_at_every_tenth_record_goes_on_whole() {
    let tracker = Tracker::new(23);
    let server = Server::start(tracker.clone()).await.unwrap();
    let expected = tracker.expected();
    for window in [1, 8] {
        let comments = comments(&server.base_url());
        let mut stream = comments.read().window(window).records();
        let (mut before, mut checkpoints) = (Vec::new(), Vec::new());
        while let Some(record) = stream.try_next().await.unwrap() {
            before.push(record);
            if before.len() % 10 == 0 {
                let checkpoint = stream.checkpoint().unwrap();
                let text = serde_json::to_string(&checkpoint).unwrap();
                assert!(text.len() < 4_000, "a page of parents, and the lists in hand: {text}");
                checkpoints.push((before.len(), checkpoint));
            }
        }
        for (count, checkpoint) in checkpoints {
            let rest = comments.read().window(window).resume(stored(&checkpoint)).records();
            let rest = rest.try_collect::<Vec<_>>().await.unwrap();
            assert_eq!(sorted([&before[..count], &rest].concat()), expected, "cut at {count}");
        }
    }
}

#[tokio::test]
async fn a_parent_that_was_deleted_meanwhile_fails_alone_and_is_named() {
    let mut tracker = Tracker::new(30);
    tracker.deleted = vec![7, 19];
    let server = Server::start(tracker.clone()).await.unwrap();
    for window in [1, 8] {
        let comments = comments(&server.base_url());
        let outcome = drain(comments.read().window(window).records()).await;
        assert_eq!(sorted(outcome.records), tracker.expected());
        let ids = outcome.errors.iter().flat_map(Error::ids).cloned().collect();
        assert_eq!(sorted(ids), ["19", "7"]);
        let statuses = outcome.errors.iter().map(|error| (error.is_partial(), error.status()));
        assert!(statuses.eq([(true, Some(404)); 2]));
        assert_eq!(sorted(outcome.monitor.failed_ids()), ["19", "7"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_child_list_that_is_about_all_is_fatal_unless_the_author_says_otherwise() {
    let nest = |status: u16| {
        slow_numbers(3, 3, Duration::ZERO).nest("numbers", move |parent: &u64| {
            let parent = *parent;
            from_fn(0_u64, move |_| async move {
                let refused = Error::new(ErrorKind::Status, "refused").with_status(status);
                if parent == 1 { Err(refused) } else { Ok(Page::last(vec![parent])) }
            })
        })
    };
    let outcome = drain(nest(403).records()).await;
    assert_eq!(outcome.records, [0]);
    assert_eq!(outcome.error().status(), Some(403));

    let forgiving = nest(403).failing_alone(|error| error.status() == Some(403));
    let outcome = drain(forgiving.named_by(|parent| format!("number {parent}")).records()).await;
    assert_eq!(outcome.records, [0, 2]);
    assert_eq!(outcome.errors[0].ids(), ["number 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_a_child_list_that_has_expired_is_fatal_and_no_deleted_parent() {
    let nest = |expired_at: u64| {
        slow_numbers(3, 3, Duration::ZERO).nest("numbers", move |parent: &u64| {
            let parent = *parent;
            from_fn(0_u64, move |at| async move {
                let expired = Error::new(ErrorKind::Expired, "unknown").with_status(410);
                if parent == 1 && at == expired_at {
                    return Err(expired);
                }
                Ok(Page::new(vec![10 * parent + at], (at < 2).then_some(at + 1)))
            })
        })
    };
    let gone = drain(nest(0).records()).await;
    assert_eq!(gone.records, [0, 1, 2, 20, 21, 22]);
    assert!(gone.errors[0].is_partial());
    let outcome = drain(nest(1).records()).await;
    assert_eq!(outcome.records, [0, 1, 2, 10]);
    assert!(outcome.error().is_expired());
}

/// Parents 0 to 6 in pages of 3, each with as many children as its number.
fn small() -> impl Paginator<Record = (u64, u64)> {
    let parents = from_fn(0_u64, |at| async move {
        Ok(Page::new((at..7.min(at + 3)).collect(), (at + 3 < 7).then_some(at + 3)))
    });
    parents.nest("children", |parent: &u64| {
        let parent = *parent;
        from_fn(0_u64, move |at| async move {
            let end = parent.min(at + 2);
            Ok(Page::new((at..end).collect(), (end < parent).then_some(end)))
        })
        .map(move |child| (parent, child))
    })
}

fn small_records() -> Vec<(u64, u64)> {
    (0..7).flat_map(|parent| (0..parent).map(move |child| (parent, child))).collect()
}

#[tokio::test(start_paused = true)]
async fn one_request_at_a_time_children_come_in_the_order_of_their_parents() {
    assert_eq!(drain(small().records()).await.whole(), small_records());
}

#[tokio::test(start_paused = true)]
async fn nested_lists_keep_the_contract() {
    let check = Conformance::new(small_records()).any_order();
    check.check(small).await.unwrap_or_else(|violation| panic!("{violation}"));
}

#[tokio::test(start_paused = true)]
async fn nested_lists_with_their_parents_keep_the_contract() {
    let expected = (0..5_u64).flat_map(|parent| {
        let children = (0..parent).map(move |child| Nested::Child(child + 10 * parent));
        std::iter::once(Nested::Parent(parent)).chain(children)
    });
    let build = || {
        let parents = from_fn(0_u64, |at| async move {
            Ok(Page::new((at..5.min(at + 2)).collect::<Vec<_>>(), (at + 2 < 5).then_some(at + 2))
                .with_keys((at..5.min(at + 2)).collect::<Vec<_>>()))
        });
        let nest = parents.nest("children", |parent: &u64| {
            let parent = *parent;
            from_fn(0_u64, move |at| async move {
                let end = parent.min(at + 2);
                let children = (at..end).map(|it| it + 10 * parent).collect();
                Ok(Page::new(children, (end < parent).then_some(end)))
            })
        });
        nest.with_parents()
    };
    let check = Conformance::new(expected.collect()).any_order();
    check.check(build).await.unwrap_or_else(|violation| panic!("{violation}"));
}

#[tokio::test(start_paused = true)]
async fn lists_of_different_parents_may_look_the_same() {
    let parents = from_fn(0_u64, |_| async { Ok(Page::last((0..2_000).collect::<Vec<u64>>())) });
    let nest = parents.nest("labels", |_: &u64| {
        from_fn(0_u64, |_| async {
            Ok(Page::last(vec!["bug", "urgent"]).with_keys(["bug", "urgent"]))
        })
    });
    assert_eq!(drain(nest.records()).await.whole().len(), 4_000);
}

#[tokio::test(start_paused = true)]
async fn thousands_of_empty_lists_in_a_row_are_no_empty_pages() {
    let parents = from_fn(0_u64, |at| async move {
        Ok(Page::new((at..at + 100).collect::<Vec<_>>(), (at + 100 < 3_000).then_some(at + 100)))
    });
    let empty = |_: &u64| from_fn(0_u64, |_| async { Ok(Page::<u64, u64>::last(Vec::new())) });
    assert!(drain(parents.nest("nothing", empty).records()).await.whole().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_comes_twice_is_an_error_before_its_children_come_twice() {
    let parents =
        from_fn(0_u64, |at| async move { Ok(Page::new(vec![at, 9], (at < 2).then_some(at + 1))) });
    let nest = parents.nest("itself", |parent: &u64| {
        let parent = *parent;
        from_fn(0_u64, move |_| async move { Ok(Page::last(vec![parent])) })
    });
    let outcome = drain(nest.records()).await;
    assert_eq!(outcome.records, [0, 9, 1]);
    assert_eq!(outcome.error().kind(), ErrorKind::Loop);
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_the_service_can_not_build_is_passed_over() {
    let transport = |request: Request<Bytes>| {
        let from = number(&request, "offset").unwrap_or(0);
        let end = from + number(&request, "limit").unwrap();
        let response = if request.uri().path() == "/parents" && (from..end).contains(&5) {
            Response::builder().status(504).body(Bytes::new()).unwrap()
        } else {
            let items = (from..end.min(10)).collect::<Vec<_>>();
            Response::new(json!({"items": items, "total": 10}).to_string().into())
        };
        ready(Ok::<_, Error>(response))
    };
    let client = Client::builder("https://api.example.com").transport(transport).build().unwrap();
    let list = move |path: &str| {
        let pages = Offset::query("offset").total_at("/total");
        let list = client.get(path).limit("limit", 4).pages(pages).records_at("/items");
        list.build::<u64>().unwrap()
    };
    let children = list.clone();
    let all = list("/parents").nest("children", move |_: &u64| children("/children"));
    let outcome = drain(all.read().pass_over_unreadable().records()).await;
    assert_eq!(outcome.records.len(), 90);
    assert!(matches!(&outcome.errors[..], [error] if error.is_partial()), "{:?}", outcome.errors);
}

#[tokio::test(start_paused = true)]
async fn the_list_of_parents_is_split() {
    let service = Tracker::new(40);
    let transport = move |request: Request<Bytes>| {
        let response = service.respond(&request);
        async move { Ok::<_, Error>(response) }
    };
    let client = Client::builder("https://api.example.com").transport(transport).build().unwrap();
    let issues = client.get("/issues").limit("limit", 10);
    let issues = issues.pages(Offset::query("offset").total_at("/total")).records_at("/items");
    let issues = issues.build::<Value>().unwrap().map(|issue| issue["id"].as_u64().unwrap());
    let comments = issues.nest("comments", move |issue: &u64| {
        let comments = client.get("/issues/{id}/comments").path("id", issue.to_string());
        let comments = comments.limit("limit", 100).pages(LinkHeader::new()).records_at("/items");
        comments.build::<Value>().unwrap()
    });
    let parts = comments.split(4, 40).unwrap();
    assert_eq!(parts.len(), 4);
    let mut records = 0_u64;
    for part in parts {
        let part = comments.read().resume(stored(&part)).records();
        records += part
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .map(|it| it.map(|_| 1).unwrap())
            .sum::<u64>();
    }
    assert_eq!(records, (0..40).map(|it| Tracker::comments_of(it).min(100)).sum::<u64>());
}

#[test]
fn nestings_of_one_list_have_identities_of_their_own() {
    let nest = |name: &str| {
        let parents = from_fn(0_u64, |_| async { Ok(Page::last(vec![1_u64])) });
        let child = |_: &u64| from_fn(0_u64, |_| async { Ok(Page::<u64, u64>::last(Vec::new())) });
        parents.nest(name, child).identity()
    };
    assert_eq!(nest("comments"), "comments of each of a test");
    assert_ne!(nest("comments"), nest("labels"));
}
