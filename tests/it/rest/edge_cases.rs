//! What a service may do wrong, for each style that it concerns.

use futures::TryStreamExt;
use http::{Request, Response};
use pagestream::{
    Error, ErrorKind, PaginatorExt, Retry,
    http::{Client, RequestBuilder},
    rest::{
        Connection, Keyset, LinkHeader, NextCursor, NextLink, Offset, PageNumber, Style, header,
    },
};
use serde_json::{Value, json};

use crate::support::{Script, drain};

/// A service that answers with these bodies.
fn get(script: &Script) -> RequestBuilder {
    client(script).get("/list").limit("limit", 2)
}

fn client(script: &Script) -> Client {
    let client = Client::builder("https://api.example.com").bearer("k-123456789");
    client.transport(script.transport()).build().unwrap()
}

/// What is read, and how it ends: `None` is the end, else the kind of the error.
type Read = (Vec<u64>, Option<ErrorKind>);

async fn read(request: RequestBuilder, style: impl Style) -> Read {
    let list = request.pages(style).records_at("/items").build::<u64>().unwrap();
    let outcome = drain(list.read().retry(Retry::never()).records()).await;
    let kind = outcome.errors.first().map(Error::kind);
    (outcome.records, kind)
}

fn body(items: &[u64], beside: Value) -> Value {
    let mut body = beside;
    body["items"] = json!(items);
    body
}

/// Reads these answers in a style, one row for each rule.
macro_rules! table {
    ($($name:ident: $style:expr, [$($answer:expr),*] => $records:expr, $kind:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let script = Script::json([$($answer),*]);
            let found = read(get(&script), $style).await;
            assert_eq!(found, ($records.to_vec(), $kind));
            script.all_requests();
        }
    )*};
}

fn offset() -> Offset {
    Offset::query("offset")
}

fn cursor() -> NextCursor {
    NextCursor::at("/next").into_query("cursor")
}

fn keyset() -> Keyset {
    Keyset::query("after").key("")
}

const CONTRADICTION: Option<ErrorKind> = Some(ErrorKind::Contradiction);
const LOOP: Option<ErrorKind> = Some(ErrorKind::Loop);
const DECODE: Option<ErrorKind> = Some(ErrorKind::Decode);

