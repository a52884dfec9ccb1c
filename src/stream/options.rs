use std::time::Duration;

#[cfg(doc)]
use crate::error::ErrorKind;

/// What a stream delivers, and when it ends. What it asks for is the frontier's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// How many records may still be delivered.
    pub(super) max_records: Option<u64>,
    pub(super) max_duration: Option<Duration>,
    pub(super) max_empty_pages: u64,
    pub(super) changed_page: ChangedPage,
    pub(super) sets_failures_aside: bool,
    /// How many keys of delivered records are kept, so that none of them comes again.
    pub(super) known_keys: Option<usize>,
    /// How often the list may be read anew, since a cursor has expired.
    pub(super) restarts: u32,
    pub(super) checks_total: bool,
}

/// What becomes of a page that is read again and has changed so much that nobody can say
/// which of its records were delivered: [`Read::changed_page`](crate::Read::changed_page).
///
/// ```
/// use futures::{StreamExt, TryStreamExt};
/// use pagestream::{ChangedPage, Page, PaginatorExt, from_fn};
///
/// # futures::executor::block_on(async {
/// let letters = |page: &'static str| {
///     from_fn(0_u64, move |_| async move { Ok(Page::last(page.chars().collect())) })
///         .identified_by("letters")
///         .keyed(|letter: &char| *letter)
/// };
/// let before = letters("abcde");
/// let mut records = before.records();
/// assert_eq!(records.try_next().await?, Some('a'));
///
/// // Nothing of the page is left.
/// let after = letters("vwxyz");
/// let read = after.read().resume(records.checkpoint()?).changed_page(ChangedPage::Repeat);
/// let items: Vec<_> = read.records().collect().await;
/// let letters: String = items.iter().flatten().collect();
/// assert_eq!(letters, "vwxyz");
/// assert!(items.iter().any(Result::is_err)); // it says that it repeats
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangedPage {
    /// An error of kind [`Changed`](ErrorKind::Changed) ends the stream.
    #[default]
    Error,
    /// Its records are left out, and the stream goes on. An error of kind
    /// [`Changed`](ErrorKind::Changed) says so.
    Skip,
    /// All of its records are delivered, some of them a second time, and the stream goes
    /// on. An error of kind [`Changed`](ErrorKind::Changed) says so.
    Repeat,
}
