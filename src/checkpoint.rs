use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    cycle_detector::CycleDetector,
    known_keys::SavedKeys,
    replay::{Replay, is_default},
};

/// Where a reading stands: everything that it still has to read.
///
/// A stream and its [`Monitor`](crate::Monitor) give one after any record. A fatal
/// [`Error`](crate::Error) of a stream holds one. [`Read::resume`](crate::Read::resume) goes on
/// from it, and gives exactly the records that were still to come. All of this needs a paginator
/// with an [identity](crate::Paginator::identity).
///
/// It is a value to keep: serialize it with serde, as JSON for example. It holds cursors and ids,
/// never credentials. It fits only a paginator of the same identity, and only a version of this
/// crate that knows its format.
///
/// # Errors
///
/// Deserializing fails if the value is no checkpoint, or a checkpoint in another version of the
/// format. Resuming from the checkpoint of another paginator is an error
/// of kind [`Checkpoint`](crate::ErrorKind::Checkpoint).
///
/// ```
/// use pagestream::Checkpoint;
///
/// let newer = r#"{"version":9,"identity":"x","pages":0,"records":0,"requests":[],"waiting":[]}"#;
/// let error = serde_json::from_str::<Checkpoint>(newer).unwrap_err();
/// assert!(error.to_string().contains("version 9"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    pub(crate) version: Version,
    /// What the paginator reads: its identity.
    pub(crate) identity: String,
    /// Pages delivered whole.
    pub(crate) pages: u64,
    /// Records delivered.
    pub(crate) records: u64,
    /// Errors delivered that concerned some ids alone.
    #[serde(default)]
    pub(crate) failures: u64,
    /// Positions that the service passed over.
    #[serde(default)]
    pub(crate) skipped: u64,
    /// Records left out since they had come before.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) repeated: u64,
    /// What was counted before the list was read anew.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) counted_before: u64,
    /// Whether it is of a part of a reading.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) is_part: bool,
    /// The keys of the records that were delivered lately, where they are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<SavedKeys>,
    /// Requests that go out again as they stood, in this order.
    pub(crate) requests: Vec<PendingRequest>,
    /// The cursors that waited behind them, in order.
    pub(crate) waiting: Vec<Value>,
    /// Where a later reading begins, once this one has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) later: Vec<Value>,
    /// The ids that were reported as failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failed: Vec<String>,
    /// What finds a cycle of cursors.
    #[serde(default, skip_serializing_if = "CycleDetector::is_empty")]
    pub(crate) cycles: CycleDetector,
    /// The digest of the last page that was delivered whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<u64>,
}

impl Checkpoint {
    /// Before anything was read.
    pub(crate) fn at_start(identity: String, cursor: Value) -> Self {
        Self {
            version: Version,
            identity,
            pages: 0,
            records: 0,
            failures: 0,
            skipped: 0,
            repeated: 0,
            counted_before: 0,
            is_part: false,
            keys: None,
            requests: Vec::new(),
            waiting: vec![cursor],
            later: Vec::new(),
            failed: Vec::new(),
            cycles: CycleDetector::default(),
            digest: None,
        }
    }

    /// How many pages had been delivered whole.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// How many records had been delivered.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// What the paginator that made it [reads](crate::Paginator::identity).
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The checkpoint for a later reading, which gets what is new or changed since this reading
    /// ended. It begins at the sync token, the delta link or the last key that was left at the end.
    /// `None` before the end, and if nothing was left.
    ///
    /// It holds no keys of records. So a record that was delivered and has changed since comes
    /// again, even with [`deduplicate`](crate::Read::deduplicate).
    ///
    /// The checkpoint itself, once it is [finished](Self::is_finished), is no way to new records:
    /// to resume from it reads nothing.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use pagestream::{Page, PaginatorExt, from_fn};
    ///
    /// # futures::executor::block_on(async {
    /// # let log = std::sync::Mutex::new(vec!["a", "b", "c"]);
    /// # let read = |from: usize| log.lock().unwrap().iter().copied().skip(from).take(2).collect();
    /// // A log with two entries to a page. The last page leaves the position behind it.
    /// let log_pages = from_fn(0, |from: usize| {
    ///     let entries: Vec<&str> = read(from);
    ///     let to = from + entries.len();
    ///     let is_last = entries.len() < 2;
    ///     async move {
    ///         let page = Page::new(entries, (!is_last).then_some(to));
    ///         Ok(page.with_later(is_last.then_some(to)))
    ///     }
    /// })
    /// .identified_by("the log");
    ///
    /// let mut records = log_pages.records();
    /// while let Some(_entry) = records.try_next().await? {}
    /// let later = records.checkpoint()?.later().unwrap();
    ///
    /// # log.lock().unwrap().push("d");
    /// // Tomorrow:
    /// let new = log_pages.read().resume(later).records();
    /// assert_eq!(new.try_collect::<Vec<_>>().await?, ["d"]);
    /// # Ok::<(), pagestream::Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn later(&self) -> Option<Self> {
        if !self.is_finished() || self.later.is_empty() {
            return None;
        }
        let begin = Self::at_start(self.identity.clone(), Value::Null);
        Some(Self { waiting: self.later.clone(), is_part: self.is_part, ..begin })
    }

    /// Whether nothing was left to read.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.requests.is_empty() && self.waiting.is_empty()
    }
}

/// A request whose page was not delivered whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PendingRequest {
    pub(crate) cursor: Value,
    /// The units of the request that are left; all of them where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) units: Option<Vec<usize>>,
    /// Present where the page had arrived, and something of it counts already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replay: Option<Replay>,
}

/// The version of the format; only the one that this crate writes comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub(crate) struct Version;

impl Version {
    const CURRENT: u64 = 2;
}

impl From<Version> for u64 {
    fn from(_: Version) -> Self {
        Version::CURRENT
    }
}

impl TryFrom<u64> for Version {
    type Error = String;

    fn try_from(version: u64) -> Result<Self, String> {
        if version == Self::CURRENT {
            Ok(Self)
        } else {
            Err(format!(
                "this checkpoint is of version {version}, and this pagestream reads version {}: \
                 resume it with the pagestream that wrote it, or read from the start",
                Self::CURRENT
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Checkpoint;

    #[test]
    fn it_tells_what_is_delivered_and_whether_something_is_left() {
        let start = Checkpoint::at_start("a list".to_owned(), json!(0));
        let read = Checkpoint { pages: 3, records: 250, ..start.clone() };
        assert_eq!((read.identity(), read.pages(), read.records()), ("a list", 3, 250));
        assert!(!read.is_finished() && start.later().is_none());

        let end = Checkpoint { waiting: Vec::new(), ..read };
        assert!(end.is_finished() && end.later().is_none());
        let end = Checkpoint { later: vec![json!(251)], is_part: true, ..end };
        let later = end.later().unwrap();
        assert_eq!((later.waiting, later.records, later.is_part), (vec![json!(251)], 0, true));
    }

    #[test]
    fn a_checkpoint_of_another_version_says_what_to_do() {
        let mut text = serde_json::to_value(Checkpoint::at_start(String::new(), json!(0))).unwrap();
        assert_eq!(text["version"], 2);
        text["version"] = json!(1);
        let error = serde_json::from_value::<Checkpoint>(text).unwrap_err();
        assert!(error.to_string().contains("resume it with the pagestream that wrote it"));
    }
}
