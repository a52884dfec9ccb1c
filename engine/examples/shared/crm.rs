//! Two emulated services, and how their lists become tables.

#![allow(dead_code, reason = "each example uses some of it")]

use std::time::Duration;

use datafusion::arrow::datatypes::Schema;
use pagestream::{
    BoxPaginator, Error, ExposeSecret, PaginatorExt, Reqwest,
    alloy::Action,
    async_trait,
    hubspot::{BatchRead, Object, Objects},
    testing::{Alloy, HubSpot, Server},
};
use pagestream_datafusion::{Connector, Connectors, Environment, Request, schema_of};
use serde::{Deserialize, Serialize};

/// How many contacts there are. Deal `i` is of contact `i` modulo this.
pub(crate) const CONTACTS: usize = 120;

/// Emulations of HubSpot and Alloy. They stop when this is dropped.
pub(crate) struct Crm {
    services: (HubSpot, Alloy),
    servers: (Server, Server),
}

impl Crm {
    /// Services with so many deals, and 120 contacts.
    pub(crate) async fn start(deals: u64, latency: Duration) -> anyhow::Result<Self> {
        let hubspot = hubspot(deals).latency(latency);
        let alloy = Alloy::new(1).records(CONTACTS as u64).latency(latency);
        let servers = (Server::start(hubspot.clone()).await?, Server::start(alloy.clone()).await?);
        Ok(Self { services: (hubspot, alloy), servers })
    }

    /// The addresses of HubSpot and Alloy.
    pub(crate) fn urls(&self) -> [String; 2] {
        [self.servers.0.base_url(), self.servers.1.base_url()]
    }

    /// How many requests both got.
    pub(crate) fn requests(&self) -> usize {
        self.services.0.requests() + self.services.1.requests()
    }
}

fn hubspot(deals: u64) -> HubSpot {
    HubSpot::new(1).objects(deals).properties(|index| {
        [("amount", (index * 100).to_string()), ("contact", (index % CONTACTS).to_string())]
    })
}

/// The ids of so many deals.
pub(crate) fn deal_ids(deals: u64) -> Vec<u64> {
    hubspot(deals).ids().collect()
}

/// The connectors of this file.
pub(crate) fn connectors(environment: Environment) -> Connectors {
    Connectors::new(environment).with::<Deals>().with::<DealsById>().with::<Contacts>()
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Deal {
    id: String,
    amount: Option<f64>,
    contact: Option<u64>,
}

impl From<Object> for Deal {
    fn from(object: Object) -> Self {
        let property = |name| object.properties.get(name)?.as_deref();
        Self {
            id: object.id.to_string(),
            // HubSpot gives text. One that is empty, or is no number, is a null.
            amount: property("amount").and_then(|amount| amount.parse().ok()),
            contact: property("contact").and_then(|contact| contact.parse().ok()),
        }
    }
}

/// HubSpot's deals: a chain of pages, so they are one part.
#[derive(Serialize, Deserialize)]
pub(crate) struct Deals {
    pub(crate) base_url: String,
}

impl Connector for Deals {
    const NAME: &'static str = "deals";
    type Paginator = BoxPaginator<Deal>;

    fn schema(&self) -> Result<Schema, Error> {
        schema_of::<Deal>()
    }

    fn paginator(&self, _: &Request, environment: &Environment) -> Result<Self::Paginator, Error> {
        let deals = Objects::builder("deals")
            .properties(["amount", "contact"])
            .token(environment.secret("HUBSPOT_TOKEN")?.expose_secret())
            .base_url(&self.base_url);
        Ok(deals.build::<Object>()?.map(Deal::from).boxed())
    }
}

/// HubSpot's deals of these ids: batches of ids, so they split into as many parts as wanted.
#[derive(Serialize, Deserialize)]
pub(crate) struct DealsById {
    pub(crate) base_url: String,
    pub(crate) ids: Vec<u64>,
}

impl Connector for DealsById {
    const NAME: &'static str = "deals_by_id";
    type Paginator = BoxPaginator<Deal>;

    fn schema(&self) -> Result<Schema, Error> {
        schema_of::<Deal>()
    }

    fn paginator(&self, _: &Request, environment: &Environment) -> Result<Self::Paginator, Error> {
        let deals = BatchRead::builder("deals")
            .ids(self.ids.iter().copied())
            .properties(["amount", "contact"])
            .batch_size(10)
            .token(environment.secret("HUBSPOT_TOKEN")?.expose_secret())
            .base_url(&self.base_url)
            .transport(environment.rate_limiter("hubspot")?.limit(Reqwest::new()?));
        Ok(deals.build::<Object>()?.map(Deal::from).boxed())
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Contact {
    id: u64,
    email: String,
}

/// Contacts by Alloy: offsets, so they split into as many parts as wanted.
#[derive(Serialize, Deserialize)]
pub(crate) struct Contacts {
    pub(crate) base_url: String,
    /// About how many there are.
    pub(crate) expected: u64,
}

#[async_trait]
impl Connector for Contacts {
    const NAME: &'static str = "contacts";
    type Paginator = Action<Contact>;

    fn schema(&self) -> Result<Schema, Error> {
        schema_of::<Contact>()
    }

    fn paginator(&self, _: &Request, environment: &Environment) -> Result<Self::Paginator, Error> {
        Action::builder("hubspot", "listContacts")
            .api_key(environment.secret("ALLOY_API_KEY")?.expose_secret())
            .credential_id("68d9876543210fedcba98765")
            .limit(10)
            .base_url(&self.base_url)
            .build()
    }

    async fn total(&self, _: &Self::Paginator) -> Result<Option<u64>, Error> {
        Ok(Some(self.expected))
    }
}