table! {
    a_cursor_of_zero_is_a_cursor: cursor(),
        [body(&[1], json!({"next": 0})), body(&[2], json!({"next": null}))] => [1, 2], None;
    an_empty_cursor_is_the_end: cursor(), [body(&[1], json!({"next": ""}))] => [1], None;
    a_missing_cursor_is_the_end: cursor(), [body(&[1], json!({}))] => [1], None;
    an_empty_page_with_a_cursor_is_not_the_end: cursor(),
        [body(&[], json!({"next": "a"})), body(&[2], json!({}))] => [2], None;
    the_same_cursor_again_is_a_loop: cursor(),
        [body(&[1], json!({"next": "a"})), body(&[2], json!({"next": "a"}))] => [1, 2], LOOP;
    more_without_a_cursor_is_a_contradiction: cursor().more_at("/more"),
        [body(&[1], json!({"more": true}))] => [], CONTRADICTION;
    no_more_with_a_cursor_is_the_end: cursor().more_at("/more"),
        [body(&[1], json!({"more": false, "next": "a"}))] => [1], None;
    a_missing_flag_is_a_contradiction: cursor().more_at("/more"),
        [body(&[1], json!({"next": "a"}))] => [], CONTRADICTION;
    a_flag_that_is_none_is_a_decode_error: cursor().done_at("/done"),
        [body(&[1], json!({"next": "a", "done": "false"}))] => [], DECODE;
    a_cursor_that_is_the_token_is_a_contradiction: cursor(),
        [body(&[1], json!({"next": "k-123456789"}))] => [], CONTRADICTION;

    cursors_that_go_in_a_circle_are_a_loop: cursor(),
        [body(&[1], json!({"next": "a"})), body(&[2], json!({"next": "b"})),
            body(&[3], json!({"next": "a"}))] => [1, 2, 3], LOOP;
    a_new_cursor_with_the_same_page_is_a_loop: cursor(),
        [body(&[1, 2], json!({"next": "a"})), body(&[1, 2], json!({"next": "b"}))]
            => [1, 2], LOOP;
    contents_that_come_back_at_a_distance_are_a_loop: cursor(),
        [body(&[1, 2], json!({"next": "a"})), body(&[3, 4], json!({"next": "b"})),
            body(&[1, 2], json!({"next": "c"}))] => [1, 2, 3, 4], LOOP;
    links_that_go_in_a_circle_are_a_loop: NextLink::at("/next"),
        [body(&[1], json!({"next": "/a"})), body(&[2], json!({"next": "/b"})),
            body(&[3], json!({"next": "/a"}))] => [1, 2, 3], LOOP;
    an_empty_page_with_a_link_is_not_the_end: NextLink::at("/next"),
        [body(&[], json!({"next": "/a"})), body(&[2], json!({}))] => [2], None;

    a_link_without_a_path_is_followed: NextLink::at("/next"),
        [body(&[1], json!({"next": "https://api.example.com?page=2"})), body(&[2], json!({}))]
            => [1, 2], None;
    a_missing_link_is_the_end: NextLink::at("/next"), [body(&[1], json!({}))] => [1], None;
    an_empty_link_is_the_end: NextLink::at("/next"), [body(&[1], json!({"next": ""}))] => [1], None;
    a_link_that_is_no_text_is_a_decode_error: NextLink::at("/next"),
        [body(&[1], json!({"next": 7}))] => [], DECODE;
    a_link_to_its_own_page_is_a_loop: NextLink::at("/next"),
        [body(&[1], json!({"next": "/a"})), body(&[2], json!({"next": "/a"}))] => [1, 2], LOOP;
    not_done_without_a_link_is_a_contradiction: NextLink::at("/next").done_at("/done"),
        [body(&[1], json!({"done": false}))] => [], CONTRADICTION;
    a_link_with_the_token_is_a_contradiction: NextLink::at("/next"),
        [body(&[1], json!({"next": "/a?key=k-123456789"}))] => [], CONTRADICTION;

    fewer_records_than_asked_for_lose_none: offset().total_at("/total"),
        [body(&[1], json!({"total": 3})), body(&[2, 3], json!({"total": 3}))] => [1, 2, 3], None;
    a_full_last_page_causes_no_request: offset().total_at("/total"),
        [body(&[1, 2], json!({"total": 2}))] => [1, 2], None;
    a_missing_total_is_a_contradiction: offset().total_at("/total"),
        [body(&[1, 2], json!({}))] => [], CONTRADICTION;
    an_empty_page_before_the_total_is_a_contradiction: offset().total_at("/total"),
        [body(&[1, 2], json!({"total": 3})), body(&[], json!({"total": 3}))]
            => [1, 2], CONTRADICTION;
    a_total_as_a_text_is_a_number: offset().total_at("/total"),
        [body(&[1, 2], json!({"total": "2"}))] => [1, 2], None;
    an_empty_page_ends_until_empty: offset().until_empty(),
        [body(&[1], json!({})), body(&[], json!({}))] => [1], None;
    a_short_page_ends_until_short: offset().until_short(),
        [body(&[1, 2], json!({})), body(&[3], json!({}))] => [1, 2, 3], None;
    the_same_page_at_each_offset_is_a_loop: offset().until_empty(),
        [body(&[1, 2], json!({})), body(&[1, 2], json!({}))] => [1, 2], LOOP;
    a_next_offset_that_does_not_advance_is_a_loop: offset().more_at("/more").next_at("/next"),
        [body(&[1, 2], json!({"more": true, "next": 0}))] => [], LOOP;

    the_last_page_has_the_last_number: PageNumber::query("page").last_page_at("/last"),
        [body(&[1], json!({"last": 2})), body(&[2], json!({"last": 2}))] => [1, 2], None;
    pages_from_0_end_behind_their_number: PageNumber::query("page").first(0).pages_at("/pages"),
        [body(&[1], json!({"pages": 2})), body(&[2], json!({"pages": 2}))] => [1, 2], None;
    pages_end_at_the_total: PageNumber::query("page").total_at("/total"),
        [body(&[1], json!({"total": 2})), body(&[2], json!({"total": 2}))] => [1, 2], None;
    an_empty_page_number_before_the_total_is_a_contradiction:
        PageNumber::query("page").total_at("/total"),
        [body(&[1], json!({"total": 2})), body(&[], json!({"total": 2}))] => [1], CONTRADICTION;
    a_page_count_that_is_missing_is_a_contradiction:
        PageNumber::query("page").pages_at(header("x-pages")),
        [body(&[1], json!({}))] => [], CONTRADICTION;

    a_page_that_is_clamped_is_no_end: PageNumber::query("page").total_at("/total"),
        [body(&[1], json!({"total": 3})), body(&[2], json!({"total": 3})),
            body(&[3], json!({"total": 3}))] => [1, 2, 3], None;
    an_empty_page_in_the_middle_is_no_end_where_pages_are_counted:
        PageNumber::query("page").pages_at("/pages"),
        [body(&[1, 2], json!({"pages": 3})), body(&[], json!({"pages": 3})),
            body(&[5], json!({"pages": 3}))] => [1, 2, 5], None;
    the_same_page_under_each_number_is_a_loop: PageNumber::query("page").pages_at("/pages"),
        [body(&[1, 2], json!({"pages": 3})), body(&[1, 2], json!({"pages": 3}))] => [1, 2], LOOP;
    a_total_that_grows_is_followed: offset().total_at("/total"),
        [body(&[1, 2], json!({"total": 3})), body(&[3, 4], json!({"total": 5})),
            body(&[5], json!({"total": 5}))] => [1, 2, 3, 4, 5], None;

    the_last_key_is_the_next_bound: keyset().until_short(),
        [body(&[1, 4], json!({})), body(&[7], json!({}))] => [1, 4, 7], None;
    equal_keys_at_an_exclusive_bound_are_a_contradiction: keyset().until_empty(),
        [body(&[4, 4], json!({}))] => [], CONTRADICTION;
    an_exclusive_bound_that_comes_again_is_a_contradiction: keyset().more_at("/more"),
        [body(&[1, 4], json!({"more": true})), body(&[4, 7], json!({"more": false}))]
            => [1, 4], CONTRADICTION;
    an_empty_page_with_more_is_a_contradiction: keyset().more_at("/more"),
        [body(&[], json!({"more": true}))] => [], CONTRADICTION;
    a_full_page_of_ties_is_a_contradiction: keyset().inclusive().until_empty(),
        [body(&[1, 4], json!({})), body(&[4, 4], json!({}))] => [1, 4], CONTRADICTION;
    ties_at_an_inclusive_bound_come_once: keyset().inclusive().until_short(),
        [body(&[1, 4], json!({})), body(&[4, 7], json!({})), body(&[7], json!({}))]
            => [1, 4, 7], None;
    keys_in_the_other_order_are_a_contradiction: keyset().ascending().until_empty(),
        [body(&[4, 1], json!({}))] => [], CONTRADICTION;
    the_key_that_is_asked_for_is_a_loop_if_it_comes_again: keyset().until_empty(),
        [body(&[1, 4], json!({})), body(&[3, 4], json!({}))] => [1, 4, 3, 4], LOOP;
}

