//! Clients that read the associations of a list of HubSpot's objects.

use std::{collections::HashMap, fmt};

use anyhow::{Context, Result};
use futures::TryStreamExt;
use pagestream::{
    PaginatorExt, Reqwest,
    hubspot::{Association, Associations},
};
use serde_json::{Value, json};

use super::Service;
use crate::contacts::Tally;

const PATH: &str = "/crm/associations/2026-03/deals/companies/batch/read";

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The community's loop for each chunk of ids: to its end, then the next chunk.
    ByHand,
    /// This crate, with so many requests in flight.
    Ours(usize),
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByHand => f.write_str("loop by hand"),
            Self::Ours(window) => write!(f, "pagestream, {window} in flight"),
        }
    }
}

/// All associations, as a client holds them.
#[derive(Debug)]
pub enum All {
    /// By the id of their object.
    Values(HashMap<String, Vec<Value>>),
    /// One after another.
    Typed(Vec<Association>),
}

impl All {
    /// What was read.
    pub fn tally(&self) -> Result<Tally> {
        let mut tally = Tally::default();
        match self {
            Self::Values(map) => {
                for (from, to) in
                    map.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to)))
                {
                    let to = to["toObjectId"].as_u64().context("an association leads nowhere")?;
                    tally.add(pair(from.parse()?, to));
                }
            }
            Self::Typed(all) => {
                for Association { from, to, .. } in all {
                    tally.add(pair(from.to_string().parse()?, to.to_string().parse()?));
                }
            }
        }
        Ok(tally)
    }
}

/// One number for an association.
#[must_use]
pub fn pair(from: u64, to: u64) -> u64 {
    from.rotate_left(17) ^ to
}

impl Client {
    /// Reads the associations of all ids, so many ids a request at most.
    pub async fn read(self, service: &Service, ids: &[u64], batch: usize) -> Result<All> {
        match self {
            Self::ByHand => by_hand(service, ids, batch).await.map(All::Values),
            Self::Ours(window) => {
                let associations = Associations::builder("deals", "companies")
                    .ids(ids.iter().copied())
                    .batch_size(batch)
                    .token("a-key")
                    .base_url(&service.base_url)
                    .transport(Reqwest::from(service.client.clone()))
                    .build()?;
                let records = associations.read().window(window).records();
                Ok(All::Typed(records.try_collect().await?))
            }
        }
    }
}

async fn by_hand(
    service: &Service,
    ids: &[u64],
    batch: usize,
) -> Result<HashMap<String, Vec<Value>>> {
    let mut all = HashMap::<String, Vec<Value>>::new();
    for chunk in ids.chunks(batch) {
        let mut inputs = chunk.iter().map(|id| json!({"id": id.to_string()})).collect::<Vec<_>>();
        while !inputs.is_empty() {
            let body = service.post(PATH, &json!({"inputs": inputs})).await?;
            let mut response: Value = serde_json::from_slice(&body)?;
            inputs.clear();
            for result in response["results"].as_array_mut().context("there are no results")? {
                let id = result["from"]["id"].as_str().context("a result of no object")?.to_owned();
                if let Some(after) = result["paging"]["next"]["after"].as_str() {
                    inputs.push(json!({"id": id, "after": after}));
                }
                let to = result["to"].as_array_mut().context("a result without associations")?;
                all.entry(id).or_default().append(to);
            }
        }
    }
    Ok(all)
}
