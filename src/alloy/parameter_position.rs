/// The field of the body that contains the limit, the offset and the action's other
/// inputs.
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