#[tokio::test]
async fn a_page_for_one_record_alone_can_not_tell_the_end_of_ties() {
    let page = || body(&[4], json!({}));
    let script = Script::json([page(), page()]);
    let style = keyset().inclusive().until_empty();
    let found = read(get(&script).limit("limit", 1), style).await;
    assert_eq!(found, (vec![4], CONTRADICTION));
}

#[tokio::test]
async fn a_connection_that_goes_on_without_a_cursor_is_a_contradiction() {
    for (info, kind) in [
        (json!({"hasNextPage": true, "endCursor": null}), CONTRADICTION),
        (json!({"hasNextPage": true}), CONTRADICTION),
        (json!({"endCursor": "a"}), CONTRADICTION),
        (json!(null), CONTRADICTION),
        (json!({"hasNextPage": false, "endCursor": "a"}), None),
    ] {
        let script = Script::json([json!({"data": {"rows": {"nodes": [1], "pageInfo": info}}})]);
        let request = client(&script).graphql("/graphql", "{}").pages(Connection::at("/data/rows"));
        let outcome = drain(request.build::<u64>().unwrap().records()).await;
        assert_eq!(outcome.errors.first().map(Error::kind), kind);
    }
}

#[tokio::test]
async fn a_connection_or_a_header_that_leads_in_a_circle_is_a_loop() {
    let circle = ["a", "b", "a"];
    let connections = circle.into_iter().enumerate().map(|(index, cursor)| {
        let info = json!({"hasNextPage": true, "endCursor": cursor});
        json!({"data": {"rows": {"nodes": [index], "pageInfo": info}}})
    });
    let script = Script::json(connections);
    let request = client(&script).graphql("/graphql", "{}").pages(Connection::at("/data/rows"));
    let outcome = drain(request.build::<u64>().unwrap().records()).await;
    assert_eq!(outcome.records, [0, 1, 2]);
    assert_eq!(outcome.error().kind(), ErrorKind::Loop);

    let service = |request: Request<bytes::Bytes>| async move {
        let number = request.uri().query().unwrap_or_default().len();
        let (next, items) = match request.uri().query() {
            Some("a") => ("b", "[1]"),
            Some("b") => ("a", "[2]"),
            _ => ("a", "[0]"),
        };
        assert!(number < 20);
        let link = format!("</list?{next}>; rel=next");
        Ok::<_, Error>(Response::builder().header("link", link).body(items.into()).unwrap())
    };
    let client = Client::builder("https://api.example.com").transport(service).build().unwrap();
    let list = client.get("/list").pages(LinkHeader::new()).build::<u64>().unwrap();
    let outcome = drain(list.records()).await;
    assert_eq!(outcome.records, [0, 1, 2]);
    assert_eq!(outcome.error().kind(), ErrorKind::Loop);
}

