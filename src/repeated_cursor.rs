#[cfg(doc)]
use crate::error::ErrorKind;

/// What it means that a page leads to the cursor that it was asked for with:
/// [`Read::repeated_cursor`](crate::Read::repeated_cursor).
///
/// A cursor that was asked for earlier is an error of kind [`Loop`](ErrorKind::Loop) in any
/// case: the cursors go in a cycle.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{Page, PaginatorExt, RepeatedCursor, from_fn};
///
/// # futures::executor::block_on(async {
/// // It has no more after its second page, and gives the cursor of that page again.
/// let list = from_fn(1_u64, |at| async move {
///     Ok(Page::new(if at == 1 { vec![1, 2] } else { vec![3] }, [2]))
/// })
/// .keyed(|number: &i32| *number);
///
/// assert!(list.records().try_collect::<Vec<_>>().await.is_err());
/// let read = list.read().repeated_cursor(RepeatedCursor::End);
/// assert_eq!(read.records().try_collect::<Vec<_>>().await?, [1, 2, 3]);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RepeatedCursor {
    /// An error of kind [`Loop`](ErrorKind::Loop).
    #[default]
    Error,
    /// The end of this branch, as with services that give the last cursor again when they
    /// have no more.
    ///
    /// It is asked for once more, to be sure. If the page behind it is empty, or has only
    /// records of the page before, it is the end; otherwise its new records are delivered,
    /// and it goes on. Where both pages have records, they need
    /// [keys](crate::PaginatorExt::keyed) to be told apart: without keys, it is an error of
    /// kind [`Contract`](ErrorKind::Contract).
    End,
    /// Nothing: the cursor has a state in the service, which gives another page each time,
    /// as with the handle of a scroll.
    ///
    /// A page that was lost can't be asked for again. So a request that fails is made again
    /// only if the service had too many of them, and the reading has no checkpoints: one is
    /// an error of kind [`Contract`](ErrorKind::Contract).
    Continue,
}
