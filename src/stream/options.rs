use std::time::Duration;

#[cfg(doc)]
use crate::error::ErrorKind;

/// What a stream delivers, and when it ends. What it asks for is the frontier's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// How many records may still be delivered.
    pub(super) max_records: Option<u64>,
    pub(super) max_duration: Option<Duration>,
    pub(super) max_empty_pages: u64,
    pub(super) changed_page: ChangedPage,
    pub(super) sets_failures_aside: bool,
    /// How many keys of delivered records are kept, so that none of them comes again.
    pub(super) known_keys: Option<usize>,
    /// How often the list may be read anew, since a cursor has expired.
    pub(super) restarts: u32,
    pub(super) checks_total: bool,
}

/// What becomes of a page that is read again and has changed so much that nobody can say
/// which of its records were delivered: [`Read::changed_page`](crate::Read::changed_page).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangedPage {
    /// An error of kind [`Changed`](ErrorKind::Changed) ends the stream.
    #[default]
    Error,
    /// Its records are left out, and the stream goes on. An error of kind
    /// [`Changed`](ErrorKind::Changed) says so.
    Skip,
    /// All of its records are delivered, some of them a second time, and the stream goes
    /// on. An error of kind [`Changed`](ErrorKind::Changed) says so.
    Repeat,
}
