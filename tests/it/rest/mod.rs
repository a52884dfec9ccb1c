//! The styles of `rest`, how one is detected, and the client of `http`.

mod detect;
mod edge_cases;
mod requests;
mod whole;