#[tokio::test]
async fn an_empty_page_of_a_connection_or_with_a_header_is_not_the_end() {
    let pages = [(json!([]), true, "a"), (json!([2]), false, "b")];
    let connections = pages.into_iter().map(|(nodes, more, cursor)| {
        let info = json!({"hasNextPage": more, "endCursor": cursor});
        json!({"data": {"rows": {"nodes": nodes, "pageInfo": info}}})
    });
    let script = Script::json(connections);
    let request = client(&script).graphql("/graphql", "{}").pages(Connection::at("/data/rows"));
    assert_eq!(drain(request.build::<u64>().unwrap().records()).await.whole(), [2]);

    let service = |request: Request<bytes::Bytes>| async move {
        let answer = Response::builder();
        Ok::<_, Error>(match request.uri().query() {
            None => answer.header("link", "</list?a>; rel=next").body("[]".into()).unwrap(),
            _ => answer.body("[2]".into()).unwrap(),
        })
    };
    let client = Client::builder("https://api.example.com").transport(service).build().unwrap();
    let list = client.get("/list").pages(LinkHeader::new()).build::<u64>().unwrap();
    assert_eq!(drain(list.records()).await.whole(), [2]);
}

#[tokio::test]
async fn a_position_that_is_the_token_is_refused_in_each_style() {
    let token = "k-123456789";
    let key = Script::json([body(&[], json!({"items": [token], "more": true}))]);
    let list = get(&key).pages(keyset().more_at("/more")).records_at("/items");
    let outcome = drain(list.build::<String>().unwrap().records()).await;
    assert_eq!(outcome.errors[0].kind(), ErrorKind::Contradiction);

    let info = json!({"hasNextPage": true, "endCursor": token});
    let script = Script::json([json!({"data": {"rows": {"nodes": [1], "pageInfo": info}}})]);
    let request = client(&script).graphql("/graphql", "{}").pages(Connection::at("/data/rows"));
    let outcome = drain(request.build::<u64>().unwrap().records()).await;
    assert_eq!(outcome.error().kind(), ErrorKind::Contradiction);

    let service = |_| async {
        let link = "</list?key=k-123456789>; rel=next";
        Ok::<_, Error>(Response::builder().header("link", link).body("[1]".into()).unwrap())
    };
    let client = Client::builder("https://api.example.com").bearer(token).transport(service);
    let list = client.build().unwrap().get("/list").pages(LinkHeader::new());
    let outcome = drain(list.build::<u64>().unwrap().records()).await;
    assert_eq!(outcome.error().kind(), ErrorKind::Contradiction);
}

