//! Each record is stored once, whatever happens to the workers. PostgreSQL is real, and so are the
//! processes; the service is on loopback, in the process of the test.

mod deadline;
mod kills;
mod late_worker;
mod postgres;
mod processes;
mod service;
