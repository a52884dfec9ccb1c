use std::{
    fmt::{self, Debug, Formatter},
    hash::Hash,
    sync::Arc,
    time::Duration,
};

use smallvec::SmallVec;

use crate::{
    error::Error,
    keys::{Keys, key},
    replay::UnitReplay,
};

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
    /// Where a later reading begins.
    pub(crate) later: Option<Box<C>>,
    details: Option<Box<Details>>,
}

/// What most pages do not have. It is in a box of its own, so that a page is cheap to move.
#[derive(Debug, Default)]
pub(crate) struct Details {
    pub(crate) failures: Vec<Failure>,
    pub(crate) units: Vec<Unit>,
    pub(crate) total: Option<u64>,
    pub(crate) skipped: u64,
    pub(crate) digest: Option<u64>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) keys: Option<Keys>,
    /// The keys of all records that came, where not all of them are delivered since they
    /// are of the page before, too.
    pub(crate) all_keys: Option<Arc<[u64]>>,
    /// Whether it is no empty page, although it has no records.
    pub(crate) makes_headway: bool,
    /// Whether cursors are offsets.
    pub(crate) by_offset: bool,
    /// The records that were passed over, where it is read again.
    pub(crate) passed_over: usize,
    /// What was known of its units before, where it is read again.
    pub(crate) resumed: Vec<UnitReplay>,
}

/// A unit of a request and what its page brought of it: [`Page::with_units`].
///
/// A number is a unit of so many records that does not go on.
///
/// ```
/// use pagestream::{Page, Unit};
///
/// // A request for the books of Ada and of Mary. Ada has more of them, at the cursor 7.
/// let page = Page::new(vec!["Ada 1", "Ada 2", "Mary 1"], [7_u64]);
/// let page = page.with_units([Unit::going_on(2), Unit::last(1)]);
/// assert_eq!(page.records().len(), 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unit {
    pub(crate) records: usize,
    pub(crate) goes_on: bool,
}

impl Unit {
    /// A unit after whose records nothing comes.
    #[must_use]
    pub fn last(records: usize) -> Self {
        Self { records, goes_on: false }
    }

    /// A unit that goes on behind these records: at the next cursor of the page, if that is
    /// one, whose units are those that go on, in their order; or at one of its own, if the
    /// page has a next cursor for each unit that goes on.
    #[must_use]
    pub fn going_on(records: usize) -> Self {
        Self { records, goes_on: true }
    }
}

impl From<usize> for Unit {
    fn from(records: usize) -> Self {
        Self::last(records)
    }
}

/// An error that concerns some ids of a page.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The unit of the request that failed, where it is one of them.
    pub(crate) unit: Option<usize>,
    /// Whether it concerns one record, so that all others are there.
    pub(crate) is_of_record: bool,
    pub(crate) error: Error,
}

impl Failure {
    /// An error that concerns no unit.
    pub(crate) fn of_page(error: Error) -> Self {
        Self { unit: None, is_of_record: false, error: error.partial() }
    }
}

impl<R, C> Page<R, C> {
    /// A page and where to go on: `Some(cursor)` or `None` for a service with
    /// one cursor, any number of cursors for one that branches.
    pub fn new(records: Vec<R>, next: impl IntoIterator<Item = C>) -> Self {
        Self { records, next: next.into_iter().collect(), later: None, details: None }
    }

    /// A page after which nothing comes.
    pub fn last(records: Vec<R>) -> Self {
        Self::new(records, None)
    }

    /// Adds how many records the service says there are in all. It is shown in the
    /// [`Progress`](crate::Progress). Predictions do not go beyond it, and
    /// [`check_total`](crate::Read::check_total) compares it at the end. Otherwise it decides
    /// nothing: totals change while they are read.
    pub fn with_total(mut self, total: impl Into<Option<u64>>) -> Self {
        self.details_mut().total = total.into();
        self
    }

    /// Adds the cursor from which a later reading gets what has come since this one: a sync
    /// token, a delta link, the last position of a log. Only the last page has one.
    ///
    /// When the reading has ended, its checkpoint holds it:
    /// [`Checkpoint::later`](crate::Checkpoint::later).
    pub fn with_later(mut self, cursor: impl Into<Option<C>>) -> Self {
        self.later = cursor.into().map(Box::new);
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
        let failure = Failure { unit, is_of_record: false, error: error.partial() };
        self.details_mut().failures.push(failure);
    }

