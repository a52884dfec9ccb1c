//! The style of each service is told from an answer as its documentation shows it.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use pagestream::{
    Error, Paginator,
    http::Client,
    rest::{
        Connection, Detected, Keyset, LinkHeader, NextCursor, NextLink, Offset, PageNumber,
        SinglePage, detect, header,
    },
};
use proc_macro2::TokenStream;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

type Record = Value;

const QUERY: &str = "query ($first: Int!, $after: String) { rows }";

/// An answer with these headers.
#[allow(clippy::needless_pass_by_value, reason = "a call reads better without a &")]
fn with(headers: &[(&str, &str)], body: impl ToString) -> Response<Bytes> {
    let mut response = Response::builder();
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.to_string().into()).unwrap()
}

fn body(body: impl ToString) -> Response<Bytes> {
    with(&[], body)
}

/// A client of a service that gives this answer to each request.
fn answering(response: &Response<Bytes>) -> Client {
    let response = response.clone();
    let service = move |_: Request<Bytes>| {
        let response = response.clone();
        async move { Ok::<_, Error>(response) }
    };
    let client = Client::builder("https://api.example.com").ignore_link_hosts();
    client.transport(service).build().unwrap()
}

/// The code without its comments and spaces.
fn tokens(code: &str) -> String {
    code.parse::<TokenStream>().unwrap_or_else(|error| panic!("{error}: {code}")).to_string()
}

fn styles(found: &[Detected]) -> Vec<&str> {
    found.iter().map(Detected::style).collect()
}

/// What is told of an answer. The code of the first match is the one of its row, and it is
/// built and reads the answer: how many records it has, and whether it goes on.
macro_rules! table {
    ($(
        $name:ident($client:ident): $response:expr => $styles:expr, $reason:literal,
        $records:expr, $count:literal records, goes on: $goes_on:literal,
        { $($code:tt)+ }
    )*) => {$(
        #[tokio::test]
        async fn $name() {
            let response = $response;
            let found = detect(&response);
            assert_eq!(styles(&found), $styles);
            assert_eq!(found[0].reason(), $reason);
            assert_eq!(found[0].records_at(), $records);
            assert_eq!(tokens(found[0].code()), tokens(stringify!($($code)+)));

            let build = |$client: Client| Ok::<_, Error>($($code)+);
            let list = build(answering(&response)).unwrap();
            let page = list.fetch(list.start()).await.unwrap();
            assert_eq!(page.records().len(), $count);
            assert_eq!(!page.next().is_empty(), $goes_on);
        }
    )*};
}

