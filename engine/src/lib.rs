//! Paginated APIs as tables of DataFusion and Ballista, each read in parts.
//!
//! One machine reads more records than an API gives. What outgrows it is what is done with
//! them: joins, sorts, aggregates, columns on disk, and many accounts at once. That is the
//! work of an engine. This crate hands it what [`pagestream`] reads: each part of a reading is
//! a partition of a table, and streams its rows as their pages come.
//!
//! ```
//! use std::sync::Arc;
//! use datafusion::{arrow::datatypes::Schema, prelude::SessionContext};
//! use pagestream::{Error, ExposeSecret, alloy::Action, async_trait};
//! use pagestream_datafusion::{Connector, Environment, Request, Table, schema_of};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Contact {
//!     id: u64,
//!     email: String,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Contacts {
//!     base_url: String,
//! }
//!
//! #[async_trait]
//! impl Connector for Contacts {
//!     const NAME: &'static str = "contacts";
//!     type Paginator = Action<Contact>;
//!
//!     fn schema(&self) -> Result<Schema, Error> {
//!         schema_of::<Contact>()
//!     }
//!
//!     fn paginator(&self, _: &Request, environment: &Environment) -> Result<Action<Contact>, Error> {
//!         let key = environment.secret("ALLOY_API_KEY")?;
//!         let contacts = Action::builder("hubspot", "listContacts").api_key(key.expose_secret());
//!         contacts.credential_id("68d9876543210fedcba98765").base_url(&self.base_url).build()
//!     }
//!
//!     // Offsets split by the total. This service does not tell it.
//!     async fn total(&self, _: &Action<Contact>) -> Result<Option<u64>, Error> {
//!         Ok(Some(1_000))
//!     }
//! }
//!
//! # use pagestream::testing::{Alloy, Server};
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let server = Server::start(Alloy::new(1).records(1_000)).await.unwrap();
//! # let base_url = server.base_url();
//! let environment = Environment::new().with_secret("ALLOY_API_KEY", "sk-...");
//! let contacts = Table::new(Contacts { base_url })?.parts(8).environment(environment);
//!
//! let context = SessionContext::new();
//! context.register_table("contacts", Arc::new(contacts))?;
//! let even = context.sql("SELECT count(*) FROM contacts WHERE id % 2 = 0").await?;
//! # let even = even.collect().await?;
//! # use datafusion::arrow::{array::AsArray, datatypes::Int64Type};
//! # assert_eq!(even[0].column(0).as_primitive::<Int64Type>().value(0), 500);
//! # Ok::<(), datafusion::error::DataFusionError>(()) }).unwrap();
//! ```
//!
//! # What it promises
//!
//! - Requests at least once; records exactly once within a query that succeeds, because a
//!   failed task's output is thrown away; a task that failed reads its part from the part's
//!   beginning, so many small parts.
//! - A row is out as soon as its page is here. Memory holds the pages of the
//!   [window](Table::window) of each part that is being read, and a batch.
//! - A limit stops the requests. A query with a limit asks for one page at a time in each part.
//! - Credentials are in no plan: not in its text, and not in what is sent ([`Environment`]).
//!
//! # Where to look
//!
//! | to | see |
//! |---|---|
//! | make a table of a service | [`Connector`], [`Table`], [`schema_of`] |
//! | put filters and columns into the requests | [`Connector::pushdown`], [`Connector::selects_fields`] |
//! | share a budget of requests | [`Environment::with_rate_limit`] |
//! | go on where a query was cut | [`unread`](unread()), [`Table::with_parts`] |
//! | keep going past ids that fail | [`OnFailure`] |
//! | run on a cluster | `ballista`, with the feature of this name |

#[cfg(feature = "ballista")]
pub mod ballista;
mod batch_builder;
mod condition;
mod connector;
mod connectors;
mod environment;
mod error;
mod failures;
mod metrics;
mod names;
mod options;
mod part;
mod part_stream;
mod partition_stream;
mod parts;
mod positions;
mod read_exec;
mod reader;
mod request;
mod schema;
mod source;
mod table;
mod unread;

/// How a service takes a condition: [`Connector::pushdown`].
#[doc(no_inline)]
pub use datafusion::logical_expr::TableProviderFilterPushDown as Pushdown;

pub use self::{
    condition::{Comparison, Condition},
    connector::{Connector, first_total},
    connectors::Connectors,
    environment::Environment,
    failures::Failures,
    options::OnFailure,
    part::Part,
    read_exec::ReadExec,
    request::Request,
    schema::schema_of,
    table::Table,
    unread::unread,
};
