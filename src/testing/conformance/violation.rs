use std::{
    error::Error as StdError,
    fmt::{self, Debug, Formatter},
    iter,
};

use crate::error::{Error, ErrorKind};

/// What a record shows of itself in a sentence, in characters at most.
const SHOWN_RECORD: usize = 200;

/// How a paginator breaks the [contract](crate::Paginator#contract): the
/// [`Rule`], and a sentence that says where and what.
///
/// Its `Debug` is the sentence too, so that `unwrap` in a test shows it.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Violation {
    rule: Rule,
    sentence: String,
}

/// A rule that [`check`](super::check) holds a paginator to.
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
    /// unless the check is [`unordered`](super::Conformance::unordered).
    Order,
    /// Every reading ends, and none goes in a circle.
    Endless,
    /// Something comes, or the end, within the check's
    /// [`patience`](super::Conformance::patience).
    Stalled,
    /// There is no error but those that the check makes.
    Failed,
    /// Every reading gives the same errors of single ids
    /// ([`Error::is_partial`]), each of them once.
    PartialErrors,
    /// A fatal error is given out once and with a checkpoint, and one that can be
    /// retried is not given out at all.
    Error,
    /// Every call of `start` gives the same cursor.
    Start,
    /// Every call of `identity` gives the same text.
    Identity,
    /// A cursor comes back from JSON as it went.
    Cursor,
    /// A checkpoint comes back from JSON as it went, says how far the reading
    /// came, and is refused by a reading of something else.
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
    /// A limit ends the reading where it says, for its own reason.
    Limit,
}

impl Violation {
    pub(super) fn new(rule: Rule, sentence: impl Into<String>) -> Self {
        Self { rule, sentence: sentence.into() }
    }

    /// What an error that the check did not make violates.
    pub(super) fn by(error: &Error) -> Self {
        let (rule, what) = match error.kind() {
            ErrorKind::Loop => (Rule::Endless, "it goes in a circle"),
            _ => (Rule::Failed, "it failed"),
        };
        // The text of an error does not repeat its source's.
        let chain = iter::successors(Some(error as &dyn StdError), |error| (*error).source());
        let chain = chain.map(ToString::to_string).collect::<Vec<_>>();
        Self::new(rule, format!("{what}: {}", chain.join(": ")))
    }

    /// Says where it happened.
    pub(super) fn at(self, place: impl AsRef<str>) -> Self {
        Self { sentence: format!("{}: {}", place.as_ref(), self.sentence), ..self }
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

/// Says so if something is not as it has to be.
pub(super) fn ensure(
    holds: bool,
    rule: Rule,
    sentence: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::new(rule, sentence())) }
}

/// Compares what came with what has to come.
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
    // Records that follow each other mostly do so among the expected ones, too.
    let mut behind_last = 0;
    for (place, record) in came.iter().enumerate() {
        let found = (behind_last..expected.len())
            .chain(0..behind_last)
            .find(|&index| !is_here[index] && expected[index] == **record);
        match found {
            Some(index) => {
                is_here[index] = true;
                behind_last = index + 1;
            }
            None => surplus = surplus.or(Some((place, *record))),
        }
    }
    let lost = is_here.iter().filter(|is_here| !**is_here).count();
    let lost = is_here.iter().position(|is_here| !is_here).map(|index| {
        let more = if lost > 1 { format!(", and {} more", lost - 1) } else { String::new() };
        format!("record {} was lost{more}: {}", index + 1, shown(&expected[index]))
    });
    if let Some((place, record)) = surplus {
        let again = expected.iter().position(|expected| expected == record);
        let (rule, what) = again.map_or_else(
            || (Rule::Unexpected, "a record came that is not expected".to_owned()),
            |index| (Rule::Repeated, format!("record {} came again", index + 1)),
        );
        let lost = lost.map(|lost| format!("; {lost}")).unwrap_or_default();
        let what = format!("{what}, in place {}: {}{lost}", place + 1, shown(record));
        return Err(Violation::new(rule, what));
    }
    if let Some(lost) = lost {
        return Err(Violation::new(Rule::Lost, lost));
    }
    let moved = came.iter().zip(expected).position(|(came, expected)| **came != *expected);
    match moved.filter(|_| is_ordered) {
        Some(index) => {
            let (came, expected) = (shown(came[index]), shown(&expected[index]));
            let what = format!("in place {}, {came} came before {expected}", index + 1);
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