table! {
    github_pages_by_the_header_link(client): with(
        &[("link", "<https://api.github.com/repositories/1300192/issues?page=2>; rel=\"next\", \
                    <https://api.github.com/repositories/1300192/issues?page=7>; rel=\"last\"")],
        json!([{"id": 1, "number": 1347, "labels": [{"id": 208_045_946}]}, {"id": 2}]),
    ) => ["LinkHeader"], r#"the header "link" has a link of the relation "next""#,
    Some(""), 2 records, goes on: true,
    { client.get("/path").pages(LinkHeader::new()).build::<Record>()? }

    gitlab_pages_by_links_and_counts(client): with(
        &[
            ("link", "<https://gitlab.example.com/api/v4/projects?page=2>; rel=\"next\""),
            ("x-next-page", "2"),
            ("x-page", "1"),
            ("x-per-page", "3"),
            ("x-total", "8"),
            ("x-total-pages", "3"),
        ],
        json!([{"id": 1}]),
    ) => ["LinkHeader", "PageNumber", "NextCursor"],
    r#"the header "link" has a link of the relation "next""#,
    Some(""), 1 records, goes on: true,
    { client.get("/path").pages(LinkHeader::new()).build::<Record>()? }

    shopify_pages_by_the_header_link(client): with(
        &[
            ("link", "<https://shop.example.com/admin/api/products.json?page_info=a>; rel=previous"),
            ("link", "<https://shop.example.com/admin/api/products.json?page_info=b>; rel=next"),
        ],
        json!({"products": [{"id": 1, "variants": [{"id": 2}, {"id": 3}]}]}),
    ) => ["LinkHeader"], r#"the header "link" has a link of the relation "next""#,
    Some("/products"), 1 records, goes on: true,
    { client.get("/path").pages(LinkHeader::new()).records_at("/products").build::<Record>()? }

    shopify_has_connections_in_graphql(client): body(json!({
        "data": {"products": {
            "nodes": [{"id": "gid://shopify/Product/1"}],
            "pageInfo": {"hasNextPage": true, "endCursor": "eyJsYXN0X2lkIjo"},
        }},
        "extensions": {"cost": {"requestedQueryCost": 3}},
    })) => ["Connection"], r#""/data/products/pageInfo" is the page info of a GraphQL connection"#,
    Some("/data/products/nodes"), 1 records, goes on: true,
    {
        client
            .graphql("/graphql", QUERY)
            .limit_in_body("/variables/first", 100)
            .pages(Connection::at("/data/products"))
            .build::<Record>()?
    }

    edges_of_a_deep_connection_are_its_records(client): body(json!({
        "data": {"viewer": {"a/b": {
            "edges": [{"node": {"id": 1}, "cursor": "a"}],
            "pageInfo": {"hasNextPage": false, "endCursor": "a"},
        }}},
    })) => ["Connection"],
    r#""/data/viewer/a~1b/pageInfo" is the page info of a GraphQL connection"#,
    Some("/data/viewer/a~1b/edges"), 1 records, goes on: false,
    {
        client
            .graphql("/graphql", QUERY)
            .limit_in_body("/variables/first", 100)
            .pages(Connection::at("/data/viewer/a~1b").edges())
            .build::<Record>()?
    }

    page_info_beyond_graphql_is_a_cursor(client): body(json!({
        "items": [{"id": 1}],
        "pageInfo": {"hasNextPage": true, "endCursor": "a"},
    })) => ["NextCursor", "Connection"], r#""/pageInfo/endCursor" holds a cursor"#,
    Some("/items"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(
                NextCursor::at("/pageInfo/endCursor")
                    .into_query("after")
                    .more_at("/pageInfo/hasNextPage")
            )
            .records_at("/items")
            .build::<Record>()?
    }

    stripe_pages_by_the_last_id(client): body(json!({
        "object": "list",
        "url": "/v1/customers",
        "has_more": true,
        "data": [{"id": "cus_NffrFeUfNV2Hib", "object": "customer", "email": null}],
    })) => ["Keyset"],
    r#""/has_more" says whether there is more, the records have an "id", and there is no cursor"#,
    Some("/data"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(Keyset::query("starting_after").key("/id").more_at("/has_more"))
            .records_at("/data")
            .build::<Record>()?
    }

    slack_has_a_cursor_in_its_metadata(client): body(json!({
        "ok": true,
        "cache_ts": 1_498_777_272,
        "members": [{"id": "W07QCRPA4", "profile": {"fields": []}}, {"id": "W0G9QF9GW"}],
        "response_metadata": {"next_cursor": "dXNlcjpVMEc5V0ZYTlo="},
    })) => ["NextCursor"], r#""/response_metadata/next_cursor" holds a cursor"#,
    Some("/members"), 2 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at("/response_metadata/next_cursor").into_query("cursor"))
            .records_at("/members")
            .build::<Record>()?
    }

    a_flag_above_the_cursor_says_what_the_end_is(client): body(json!({
        "ok": true,
        "messages": [{"type": "message"}],
        "has_more": true,
        "response_metadata": {"next_cursor": "bmV4dF90czoxNTEyMDg1ODYxMDAwNTQz"},
    })) => ["NextCursor"], r#""/response_metadata/next_cursor" holds a cursor"#,
    Some("/messages"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(
                NextCursor::at("/response_metadata/next_cursor")
                    .into_query("cursor")
                    .more_at("/has_more")
            )
            .records_at("/messages")
            .build::<Record>()?
    }

    notion_has_a_cursor_and_a_flag(client): body(json!({
        "object": "list",
        "results": [{"object": "user", "id": "d40e767c"}],
        "next_cursor": "fe2cc560-036c-44cd-90e8-294d5a74cebc",
        "has_more": true,
        "type": "user",
        "user": {},
    })) => ["NextCursor"], r#""/next_cursor" holds a cursor"#,
    Some("/results"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at("/next_cursor").into_query("cursor").more_at("/has_more"))
            .records_at("/results")
            .build::<Record>()?
    }

    jira_pages_by_offset(client): body(json!({
        "expand": "schema,names",
        "startAt": 0,
        "maxResults": 50,
        "total": 200,
        "issues": [{"id": "10230", "fields": {"labels": []}}],
    })) => ["Offset"], r#""/startAt" holds an offset"#,
    Some("/issues"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .limit("maxResults", 100)
            .pages(Offset::query("startAt").total_at("/total"))
            .records_at("/issues")
            .build::<Record>()?
    }

    jira_has_a_token_and_says_what_is_last(client): body(json!({
        "isLast": false,
        "issues": [{"id": "10230"}],
        "nextPageToken": "CAEaAggD",
    })) => ["NextCursor"], r#""/nextPageToken" holds a cursor"#,
    Some("/issues"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at("/nextPageToken").into_query("pageToken").done_at("/isLast"))
            .records_at("/issues")
            .build::<Record>()?
    }

    a_link_beside_an_offset_comes_first(client): body(json!({
        "isLast": false,
        "maxResults": 2,
        "nextPage": "https://jira.example.com/rest/api/3/project/search?startAt=2&maxResults=2",
        "startAt": 0,
        "total": 7,
        "values": [{"id": "10000"}, {"id": "10001"}],
    })) => ["NextLink", "Offset"], r#""/nextPage" holds a link"#,
    Some("/values"), 2 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextLink::at("/nextPage").done_at("/isLast"))
            .records_at("/values")
            .build::<Record>()?
    }

    salesforce_has_a_relative_link_and_a_flag(client): body(json!({
        "done": false,
        "totalSize": 3_214,
        "records": [{"attributes": {"type": "Merchandise__c"}, "Name": "Merchandise 1"}],
        "nextRecordsUrl": "/services/data/v20.0/query/01gD0000002HU6KIAW-2000",
    })) => ["NextLink"], r#""/nextRecordsUrl" holds a link"#,
    Some("/records"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextLink::at("/nextRecordsUrl").done_at("/done"))
            .records_at("/records")
            .build::<Record>()?
    }

    zendesk_has_a_link_and_a_cursor(client): body(json!({
        "tickets": [{"id": 35_436}],
        "meta": {"has_more": true, "after_cursor": "xxx", "before_cursor": "yyy"},
        "links": {
            "next": "https://example.zendesk.com/api/v2/tickets.json?page[after]=xxx",
            "prev": "https://example.zendesk.com/api/v2/tickets.json?page[before]=yyy",
        },
    })) => ["NextLink", "NextCursor"], r#""/links/next" holds a link"#,
    Some("/tickets"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextLink::at("/links/next").more_at("/meta/has_more"))
            .records_at("/tickets")
            .build::<Record>()?
    }

    zendesk_has_the_next_page_as_a_link(client): body(json!({
        "users": [{"id": 223_443}],
        "next_page": "https://example.zendesk.com/api/v2/users.json?page=2",
        "previous_page": null,
        "count": 1_234,
    })) => ["NextLink"], r#""/next_page" holds a link"#,
    Some("/users"), 1 records, goes on: true,
    { client.get("/path").pages(NextLink::at("/next_page")).records_at("/users").build::<Record>()? }

    hubspot_has_an_after(client): body(json!({
        "results": [{"id": "512", "properties": {}}],
        "paging": {"next": {"after": "NTI1Cg%3D%3D", "link": "?after=NTI1Cg%3D%3D"}},
    })) => ["NextCursor", "NextLink"], r#""/paging/next/after" holds a cursor"#,
    Some("/results"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at("/paging/next/after").into_query("after"))
            .records_at("/results")
            .build::<Record>()?
    }

    google_has_a_page_token(client): body(json!({
        "kind": "drive#fileList",
        "incompleteSearch": false,
        "files": [{"kind": "drive#file", "id": "1abc"}],
        "nextPageToken": "~!!~AI9FV7",
    })) => ["NextCursor"], r#""/nextPageToken" holds a cursor"#,
    Some("/files"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at("/nextPageToken").into_query("pageToken"))
            .records_at("/files")
            .build::<Record>()?
    }

    microsoft_graph_has_a_link(client): body(json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
        "@odata.nextLink": "https://graph.microsoft.com/v1.0/users?$skiptoken=RFN",
        "value": [{"id": "87d349ed", "businessPhones": ["1"]}],
    })) => ["NextLink"], r#""/@odata.nextLink" holds a link"#,
    Some("/value"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextLink::at("/@odata.nextLink"))
            .records_at("/value")
            .build::<Record>()?
    }

    elasticsearch_has_the_id_of_a_scroll(client): body(json!({
        "_scroll_id": "FGluY2x1ZGVfY29udGV4dF91dWlkDXF1ZXJ5QW5kRmV0Y2gB",
        "took": 2,
        "timed_out": false,
        "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
        "hits": {
            "total": {"value": 1_000, "relation": "eq"},
            "max_score": 1.0,
            "hits": [{"_index": "my-index", "_id": "0", "_score": 1.0, "_source": {}}],
        },
    })) => ["NextCursor"], r#""/_scroll_id" holds a cursor"#,
    Some("/hits/hits"), 1 records, goes on: true,
    {
        client
            .post("/path")
            .pages(NextCursor::at("/_scroll_id").into_body("/scroll_id"))
            .records_at("/hits/hits")
            .build::<Record>()?
    }

    a_header_counts_the_pages(client): with(
        &[("x-total-pages", "12"), ("x-total-count", "583")],
        json!([{"id": 1}, {"id": 2}]),
    ) => ["PageNumber"], r#"the header "x-total-pages" holds the number of pages"#,
    Some(""), 2 records, goes on: true,
    {
        client
            .get("/path")
            .pages(PageNumber::query("page").pages_at(header("x-total-pages")))
            .total_at(header("x-total-count"))
            .build::<Record>()?
    }

    cloudflare_counts_its_pages(client): body(json!({
        "success": true,
        "errors": [],
        "messages": [],
        "result": [{"id": "023e105f4ecef8ad9ca31a8372d0c353"}],
        "result_info": {"page": 1, "per_page": 20, "total_pages": 100, "count": 1, "total_count": 2_000},
    })) => ["PageNumber"], r#""/result_info/total_pages" holds the number of pages"#,
    Some("/result"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .limit("per_page", 100)
            .pages(PageNumber::query("page").pages_at("/result_info/total_pages"))
            .records_at("/result")
            .total_at("/result_info/total_count")
            .build::<Record>()?
    }

    spring_counts_from_zero(client): body(json!({
        "content": [{"id": 1}],
        "pageable": {"pageNumber": 0, "pageSize": 20, "offset": 0},
        "totalPages": 3,
        "totalElements": 41,
        "last": false,
        "first": true,
        "number": 0,
        "size": 20,
    })) => ["PageNumber", "Offset"], r#""/totalPages" holds the number of pages"#,
    Some("/content"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .limit("size", 100)
            .pages(PageNumber::query("page").first(0).pages_at("/totalPages"))
            .records_at("/content")
            .total_at("/totalElements")
            .build::<Record>()?
    }

    laravel_has_a_link_and_a_last_page(client): body(json!({
        "current_page": 1,
        "data": [{"id": 1}],
        "from": 1,
        "last_page": 4,
        "next_page_url": "https://laravel.example.com?page=2",
        "per_page": 15,
        "prev_page_url": null,
        "total": 50,
    })) => ["NextLink", "PageNumber"], r#""/next_page_url" holds a link"#,
    Some("/data"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextLink::at("/next_page_url"))
            .records_at("/data")
            .build::<Record>()?
    }

    a_last_page_is_the_end(client): body(json!({
        "meta": {"current_page": 0, "last_page": 4, "per_page": 15},
        "data": [{"id": 1}],
    })) => ["PageNumber"], r#""/meta/last_page" holds the number of the last page"#,
    Some("/data"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .limit("per_page", 100)
            .pages(PageNumber::query("page").first(0).last_page_at("/meta/last_page"))
            .records_at("/data")
            .build::<Record>()?
    }

    a_page_without_a_count_goes_on_until_an_empty_one(client): body(json!({
        "page": 1, "page_size": 50, "entries": [{"id": 1}],
    })) => ["PageNumber"], r#""/page" holds the number of the page"#,
    Some("/entries"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .limit("page_size", 100)
            .pages(PageNumber::query("page").until_empty())
            .records_at("/entries")
            .build::<Record>()?
    }

    airtable_has_a_cursor_that_is_called_offset(client): body(json!({
        "records": [{"id": "rec560UJdUtocSouk", "fields": {}}],
        "offset": "itrEN2TCbrcSN2BMs/rec560UJdUtocSouk",
    })) => ["NextCursor"], r#""/offset" holds a cursor"#,
    Some("/records"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at("/offset").into_query("offset"))
            .records_at("/records")
            .build::<Record>()?
    }

    kubernetes_has_a_continue_token(client): body(json!({
        "kind": "PodList",
        "metadata": {"resourceVersion": "10245", "continue": "ENCODED_CONTINUE_TOKEN"},
        "items": [{"metadata": {"name": "a"}}],
    })) => ["NextCursor"], r#""/metadata/continue" holds a cursor"#,
    Some("/items"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at("/metadata/continue").into_query("continue"))
            .records_at("/items")
            .build::<Record>()?
    }

    cosmos_takes_its_cursor_back_in_the_header(client): with(
        &[("x-ms-continuation", "-RID:~VNAdAJVFAAA=#RT:1")],
        json!({"_rid": "", "Documents": [{"id": "1"}], "_count": 1}),
    ) => ["NextCursor"], r#"the header "x-ms-continuation" holds a cursor"#,
    Some("/Documents"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at(header("x-ms-continuation")).into_header("x-ms-continuation"))
            .records_at("/Documents")
            .build::<Record>()?
    }

    a_header_has_the_cursor(client): with(&[("x-next-cursor", "b==")], json!([{"id": 1}])) =>
    ["NextCursor"], r#"the header "x-next-cursor" holds a cursor"#,
    Some(""), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at(header("x-next-cursor")).into_query("cursor"))
            .build::<Record>()?
    }

    alloy_gives_the_next_offset(client):
        body(include_str!("../../fixtures/alloy/guide_response.json")) =>
    ["Offset", "NextCursor"], r#""/pagination/nextOffset" is the place of the next offset"#,
    Some("/data"), 50 records, goes on: true,
    {
        client
            .get("/path")
            .pages(
                Offset::query("offset")
                    .more_at("/pagination/hasMore")
                    .next_at("/pagination/nextOffset")
            )
            .records_at("/data")
            .build::<Record>()?
    }

    alloy_says_on_its_last_page_what_it_is(client):
        body(include_str!("../../fixtures/alloy/guide_response_last.json")) =>
    ["Offset", "NextCursor"], r#""/pagination/nextOffset" is the place of the next offset"#,
    Some("/data"), 2 records, goes on: false,
    {
        client
            .get("/path")
            .pages(
                Offset::query("offset")
                    .more_at("/pagination/hasMore")
                    .next_at("/pagination/nextOffset")
            )
            .records_at("/data")
            .build::<Record>()?
    }

    the_last_page_by_the_header_link_is_told_by_its_other_links(client): with(
        &[("link", "</issues?page=1>; rel=\"first\", </issues?page=6>; rel=\"prev\"")],
        json!([{"id": 1}]),
    ) => ["LinkHeader"],
    r#"the header "link" leads to other pages, and to none behind this one"#,
    Some(""), 1 records, goes on: false,
    { client.get("/path").pages(LinkHeader::new()).build::<Record>()? }

    a_link_in_an_object_is_followed(client): body(json!({
        "_embedded": {"users": [{"id": 1}]},
        "_links": {"self": {"href": "/users"}, "next": {"href": "/users?page=2"}},
        "page": {"size": 1, "totalElements": 3, "totalPages": 3, "number": 0},
    })) => ["NextLink", "PageNumber"], r#""/_links/next/href" holds a link"#,
    Some("/_embedded/users"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextLink::at("/_links/next/href"))
            .records_at("/_embedded/users")
            .build::<Record>()?
    }

    the_number_of_the_next_page_is_a_cursor(client):
        body(json!({"users": [{"id": 1}], "next_page": 2})) =>
    ["NextCursor"], r#""/next_page" holds a cursor"#,
    Some("/users"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at("/next_page").into_query("page"))
            .records_at("/users")
            .build::<Record>()?
    }

    a_flag_without_ids_and_cursors_is_a_guess(client):
        body(json!({"rows": [{"name": "a"}], "more": true})) =>
    ["PageNumber", "Offset"], r#""/more" says whether there is more"#,
    Some("/rows"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(PageNumber::query("page").more_at("/more"))
            .records_at("/rows")
            .build::<Record>()?
    }

    the_last_page_of_a_list_with_links_is_told_by_the_link_back(client): body(json!({
        "count": 1_023,
        "next": null,
        "previous": "https://api.example.org/accounts/?page=4",
        "results": [],
    })) => ["NextLink"], r#""/next" is the place of a link, and this page has none"#,
    Some("/results"), 0 records, goes on: false,
    { client.get("/path").pages(NextLink::at("/next")).records_at("/results").build::<Record>()? }

    a_total_above_the_records_is_a_guess_and_no_single_page(client):
        with(&[("x-total-count", "300")], json!([{"id": 1}])) =>
    ["PageNumber", "Offset"], r#"the header "x-total-count" is more than this page has"#,
    Some(""), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(PageNumber::query("page").total_at(header("x-total-count")))
            .build::<Record>()?
    }

    a_plain_list_is_a_single_page(client): body(json!([{"id": 1, "next": "b"}, {"id": 2}])) =>
    ["SinglePage"], "the answer is a list, and nothing says that there is more",
    Some(""), 2 records, goes on: false,
    { client.get("/path").pages(SinglePage).build::<Record>()? }

    a_list_in_an_object_is_a_single_page(client): body(json!({"total": 1, "users": [{"id": 1}]})) =>
    ["SinglePage"], r#""/users" is a list, and nothing says that there is more"#,
    Some("/users"), 1 records, goes on: false,
    { client.get("/path").pages(SinglePage).records_at("/users").build::<Record>()? }

    an_object_is_one_record(client): body(json!({"id": 1, "page": 3, "tags": ["a", "b"]})) =>
    ["SinglePage"], "the answer is one object, and nothing says that there is more",
    None, 1 records, goes on: false,
    { client.get("/path").pages(SinglePage).one_record().build::<Record>()? }

    a_list_inside_of_a_record_is_no_page(client):
        body(json!({"id": 5, "done": true, "total": 300, "lines": [{"id": 1}], "next": null})) =>
    ["SinglePage"], "the answer is one object, and nothing says that there is more",
    None, 1 records, goes on: false,
    { client.get("/path").pages(SinglePage).one_record().build::<Record>()? }

    intercom_has_a_cursor_beside_its_page_numbers(client): body(json!({
        "type": "list",
        "data": [{"type": "contact", "id": "1"}],
        "total_count": 5,
        "pages": {
            "type": "pages",
            "next": {"page": 2, "starting_after": "WzE3MTU1NTQ5MTYwMDAsM10="},
            "page": 1,
            "per_page": 1,
            "total_pages": 5,
        },
    })) => ["NextCursor", "PageNumber"], r#""/pages/next/starting_after" holds a cursor"#,
    Some("/data"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .limit("per_page", 100)
            .pages(NextCursor::at("/pages/next/starting_after").into_query("starting_after"))
            .records_at("/data")
            .build::<Record>()?
    }

    keys_are_escaped_in_pointers_and_in_code(client): body(json!({
        "a~/\"\n\u{202e}": {"next_cursor": "b", "rows": [{"id": 1}]},
    })) => ["NextCursor"], r#""/a~0~1\"\n\u{202e}/next_cursor" holds a cursor"#,
    Some("/a~0~1\"\n\u{202e}/rows"), 1 records, goes on: true,
    {
        client
            .get("/path")
            .pages(NextCursor::at("/a~0~1\"\n\u{202e}/next_cursor").into_query("cursor"))
            .records_at("/a~0~1\"\n\u{202e}/rows")
            .build::<Record>()?
    }
}

