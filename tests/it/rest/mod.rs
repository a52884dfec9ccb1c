//! The styles of `rest`, how one is detected, and the client of `http`.

mod capped;
mod detect;
mod edge_cases;
mod every_style;
mod later;
mod moving_rows;
mod requests;
mod table;
mod time_slices;
mod whole;
