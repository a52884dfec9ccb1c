use crate::{repeated_cursor::RepeatedCursor, retry::Retry};

/// How to read.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// How many requests may be in flight.
    pub(crate) window: usize,
    pub(crate) order: Order,
    /// How many pages are delivered at most.
    pub(crate) max_pages: Option<u64>,
    /// How many requests are made at most.
    pub(crate) max_requests: Option<u64>,
    pub(crate) retry: Retry,
    /// Whether a record that the service can't build is passed over.
    pub(crate) passes_over_unreadable: bool,
    pub(crate) repeated_cursor: RepeatedCursor,
}

/// In what order pages are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    #[default]
    OfRequests,
    AsTheyArrive,
}