#[test]
fn all_that_one_answer_does_not_show_has_a_comment() {
    let found = detect(&body(json!({"page": 3, "total_pages": 7, "per_page": 5, "x": [{}]})));
    assert_eq!(
        found[0].to_string(),
        "PageNumber: \"/total_pages\" holds the number of pages\n\
         client\n    \
             .get(\"/path\") // check: your path\n    \
             .limit(\"per_page\", 100) // check: its name, and the largest that is allowed\n    \
             // check: the name in the query, \"page\", is a guess\n    \
             // check: pages count from 1 here; if yours count from 0, call `first(0)`\n    \
             .pages(PageNumber::query(\"page\").pages_at(\"/total_pages\"))\n    \
             .records_at(\"/x\")\n    \
             .build::<Record>()?"
    );
}

#[test]
fn the_query_has_the_usual_name_for_a_cursor() {
    for (seen, sent) in [
        ("next_cursor", r#"into_query("cursor")"#),
        ("nextCursor", r#"into_query("cursor")"#),
        ("next_page_token", r#"into_query("page_token")"#),
        ("NextPageToken", r#"into_query("PageToken")"#),
        ("NextToken", r#"into_query("NextToken")"#),
        ("continuation", r#"into_query("continuation")"#),
        ("after", r#"into_query("after")"#),
        ("next", r#"into_query("cursor")"#),
        ("scroll_id", r#"into_body("/scroll_id")"#),
        ("LastEvaluatedKey", r#"into_body("/ExclusiveStartKey")"#),
    ] {
        let found = detect(&body(json!({"items": [{"id": 1}], seen: "b=="})));
        assert_eq!(found[0].style(), "NextCursor", "{seen}");
        assert!(found[0].code().contains(sent), "{seen}: {}", found[0].code());
    }
}

#[test]
fn a_flag_that_contradicts_the_cursor_is_left_out() {
    let found = detect(&body(json!({"items": [{}], "next_cursor": null, "has_more": true})));
    assert_eq!(found[0].style(), "NextCursor");
    assert!(!found[0].code().contains("more_at"));
}

#[test]
fn the_records_are_the_longest_list_of_objects_nearest_to_the_root() {
    for (answer, records) in [
        (json!({"a": [{}], "b": [{}, {}]}), "/b"),
        (json!({"a": {"b": [{}]}, "c": [{}]}), "/c"),
        (json!({"a": [{}], "items": [{}]}), "/items"),
        (json!({"a": [1, 2], "b": [{}]}), "/b"),
        (json!({"a": [], "data": []}), "/data"),
        (json!({"data": [{}], "included": [{}, {}]}), "/data"),
        (json!({"messages": [{}, {}], "labels": [{}]}), "/messages"),
        (json!({"users": [{}], "includes": {"media": [{}, {}]}}), "/users"),
    ] {
        let found = detect(&body(&answer));
        assert_eq!(found[0].records_at(), Some(records), "{answer}");
    }
}

#[test]
fn nothing_fits_an_error_or_what_is_no_json() {
    let mut error = body(json!({"items": [], "next_cursor": "b"}));
    *error.status_mut() = http::StatusCode::BAD_REQUEST;
    let deep = "[".repeat(100_000);
    for response in [error, body(""), body("<html>"), body("{\"a\": 1"), body("7"), body(deep)] {
        assert_eq!(detect(&response), []);
    }
    let bytes = Response::new(Bytes::from_static(b"\xff[]"));
    assert_eq!(detect(&bytes), []);
}

#[test]
fn a_huge_answer_is_looked_into_up_to_a_bound() {
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let keys = (0..100_000).map(|key| format!("\"{key}\": {{\"next\": \"/a\"}}"));
    let wide = format!("{{{}}}", keys.collect::<Vec<_>>().join(","));
    let long = format!("{{\"{}\": {{\"next\": \"/a\"}}}}", "k".repeat(1_000_000));
    let list = format!("[{}{{}}]", "{}, ".repeat(200_000));
    for text in [deep, wide, long, list] {
        let found = detect(&body(text));
        assert!((1..20).contains(&found.len()));
        assert!(found.iter().all(|found| found.to_string().len() < 10_000));
    }
}

#[test]
fn a_key_that_is_there_twice_leads_nowhere() {
    let found = detect(&body(r#"{"items": [{}], "next_cursor": "a", "next_cursor": "b"}"#));
    assert_eq!(styles(&found), ["SinglePage"]);
}

/// What each text of a generated answer has in it.
const SECRET: &str = "5ecret";

fn json_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just(String::new()),
        Just("17".to_owned()),
        Just(format!("https://a.example/{SECRET}?page=2")),
        Just(format!("{SECRET}==")),
        any::<String>().prop_map(|text| format!("{SECRET}{text}")),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..9_u64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let names = [
        "next",
        "next_cursor",
        "nextPageToken",
        "_scroll_id",
        "after",
        "offset",
        "startAt",
        "limit",
        "total",
        "page",
        "per_page",
        "total_pages",
        "last_page",
        "number",
        "has_more",
        "isLast",
        "links",
        "paging",
        "meta",
        "pageInfo",
        "hasNextPage",
        "endCursor",
        "nodes",
        "edges",
        "data",
        "items",
        "id",
        "href",
        "nextOffset",
        "count",
        "pages",
    ];
    let key = prop_oneof![4 => prop::sample::select(names.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(), 1 => "[\"'()\\\\/~\n{}#]{0,4}"];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => vec((key.clone(), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let names = [
        "link",
        "x-total-pages",
        "x-next-cursor",
        "x-next-page",
        "x-total-count",
        "x-ms-continuation",
        "x-per-page",
    ];
    let value = prop_oneof![
        vec(any::<u8>(), 0..20),
        Just(b"12".to_vec()),
        Just(format!("<https://a.example/{SECRET}>; rel=\"next\"").into_bytes()),
        Just(SECRET.as_bytes().to_vec()),
    ];
    vec((prop::sample::select(names.to_vec()), value), 0..4).prop_map(|pairs| {
        let pairs = pairs.into_iter().filter_map(|(name, value)| {
            Some((HeaderName::from_static(name), HeaderValue::from_bytes(&value).ok()?))
        });
        pairs.collect()
    })
}

proptest! {
    #[test]
    fn any_answer_gives_code_that_reads_as_rust_and_shows_no_value(
        value in json_value(),
        headers in headers(),
    ) {
        let mut response = body(&value);
        *response.headers_mut() = headers;
        for found in detect(&response) {
            let shown = format!("{found} {found:?}");
            prop_assert!(found.code().parse::<TokenStream>().is_ok(), "{shown}");
            prop_assert!(found.code().lines().skip(1).all(|line| line.starts_with("    ")));
            prop_assert_eq!(found.reason().lines().count(), 1);
            prop_assert!(!shown.contains(SECRET), "{shown}");
            if let Some(at) = found.records_at() {
                prop_assert!(value.pointer(at).is_some_and(Value::is_array), "{shown}");
            }
        }
    }
}
