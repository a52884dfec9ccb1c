//! One batch response of HubSpot's associations, and the ways to read it.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::{TryStreamExt, executor::block_on};
use http::Response;
use pagestream::{
    Error, PaginatorExt,
    hubspot::{Association, Associations},
};
use serde::{Deserialize, de::IgnoredAny};

const IDS: u64 = 1_000;

/// How many associations each id has.
const OF_AN_ID: u64 = 10;

/// How many associations the response has.
pub const RECORDS: u64 = IDS * OF_AN_ID;

/// The types of a CRM: most associations have the first.
const TYPES: [&str; 4] = [
    r#"[{"category":"HUBSPOT_DEFINED","typeId":341,"label":null}]"#,
    r#"[{"category":"HUBSPOT_DEFINED","typeId":5,"label":"Primary"},{"category":"HUBSPOT_DEFINED","typeId":341,"label":null}]"#,
    r#"[{"category":"USER_DEFINED","typeId":37,"label":"Decision maker"},{"category":"HUBSPOT_DEFINED","typeId":341,"label":null}]"#,
    r#"[{"category":"USER_DEFINED","typeId":41,"label":"Billing contact"}]"#,
];

/// The body of the response.
#[must_use]
pub fn body() -> String {
    let rows = (0..IDS).map(|id| {
        let to = (0..OF_AN_ID).map(|index| {
            let number = id * OF_AN_ID + index;
            // Scattered, so that no type is predicted by the one before it.
            let types = match number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 61 {
                0 => TYPES[1],
                1 => TYPES[2],
                2 => TYPES[3],
                _ => TYPES[0],
            };
            let to = 9_000_000_000 + number;
            format!(r#"{{"toObjectId":{to},"associationTypes":{types}}}"#)
        });
        let to = to.collect::<Vec<_>>().join(",");
        format!(r#"{{"from":{{"id":"{}"}},"to":[{to}]}}"#, 100_000 + id)
    });
    let rows = rows.collect::<Vec<_>>().join(",");
    format!(r#"{{"status":"COMPLETE","results":[{rows}]}}"#)
}

/// A response as plain structs.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Plain {
    pub results: Vec<PlainRow>,
}

/// The associations of an id.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PlainRow {
    pub from: PlainId,
    pub to: Vec<PlainAssociation>,
}

/// An id.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PlainId {
    pub id: String,
}

/// An association.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct PlainAssociation {
    pub to_object_id: u64,
    pub association_types: Vec<PlainType>,
}

/// A type of an association.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct PlainType {
    pub category: String,
    pub type_id: i64,
    pub label: Option<String>,
}

/// Reads over the JSON, and keeps nothing.
pub fn scan(body: &str) -> Result<IgnoredAny> {
    Ok(serde_json::from_str(body)?)
}

/// Reads it by serde_json into plain structs.
pub fn plain(body: &str) -> Result<Plain> {
    let plain = serde_json::from_str::<Plain>(body)?;
    let records = plain.results.iter().map(|row| row.to.len()).sum::<usize>();
    ensure!(u64::try_from(records)? == RECORDS, "{records} records came");
    Ok(plain)
}

/// A paginator whose only request gets this body.
pub fn paginator(body: String) -> Result<Associations> {
    let body = Bytes::from(body);
    let service = move |_| std::future::ready(Ok::<_, Error>(Response::new(body.clone())));
    Ok(Associations::builder("contacts", "companies")
        .ids(100_000..100_000 + IDS)
        .token("t")
        .transport(service)
        .build()?)
}

/// Reads it as a page.
pub fn page(associations: &Associations) -> Result<Vec<Association>> {
    let records = block_on(associations.pages().try_next())?.context("there is a page")?;
    ensure!(u64::try_from(records.len())? == RECORDS, "{} records came", records.len());
    Ok(records)
}
