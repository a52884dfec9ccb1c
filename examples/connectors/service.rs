//! A made-up service that gives 47 records in every style, ten to a page.

use bytes::Bytes;
use http::{Request, Response};
use pagestream::{Error, Transport};
use serde_json::{Value, json};

/// How many records it has.
pub(crate) const RECORDS: u64 = 47;

/// The records, as a reading delivers them.
pub(crate) fn records() -> Vec<Record> {
    (0..RECORDS).map(record).collect()
}

/// What it has.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Record {
    /// No other record has it.
    pub(crate) id: u64,
    /// Three records share one.
    pub(crate) time: u64,
}

fn record(id: u64) -> Record {
    Record { id, time: id / 3 }
}

/// The service. It answers without a network.
pub(crate) fn service() -> impl Transport + Clone {
    |request: Request<Bytes>| {
        let response = answer(&request);
        async move { Ok::<_, Error>(response) }
    }
}

fn answer(request: &Request<Bytes>) -> Response<Bytes> {
    let url = request.uri();
    let query = |name: &str| {
        let pairs = url.query().unwrap_or_default().split('&');
        let value = pairs.filter_map(|pair| pair.split_once('=')).find(|(it, _)| *it == name);
        value.map(|(_, value)| value.to_owned())
    };
    let number = |name| query(name).and_then(|value| value.parse::<u64>().ok());
    let body = serde_json::from_slice::<Value>(request.body()).unwrap_or_default();
    let limit = number("limit").or_else(|| body.pointer("/variables/first")?.as_u64());
    let limit = limit.unwrap_or(10).min(10);
    let page = |from: u64| (from..RECORDS.min(from + limit)).map(record).collect::<Vec<_>>();
    let after = |from: u64| Some(from + limit).filter(|next| *next < RECORDS);
    let mut response = Response::builder();
    let body = match url.path() {
        "/v1/offsets" => {
            json!({"total": RECORDS, "items": page(number("offset").unwrap_or(0))})
        }
        "/v1/pages" => {
            response = response.header("x-total-pages", RECORDS.div_ceil(limit));
            json!(page(limit * (number("page").unwrap_or(1) - 1)))
        }
        "/v1/cursors" => {
            let from =
                query("cursor").map_or(0, |it| it.strip_prefix("at%3D").unwrap().parse().unwrap());
            let next = after(from).map(|next| format!("at={next}"));
            json!({"items": page(from), "paging": {"next": next, "more": next.is_some()}})
        }
        "/v1/links" => {
            let from = number("from").unwrap_or(0);
            let next = after(from).map(|next| format!("?from={next}&limit={limit}"));
            json!({"items": page(from), "next": next})
        }
        "/v1/headers" => {
            let from = number("from").unwrap_or(0);
            if let Some(next) = after(from) {
                let link = format!(
                    "<https://api.example.com/v1/headers?from={next}&limit={limit}>; rel=\"next\", \
                     </v1/headers>; rel=first"
                );
                response = response.header("link", link);
            }
            json!(page(from))
        }
        "/v1/keys" => {
            let from = number("after").map_or(0, |after| after + 1);
            json!({"items": page(from), "has_more": after(from).is_some()})
        }
        "/v1/times" => json!({"items": page(3 * number("since").unwrap_or(0))}),
        "/v1/graphql" => {
            let cursor = body.pointer("/variables/after").and_then(Value::as_str);
            let from = cursor.map_or(0, |it| it.parse().unwrap());
            let info = json!({"hasNextPage": after(from).is_some(), "endCursor": (from + limit).to_string()});
            json!({"data": {"rows": {"nodes": page(from), "pageInfo": info}}})
        }
        "/v1/all" => json!({"items": records()}),
        path => panic!("no path {path}"),
    };
    response.body(body.to_string().into()).unwrap()
}
