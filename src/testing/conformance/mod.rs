//! Checks that a paginator keeps its [contract](crate::Paginator#contract).
//!
//! Use it in a test of your own paginator. [`check`] reads a paginator of known content
//! in every way that a stream can be read. It returns which rule the paginator breaks,
//! and where:
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
//!     fn identity(&self) -> String {
//!         "the numbers below 25".to_owned()
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
//! - **Whole readings**: by records and by pages, with windows of 1, 2, 3, 4, 8 and 16,
//!   with each `next()` dropped while it waits, and with two streams of one paginator
//!   side by side. `start` and `identity` return the same each time.
//! - **Cuts**: after each record and each page, a newly built paginator resumes the
//!   reading from its checkpoint. One reading is cut again and again. Streams are
//!   dropped with their requests, wherever they wait. A checkpoint of something else
//!   is an error.
//! - **Parts**: after each record, the rest is [split](crate::Checkpoint::split) into 2 to 9
//!   parts, and one of these once more. Each is read by itself; together they are the rest.
//! - **Faults**: each request fails once, before the page is fetched and after it (the
//!   response is lost). The error is one that is retried, one that is fatal, or one
//!   after which smaller pages are requested. Each request is throttled 20 times.
//! - **Panics**: each request panics, before its fetch, within it and after it. The
//!   reading goes on whole, or the same paginator reads the rest.
//! - **Changes**: where records have [keys](crate::Page::with_keys), the first record of a page
//!   is deleted, or moved to its end, between a cut and the resumption. The rest comes, or
//!   an error says that the page changed.
//! - **Limits** on records, pages and requests, at each page border and next to it.
//!
//! Each reading delivers each record once, ends, and counts what it delivered. It makes
//! no request before the first poll, and none after the end. It never goes in a cycle: the
//! contents of a page do not come again, at any distance. All but whole readings is tried
//! with windows of 1 and 4. Errors of single ids are allowed, and come once
//! in each reading.
//!
//! Of a paginator that calls the code of a user, [`check_hooks`](Conformance::check_hooks)
//! checks that this code may ask for a checkpoint, and may panic.
//!
//! # What it needs
//!
//! The content must stay the same during the check. The service must answer each
//! request: an error that the check did not make breaks a rule.
//!
//! The check itself needs no runtime, and never sleeps. To find a paginator that hangs,
//! it uses the clock of the system, so tokio's clock may be paused.
//!
//! Each position needs one or two readings. 25 records on 3 pages take about 1,100
//! requests, 250 records on 25 pages 38,000, and 250 records on 250 pages 660,000. Of
//! long content, the check tries the first [200](Conformance::positions) records and
//! the first 50 pages, then some positions that are evenly spread, and some page
//! borders. Over a network, use a few pages and fewer positions.

mod callbacks;
mod changes;
mod cuts;
mod faults;
mod hook;
mod limits;
mod panics;
mod parts;
mod positions;
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

use self::{hook::Action, suite::Suite};
pub use self::{
    hook::Hook,
    violation::{Rule, Violation},
};
use crate::paginator::Paginator;

/// Checks that the paginators of `build` keep the contract, and deliver the `expected`
/// records in this order. [`Conformance`] has options.
///
/// `build` builds the same paginator each time, as another process would. If records
/// can't be compared, use [`PaginatorExt::map`](crate::PaginatorExt::map).
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

/// A [`check`] with options.
///
/// ```
/// use pagestream::{Page, from_fn, testing::conformance::Conformance};
///
/// // Three pages follow one page. With a window, they come in any order.
/// let build = || {
///     from_fn(0_u32, |page| async move {
///         let next = if page == 0 { vec![1, 2, 3] } else { vec![] };
///         Ok(Page::new(vec![page], next))
///     })
///     .identified_by("three branches")
/// };
///
/// # futures::executor::block_on(async {
/// Conformance::new((0..4).collect()).any_order().check(build).await.unwrap();
/// # });
/// ```
#[must_use = "call `check`"]
pub struct Conformance<R> {
    expected: Vec<R>,
    is_ordered: bool,
    positions: usize,
    timeout: Duration,
}

impl<R: PartialEq + Debug> Conformance<R> {
    /// A check that these records come in this order.
    pub fn new(expected: Vec<R>) -> Self {
        Self { expected, is_ordered: true, positions: 200, timeout: Duration::from_secs(30) }
    }

    /// Allows the records to come in any order. Use it for a paginator with several next
    /// cursors after one page. By default the records must come in the expected order.
    pub fn any_order(mut self) -> Self {
        self.is_ordered = false;
        self
    }

    /// How many positions of a reading are tried: 200 by default. They are the positions
    /// after each of the first 200 records, and a quarter as many pages and requests.
    /// About half as many more are spread over the remaining records.
    pub fn positions(mut self, positions: usize) -> Self {
        self.positions = positions;
        self
    }

    /// How long a paginator may take for a page, in real time: 30 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
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
        let mut suite = self.suite(&build);
        suite.check_whole_readings().await?;
        suite.check_cuts().await?;
        suite.check_parts().await?;
        suite.check_faults().await?;
        suite.check_limits().await?;
        suite.check_panics().await?;
        suite.check_changes().await
    }

    /// Checks a paginator that calls the code of a user while it fetches: a transport, a
    /// token source, a rate limiter. `build` puts the [`Hook`] where that code is called.
    ///
    /// The hook asks for checkpoints, and each of them leads to the rest. It panics, and the
    /// same paginator reads the rest. So a paginator that calls it under a lock is found.
    ///
    /// ```
    /// use pagestream::{Page, PaginatorExt, from_fn, testing::conformance::{Conformance, Hook}};
    ///
    /// let build = |hook: Hook| {
    ///     from_fn(0_u32, move |page| {
    ///         let hook = hook.clone();
    ///         async move {
    ///             hook.call(); // here, the token is asked for
    ///             Ok(Page::new(vec![page], (page < 9).then_some(page + 1)))
    ///         }
    ///     })
    ///     .identified_by("ten pages")
    /// };
    ///
    /// # futures::executor::block_on(async {
    /// Conformance::new((0..10).collect()).check_hooks(build).await.unwrap();
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// The first violation that is found.
    pub async fn check_hooks<P, B>(self, build: B) -> Result<(), Violation>
    where
        P: Paginator<Record = R>,
        B: Fn(Hook) -> P,
    {
        let idle = || build(Hook::new(Action::Nothing));
        let mut suite = self.suite(&idle);
        suite.check_whole_readings().await?;
        suite.check_hooks(&build).await
    }

    fn suite<'a, P: Paginator<Record = R>, B>(&'a self, build: &'a B) -> Suite<'a, P, B> {
        Suite {
            build,
            options: self,
            failures: Vec::new(),
            pages: Vec::new(),
            paginator: PhantomData,
        }
    }

    /// How many positions between pages and requests are tried.
    fn few_positions(&self) -> usize {
        self.positions.div_ceil(4)
    }
}

impl<R> Debug for Conformance<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conformance")
            .field("expected", &self.expected.len())
            .field("is_ordered", &self.is_ordered)
            .field("positions", &self.positions)
            .field("timeout", &self.timeout)
            .finish()
    }
}
