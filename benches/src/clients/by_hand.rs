//! Loops over the contacts as they are written by hand: the one of Alloy's guide, and
//! typed ones.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Service;
use crate::contacts::{Contact, LIMIT};

const PATH: &str = "/connectors/hubspot/actions/listContacts/execute";
pub(super) const CREDENTIAL_ID: &str = "68d9876543210fedcba98765";

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

pub(super) fn parse_text(body: &[u8]) -> Result<Answer> {
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

/// Reads everything with a typed loop.
pub(super) async fn typed(
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
pub(super) async fn by_value(service: &Service, mut each: impl FnMut(Value)) -> Result<()> {
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
