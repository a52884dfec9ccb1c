#[cfg(doc)]
use super::Error;

/// What a service wrote about an error: [`Error::service_error`].
///
/// The paginators of this crate fill it from the body of an error response. Secrets are
/// removed, and long texts are cut. A paginator of your own builds one with
/// [`ServiceError::new`], and adds it with [`Error::with_service_error`]:
///
/// ```
/// use pagestream::{Error, ErrorKind, ServiceError};
///
/// let service_error =
///     ServiceError::new().with_category("RATE_LIMIT").with_message("100 requests per minute");
/// let error = Error::new(ErrorKind::Status, "the service answered with an error")
///     .with_status(429)
///     .with_service_error(service_error);
///
/// assert_eq!(error.service_error().category.as_deref(), Some("RATE_LIMIT"));
/// assert_eq!(error.service_error().correlation_id, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The category of the error. HubSpot: `category` or `errorType`, such as
    /// `VALIDATION_ERROR`. Alloy: `error` or `error.code`.
    pub category: Option<String>,
    /// The category within the category. HubSpot: `subCategory` or `policyName`, such as
    /// `TEN_SECONDLY_ROLLING`.
    pub sub_category: Option<String>,
    /// The message, up to 500 characters.
    pub message: Option<String>,
    /// An id for the support of the service. HubSpot: `correlationId`.
    pub correlation_id: Option<String>,
}

impl ServiceError {
    /// An empty service error.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the category.
    #[must_use]
    pub fn with_category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Sets the category within the category.
    #[must_use]
    pub fn with_sub_category(mut self, sub_category: impl Into<String>) -> Self {
        self.sub_category = Some(sub_category.into());
        self
    }

    /// Sets the message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Sets the id for the support of the service.
    #[must_use]
    pub fn with_correlation_id(mut self, correlation_id: impl Into<String>) -> Self {
        self.correlation_id = Some(correlation_id.into());
        self
    }
}
