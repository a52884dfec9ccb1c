use super::answer::Answer;
use crate::{cursor::Cursor, error::Error, http::PageRequest};

/// How a service pages. A style puts a position into a request, and finds the next position in the
/// answer. All else is done by the [`List`](super::List) that
/// [`RequestBuilder::pages`](crate::http::RequestBuilder::pages) makes of a style.
///
/// The styles of this module implement it. Your own needs three methods:
///
/// ```
/// use pagestream::{Error, http::PageRequest, rest::{Answer, At, Next, Style}};
///
/// /// The service gives the letter at which the next page begins.
/// struct Letters;
///
/// impl Style for Letters {
///     type Cursor = String;
///
///     fn start(&self) -> String {
///         "a".to_owned()
///     }
///
///     fn apply(&self, letter: &String, request: &mut PageRequest<'_>) -> Result<(), Error> {
///         request.set_query("from", letter);
///         Ok(())
///     }
///
///     fn next(&self, _: &String, answer: &Answer<'_>) -> Result<Next<String>, Error> {
///         let letter = answer.cursor(&At::from("/next_letter"))?;
///         Ok(letter.map_or_else(Next::end, |letter| Next::at(letter.to_string())))
///     }
/// }
/// ```
///
/// # Contract
///
/// - A style sees no client, no credentials and no clock. So it is easy to test: `apply` gives a
///   request for a cursor, and `next` gives what follows an answer.
/// - The same cursor makes the same request.
/// - An answer with neither a next position nor an end is an error, and never an end.
pub trait Style: Send + Sync + 'static {
    /// A position: where a page begins.
    type Cursor: Cursor;

    /// Where reading begins.
    fn start(&self) -> Self::Cursor;

    /// Puts a position into the request for its page.
    ///
    /// # Errors
    ///
    /// The position can't be part of a request.
    fn apply(&self, cursor: &Self::Cursor, request: &mut PageRequest<'_>) -> Result<(), Error>;

    /// Reads where to go on from the answer to the request for the page at `cursor`.
    ///
    /// # Errors
    ///
    /// The service contradicts itself, or its answer has not what the style needs.
    fn next(&self, cursor: &Self::Cursor, answer: &Answer<'_>)
    -> Result<Next<Self::Cursor>, Error>;

    /// Checks the style when a paginator is built. `limit` is how many records a page has at
    /// most, if the request says so. By default all is fine.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration) if it can't work.
    fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        let _ = limit;
        Ok(())
    }

    /// The JSON pointer at which a service of this style has its records, where the style
    /// knows. By default it is the whole answer.
    fn records_at(&self) -> Option<String> {
        None
    }

    /// Whether a position is a count of records or pages, and not a mark behind a certain
    /// record: [`Page::with_offset_cursors`](crate::Page::with_offset_cursors). By default it
    /// is not.
    fn has_offset_cursors(&self) -> bool {
        false
    }

    /// Whether a position means the same place with another limit. By default it does. Then a page
    /// that is too large for the service is asked for with a smaller limit.
    fn may_resize(&self) -> bool {
        true
    }

    /// Where reading goes on behind the only record of a page, if the limit is 1:
    /// [`Paginator::pass_over`](crate::Paginator::pass_over). By default that is not known.
    fn pass_over(&self, cursor: &Self::Cursor) -> Option<Vec<Self::Cursor>> {
        let _ = cursor;
        None
    }

    /// Predicts a position. The page at `before` led to `at`: where will the page at `at` probably
    /// lead? [`Paginator::predict`](crate::Paginator::predict) says more. By default nothing is
    /// predicted.
    fn predict(
        &self,
        before: &Self::Cursor,
        at: &Self::Cursor,
        total: Option<u64>,
    ) -> Option<Self::Cursor> {
        let _ = (before, at, total);
        None
    }

    /// Splits what a position reads into parts:
    /// [`Paginator::split_cursor`](crate::Paginator::split_cursor). By default it can't be
    /// split.
    fn split(
        &self,
        cursor: &Self::Cursor,
        limit: Option<u64>,
        parts: usize,
        total: Option<u64>,
    ) -> Vec<Self::Cursor> {
        let _ = (limit, parts, total);
        vec![cursor.clone()]
    }
}

/// What a style around another one has from it.
macro_rules! forward_to_style {
    () => {
        fn records_at(&self) -> Option<String> {
            self.style.records_at()
        }

        fn has_offset_cursors(&self) -> bool {
            self.style.has_offset_cursors()
        }

        fn may_resize(&self) -> bool {
            self.style.may_resize()
        }
    };
}
pub(super) use forward_to_style;

/// What follows a page.
#[derive(Debug)]
#[must_use]
pub struct Next<C> {
    pub(super) cursor: Option<C>,
    /// The indices of records that are not delivered, ascending.
    pub(super) left_out: Vec<usize>,
    pub(super) skipped: u64,
    pub(super) total: Option<u64>,
    pub(super) later: Option<C>,
    /// Whether the page brings the list on, although it may have no records.
    pub(super) makes_headway: bool,
}

impl<C> Next<C> {
    /// The end.
    pub fn end() -> Self {
        Self {
            cursor: None,
            left_out: Vec::new(),
            skipped: 0,
            total: None,
            later: None,
            makes_headway: false,
        }
    }

    /// A page at this position.
    pub fn at(cursor: C) -> Self {
        Self { cursor: Some(cursor), ..Self::end() }
    }

    /// Adds the position from which a later reading gets what has come since:
    /// [`Page::with_later`](crate::Page::with_later).
    pub fn with_later(mut self, cursor: impl Into<Option<C>>) -> Self {
        self.later = cursor.into();
        self
    }

    /// Adds how many records the service says there are in all.
    pub fn with_total(mut self, total: impl Into<Option<u64>>) -> Self {
        self.total = total.into();
        self
    }

    /// Adds how many positions the service passed over between this page and the next.
    pub fn with_skipped(mut self, positions: u64) -> Self {
        self.skipped = positions;
        self
    }

    /// Leaves out the records of this page with these indices, in any order: the page before had
    /// them, or they belong to another part.
    pub fn leaving_out(mut self, indices: impl IntoIterator<Item = usize>) -> Self {
        self.left_out = indices.into_iter().collect();
        self.left_out.sort_unstable();
        self.left_out.dedup();
        self
    }
}
