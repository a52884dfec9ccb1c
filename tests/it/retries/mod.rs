//! What is asked for again, when, and how often. Time is virtual.

mod budget;
mod isolation;
mod kinds;
mod limits;
mod pages;
mod pauses;
mod policy;
mod recovery;
mod retry_after;
mod seen;
mod service_errors;
mod smaller;
mod throttling;
mod vendors;
