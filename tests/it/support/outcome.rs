//! What came of a reading.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use pagestream::{Error, Monitor, Paginator, Progress, Read, Records, Source, StopReason};
use tokio::time::{Instant, timeout};

#[derive(Debug)]
pub(crate) struct Outcome<R> {
    pub(crate) records: Vec<R>,
    pub(crate) errors: Vec<Error>,
    pub(crate) monitor: Monitor,
}

/// Reads to the end, or to the error that is one, and a little beyond.
pub(crate) async fn drain<S: Source>(
    mut stream: Records<S>,
) -> Outcome<<S::Paginator as Paginator>::Record> {
    let monitor = stream.monitor();
    let (mut records, mut errors) = (Vec::new(), Vec::new());
    while let Some(item) = stream.next().await {
        assert!(errors.last().is_none_or(Error::is_partial), "an item after a fatal error");
        match item {
            Ok(record) => records.push(record),
            Err(error) => errors.push(error),
        }
    }
    assert!(stream.next().await.is_none(), "an item after the end");
    Outcome { records, errors, monitor }
}

impl<R> Outcome<R> {
    pub(crate) fn progress(&self) -> Progress {
        self.monitor.progress()
    }

    /// All the records of a reading that came to its end.
    pub(crate) fn whole(self) -> Vec<R> {
        assert!(self.errors.is_empty(), "{:?}", self.errors);
        assert_eq!(self.progress().stop, Some(StopReason::End));
        self.records
    }

    /// The one error, which is fatal.
    pub(crate) fn error(mut self) -> Error {
        assert!(self.fatal().is_some(), "the reading came to its end");
        self.errors.remove(0)
    }

    /// The fatal error, if there is one. There is no other then, and none without it.
    pub(crate) fn fatal(&self) -> Option<&Error> {
        assert!(self.errors.len() <= 1, "{:?}", self.errors);
        let error = self.errors.first();
        assert!(error.is_none_or(|error| !error.is_partial()), "{error:?}");
        error
    }
}

/// The records of a reading that came to its end, and how long it took.
pub(crate) struct Whole<R> {
    pub(crate) records: Vec<R>,
    pub(crate) progress: Progress,
    pub(crate) took: Duration,
}

/// Reads to the end. A reading that hangs is noticed at once in virtual time.
pub(crate) async fn whole<S: Source>(read: Read<S>) -> Whole<<S::Paginator as Paginator>::Record> {
    let begin = Instant::now();
    let stream = read.records();
    let monitor = stream.monitor();
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    let records = timeout(month, stream.try_collect()).await.expect("it ends").unwrap();
    let progress = monitor.progress();
    assert_eq!(progress.stop, Some(StopReason::End));
    Whole { records, progress, took: begin.elapsed() }
}
