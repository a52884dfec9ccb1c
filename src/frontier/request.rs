use std::time::Instant;

use super::{
    page_shape::PageShape,
    retrying::{FailedAttempt, Failures},
};
use crate::{page::Cursors, replay::Replay};

/// The number of a request, in the order in which they are made.
pub(crate) type RequestId = u64;

/// A request whose page is not being delivered yet.
#[derive(Debug)]
pub(super) struct Request<C> {
    pub(super) id: RequestId,
    pub(super) cursor: C,
    /// Present where a resumed reading reads the page again.
    pub(super) replay: Option<Box<Replay>>,
    pub(super) state: RequestState,
    /// Few requests fail, so this is a box.
    pub(super) failures: Option<Box<Failures>>,
    /// How often the full page size was halved for it.
    pub(super) halvings: u32,
    /// The request whose page goes on here, and only here.
    pub(super) led_by: Option<RequestId>,
    /// Present while it is speculative: the service has not led to it yet.
    pub(super) speculative: Option<SpeculativeNext<C>>,
    /// When it was sent, where somebody wants to know.
    pub(super) sent: Option<Instant>,
}

#[derive(Debug)]
pub(super) enum RequestState {
    /// It is sent at this time, again or as a part of one that was sent.
    Due(Instant),
    /// It is on its way.
    InFlight,
    /// Its page is here, and waits for its turn.
    Arrived(PageShape),
    /// It is speculative and failed. Where the service leads to it, the failure counts. Few
    /// do, so this is a box.
    FailedSpeculation(Box<FailedAttempt>),
    /// It failed for good. Its error waits for its turn.
    Failed,
}

/// Where a speculative request goes on.
#[derive(Debug)]
pub(super) enum SpeculativeNext<C> {
    /// Its page is not here.
    Unknown,
    /// Its page is here, and names these cursors.
    Known(Cursors<C>),
}

impl<C> Request<C> {
    /// A request that is in flight.
    #[inline]
    pub(super) fn new(
        id: RequestId,
        cursor: C,
        replay: Option<Box<Replay>>,
        halvings: u32,
    ) -> Self {
        Self {
            id,
            cursor,
            replay,
            state: RequestState::InFlight,
            failures: None,
            halvings,
            led_by: None,
            speculative: None,
            sent: None,
        }
    }

    /// What is known of its page; of none that has not arrived.
    pub(super) fn shape(&self) -> &PageShape {
        const NONE: &PageShape = &PageShape { records: 0, goes_on: false, parts: None };
        match &self.state {
            RequestState::Arrived(shape) => shape,
            _ => NONE,
        }
    }

    pub(super) fn is_due(&self, now: impl Fn() -> Instant) -> bool {
        matches!(self.state, RequestState::Due(due) if due <= now())
    }

    pub(super) fn is_delayed(&self) -> bool {
        matches!(self.state, RequestState::Due(_))
    }

    pub(super) fn is_in_flight(&self) -> bool {
        matches!(self.state, RequestState::InFlight)
    }

    pub(super) fn is_arrived(&self) -> bool {
        matches!(self.state, RequestState::Arrived(_))
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self.state, RequestState::Failed)
    }

    pub(super) fn has_failed_speculation(&self) -> bool {
        matches!(self.state, RequestState::FailedSpeculation(_))
    }

    pub(super) fn is_speculative(&self) -> bool {
        self.speculative.is_some()
    }

    /// Whether its page or its error can be delivered.
    pub(super) fn is_ready(&self) -> bool {
        !self.is_speculative() && (self.is_arrived() || self.is_failed())
    }
}
