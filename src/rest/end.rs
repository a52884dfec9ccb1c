//! What says that a page is the last one.

use super::{answer::Answer, at::At};
use crate::error::{Error, ErrorKind};

/// What says that a page is the last one.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// A flag that is true while there is more.
    More(At),
    /// A flag that is true at the end.
    Done(At),
    /// How many records there are.
    Total(At),
    /// How many pages there are.
    Pages(At),
    /// The number of the last page.
    LastPage(At),
    /// A page without records.
    Empty,
    /// A page with fewer records than asked for.
    Short,
}

impl End {
    pub(super) fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        match self {
            Self::More(at)
            | Self::Done(at)
            | Self::Total(at)
            | Self::Pages(at)
            | Self::LastPage(at) => at.check(),
            Self::Empty => Ok(()),
            Self::Short => limit.map(drop).ok_or_else(|| {
                let message = "missing limit: a short page is the end, so call `limit` or \
                               `limit_in_body` on the request";
                Error::new(ErrorKind::Configuration, message)
            }),
        }
    }

    /// Whether this page is the last one, where that does not depend on its position.
    pub(super) fn is_told(&self, answer: &Answer<'_>) -> Result<bool, Error> {
        match self {
            Self::More(at) => needed(at, answer.flag(at)?).map(|more| !more),
            Self::Done(at) => needed(at, answer.flag(at)?),
            Self::Empty => Ok(answer.count() == 0),
            Self::Short => Ok(answer.limit().is_some_and(|limit| (answer.count() as u64) < limit)),
            Self::Total(_) | Self::Pages(_) | Self::LastPage(_) => Ok(false),
        }
    }
}

/// What the answer must have, since the style was told so.
pub(super) fn needed<T>(at: &At, found: Option<T>) -> Result<T, Error> {
    found.ok_or_else(|| {
        contradiction(format!(
            "the answer has nothing at {at}, so it does not say whether there is more"
        ))
    })
}

/// A style that was not told how a list ends.
pub(super) fn without_end(style: &str, methods: &str) -> Error {
    let message = format!("missing end of the style {style}: call {methods}");
    Error::new(ErrorKind::Configuration, message)
}

pub(super) fn contradiction(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Contradiction, message)
}

/// The setters of an end, each under the name that all styles share. A style says which it has,
/// and adds what its docs say beyond that.
macro_rules! end_setters {
    ($($(#[$more:meta])* $setter:ident),+ $(,)?) => {
        $($crate::rest::end::end_setters!(@ $setter [$(#[$more])*]);)+
    };
    (@ more_at [$($more:tt)*]) => {
        /// There is more while the flag at this place is true.
        $($more)*
        pub fn more_at(mut self, at: impl Into<$crate::rest::At>) -> Self {
            self.end = Some($crate::rest::end::End::More(at.into()));
            self
        }
    };
    (@ done_at [$($more:tt)*]) => {
        /// The end is where the flag at this place is true.
        $($more)*
        pub fn done_at(mut self, at: impl Into<$crate::rest::At>) -> Self {
            self.end = Some($crate::rest::end::End::Done(at.into()));
            self
        }
    };
    (@ total_at [$($more:tt)*]) => {
        /// The number at this place says how many records there are. An empty page before as many
        /// were read is an error.
        $($more)*
        pub fn total_at(mut self, at: impl Into<$crate::rest::At>) -> Self {
            self.end = Some($crate::rest::end::End::Total(at.into()));
            self
        }
    };
    (@ until_empty [$($more:tt)*]) => {
        /// The end is a page without a new record. It costs one request more than the others.
        $($more)*
        pub fn until_empty(mut self) -> Self {
            self.end = Some($crate::rest::end::End::Empty);
            self
        }
    };
    (@ until_short [$($more:tt)*]) => {
        /// The end is a page with fewer records than asked for. Choose it only if the service
        /// promises full pages. If a service gives at most 50 records where 100 are asked for, the
        /// reading would end after the first page.
        $($more)*
        pub fn until_short(mut self) -> Self {
            self.end = Some($crate::rest::end::End::Short);
            self
        }
    };
}
pub(super) use end_setters;
