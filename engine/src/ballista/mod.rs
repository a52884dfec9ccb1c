//! How tables travel in a Ballista cluster.
//!
//! A client sends a query to the scheduler, and the scheduler sends its parts to executors.
//! Each of them has the same [`Connectors`], and a configuration with the two codecs of this
//! module. Only an executor needs credentials, if the table was
//! [split](crate::Table::split) by the client.
//!
//! A client:
//!
//! ```no_run
//! use ballista::prelude::SessionContextExt;
//! use datafusion::{execution::SessionStateBuilder, prelude::SessionContext};
//! use pagestream_datafusion::{Connectors, Environment, ballista::session_config};
//!
//! # async fn client() -> datafusion::error::Result<()> {
//! let connectors = Connectors::new(Environment::new()); // .with::<Deals>()
//! let state = SessionStateBuilder::new().with_default_features();
//! let state = state.with_config(session_config(&connectors)).build();
//! let context = SessionContext::remote_with_state("df://localhost:50050", state).await?;
//! # Ok(()) }
//! ```
//!
//! A scheduler:
//!
//! ```no_run
//! use std::sync::Arc;
//! use ballista_scheduler::{cluster::BallistaCluster, config::SchedulerConfig, scheduler_process};
//! use pagestream_datafusion::{Connectors, Environment, ballista::{logical_codec, physical_codec}};
//!
//! # async fn scheduler() -> Result<(), Box<dyn std::error::Error>> {
//! let connectors = Connectors::new(Environment::new()); // .with::<Deals>()
//! let config = SchedulerConfig {
//!     override_logical_codec: Some(logical_codec(&connectors)),
//!     override_physical_codec: Some(physical_codec(&connectors)),
//!     ..Default::default()
//! };
//! let cluster = BallistaCluster::new_from_config(&config).await?;
//! scheduler_process::start_server(cluster, "0.0.0.0:50050".parse()?, Arc::new(config)).await?;
//! # Ok(()) }
//! ```
//!
//! An executor:
//!
//! ```no_run
//! use std::sync::Arc;
//! use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
//! use pagestream_datafusion::{Connectors, Environment, ballista::{logical_codec, physical_codec}};
//!
//! # async fn executor() -> Result<(), Box<dyn std::error::Error>> {
//! let connectors = Connectors::new(Environment::new()); // .with::<Deals>()
//! let config = ExecutorProcessConfig {
//!     override_logical_codec: Some(logical_codec(&connectors)),
//!     override_physical_codec: Some(physical_codec(&connectors)),
//!     ..Default::default()
//! };
//! start_executor_process(Arc::new(config)).await?;
//! # Ok(()) }
//! ```
//!
//! # What it promises
//!
//! Requests at least once; records exactly once within a query that succeeds, because a failed
//! task's output is thrown away; a task that failed reads its part from the part's beginning,
//! so many small parts.

mod logical_codec;
mod physical_codec;
mod wire;

use std::sync::Arc;

use ballista_core::extension::SessionConfigExt;
use datafusion::prelude::SessionConfig;
use datafusion_proto::{
    logical_plan::LogicalExtensionCodec, physical_plan::PhysicalExtensionCodec,
};

use self::{logical_codec::TableCodec, physical_codec::ReadCodec};
use crate::connectors::Connectors;

/// The codec of queries. It carries tables of these connectors, and all that Ballista's own
/// codec carries.
#[must_use]
pub fn logical_codec(connectors: &Connectors) -> Arc<dyn LogicalExtensionCodec> {
    Arc::new(TableCodec::new(connectors.clone()))
}

/// The codec of plans. It carries readings of these connectors, and all that Ballista's own
/// codec carries.
#[must_use]
pub fn physical_codec(connectors: &Connectors) -> Arc<dyn PhysicalExtensionCodec> {
    Arc::new(ReadCodec::new(connectors.clone()))
}

/// A configuration of a session with both codecs, and without the adaptive planner: when an
/// executor is lost whose results are needed later, that of Ballista 55 does not compute them
/// again, and the query waits for ever.
#[must_use]
pub fn session_config(connectors: &Connectors) -> SessionConfig {
    SessionConfig::new_with_ballista()
        .with_ballista_logical_extension_codec(logical_codec(connectors))
        .with_ballista_physical_extension_codec(physical_codec(connectors))
        .with_ballista_adaptive_query_planner(false)
}
