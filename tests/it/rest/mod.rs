//! The styles of `rest`, and the client of `http`.

mod capped;
mod edge_cases;
mod later;
mod requests;
mod table;
mod time_slices;
mod whole;
