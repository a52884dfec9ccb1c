//! A reading in parts, each of them a job in Postgres. Records, failures and the checkpoint behind
//! them are written in one transaction.

pub mod part;
pub mod queue;
pub mod store;
