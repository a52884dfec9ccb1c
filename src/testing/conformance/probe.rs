use std::{
    future::poll_fn,
    panic::resume_unwind,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;

use super::violation::{Rule, Violation};
use crate::{
    cursor::Cursor,
    error::{Error, ErrorKind},
    page::Page,
    paginator::{Paginator, forward_to},
};

/// How often a throttled request is throttled: more often than a request is retried.
const THROTTLED: usize = 20;

/// What goes wrong with one fetch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// Which fetch it is, from 0.
    pub(super) at: usize,
    pub(super) kind: FaultKind,
    pub(super) moment: Moment,
}

impl Fault {
    /// How many fetches fail.
    pub(super) fn times(self) -> usize {
        if self.kind == FaultKind::Throttled { THROTTLED } else { 1 }
    }

    /// Text that says where it is.
    pub(super) fn position(self, window: usize) -> String {
        let kind = match self.kind {
            FaultKind::Retryable => "fails once",
            FaultKind::Fatal => "fails for good",
            FaultKind::TooLarge => "is too large",
            FaultKind::Throttled => "is throttled 20 times",
            FaultKind::Panics => "panics",
            FaultKind::Deletes => "lacks its first record",
            FaultKind::Moves => "has its first record at its end",
        };
        let when = match self.moment {
            Moment::Before => "before its fetch",
            Moment::Within => "within its fetch",
            Moment::After => "after its fetch",
        };
        format!("where request {} {kind} {when}, with a window of {window}", self.at + 1)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Before,
    /// The paginator waits for the page. Only a panic comes then.
    Within,
    /// The page was fetched, and its response is lost.
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    Retryable,
    Fatal,
    /// A fault after which smaller pages are requested, if the paginator can do that.
    TooLarge,
    /// The service asks for fewer requests, again and again.
    Throttled,
    Panics,
    /// The first record of the page is deleted.
    Deletes,
    /// The first record of the page stands at its end.
    Moves,
}

/// What the check panics with. It is no panic of the paginator.
pub(super) struct Panicked;

/// Marks an error of the check, unlike the paginator's own errors.
#[derive(Debug, thiserror::Error)]
#[error("the check made it")]
struct Injected;

/// Wraps the paginator under test. It counts and bounds the fetches, lets each wait at
/// its beginning and at its end, and lets one fail.
pub(super) struct Probe<P: Paginator> {
    paginator: P,
    fault: Option<Fault>,
    most_fetches: usize,
    fetches: AtomicUsize,
    has_failed: AtomicBool,
    deleted: Mutex<Option<P::Record>>,
    violation: OnceLock<Violation>,
}

impl<P: Paginator> Probe<P> {
    pub(super) fn new(paginator: P, fault: Option<Fault>, most_fetches: usize) -> Self {
        Self {
            paginator,
            fault,
            most_fetches,
            fetches: AtomicUsize::new(0),
            has_failed: AtomicBool::new(false),
            deleted: Mutex::new(None),
            violation: OnceLock::new(),
        }
    }

    /// How many pages were requested.
    pub(super) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }

    /// Whether the fault happened.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Checks that the error of a reading, if any, is one of the check.
    pub(super) fn check_error(&self, error: Option<&Error>) -> Result<(), Violation> {
        if let Some(violation) = self.violation.get() {
            return Err(violation.clone());
        }
        match error {
            Some(error) if error.downcast_ref::<Injected>().is_none() => Err(Violation::by(error)),
            _ => Ok(()),
        }
    }

    /// The record that was deleted.
    pub(super) fn deleted(&self) -> Option<P::Record> {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn fault(&self, number: usize, moment: Moment) -> Option<FaultKind> {
        let fault = self.fault.filter(|fault| fault.moment == moment)?;
        let is_met = (fault.at..fault.at + fault.times()).contains(&number);
        if is_met {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        is_met.then_some(fault.kind)
    }

    fn fail(&self, number: usize, moment: Moment) -> Result<(), Error> {
        let kind = match self.fault(number, moment) {
            None | Some(FaultKind::Deletes | FaultKind::Moves) => return Ok(()),
            // Unlike `panic!`, it writes nothing.
            Some(FaultKind::Panics) => resume_unwind(Box::new(Panicked)),
            Some(FaultKind::Retryable | FaultKind::Throttled) => ErrorKind::Transport,
            Some(FaultKind::Fatal) => ErrorKind::Other,
            Some(FaultKind::TooLarge) => ErrorKind::TooLarge,
        };
        let error = Error::new(kind, "a fault of the check").with_source(Injected);
        let error = error.with_retry_after(Duration::ZERO); // no time passes
        let is_throttled = self.fault.is_some_and(|fault| fault.kind == FaultKind::Throttled);
        Err(if is_throttled { error.with_throttled() } else { error })
    }

    /// Changes a page whose records have keys.
    fn change(&self, number: usize, page: &mut Page<P::Record, P::Cursor>) {
        match self.fault(number, Moment::After) {
            Some(FaultKind::Deletes) => {
                let deleted = page.delete_first();
                *self.deleted.lock().unwrap_or_else(PoisonError::into_inner) = deleted;
            }
            Some(FaultKind::Moves) => page.move_first(),
            _ => {}
        }
    }

    fn violate(&self, violation: Violation) -> Error {
        let error = Error::new(ErrorKind::Contract, violation.to_string());
        let _ = self.violation.set(violation); // the first one counts
        error
    }
}

#[async_trait]
impl<P: Paginator> Paginator for Probe<P> {
    type Record = P::Record;
    type Cursor = P::Cursor;

    fn start(&self) -> P::Cursor {
        self.paginator.start()
    }

    async fn fetch(&self, cursor: P::Cursor) -> Result<Page<P::Record, P::Cursor>, Error> {
        let number = self.fetches.fetch_add(1, Ordering::Relaxed);
        if number >= self.most_fetches {
            let message = format!("it does not end: after {number} requests it still makes more");
            return Err(self.violate(Violation::new(Rule::Endless, message)));
        }
        check_json(&cursor).map_err(|violation| self.violate(violation))?;
        wait_once().await;
        self.fail(number, Moment::Before)?;
        let mut fetch = self.paginator.fetch(cursor);
        let page = poll_fn(|cx| {
            let page = fetch.as_mut().poll(cx);
            if page.is_pending() && self.fault(number, Moment::Within).is_some() {
                resume_unwind(Box::new(Panicked));
            }
            page
        })
        .await;
        wait_once().await;
        self.fail(number, Moment::After)?;
        let mut page = page?;
        self.change(number, &mut page);
        Ok(page)
    }

    forward_to!(P, self => self.paginator);
}

/// Checks that a cursor is the same after JSON.
fn check_json<C: Cursor>(cursor: &C) -> Result<(), Violation> {
    let what = match serde_json::to_string(cursor).map(|text| (serde_json::from_str(&text), text)) {
        Ok((Ok(back), _)) if *cursor == back => return Ok(()),
        Ok((Ok(back), text)) => format!("it is written as {text} and comes back as {back:?}"),
        Ok((Err(error), text)) => format!("it is written as {text} and can't be read: {error}"),
        Err(error) => format!("it can't be written: {error}"),
    };
    let what = format!("the cursor {cursor:?} does not come back from JSON: {what}");
    Err(Violation::new(Rule::Cursor, what))
}

/// Waits until it is polled again, so that it can be dropped here.
async fn wait_once() {
    let mut is_polled = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
