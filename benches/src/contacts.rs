//! A service of contacts in the manner of Alloy's pagination guide, with records as
//! large as a CRM's: about 331 bytes each.

use anyhow::{Context, Result};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, header};
use pagestream::{Error, ErrorKind, Transport};
use serde::{Deserialize, Serialize};

/// The most records that a request may ask for, and the number that all ask for.
pub const LIMIT: u64 = 50;

/// A contact as it is written and read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct Contact {
    pub id: u64,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub phone: Option<String>,
    pub company: String,
    pub job_title: String,
    pub lifecycle_stage: String,
    pub score: i64,
    pub revenue: f64,
    pub is_subscribed: bool,
    pub owner_id: Option<u64>,
    pub created_at: String,
    pub updated_at: String,
}

impl Contact {
    /// The contact of an id.
    #[must_use]
    pub fn of(id: u64) -> Self {
        let seconds = id % 60;
        Self {
            id,
            email: format!("contact-{id}@example.com"),
            first_name: format!("Ada {}", id % 997),
            last_name: "Lovelace".to_owned(),
            phone: (!id.is_multiple_of(3)).then(|| format!("+41 44 555 {:04}", id % 10_000)),
            company: format!("Analytical {}", id % 101),
            job_title: "Programmer".to_owned(),
            lifecycle_stage: "customer".to_owned(),
            score: i64::try_from(id % 1_000).unwrap_or_default() - 500,
            revenue: f64::from(u32::try_from(id % 100_000).unwrap_or_default()) / 4.0,
            is_subscribed: id.is_multiple_of(2),
            owner_id: (!id.is_multiple_of(5)).then_some(id % 47),
            created_at: format!("2026-03-30T13:46:{seconds:02}.038Z"),
            updated_at: format!("2026-04-01T08:12:{seconds:02}.512Z"),
        }
    }
}

/// What was read, to be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many records.
    pub records: u64,
    sum: u64,
}

impl Tally {
    /// Counts a record.
    pub fn add(&mut self, id: u64) {
        self.records += 1;
        self.sum = self.sum.wrapping_add((id + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }

    /// What the ids are expected to give.
    #[must_use]
    pub fn of(ids: impl IntoIterator<Item = u64>) -> Self {
        let mut tally = Self::default();
        ids.into_iter().for_each(|id| tally.add(id));
        tally
    }
}

/// The contacts from 0 on.
#[derive(Clone, Copy, Debug)]
pub struct Contacts {
    /// How many there are.
    pub records: u64,
    /// How many records a page holds at most, whatever is asked for.
    pub clamp: u64,
}

#[derive(Deserialize)]
struct Execution {
    input: Window,
}

#[derive(Deserialize)]
struct Window {
    limit: u64,
    offset: u64,
}

#[derive(Serialize)]
struct Answer {
    data: Vec<Contact>,
    pagination: Pagination,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    has_more: bool,
    next_offset: Option<u64>,
}

impl Contacts {
    /// Contacts in pages as large as asked for.
    #[must_use]
    pub fn new(records: u64) -> Self {
        Self { records, clamp: LIMIT }
    }

    /// The body of a page.
    fn page(self, Window { limit, offset }: Window) -> Result<Bytes> {
        let begin = offset.min(self.records);
        let end = begin.saturating_add(limit.min(self.clamp)).min(self.records);
        let has_more = end < self.records;
        let pagination = Pagination { has_more, next_offset: has_more.then_some(end) };
        let answer = Answer { data: (begin..end).map(Contact::of).collect(), pagination };
        Ok(serde_json::to_vec(&answer)?.into())
    }

    /// How many bytes a record takes in a body, on average.
    pub fn bytes_of_a_record(self) -> Result<f64> {
        let pages = (0..self.records.div_ceil(LIMIT)).step_by(7);
        let (mut bytes, mut records) = (0, 0);
        for offset in pages.map(|page| page * LIMIT) {
            bytes += self.page(Window { limit: LIMIT, offset })?.len();
            records += u32::try_from(LIMIT.min(self.records - offset))?;
        }
        Ok(f64::from(u32::try_from(bytes)?) / f64::from(records))
    }
}

#[async_trait]
impl Transport for Contacts {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let window = window_of(&request).map_err(|error| rejected(&error))?;
        let mut response = Response::new(self.page(window).map_err(|error| rejected(&error))?);
        let json = header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        Ok(response)
    }
}

fn rejected(error: &anyhow::Error) -> Error {
    Error::new(ErrorKind::Status, error.to_string()).with_status(400)
}

fn window_of(request: &Request<Bytes>) -> Result<Window> {
    let Execution { input } =
        serde_json::from_slice(request.body()).context("the request asks for no page")?;
    Ok(input)
}

/// Whether a request is for the one page in ten that takes longer. It is the same
/// page for every client, and one does not know which.
#[must_use]
pub fn is_slow(request: &Request<Bytes>) -> bool {
    window_of(request).is_ok_and(|window| {
        let page = window.offset / LIMIT;
        let scattered = (page / 10 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        page % 10 == scattered % 10
    })
}
