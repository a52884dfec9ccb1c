use std::fmt::{self, Debug, Formatter};

use smallvec::SmallVec;

use crate::error::Error;

/// The next cursors of a page: mostly one, which takes no allocation.
pub(crate) type Cursors<C> = SmallVec<[C; 1]>;

/// What fetching a cursor gives: records, and where to go on.
///
/// A paginator makes one from a response that it has read and decoded whole.
///
/// ```
/// use pagestream::Page;
///
/// let middle = Page::new(vec!["a", "b"], Some(2_u64));
/// let end = Page::<_, u64>::last(vec!["c"]);
/// assert_eq!(middle.records(), ["a", "b"]);
/// assert_eq!(middle.next(), [2]);
/// assert!(end.next().is_empty());
/// ```
#[must_use]
pub struct Page<R, C> {
    pub(crate) records: Vec<R>,
    pub(crate) next: Cursors<C>,
    details: Option<Box<Details>>,
}

/// What most pages do not have. It is in a box of its own, so that a page is cheap to move.
#[derive(Debug, Default)]
pub(crate) struct Details {
    pub(crate) failures: Vec<Failure>,
    pub(crate) units: Vec<usize>,
    pub(crate) total: Option<u64>,
    pub(crate) skipped: u64,
    pub(crate) digest: Option<u64>,
}

/// An error that concerns some ids of a page.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The unit of the request that failed, where it is one of them.
    pub(crate) unit: Option<usize>,
    pub(crate) error: Error,
}

impl<R, C> Page<R, C> {
    /// A page and where to go on: `Some(cursor)` or `None` for a service with
    /// one cursor, any number of cursors for one that branches.
    pub fn new(records: Vec<R>, next: impl IntoIterator<Item = C>) -> Self {
        Self { records, next: next.into_iter().collect(), details: None }
    }

    /// A page after which nothing comes.
    pub fn last(records: Vec<R>) -> Self {
        Self::new(records, None)
    }

    /// Adds how many records the service says there are in all. It is shown in
    /// the [`Progress`](crate::Progress) and decides nothing: totals change
    /// while they are read.
    pub fn with_total(mut self, total: impl Into<Option<u64>>) -> Self {
        self.details_mut().total = total.into();
        self
    }

    /// Adds an error that concerns some ids alone: the stream yields it as an
    /// `Err` after the page's records, and goes on.
    ///
    /// `unit` is the index of the unit of the request that failed, where the
    /// request has [units](Page::with_units). A unit that failed without a
    /// record leads to no next cursor.
    pub fn with_failure(mut self, unit: impl Into<Option<usize>>, error: Error) -> Self {
        self.fail(unit.into(), error);
        self
    }

    pub(crate) fn fail(&mut self, unit: Option<usize>, error: Error) {
        self.details_mut().failures.push(Failure { unit, error: error.partial() });
    }

    /// Says how many of the records belong to each unit of the request, in
    /// their order: one number for each of a batch's ids, for example. They add
    /// up to the number of records.
    ///
    /// A paginator that tells this implements
    /// [`narrow`](crate::Paginator::narrow) too; a reading that is resumed in the middle of a
    /// batch then asks for the units that are left, alone.
    pub fn with_units(mut self, records_of_each: Vec<usize>) -> Self {
        self.details_mut().units = records_of_each;
        self
    }

    /// Adds how many positions the service passed over between this page's
    /// records and the next page. It is shown in the [`Progress`](crate::Progress).
    pub fn with_skipped(mut self, positions: u64) -> Self {
        self.details_mut().skipped = positions;
        self
    }

    /// Adds a digest of the content. Two pages in a row that have records and
    /// the same digest are the mark of a service that ignores the cursor, and a
    /// [`Loop`](crate::ErrorKind::Loop) error.
    pub fn with_digest(mut self, digest: impl Into<Option<u64>>) -> Self {
        self.details_mut().digest = digest.into();
        self
    }

    pub(crate) fn details(&self) -> Option<&Details> {
        self.details.as_deref()
    }

    fn details_mut(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }

    /// The records, and the details where the page has some.
    pub(crate) fn into_parts(self) -> (Vec<R>, Option<Box<Details>>) {
        (self.records, self.details)
    }

    /// The records.
    #[must_use]
    pub fn records(&self) -> &[R] {
        &self.records
    }

    /// Where to go on.
    #[must_use]
    pub fn next(&self) -> &[C] {
        &self.next
    }

    /// The errors that concern some ids alone.
    pub fn failures(&self) -> impl Iterator<Item = &Error> {
        let failures = self.details().into_iter().flat_map(|details| &details.failures);
        failures.map(|failure| &failure.error)
    }

    /// How many records the service says there are in all.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.details()?.total
    }

    /// The records.
    #[must_use]
    pub fn into_records(self) -> Vec<R> {
        self.records
    }

    /// The same page with other records, each made from one of its own.
    pub fn map<T>(self, record: impl FnMut(R) -> T) -> Page<T, C> {
        Page {
            records: self.records.into_iter().map(record).collect(),
            next: self.next,
            details: self.details,
        }
    }

    /// The same page with other cursors, each made from one of its own.
    ///
    /// # Errors
    ///
    /// The first error that `cursor` gives.
    pub fn try_map_next<D, E>(
        self,
        cursor: impl FnMut(C) -> Result<D, E>,
    ) -> Result<Page<R, D>, E> {
        Ok(Page {
            next: self.next.into_iter().map(cursor).collect::<Result<_, _>>()?,
            records: self.records,
            details: self.details,
        })
    }
}

impl<R, C: Debug> Debug for Page<R, C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("records", &self.records.len())
            .field("next", &self.next)
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}
