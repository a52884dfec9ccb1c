use std::{
    future::poll_fn,
    sync::{
        OnceLock,
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

/// A failure of one fetch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// Which fetch fails, from 0.
    pub(super) at: usize,
    pub(super) kind: FaultKind,
    /// Whether the page was fetched, and its response is lost.
    pub(super) is_after: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    Retryable,
    Fatal,
    /// A fault after which smaller pages are requested, if the paginator can do that.
    TooLarge,
}

/// Marks an error of the check, unlike the paginator's own errors.
#[derive(Debug, thiserror::Error)]
#[error("the check made it")]
struct Injected;

/// Wraps the paginator under test. It counts and bounds the fetches, lets each wait at
/// its beginning and at its end, and lets one fail.
pub(super) struct Probe<P> {
    paginator: P,
    fault: Option<Fault>,
    most_fetches: usize,
    fetches: AtomicUsize,
    has_failed: AtomicBool,
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

    fn fail(&self, number: usize, is_after: bool) -> Result<(), Error> {
        let Some(fault) = self.fault.filter(|it| it.at == number && it.is_after == is_after) else {
            return Ok(());
        };
        self.has_failed.store(true, Ordering::Relaxed);
        let kind = match fault.kind {
            FaultKind::Retryable => ErrorKind::Transport,
            FaultKind::Fatal => ErrorKind::Other,
            FaultKind::TooLarge => ErrorKind::TooLarge,
        };
        let error = Error::new(kind, "a fault of the check").with_source(Injected);
        Err(error.with_retry_after(Duration::ZERO)) // no time passes
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
        self.fail(number, false)?;
        let page = self.paginator.fetch(cursor).await;
        wait_once().await;
        self.fail(number, true)?;
        page
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
