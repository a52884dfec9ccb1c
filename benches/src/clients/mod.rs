//! Clients of both services: ours, the seeds' loops written in Rust, and others. All
//! of them are given the same reqwest client.

pub mod alloy;
pub mod by_hand;
pub mod hubspot;
pub mod page_turner;

use anyhow::Result;
use bytes::Bytes;
use serde::Serialize;

/// What every client is given.
#[derive(Clone, Debug)]
pub struct Service {
    client: reqwest::Client,
    base_url: String,
}

impl Service {
    /// A service at a base URL, with a client of its own.
    pub fn new(base_url: impl Into<String>) -> Result<Self> {
        let redirect = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().redirect(redirect).build()?;
        Ok(Self { client, base_url: base_url.into() })
    }

    /// Posts JSON to a path as a loop by hand does, and gives the body of a success.
    async fn post(&self, path: &str, body: &impl Serialize) -> Result<Bytes> {
        let url = format!("{}{path}", self.base_url);
        let request = self.client.post(url).bearer_auth("a-key");
        let request = request.header("x-api-version", "2025-09");
        let request = request.header("content-type", "application/json");
        let response = request.body(serde_json::to_vec(body)?).send().await?;
        Ok(response.error_for_status()?.bytes().await?)
    }
}
