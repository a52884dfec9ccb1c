/// What a response without a paging object means. `null` is the same as no object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WithoutPagination {
    /// An error: the service does not say whether there are more records.
    #[default]
    Error,
    /// The only page. Use it for an action that has no pages.
    SinglePage,
}
