use std::{
    error::Error as StdError,
    fmt::{self, Debug, Formatter},
    iter,
};

use crate::error::{Error, ErrorKind};

/// How many characters of a record a sentence shows.
const SHOWN_RECORD: usize = 200;

/// How a paginator breaks the [contract](crate::Paginator#contract): the
/// [`Rule`], and a sentence that says where and what.
///
/// Its `Debug` contains the sentence, so that `unwrap` in a test shows it.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Violation {
    rule: Rule,
    sentence: String,
}

/// A rule of the contract that [`check`](super::check) checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// No record is lost.
    Lost,
    /// No record comes twice.
    Repeated,
    /// No record comes that is not expected.
    Unexpected,
    /// The records come in the order of the expected ones, whatever the window,
    /// unless the check allows [`any_order`](super::Conformance::any_order).
    Order,
    /// Every reading ends, and none goes in a cycle.
    Endless,
    /// The next item or the end comes within the check's
    /// [`timeout`](super::Conformance::timeout).
    Stalled,
    /// There are only errors that the check makes.
    Failed,
    /// Every reading gives the same errors of single ids
    /// ([`Error::is_partial`]), each of them once.
    PartialErrors,
    /// A fatal error is delivered once and with a checkpoint. A retryable error is not
    /// delivered.
    Error,
    /// Every call of `start` gives the same cursor.
    Start,
    /// Every call of `identity` gives the same text, and it is not empty.
    Identity,
    /// A cursor is the same after it was written to JSON and read back.
    Cursor,
    /// A checkpoint is the same after it was written to JSON and read back. It says how
    /// far the reading came. For a reading of something else it is an error.
    Checkpoint,
    /// Nothing is fetched before the first poll.
    Eager,
    /// After the end and after a fatal error nothing comes and nothing is
    /// fetched, and `is_terminated` says so, then and not before.
    Ended,
    /// Pages, records, requests and retries are counted as they come.
    Count,
    /// No fewer items come than `size_hint` says at least, and no more than it
    /// says at most.
    SizeHint,
    /// A limit ends the reading at the right position, and is its reason.
    Limit,
    /// The code of a user that the paginator calls may ask for a checkpoint
    /// ([`check_hooks`](super::Conformance::check_hooks)).
    Hook,
}

impl Violation {
    pub(super) fn new(rule: Rule, sentence: impl Into<String>) -> Self {
        Self { rule, sentence: sentence.into() }
    }

    /// The violation by an error that the check did not make.
    pub(super) fn by(error: &Error) -> Self {
        let (rule, what) = match error.kind() {
            ErrorKind::Loop => (Rule::Endless, "it goes in a cycle"),
            _ => (Rule::Failed, "it failed"),
        };
        // The text of an error does not repeat its source's.
        let chain = iter::successors(Some(error as &dyn StdError), |error| (*error).source());
        let chain = chain.map(ToString::to_string).collect::<Vec<_>>();
        Self::new(rule, format!("{what}: {}", chain.join(": ")))
    }

    /// Adds where it happened.
    pub(super) fn at(self, position: impl AsRef<str>) -> Self {
        Self { sentence: format!("{}: {}", position.as_ref(), self.sentence), ..self }
    }

    /// The rule that is broken.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

impl Debug for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.sentence)
    }
}

/// A violation of the rule, unless the condition holds.
pub(super) fn ensure(
    holds: bool,
    rule: Rule,
    sentence: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::new(rule, sentence())) }
}

/// Compares what came with what is expected.
pub(super) fn compare<R: PartialEq + Debug>(
    came: &[&R],
    expected: &[R],
    is_ordered: bool,
) -> Result<(), Violation> {
    if came.iter().copied().eq(expected) {
        return Ok(());
    }
    let mut is_here = vec![false; expected.len()];
    let mut surplus = None;
    // Records that follow each other mostly do so in the expected ones, too.
    let mut after_last = 0;
    for (position, record) in came.iter().enumerate() {
        let found = (after_last..expected.len())
            .chain(0..after_last)
            .find(|&index| !is_here[index] && expected[index] == **record);
        match found {
            Some(index) => {
                is_here[index] = true;
                after_last = index + 1;
            }
            None => surplus = surplus.or(Some((position, *record))),
        }
    }
    let lost = is_here.iter().filter(|is_here| !**is_here).count();
    let lost = is_here.iter().position(|is_here| !is_here).map(|index| {
        let more = if lost > 1 { format!(", and {} more", lost - 1) } else { String::new() };
        format!("record {} was lost{more}: {}", index + 1, shown(&expected[index]))
    });
    if let Some((position, record)) = surplus {
        let again = expected.iter().position(|expected| expected == record);
        let (rule, what) = again.map_or_else(
            || (Rule::Unexpected, "a record came that is not expected".to_owned()),
            |index| (Rule::Repeated, format!("record {} came again", index + 1)),
        );
        let lost = lost.map(|lost| format!("; {lost}")).unwrap_or_default();
        let what = format!("{what}, at position {}: {}{lost}", position + 1, shown(record));
        return Err(Violation::new(rule, what));
    }
    if let Some(lost) = lost {
        return Err(Violation::new(Rule::Lost, lost));
    }
    let moved = came.iter().zip(expected).position(|(came, expected)| **came != *expected);
    match moved.filter(|_| is_ordered) {
        Some(index) => {
            let (came, expected) = (shown(came[index]), shown(&expected[index]));
            let what = format!("at position {}, {came} came before {expected}", index + 1);
            Err(Violation::new(Rule::Order, what))
        }
        None => Ok(()),
    }
}

/// The beginning of a record.
fn shown(record: &impl Debug) -> String {
    let mut text = format!("{record:?}");
    if let Some((end, _)) = text.char_indices().nth(SHOWN_RECORD) {
        text.truncate(end);
        text.push('…');
    }
    text
}
