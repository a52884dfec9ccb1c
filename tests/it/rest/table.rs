//! A service whose rows the tests change while it is read.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use pagestream::{
    Error, Transport,
    http::{Client, RequestBuilder},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A row. Several may share a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) time: u64,
}

/// Rows that are filtered and sorted as a request says, and given up to a cap.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) rows: Arc<Mutex<Vec<Row>>>,
    cap: u64,
    queries: Arc<Mutex<Vec<String>>>,
}

impl Table {
    pub(super) fn new(rows: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let rows = rows.into_iter().map(|(id, time)| Row { id, time }).collect();
        Self { rows: Arc::new(Mutex::new(rows)), cap: u64::MAX, queries: Arc::default() }
    }

    /// No more than so many rows are given for one query.
    pub(super) fn capped(self, cap: u64) -> Self {
        Self { cap, ..self }
    }

    pub(super) fn all(&self) -> Vec<Row> {
        let mut rows = self.rows.lock().unwrap().clone();
        rows.sort();
        rows
    }

    /// The queries that were asked.
    pub(super) fn queries(&self) -> Vec<String> {
        self.queries.lock().unwrap().clone()
    }

    pub(super) fn insert(&self, id: u64, time: u64) {
        self.rows.lock().unwrap().push(Row { id, time });
    }

    /// A request for its rows, with ten to a page.
    pub(super) fn request(&self) -> RequestBuilder {
        let client = Client::builder("https://api.example.com").transport(self.transport());
        client.build().unwrap().get("/rows").limit("limit", 10)
    }

    fn transport(&self) -> impl Transport + use<> {
        let table = self.clone();
        move |request: Request<Bytes>| {
            let response = table.answer(request.uri().query().unwrap_or_default());
            async move { Ok::<_, Error>(response) }
        }
    }

    fn answer(&self, query: &str) -> Response<Bytes> {
        self.queries.lock().unwrap().push(query.to_owned());
        let text = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(it, _)| *it == name).map(|(_, value)| value.to_owned())
        };
        let number = |name: &str| text(name).map(|it| it.parse::<u64>().unwrap());
        let sort = text("sort");
        let (by_time, descends) = (sort.as_deref() != Some("id"), text("order").is_some());
        let key = |row: &Row| if by_time { row.time } else { row.id };
        let mut rows = self.rows.lock().unwrap().clone();
        rows.retain(|row| {
            number("since").is_none_or(|since| row.time >= since)
                && number("above").is_none_or(|above| key(row) > above)
                && number("below").is_none_or(|below| key(row) < below)
                && number("until").is_none_or(|until| row.time <= until)
                && number("to").is_none_or(|to| row.time < to)
        });
        rows.sort_by_key(|row| (key(row), row.id));
        if descends {
            rows.reverse();
        }
        let total = rows.len() as u64;
        rows.truncate(usize::try_from(self.cap).unwrap_or(usize::MAX));
        let (offset, limit) = (number("offset").unwrap_or(0), number("limit").unwrap_or(10));
        if offset + limit > self.cap {
            return Response::builder().status(400).body(Bytes::new()).unwrap();
        }
        let (from, end) = (offset.min(rows.len() as u64), (offset + limit).min(rows.len() as u64));
        let page = &rows[usize::try_from(from).unwrap()..usize::try_from(end).unwrap()];
        let has_more = end < rows.len() as u64;
        let next: Value = if has_more { json!(end) } else { Value::Null };
        let body = json!({"rows": page, "total": total, "next": next, "more": has_more});
        Response::new(body.to_string().into())
    }
}