#[tokio::test]
async fn errors_beside_data_are_partial_and_without_data_fatal() {
    let info = json!({"hasNextPage": false, "endCursor": null});
    let errors = json!([{"message": "no rights to row 2", "extensions": {"code": "DENIED"}}]);
    let with_data =
        json!({"data": {"rows": {"nodes": [1], "pageInfo": info}}, "errors": errors.clone()});
    for (answer, records, is_partial) in
        [(with_data, vec![1], true), (json!({"data": null, "errors": errors}), vec![], false)]
    {
        let script = Script::json([answer]);
        let request = client(&script).graphql("/graphql", "{}").pages(Connection::at("/data/rows"));
        let outcome = drain(request.build::<u64>().unwrap().records()).await;
        assert_eq!(outcome.records, records);
        assert_eq!(outcome.errors[0].is_partial(), is_partial);
        assert_eq!(outcome.errors[0].service_error().category.as_deref(), Some("DENIED"));
        assert!(outcome.errors[0].to_string().contains("no rights to row 2"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttle_of_graphql_waits_for_its_cost() {
    let throttled = json!({
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {
            "requestedQueryCost": 150,
            "throttleStatus": {"currentlyAvailable": 50, "restoreRate": 20.0}
        }}
    });
    let info = json!({"hasNextPage": false, "endCursor": null});
    let script =
        Script::json([throttled, json!({"data": {"rows": {"nodes": [1], "pageInfo": info}}})]);
    let request = client(&script).graphql("/graphql", "{}").pages(Connection::at("/data/rows"));
    let begin = tokio::time::Instant::now();
    let rows: Vec<u64> = request.build::<u64>().unwrap().records().try_collect().await.unwrap();
    assert_eq!(rows, [1]);
    assert_eq!(begin.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_link_in_a_header_ends_where_there_is_none() {
    let service = |request: Request<bytes::Bytes>| async move {
        let is_first = request.uri().query().is_some_and(|it| it.contains("limit=2"));
        let link = if is_first { "</list?page=b%2Fc>; rel=next" } else { "</list>; rel=\"first\"" };
        let body = if is_first { "[1,2]" } else { "[3]" };
        assert!(is_first || request.uri().query() == Some("page=b%2Fc"), "{}", request.uri());
        Ok::<_, Error>(Response::builder().header("link", link).body(body.into()).unwrap())
    };
    let client = Client::builder("https://api.example.com").transport(service).build().unwrap();
    let list = client.get("/list").limit("limit", 2).pages(LinkHeader::new());
    let records: Vec<u64> = list.build::<u64>().unwrap().records().try_collect().await.unwrap();
    assert_eq!(records, [1, 2, 3]);
}

#[tokio::test]
async fn a_record_that_does_not_fit_fails_alone_or_is_fatal_by_choice() {
    let answer = json!({"items": [1, "x", 3]});
    let list = |script: &Script| {
        let style = NextCursor::at("/next").into_query("cursor");
        get(script).pages(style).records_at("/items")
    };
    let script = Script::json([answer.clone()]);
    let outcome = drain(list(&script).build::<u64>().unwrap().records()).await;
    assert_eq!(outcome.records, [1, 3]);
    assert!(outcome.errors[0].is_partial());
    assert!(outcome.errors[0].to_string().contains("record at index 1 of the page"));

    let script = Script::json([answer]);
    let fatal = list(&script).bad_records_are_fatal().build::<u64>().unwrap();
    let outcome = drain(fatal.records()).await;
    assert!(outcome.records.is_empty() && !outcome.errors[0].is_partial());
}

#[test]
fn what_a_style_was_not_told_is_a_configuration_error() {
    let script = Script::default();
    let error = |error: Result<(), Error>| {
        let error: Error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        error.to_string()
    };
    let build = |style| get(&script).pages(style).build::<u64>().map(drop);
    assert!(error(build(offset())).contains("`until_short`"));
    assert!(error(build(offset().total_at("total"))).contains("JSON pointer"));
    let without_place = get(&script).pages(NextCursor::at("/next")).build::<u64>().map(drop);
    assert!(error(without_place).contains("into_query"));
    let without_limit = client(&script).get("/list").pages(offset().until_short());
    assert!(error(without_limit.build::<u64>().map(drop)).contains("limit"));
    let without_end = get(&script).pages(keyset()).build::<u64>().map(drop);
    assert!(error(without_end).contains("more_at"));
    let zero = client(&script).get("/list").limit("limit", 0).pages(offset().until_empty());
    assert!(error(zero.build::<u64>().map(drop)).contains("limit 0"));
    let parameter = client(&script).get("/{a}/list").pages(offset().until_empty());
    assert!(error(parameter.build::<u64>().map(drop)).contains("\"a\""));
}
