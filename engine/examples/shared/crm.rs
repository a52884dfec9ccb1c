//! Two emulated services, and how their lists become tables.

#![allow(dead_code, reason = "each example uses some of it")]

use datafusion::arrow::datatypes::Schema;
use pagestream::{
    BoxPaginator, Error, ExposeSecret, PaginatorExt,
    alloy::Action,
    async_trait,
    hubspot::{Object, Objects},
    testing::{Alloy, HubSpot, Server},
};
use pagestream_datafusion::{Connector, Environment, Request, schema_of};
use serde::{Deserialize, Serialize};

/// Emulations of HubSpot and Alloy. They stop when this is dropped.
pub(crate) struct Crm {
    hubspot: Server,
    alloy: Server,
}

impl Crm {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        // 250 deals of 120 contacts.
        let hubspot = HubSpot::new(1).objects(250).properties(|index| {
            [("amount", (index * 100).to_string()), ("contact", (index % 120).to_string())]
        });
        let (hubspot, alloy) =
            (Server::start(hubspot).await?, Server::start(Alloy::new(1).records(120)).await?);
        Ok(Self { hubspot, alloy })
    }

    pub(crate) fn hubspot(&self) -> String {
        self.hubspot.base_url()
    }

    pub(crate) fn alloy(&self) -> String {
        self.alloy.base_url()
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Deal {
    id: u64,
    amount: Option<f64>,
    contact: Option<u64>,
}

impl From<Object> for Deal {
    fn from(object: Object) -> Self {
        let property = |name| object.properties.get(name)?.as_deref();
        Self {
            id: object.id.to_string().parse().unwrap_or_default(),
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