    /// Adds the error of a record that can't be delivered. All others of its unit are there.
    #[cfg(feature = "rest")]
    pub(crate) fn fail_record(&mut self, unit: Option<usize>, error: Error) {
        let failure = Failure { unit, is_of_record: true, error: error.partial() };
        let details = self.details_mut();
        details.failures.push(failure);
        details.passed_over += 1;
    }

    /// Says how many of the records belong to each unit of the request, in
    /// their order, and which units go on: one [`Unit`] for each of a batch's ids, for
    /// example. Their records add up to the number of records.
    ///
    /// A paginator that tells this implements
    /// [`narrow`](crate::Paginator::narrow) and [`ids`](crate::Paginator::ids) too. A reading
    /// that is resumed in the middle of a batch then asks for the units that are left,
    /// alone, and an error that concerns one of them names it.
    pub fn with_units(mut self, units: impl IntoIterator<Item = impl Into<Unit>>) -> Self {
        self.details_mut().units = units.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a key for each record, in their order: what tells it apart from the others of
    /// its page, such as its id. There are as many as records.
    ///
    /// A checkpoint in the middle of a page keeps the keys of the last 8 delivered records. When
    /// the page is read again and has changed meanwhile, its remaining records are found by
    /// them. A record that was delivered before these 8, and has moved behind them, comes
    /// again. Without keys, records are counted: then one that is inserted or deleted before
    /// that place makes another one come twice, or be lost.
    /// [`PaginatorExt::keyed`](crate::PaginatorExt::keyed) adds them to each page. Two pages
    /// with the same keys are an error: [`Page::with_digest`].
    ///
    /// ```
    /// use pagestream::Page;
    ///
    /// let users = vec![(17, "Ada"), (23, "Grace")];
    /// let keys = users.iter().map(|(id, _)| *id).collect::<Vec<i32>>();
    /// let page = Page::<_, u64>::last(users).with_keys(keys);
    /// ```
    pub fn with_keys(mut self, keys: impl IntoIterator<Item = impl Hash>) -> Self {
        let keys = keys.into_iter().map(|it| key(&it)).collect::<Vec<_>>();
        let details = self.details_mut();
        details.digest = details.digest.or(Some(key(&keys)));
        details.keys = Some(keys.into_iter().collect());
        self
    }

    /// Adds keys that are known as numbers, or are computed on demand.
    #[cfg(feature = "rest")]
    pub(crate) fn with_raw_keys(mut self, keys: Keys) -> Self {
        self.details_mut().keys = Some(keys);
        self
    }

    /// Says that the next cursor is a position, such as an offset or a page number: the next
    /// page begins after as many records as this one has, whatever they are. By default, it
    /// begins behind the last record of this page.
    ///
    /// It matters where a page has changed when it is read again: with offsets, the records
    /// up to the next position belong to it.
    pub fn with_offset_cursors(mut self) -> Self {
        self.details_mut().by_offset = true;
        self
    }

    /// Adds how many positions the service passed over between this page's
    /// records and the next page. It is shown in the [`Progress`](crate::Progress).
    pub fn with_skipped(mut self, positions: u64) -> Self {
        self.details_mut().skipped = positions;
        self
    }

    /// Adds how long the service asks to wait before the next request, in the answer that
    /// brought this page: [`retry_after`](crate::retry_after) reads it from the headers. All
    /// requests of the stream are held back for so long, up to
    /// [`Retry::max_retry_after`](crate::Retry::max_retry_after).
    pub fn with_retry_after(mut self, delay: impl Into<Option<Duration>>) -> Self {
        if let Some(delay) = delay.into() {
            self.details_mut().retry_after = Some(delay);
        }
        self
    }

    /// Adds a digest of the records. A page with the digest of one before it is the mark of a
    /// service that ignores the cursor or began anew, and a [`Loop`](crate::ErrorKind::Loop)
    /// error. It is compared with the page before, and a page of two or more records with
    /// the last 2,048. A page with [keys](Page::with_keys) has a digest by itself.
    pub fn with_digest(mut self, digest: impl Into<Option<u64>>) -> Self {
        self.details_mut().digest = digest.into();
        self
    }

    /// Takes out the first record with its key, as if it was deleted. Only where records have
    /// keys: without them, nobody can tell.
    #[cfg(feature = "testing")]
    pub(crate) fn delete_first(&mut self) -> Option<R> {
        let details = self.details.as_mut()?;
        let keys = details.keys.as_ref()?.get();
        if keys.is_empty() || keys.len() != self.records.len() {
            return None;
        }
        details.keys = Some(keys[1..].iter().copied().collect());
        details.digest = None;
        if let Some(unit) = details.units.iter_mut().find(|unit| unit.records > 0) {
            unit.records -= 1;
        }
        Some(self.records.remove(0))
    }

    /// Moves the first record with its key to the end of its unit, or of the page. Only where
    /// records have keys.
    #[cfg(feature = "testing")]
    pub(crate) fn move_first(&mut self) {
        let Some(details) = self.details.as_mut() else { return };
        let Some(keys) = &details.keys else { return };
        let mut keys = keys.get().to_vec();
        if keys.len() != self.records.len() {
            return;
        }
        let mut units = details.units.iter().map(|unit| unit.records);
        let end = units.find(|records| *records > 0).unwrap_or(keys.len());
        if end > 0 {
            keys[..end].rotate_left(1);
            self.records[..end].rotate_left(1);
        }
        details.keys = Some(keys.into_iter().collect());
        details.digest = None;
    }

    /// Whether not all of a unit is there; or of the page, where no unit is given.
    pub(crate) fn has_failed(&self, unit: Option<usize>) -> bool {
        let failures = self.details().into_iter().flat_map(|details| &details.failures);
        let mut of_units = failures.filter(|failure| !failure.is_of_record);
        of_units.any(|failure| unit.is_none() || failure.unit == unit)
    }

    pub(crate) fn details(&self) -> Option<&Details> {
        self.details.as_deref()
    }

    pub(crate) fn details_mut(&mut self) -> &mut Details {
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
            later: self.later,
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
        mut cursor: impl FnMut(C) -> Result<D, E>,
    ) -> Result<Page<R, D>, E> {
        Ok(Page {
            next: self.next.into_iter().map(&mut cursor).collect::<Result<_, _>>()?,
            later: self.later.map(|later| cursor(*later)).transpose()?.map(Box::new),
            records: self.records,
            details: self.details,
        })
    }
}

/// What paginators that read other paginators make of their pages.
impl<R, C> Page<R, C> {
    /// The same page with a cursor made from each of its own.
    pub(crate) fn map_next<D>(self, mut cursor: impl FnMut(C) -> D) -> Page<R, D> {
        let next = self.next.into_iter().map(&mut cursor).collect();
        let later = self.later.map(|later| Box::new(cursor(*later)));
        Page { records: self.records, next, later, details: self.details }
    }

