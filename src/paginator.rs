use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::{cursor::Cursor, error::Error, page::Page};

/// A service that gives its records in pages.
///
/// Two methods make a paginator: [`start`](Paginator::start) says where reading
/// begins, and [`fetch`](Paginator::fetch) reads one page. The other methods have
/// defaults.
/// [`PaginatorExt`](crate::PaginatorExt) turns it into a stream.
///
/// ```
/// use pagestream::{Error, Page, Paginator, PaginatorExt, async_trait};
/// # use futures::TryStreamExt;
///
/// /// The numbers below 1,000, a hundred to a page.
/// struct Numbers;
///
/// #[async_trait]
/// impl Paginator for Numbers {
///     type Record = u64;
///     type Cursor = u64;
///
///     fn start(&self) -> u64 {
///         0
///     }
///
///     async fn fetch(&self, from: u64) -> Result<Page<u64, u64>, Error> {
///         let to = from + 100;
///         Ok(Page::new((from..to).collect(), (to < 1000).then_some(to)))
///     }
/// }
///
/// # futures::executor::block_on(async {
/// let numbers: Vec<u64> = Numbers.records().try_collect().await?;
/// assert!(numbers.into_iter().eq(0..1000));
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
///
/// # Contract
///
/// The streams keep their promises if a paginator keeps these:
///
/// - **A cursor is all that `fetch` needs.** The same cursor reads the same
///   page again: after a failure, and in another process from a checkpoint.
///   `&self` holds no position; two streams of one paginator share nothing.
/// - **No cursor leads to one that was fetched before.** The streams take that for
///   a service that leads into a cycle ([`Read::repeated_cursor`](crate::Read::repeated_cursor)).
/// - **A page is atomic.** `fetch` reads and decodes the whole response before
///   it returns, so that a page that failed can be fetched again without a
///   repeat. Dropping its future is safe at every await.
/// - **The end is what the service calls the end.** A page without a next
///   cursor means that the service reported the end. A response with neither a
///   cursor nor an end is an error, never an end. An empty page may lead on.
/// - **An error is fatal**, and the stream's last item, unless it concerns some
///   ids alone: then it goes into the page ([`Page::with_failure`]).
/// - **[`identity`](Paginator::identity) names what is read**, and nothing that
///   may change between a reading and its resumption.
/// - **A checkpoint is asked for outside of a step.** `pack`, `predict`, `is_full`,
///   `narrow` and the traits of a cursor run in the middle of a step of the reading.
///   There a [`Monitor`](crate::Monitor) of that reading answers with its progress; a
///   checkpoint is an error, because waiting for it deadlocks. The future of `fetch` may
///   ask for both.
/// - **It does not panic.** If it does, the panic goes on to the caller of `poll`. The
///   stream goes on after it or ends with an error, and a checkpoint is complete or is
///   an error.
///
/// # What the streams do
///
/// A fatal error is yielded once; after it, as after the end, the stream yields
/// `None` for ever and the paginator is not asked again. Nothing is fetched
/// before the first poll.
#[async_trait]
pub trait Paginator: Send + Sync {
    /// What a page holds.
    type Record: Send;

    /// Everything that one request needs to know about where to read.
    type Cursor: Cursor;

    /// Where reading begins.
    fn start(&self) -> Self::Cursor;

    /// Reads the page at `cursor`. A page that is fetched again is given an equal one.
    ///
    /// # Errors
    ///
    /// What went wrong with the page as a whole. The page, the cursor and the
    /// checkpoint are added by the stream.
    async fn fetch(&self, cursor: Self::Cursor) -> Result<Page<Self::Record, Self::Cursor>, Error>;

    /// Names what is read: the service, the path, the filter, the set of ids. A
    /// checkpoint does not match a paginator of another identity. So it holds no
    /// credential, no host and no page size: these may change.
    ///
    /// By default it is empty. Such a paginator can be read, but not resumed: a checkpoint
    /// is an error, since it could be taken for one of another reading.
    fn identity(&self) -> String {
        String::new()
    }

    /// Rearranges what waits, so that the foremost request carries as much as
    /// the service allows.
    ///
    /// It is called before each request and may merge and split cursors, drop
    /// those that ask for nothing, and look at as many from the front as it needs to fill one
    /// request. It never looks at all that waits: a reading of a million ids
    /// calls it a thousand times. By default nothing changes.
    ///
    /// `halvings` is 0 unless pages turned out to be too large for the service:
    /// so often is the full size of a request to be halved, down to 1. A
    /// paginator that splits or shrinks its cursors by it reads on where others
    /// fail ([`Retry`](crate::Retry)).
    fn pack(&self, waiting: &mut VecDeque<Self::Cursor>, halvings: u32) {
        let _ = (waiting, halvings);
    }

    /// The cursor to which the page at `at` will probably lead, where the page at
    /// `before` led to `at`. By default nothing is predicted.
    ///
    /// With a [window](crate::Read::window), the pages at predicted cursors are asked
    /// for ahead. A page whose service leads to the prediction is taken; one that it
    /// leads elsewhere or nowhere is thrown away, with its errors, and read as the
    /// service says. So a wrong prediction costs requests, and never a record. It is
    /// compared as [`pack`](Paginator::pack) leaves it. `total` is how many records
    /// the service says there are, where it does: predict nothing beyond. Where `at` is
    /// beyond it already, the service led there, and the total is wrong: pass it over.
    ///
    /// Predict only where reading at a cursor that the service did not give is safe:
    /// offsets and page numbers, no opaque cursors.
    fn predict(
        &self,
        before: &Self::Cursor,
        at: &Self::Cursor,
        total: Option<u64>,
    ) -> Option<Self::Cursor> {
        let _ = (before, at, total);
        None
    }

