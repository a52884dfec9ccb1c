//! What came of a reading.

use futures::StreamExt;
use pagestream::{
    Error, Monitor, Paginator, Records, Source, StopReason,
    hubspot::{Association, Associations},
};

pub(crate) struct Outcome<R> {
    pub(crate) records: Vec<R>,
    pub(crate) error: Option<Error>,
    pub(crate) monitor: Monitor,
}

/// Reads to the end or to the one error, and a little beyond.
pub(crate) async fn drain<S: Source>(
    mut stream: Records<S>,
) -> Outcome<<S::Paginator as Paginator>::Record> {
    let monitor = stream.monitor();
    let (mut records, mut error) = (Vec::new(), None);
    while let Some(item) = stream.next().await {
        assert!(error.is_none(), "an item after the error");
        match item {
            Ok(record) => records.push(record),
            Err(it) => error = Some(it),
        }
    }
    assert!(stream.next().await.is_none(), "an item after the end");
    Outcome { records, error, monitor }
}

impl<R> Outcome<R> {
    pub(crate) fn whole(self) -> Vec<R> {
        if let Some(error) = self.error {
            panic!("{error}");
        }
        assert_eq!(self.monitor.progress().stop, Some(StopReason::End));
        self.records
    }

    pub(crate) fn error(self) -> Error {
        self.error.expect("it fails")
    }
}

pub(crate) fn told(record: &Association) -> String {
    format!("{} -> {}", record.from, record.to)
}

/// Reads a HubSpot to the end and says what came.
pub(crate) async fn read_companies(stream: Records<&Associations>) -> Vec<String> {
    let records = drain(stream).await.whole();
    let mut records = records.iter().map(told).collect::<Vec<_>>();
    records.sort_unstable();
    records
}
