//! What is asked for again, when, and how often. Time is virtual.

mod budget;
mod in_place;
mod kinds;
mod limits;
mod pages;
mod pauses;
mod policy;
mod retry_after;
mod said;
mod seen;
mod smaller;
mod vendors;
