use std::time::Duration;

#[cfg(doc)]
use crate::error::ErrorKind;

/// How much a stream may still ask for and give out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) window: usize,
    pub(super) unordered: bool,
    pub(super) records: Option<u64>,
    pub(super) pages: Option<u64>,
    pub(super) requests: Option<u64>,
    pub(super) duration: Option<Duration>,
    pub(super) failures_aside: bool,
    pub(super) empty_pages: u64,
    pub(super) repeated_cursor: RepeatedCursor,
}

/// What it means that a service leads to a cursor that was asked for before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RepeatedCursor {
    /// An error of kind [`Loop`](ErrorKind::Loop): it leads in a circle.
    #[default]
    Error,
    /// The end, as with services that give the last cursor again when they have
    /// no more.
    End,
}
