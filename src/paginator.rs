use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::{cursor::Cursor, error::Error, page::Page};

/// A service that gives its records in pages.
///
/// It needs two methods: [`start`](Paginator::start) says where reading begins, and
/// [`fetch`](Paginator::fetch) reads one page. The other methods have defaults. With
/// [`identity`](Paginator::identity) it has checkpoints too.
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
/// - **A cursor is all that `fetch` needs.** The same cursor reads the same page again: after a
///   failure, and in another process from a checkpoint. `&self` holds no position. Two streams of
///   one paginator share nothing.
/// - **No cursor leads to one that was fetched before.** For the streams, that is a service whose
///   cursors go in a cycle ([`Read::repeated_cursor`](crate::Read::repeated_cursor)).
/// - **A page comes whole or not at all.** `fetch` reads and decodes the whole response before it
///   returns. So a page that failed can be fetched again, and no record comes twice. The future
///   of `fetch` may be dropped at every await.
/// - **The end is what the service calls the end.** A page without a next cursor means that the
///   service reported the end. A response with neither a cursor nor an end is an error, never an
///   end. An empty page may have a next cursor.
/// - **An error of `fetch` is fatal**: it is the last item of the stream. An error that concerns
///   some ids alone goes into the page ([`Page::with_failure`]), and the stream goes on.
/// - **[`identity`](Paginator::identity) names what is read**, and nothing that may change between
///   a reading and its resumption.
/// - **Only `fetch` may ask for a checkpoint.** `pack`, `predict`, `is_full`, `narrow` and the
///   traits of a cursor run in the middle of a step of the reading. There, a
///   [`Monitor`](crate::Monitor) of that reading still gives its progress. But a checkpoint is an
///   error, because waiting for it would deadlock.
/// - **It does not panic.** If it does, the panic goes on to the caller of `poll`. After it, the
///   stream goes on or ends with an error. A checkpoint is complete, or it is an error.
///
/// # What the streams do
///
/// Nothing is fetched before the first poll. A fatal error is yielded once. After it, and after
/// the end, the stream yields `None` for ever, and the paginator is not asked again.
#[async_trait]
pub trait Paginator: Send + Sync {
    /// What a page holds.
    type Record: Send;

    /// Everything that one request needs to know about where to read.
    type Cursor: Cursor;

    /// Where reading begins.
    fn start(&self) -> Self::Cursor;

    /// Reads the page at `cursor`. If a page is fetched again, the cursor is an equal one.
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

    /// Rearranges the cursors that wait, so that the first request carries as much as the service
    /// allows. By default nothing changes.
    ///
    /// It is called before each request. It may merge cursors, split them, and drop those that ask
    /// for nothing. It looks only at as many from the front as fill one request, and never at all
    /// of them: a reading of a million ids calls it a thousand times.
    ///
    /// `halvings` is 0, unless pages were too large for the service. It says how often the full
    /// size of a request is halved, down to 1. A paginator that makes its cursors smaller by it
    /// can still read such pages. Others fail there ([`Retry`](crate::Retry)).
    fn pack(&self, waiting: &mut VecDeque<Self::Cursor>, halvings: u32) {
        let _ = (waiting, halvings);
    }

    /// Predicts a cursor. The page at `before` led to `at`: to which cursor will the page at `at`
    /// probably lead? By default nothing is predicted.
    ///
    /// With a [window](crate::Read::window), the pages at predicted cursors are asked for before
    /// the service leads there. If the service then leads to the predicted cursor, the page is
    /// taken. Otherwise it is thrown away with its errors, and the page that the service says is
    /// read. So a wrong prediction costs requests, and never a record. Predicted and real cursors
    /// are compared after [`pack`](Paginator::pack).
    ///
    /// `total` is how many records the service says there are, if it says so. Predict nothing
    /// beyond it. If `at` is beyond it already, the service led there, so the total is wrong:
    /// ignore it.
    ///
    /// Predict only if it is safe to read at a cursor that the service did not give: an offset or
    /// a page number, but no cursor that only the service understands.
    fn predict(
        &self,
        before: &Self::Cursor,
        at: &Self::Cursor,
        total: Option<u64>,
    ) -> Option<Self::Cursor> {
        let _ = (before, at, total);
        None
    }

    /// Whether a request for this cursor carries as much as it may, if [`pack`](Paginator::pack)
    /// fills requests. True by default.
    ///
    /// A request that is not full waits a little while pages are on their way, since they may
    /// bring what fills it. It waits no longer than a request takes.
    fn is_full(&self, cursor: &Self::Cursor, halvings: u32) -> bool {
        let _ = (cursor, halvings);
        true
    }

    /// Splits what a cursor reads into parts that other tasks or machines can read. There are as
    /// many as `parts`, or fewer. By default a cursor can't be split.
    ///
    /// Together the parts read all that the cursor reads, each record once, even if the data has
    /// grown meanwhile. The cursor may be any cursor of a reading that has begun
    /// ([`Checkpoint::split`](crate::Checkpoint::split)). `total` is how many records there are, as
    /// far as the caller knows.
    fn split_cursor(
        &self,
        cursor: &Self::Cursor,
        parts: usize,
        total: Option<u64>,
    ) -> Vec<Self::Cursor> {
        let _ = (parts, total);
        vec![cursor.clone()]
    }

    /// The cursor that reads only some units of a request. A unit is a part of a request with
    /// pages of its own, such as an id of a batch. `units` are their indices, ascending. Only a
    /// paginator whose pages have units ([`Page::with_units`]) needs it. By default it is the
    /// whole cursor.
    fn narrow(&self, cursor: &Self::Cursor, units: &[usize]) -> Self::Cursor {
        let _ = units;
        cursor.clone()
    }

    /// Where reading goes on behind a cursor that asks for one record or one unit only. Behind a
    /// record, that is the next cursor. Behind a unit there is none: the list is empty. `None` if
    /// the request may bring several, and by default.
    ///
    /// With it, a record for which the service always fails can be passed over, if the caller
    /// wants that: [`Read::pass_over_unreadable`](crate::Read::pass_over_unreadable).
    fn pass_over(&self, cursor: &Self::Cursor) -> Option<Vec<Self::Cursor>> {
        let _ = cursor;
        None
    }

    /// The ids that a unit of a request is about. An error of this unit alone names them
    /// ([`Error::ids`]). Only a paginator whose pages have units ([`Page::with_units`]) needs it.
    /// None by default.
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
