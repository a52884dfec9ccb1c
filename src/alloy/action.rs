use crate::rest::{Interval, List, Offset, forward_to_list};

/// An action that lists records, read with limit and offset.
///
/// It posts to `/connectors/{connector}/actions/{action}/execute`. While `hasMore` is
/// true, it goes on at the `nextOffset` of the response. The record type `T` is your
/// own. Its `Deserialize` decides about unknown fields.
///
/// # Errors
///
/// A service that contradicts itself is an error. It never ends a reading early, and
/// never makes it endless. These are errors:
///
/// - `hasMore` without a `nextOffset`, or a paging object without `hasMore`
///   ([`Contradiction`](crate::ErrorKind::Contradiction)).
/// - A `nextOffset` that is not above the requested offset, or a page with the same
///   data as the page before ([`Loop`](crate::ErrorKind::Loop)).
/// - A `nextOffset` before the end of its page, so that records would come twice
///   ([`Contradiction`](crate::ErrorKind::Contradiction)).
/// - A response without a paging object, unless the builder says that this is
///   [a single page](super::WithoutPagination::SinglePage).
///
/// These are no errors: pages with fewer records than requested, pages of different
/// lengths, and empty pages. A `nextOffset` beyond the end of its page is followed.
/// [`Progress::skipped`](crate::Progress::skipped) counts the offsets between them.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, alloy::Action, testing::Alloy};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Contact {
///     id: u64,
///     email: String,
/// }
///
/// # futures::executor::block_on(async {
/// let service = Alloy::new(1).records(120);
/// let contacts = Action::<Contact>::builder("hubspot", "listContacts")
///     .api_key("sk-...")
///     .credential_id("68d9876543210fedcba98765")
///     .transport(service) // without it, over HTTPS
///     .build()?;
///
/// let contacts: Vec<Contact> = contacts.records().try_collect().await?;
/// assert_eq!(contacts.len(), 120);
/// # assert!(contacts.iter().all(|contact| contact.id < 120 && contact.email.contains('@')));
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[must_use = "a paginator does nothing until it is read"]
pub struct Action<T> {
    list: List<T, Offset>,
}

impl<T> Action<T> {
    pub(super) fn new(list: List<T, Offset>) -> Self {
        Self { list }
    }
}

forward_to_list!(Action, Interval);
