//! Does a paginator keep its [contract](crate::Paginator#contract)?
//!
//! [`check`] reads a paginator in every way that a stream can be read, over
//! content that is known, and says which rule it breaks and where:
//!
//! ```
//! use pagestream::{Error, Page, Paginator, async_trait, testing::conformance};
//!
//! /// The numbers below 25, ten to a page.
//! struct Numbers;
//!
//! #[async_trait]
//! impl Paginator for Numbers {
//!     type Record = u32;
//!     type Cursor = u32;
//!
//!     fn start(&self) -> u32 {
//!         0
//!     }
//!
//!     async fn fetch(&self, from: u32) -> Result<Page<u32, u32>, Error> {
//!         let to = from + 10;
//!         Ok(Page::new((from..to.min(25)).collect(), (to < 25).then_some(to)))
//!     }
//! }
//!
//! # futures::executor::block_on(async {
//! conformance::check(|| Numbers, (0..25).collect()).await.unwrap();
//!
//! let violation = conformance::check(|| Numbers, (0..26).collect()).await.unwrap_err();
//! assert_eq!(violation.rule(), conformance::Rule::Lost);
//! assert_eq!(violation.to_string(), "with a window of 1: record 26 was lost: 25");
//! # });
//! ```
//!
//! # What is checked
//!
//! - Whole readings: by records and by pages, with windows of 1, 2, 3, 4, 8 and
//!   16, with each `next()` dropped while it waits, and with two streams of one
//!   paginator side by side. `start` and `identity` say the same each time.
//! - Cuts: after each record and each page, the reading is resumed from its
//!   checkpoint, by a paginator that is built anew. One reading is cut again and
//!   again, and streams are dropped wherever they wait, requests and all. A
//!   checkpoint of something else is refused.
//! - Faults: each request fails once, before the page is fetched and after it (the
//!   response is lost), with an error that is retried, one that is fatal, and one
//!   that asks for smaller pages.
//! - Limits on records, pages and requests, at each page border and beside it.
//!
//! All of them give each record once, end, count what they gave, and ask for nothing
//! before the first poll and after the last. All but the whole readings are made
//! with windows of 1 and 4. The errors of single ids are allowed, and come once
//! in each reading.
//!
//! # What it takes
//!
//! The content has to stay as it is while it is checked, and the service has to
//! answer each request: an error that the check did not make breaks a rule.
//!
//! It needs no certain runtime but the one that the paginator needs, and no time
//! passes on purpose. A paginator that hangs is told by the clock of the system, so
//! that tokio's may be paused.
//!
//! Each place costs a reading or two, so 25 records on 3 pages take about 600
//! requests, 250 records on 25 pages 25,000, and as many on 250 pages 430,000. Of long
//! contents, the first [200](Conformance::places) records and the first 50 pages are
//! tried, and behind them some that are evenly spread and some page borders. Over a
//! network, a few pages and fewer places do.

mod cuts;
mod faults;
mod limits;
mod places;
mod probe;
mod reading;
mod suite;
#[cfg(test)]
mod tests;
mod violation;
mod whole;

use std::{
    fmt::{self, Debug, Formatter},
    marker::PhantomData,
    time::Duration,
};

use self::suite::Suite;
pub use self::violation::{Rule, Violation};
use crate::paginator::Paginator;

/// Checks that the paginators of `build` keep the contract, and give `expected`, in
/// this order. [`Conformance`] has the options.
///
/// `build` builds the same paginator each time, as another process would.
/// Records that can't be compared are made into ones that can by
/// [`PaginatorExt::map`](crate::PaginatorExt::map).
///
/// # Errors
///
/// The first violation that is found.
pub async fn check<P, B>(build: B, expected: Vec<P::Record>) -> Result<(), Violation>
where
    P: Paginator,
    P::Record: PartialEq + Debug,
    B: Fn() -> P,
{
    Conformance::new(expected).check(build).await
}

/// How to [`check`]: the expected records, and the options.
///
/// ```
/// use pagestream::{Page, from_fn, testing::conformance::Conformance};
///
/// // One page leads to three others, so with a window their order is not that of
/// // the chains.
/// let build = || {
///     from_fn(0_u32, |page| async move {
///         let next = if page == 0 { vec![1, 2, 3] } else { vec![] };
///         Ok(Page::new(vec![page], next))
///     })
///     .identified_by("three branches")
/// };
///
/// # futures::executor::block_on(async {
/// Conformance::new((0..4).collect()).unordered().check(build).await.unwrap();
/// # });
/// ```
#[must_use = "call `check`"]
pub struct Conformance<R> {
    expected: Vec<R>,
    is_ordered: bool,
    places: usize,
    patience: Duration,
}

impl<R: PartialEq + Debug> Conformance<R> {
    /// A check that these records come, in this order.
    pub fn new(expected: Vec<R>) -> Self {
        Self { expected, is_ordered: true, places: 200, patience: Duration::from_secs(30) }
    }

    /// Lets the records come in any order, for a paginator of which one page
    /// leads to several. By default they come as they are expected.
    pub fn unordered(mut self) -> Self {
        self.is_ordered = false;
        self
    }

    /// How many places of a reading are tried: after this many records, and a
    /// quarter as many pages and requests, 200 by default. Behind them about half as
    /// many more are tried, spread over the rest.
    pub fn places(mut self, places: usize) -> Self {
        self.places = places;
        self
    }

    /// How long a paginator may take for a page, in real time: 30 s by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Checks the paginators of `build`: [`check`].
    ///
    /// # Errors
    ///
    /// The first violation that is found.
    pub async fn check<P, B>(self, build: B) -> Result<(), Violation>
    where
        P: Paginator<Record = R>,
        B: Fn() -> P,
    {
        let mut suite = Suite {
            build: &build,
            options: &self,
            failures: Vec::new(),
            pages: Vec::new(),
            paginator: PhantomData,
        };
        suite.check_whole_readings().await?;
        suite.check_cuts().await?;
        suite.check_faults().await?;
        suite.check_limits().await
    }

    /// The number of places that are counted in pages and requests.
    fn few_places(&self) -> usize {
        self.places.div_ceil(4)
    }
}

impl<R> Debug for Conformance<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conformance")
            .field("expected", &self.expected.len())
            .field("is_ordered", &self.is_ordered)
            .field("places", &self.places)
            .field("patience", &self.patience)
            .finish()
    }
}