    /// The same page with these next cursors, and without a cursor for later.
    pub(crate) fn with_next<D>(self, next: impl IntoIterator<Item = D>) -> Page<R, D> {
        let next = next.into_iter().collect();
        Page { records: self.records, next, later: None, details: self.details }
    }

    /// The same page with some of its records, or all. What is known of single records is
    /// not kept, unless all of them are.
    pub(crate) fn filter_map<T>(self, record: impl FnMut(R) -> Option<T>) -> Page<T, C> {
        let before = self.records.len();
        let records = self.records.into_iter().filter_map(record).collect::<Vec<_>>();
        let mut page = Page { records, next: self.next, later: self.later, details: self.details };
        if page.records.len() < before
            && let Some(details) = &mut page.details
        {
            details.keys = None;
            details.by_offset = false;
        }
        page
    }

    /// The same page with these records instead of none.
    #[cfg(feature = "hubspot")]
    pub(crate) fn with_records<T>(self, records: Vec<T>) -> Page<T, C> {
        Page { records, next: self.next, later: self.later, details: self.details }
    }

    /// The same page without a total: it is that of another list.
    pub(crate) fn without_total(mut self) -> Self {
        if let Some(details) = &mut self.details {
            details.total = None;
        }
        self
    }

    /// The same page without units.
    pub(crate) fn without_units(mut self) -> Self {
        if let Some(details) = &mut self.details {
            details.units.clear();
            details.failures.iter_mut().for_each(|failure| failure.unit = None);
        }
        self
    }

    /// The same page of one list among several: a page of another list that looks the same is
    /// another page, and so are its records.
    pub(crate) fn marked_by(mut self, mark: u64) -> Self {
        if let Some(details) = &mut self.details {
            details.digest = details.digest.map(|digest| key(&(mark, digest)));
            details.keys = details.keys.take().map(|keys| keys.marked_by(mark));
        }
        self
    }

    /// The same page as one that makes headway, although it may have no records.
    pub(crate) fn making_headway(mut self) -> Self {
        if self.records.is_empty() {
            self.details_mut().makes_headway = true;
        }
        self
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
