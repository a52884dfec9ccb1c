/// What a response without a paging object means. `null` is the same as no object.
///
/// ```
/// use futures::executor::block_on_stream;
/// use pagestream::{PaginatorExt, alloy::{Action, WithoutPagination}};
/// use serde_json::{Value, json};
///
/// // It gives what it has, and says nothing of pages.
/// # let service = pagestream::testing::Script::new()
/// #     .on(pagestream::testing::script::post("/connectors/hubspot/actions/listOwners/execute"))
/// #     .reply(json!({"data": [{"id": 1}, {"id": 2}]}));
/// let owners = Action::<Value>::builder("hubspot", "listOwners")
///     .api_key("a-key")
///     .credential_id("68d9876543210fedcba98765")
///     .without_pagination(WithoutPagination::SinglePage);
/// # let owners = owners.transport(service);
/// let owners = block_on_stream(owners.build()?.into_records());
/// assert_eq!(owners.filter_map(Result::ok).count(), 2);
/// # Ok::<(), pagestream::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WithoutPagination {
    /// An error: the service does not say whether there are more records.
    #[default]
    Error,
    /// The only page. Use it for an action that has no pages.
    SinglePage,
}