    /// Whether a request for this cursor carries as much as it may, where
    /// [`pack`](Paginator::pack) fills requests; true by default.
    ///
    /// One that does not waits a little, while others are about to come that may bring
    /// what fills it, and in all no longer than a request takes.
    fn is_full(&self, cursor: &Self::Cursor, halvings: u32) -> bool {
        let _ = (cursor, halvings);
        true
    }

    /// Splits what a cursor reads into parts that other tasks or machines can read,
    /// each for itself; as many as `parts`, or fewer. By default it can't be split.
    ///
    /// Together they read all that the cursor reads, each record once, also where
    /// the data has grown meanwhile. It may be any cursor of a reading that has begun
    /// ([`Checkpoint::split`](crate::Checkpoint::split)). `total` is how many records there are, as far as
    /// the caller knows.
    fn split_cursor(
        &self,
        cursor: &Self::Cursor,
        parts: usize,
        total: Option<u64>,
    ) -> Vec<Self::Cursor> {
        let _ = (parts, total);
        vec![cursor.clone()]
    }

    /// The cursor that reads some units of a request alone; `units` are their
    /// indices, ascending. Only a paginator that tells the units of its pages
    /// ([`Page::with_units`]) needs it. By default the whole cursor.
    fn narrow(&self, cursor: &Self::Cursor, units: &[usize]) -> Self::Cursor {
        let _ = units;
        cursor.clone()
    }

    /// The cursors that are left of this one without the one record, or the one unit, that a
    /// request for it brings: none behind a unit. `None` by default, and where the request may
    /// bring several.
    ///
    /// With it, a record that the service can't build is passed over, if the caller wants
    /// that: [`Read::pass_over_unreadable`](crate::Read::pass_over_unreadable).
    fn pass_over(&self, cursor: &Self::Cursor) -> Option<Vec<Self::Cursor>> {
        let _ = cursor;
        None
    }

    /// The ids that a unit of a request is about, so that an error that concerns this unit
    /// alone names them ([`Error::ids`]). Only a paginator that tells the units of its pages
    /// ([`Page::with_units`]) needs it. None by default.
    fn ids(&self, cursor: &Self::Cursor, unit: usize) -> Vec<String> {
        let _ = (cursor, unit);
        Vec::new()
    }
}

/// All but `start` and `fetch`, for a paginator that reads what another one reads. The
/// other one is given as an expression: `forward_to!(P, self => self.paginator)`.
macro_rules! forward_to {
    ($inner:ty, $self:ident => $paginator:expr) => {
        fn identity(&$self) -> String {
            $paginator.identity()
        }

        fn pack(&$self, waiting: &mut std::collections::VecDeque<<$inner as $crate::paginator::Paginator>::Cursor>, halvings: u32) {
            $paginator.pack(waiting, halvings);
        }

        fn narrow(&$self, cursor: &<$inner as $crate::paginator::Paginator>::Cursor, units: &[usize]) -> <$inner as $crate::paginator::Paginator>::Cursor {
            $paginator.narrow(cursor, units)
        }

        fn ids(&$self, cursor: &<$inner as $crate::paginator::Paginator>::Cursor, unit: usize) -> Vec<String> {
            $paginator.ids(cursor, unit)
        }

        fn pass_over(&$self, cursor: &<$inner as $crate::paginator::Paginator>::Cursor) -> Option<Vec<<$inner as $crate::paginator::Paginator>::Cursor>> {
            $paginator.pass_over(cursor)
        }

        fn predict(
            &$self,
            before: &<$inner as $crate::paginator::Paginator>::Cursor,
            at: &<$inner as $crate::paginator::Paginator>::Cursor,
            total: Option<u64>,
        ) -> Option<<$inner as $crate::paginator::Paginator>::Cursor> {
            $paginator.predict(before, at, total)
        }

        fn is_full(&$self, cursor: &<$inner as $crate::paginator::Paginator>::Cursor, halvings: u32) -> bool {
            $paginator.is_full(cursor, halvings)
        }

        fn split_cursor(
            &$self,
            cursor: &<$inner as $crate::paginator::Paginator>::Cursor,
            parts: usize,
            total: Option<u64>,
        ) -> Vec<<$inner as $crate::paginator::Paginator>::Cursor> {
            $paginator.split_cursor(cursor, parts, total)
        }
    };
}
pub(crate) use forward_to;

macro_rules! forward_through {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        impl<P: Paginator + ?Sized> Paginator for $pointer {
            type Record = P::Record;
            type Cursor = P::Cursor;

            fn start(&self) -> P::Cursor {
                (**self).start()
            }

            // The future itself, where `async` would put a box around it.
            fn fetch<'life0, 'async_trait>(
                &'life0 self,
                cursor: P::Cursor,
            ) -> BoxFuture<'async_trait, Result<Page<P::Record, P::Cursor>, Error>>
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                (**self).fetch(cursor)
            }

            forward_to!(P, self => (**self));
        }
    )*};
}

forward_through!(&P, Box<P>, Arc<P>);
