//! The styles of `rest`, and the client of `http`.

mod edge_cases;
mod requests;
mod whole;
