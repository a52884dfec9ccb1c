//! Clients that read all contacts of a service in the manner of Alloy.

use std::{fmt, pin::pin};

use anyhow::{Context, Result};
use futures::TryStreamExt;
use pagestream::{PaginatorExt, Reqwest, alloy::Action};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Service, page_turner};
use crate::contacts::{Contact, LIMIT, Tally};

const PATH: &str = "/connectors/hubspot/actions/listContacts/execute";
const CREDENTIAL_ID: &str = "68d9876543210fedcba98765";

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The loop of Alloy's guide, each page a `Value`.
    Value,
    /// The same loop with `serde_json::from_slice` to typed records.
    Slice,
    /// The same loop with one check for UTF-8 and `serde_json::from_str`.
    Text,
    /// This crate, with so many requests in flight.
    Ours(usize),
    /// page-turner's `pages_ahead`, with so many requests ahead.
    PageTurner(usize),
}

impl Client {
    /// Reads everything, a record at a time, and gives what it read.
    pub async fn read(self, service: &Service) -> Result<Tally> {
        let mut tally = Tally::default();
        match self {
            Self::Value => by_value(service, |contact| tally.add(id(&contact))).await?,
            _ => self.contacts(service, |contact| tally.add(contact.id)).await?,
        }
        Ok(tally)
    }

    /// Reads everything and holds it, and gives what it held.
    pub async fn collect(self, service: &Service) -> Result<Tally> {
        if self == Self::Value {
            let mut all = Vec::new();
            by_value(service, |contact| all.push(contact)).await?;
            return Ok(Tally::of(all.iter().map(id)));
        }
        let mut all = Vec::new();
        self.contacts(service, |contact| all.push(contact)).await?;
        Ok(Tally::of(all.iter().map(|contact| contact.id)))
    }

    async fn contacts(self, service: &Service, mut each: impl FnMut(Contact)) -> Result<()> {
        match self {
            Self::Value | Self::Slice => by_hand(service, parse_slice, each).await,
            Self::Text => by_hand(service, parse_text, each).await,
            Self::Ours(window) => {
                let contacts = paginator(service)?;
                let mut records = contacts.read().window(window).records();
                while let Some(contact) = records.try_next().await? {
                    each(contact);
                }
                Ok(())
            }
            Self::PageTurner(ahead) => {
                let mut records = pin!(page_turner::records(service, ahead));
                while let Some(contact) = records.try_next().await? {
                    each(contact);
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value => f.write_str("loop by hand, Value"),
            Self::Slice => f.write_str("loop by hand, from_slice"),
            Self::Text => f.write_str("loop by hand, from_str"),
            Self::Ours(window) => write!(f, "pagestream, {window} in flight"),
            Self::PageTurner(ahead) => write!(f, "page-turner, {ahead} ahead"),
        }
    }
}

/// The clients that decode in another way each, by their names.
pub const DECODERS: [(&str, Client); 4] = [
    ("value", Client::Value),
    ("slice", Client::Slice),
    ("text", Client::Text),
    ("ours", Client::Ours(1)),
];

/// This crate's paginator of the contacts.
pub fn paginator(service: &Service) -> Result<Action<Contact>> {
    Ok(Action::builder("hubspot", "listContacts")
        .api_key("a-key")
        .credential_id(CREDENTIAL_ID)
        .base_url(&service.base_url)
        .transport(Reqwest::from(service.client.clone()))
        .build()?)
}

fn id(contact: &Value) -> u64 {
    contact["id"].as_u64().unwrap_or(u64::MAX)
}

/// The body of a request for a page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    credential_id: &'static str,
    action_id: &'static str,
    input: Input,
}

#[derive(Serialize)]
struct Input {
    limit: u64,
    offset: u64,
}

fn request(offset: u64) -> Execution {
    let input = Input { limit: LIMIT, offset };
    Execution { credential_id: CREDENTIAL_ID, action_id: "listContacts", input }
}

/// A page as typed clients see it.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) data: Vec<Contact>,
    pub(super) pagination: Pagination,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pagination {
    pub(super) has_more: bool,
    next_offset: Option<u64>,
}

/// Parses a body as most loops do.
pub(super) fn parse_slice(body: &[u8]) -> Result<Answer> {
    Ok(serde_json::from_slice(body)?)
}

fn parse_text(body: &[u8]) -> Result<Answer> {
    Ok(serde_json::from_str(std::str::from_utf8(body)?)?)
}

/// Reads one page.
pub(super) async fn page(
    service: &Service,
    offset: u64,
    parse: fn(&[u8]) -> Result<Answer>,
) -> Result<Answer> {
    parse(&service.post(PATH, &request(offset)).await?)
}

/// Reads one page with a loop by hand, and says where the next one is.
pub async fn page_by_hand(service: &Service, offset: u64) -> Result<(Vec<Contact>, Option<u64>)> {
    let Answer { data, pagination } = page(service, offset, parse_slice).await?;
    Ok((data, next(&pagination)?))
}

fn next(pagination: &Pagination) -> Result<Option<u64>> {
    let next = || pagination.next_offset.context("there is more, but not where");
    pagination.has_more.then(next).transpose()
}

async fn by_hand(
    service: &Service,
    parse: fn(&[u8]) -> Result<Answer>,
    mut each: impl FnMut(Contact),
) -> Result<()> {
    let mut offset = Some(0);
    while let Some(at) = offset {
        let Answer { data, pagination } = page(service, at, parse).await?;
        data.into_iter().for_each(&mut each);
        offset = next(&pagination)?;
    }
    Ok(())
}

/// The loop of the guide.
async fn by_value(service: &Service, mut each: impl FnMut(Value)) -> Result<()> {
    let (mut offset, mut has_more) = (0, true);
    while has_more {
        let body = service.post(PATH, &request(offset)).await?;
        let mut result: Value = serde_json::from_slice(&body)?;
        let data = result["data"].as_array_mut().context("there is no data")?;
        data.drain(..).for_each(&mut each);
        has_more = result["pagination"]["hasMore"].as_bool().context("is there more?")?;
        offset = result["pagination"]["nextOffset"].as_u64().unwrap_or(offset);
    }
    Ok(())
}
