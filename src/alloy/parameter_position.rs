/// The field of the body that contains the limit, the offset and the action's other
/// inputs.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, alloy::{Action, ParameterPosition}, testing::Alloy};
/// use serde_json::Value;
///
/// # futures::executor::block_on(async {
/// let service = Alloy::new(1).records(120);
/// let contacts = Action::<Value>::builder("hubspot", "listContacts")
///     .api_key("a-key")
///     .credential_id("68d9876543210fedcba98765")
///     .parameters_in(ParameterPosition::RequestBody)
///     .transport(service) // without it, over HTTPS
///     .build()?;
/// assert_eq!(contacts.records().try_collect::<Vec<_>>().await?.len(), 120);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterPosition {
    /// `input`, as in the pagination guide.
    #[default]
    Input,
    /// `queryParameters`, as in the API reference.
    QueryParameters,
    /// `requestBody`, as in the API reference.
    RequestBody,
}

impl ParameterPosition {
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::QueryParameters => "queryParameters",
            Self::RequestBody => "requestBody",
        }
    }
}
