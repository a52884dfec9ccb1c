//! Clients that read all contacts of a service in the manner of Alloy.

use std::{fmt, pin::pin};

use anyhow::Result;
use futures::TryStreamExt;
use pagestream::{PaginatorExt, Reqwest, alloy::Action};
use serde_json::Value;

use super::{
    Service,
    by_hand::{CREDENTIAL_ID, by_value, parse_slice, parse_text, typed},
    page_turner,
};
use crate::contacts::{Contact, Tally};

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
            Self::Value | Self::Slice => typed(service, parse_slice, each).await,
            Self::Text => typed(service, parse_text, each).await,
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
