//! What the frontier answers: what is done next, and what follows from a response.

use std::time::Instant;

use super::{request::RequestId, retrying::GaveUp};

/// What the driver does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<C> {
    /// Send this request, and ask again.
    Send(RequestId, C),
    /// Send this request, and wait for its response: it is the only one at a time.
    SendAndWait(RequestId, C),
    /// Deliver the page of this request.
    Deliver(RequestId),
    /// Deliver the error of this request.
    Fail(RequestId),
    /// Wait for a response, or until this time.
    Wait(Option<Instant>),
    /// The cursor that is next was sent before.
    Cycle,
    /// No more requests may be made, and what they brought is delivered.
    RequestLimit,
    /// All is read.
    End,
}

/// What becomes of a page that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is delivered at once: it is next, and nothing is sent before it.
    Deliver,
    /// It is kept until its turn, if no effect names it.
    Keep(Effects),
}

/// What follows from a response. A failed speculation that no effect names is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The error is dropped: the request is made again at this time.
    Retry(RequestId, Instant),
    /// The error is dropped: the request is made again in smaller parts, at once.
    Smaller(RequestId),
    /// The error is that of one unit, the one of the request: it becomes a page. So often was
    /// the request made.
    FailAlone(RequestId, u32),
    /// The error is that of the one record or unit of the request: it becomes a page that leads
    /// to what the paginator has left of the cursor. So often was the request made.
    PassOver(RequestId, u32),
    /// The error is kept until its turn; so often was the request made, and why it is not
    /// made again.
    Fatal(RequestId, u32, GaveUp),
    /// The service contradicts this speculative request: what it brought is dropped.
    Discard(RequestId),
    /// The response is that of a request that was discarded before: it is dropped.
    Ignore(RequestId),
}

/// Mostly there is none, and this takes no allocation.
pub(crate) type Effects = Vec<Effect>;
