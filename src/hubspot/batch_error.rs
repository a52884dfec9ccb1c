//! The errors of a batch read.

use super::wire::{ObjectId, StandardError};
use crate::{
    error::{Error, ErrorKind, ServiceError},
    transport::Endpoint,
};

/// How many characters of an unrequested id are shown: the service chose it.
const SHOWN_ID: usize = 100;

/// Which ids an entry of `errors` is about.
pub(super) struct Attribution {
    /// Those that were requested, and where in the request.
    pub(super) named: Vec<(ObjectId, usize)>,
    /// The others that it names.
    pub(super) others: Vec<ObjectId>,
}

impl Attribution {
    /// `requested` says where an id is in the request.
    pub(super) fn of(
        error: &StandardError,
        requested: impl Fn(&ObjectId) -> Option<usize>,
    ) -> Self {
        let (from, other) = error.ids();
        let others = from.iter().filter(|id| requested(id).is_none()).cloned().collect();
        let named = if from.is_empty() { other } else { from };
        let named = named.into_iter().filter_map(|id| requested(&id).map(|index| (id, index)));
        Self { named: named.collect(), others }
    }
}

/// The error of an entry of `errors`, without ids.
pub(super) fn rejected(endpoint: &Endpoint, error: &StandardError) -> Error {
    let service_error = endpoint.redact_service_error(ServiceError {
        category: error.category.clone(),
        sub_category: error.sub_category().map(str::to_owned),
        message: error.message.clone(),
        correlation_id: None,
    });
    let [category, message] = [&service_error.category, &service_error.message]
        .map(|text| text.as_ref().map_or_else(|| "none".to_owned(), |it| format!("{it:?}")));
    let message = format!("the service rejected an object: category {category}, message {message}");
    Error::new(ErrorKind::Rejected, message).with_service_error(service_error)
}

/// The error of an entry of `errors` about ids that were not requested.
pub(super) fn rejected_others(
    endpoint: &Endpoint,
    error: &StandardError,
    others: &[ObjectId],
) -> Error {
    let ids = others.iter().map(|id| endpoint.redact(&id.to_string(), SHOWN_ID));
    rejected(endpoint, error).with_ids(ids)
}

/// The error about an unrequested id. The service chose the id, so it may be anything.
pub(super) fn unrequested(endpoint: &Endpoint, id: &ObjectId) -> Error {
    let id = ObjectId::from(endpoint.redact(&id.to_string(), SHOWN_ID));
    contradiction(&id, "came back but was not requested")
}

pub(super) fn contradiction(id: &ObjectId, what: &str) -> Error {
    Error::new(ErrorKind::Contradiction, format!("object {id} {what}")).with_ids([id.to_string()])
}

/// The error of a whole request. One malformed id makes HubSpot refuse all of them, and it does
/// not say which.
pub(super) fn of_batch(error: Error) -> Error {
    let may_be_partial = !error.is_of_credentials() && matches!(error.status(), Some(400 | 404));
    if may_be_partial { error.with_may_be_partial() } else { error }
}
