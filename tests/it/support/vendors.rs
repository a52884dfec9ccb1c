//! The vendors over a transport of a test, and what the emulated services hold.

use bytes::Bytes;
use pagestream::{
    Transport,
    alloy::{Action, ActionBuilder},
    hubspot::{Association, Associations, AssociationsBuilder},
    testing::{Alloy, HubSpot},
};
use serde::Deserialize;
use serde_json::Value;

pub(crate) const CREDENTIAL: &str = "68d9876543210fedcba98765";

#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Contact {
    pub(crate) id: u64,
}

pub(crate) fn contacts_over<T>(transport: impl Transport + 'static) -> ActionBuilder<T> {
    Action::builder("hubspot", "listContacts")
        .api_key("a-test-key")
        .credential_id(CREDENTIAL)
        .transport(transport)
}

/// The companies of all the deals of a service.
pub(crate) fn deals_over(
    service: &HubSpot,
    transport: impl Transport + 'static,
) -> AssociationsBuilder {
    Associations::builder("deals", "companies")
        .ids(service.ids())
        .token("a-test-token")
        .transport(transport)
}

pub(crate) fn told(record: &Association) -> String {
    format!("{} -> {}", record.from, record.to)
}

/// All that a service holds, as [`told`], in the order of its ids.
pub(crate) fn held(service: &HubSpot) -> Vec<String> {
    let of = |id| service.associations(id).into_iter().map(move |to| format!("{id} -> {to}"));
    service.ids().flat_map(of).collect()
}

/// The offset that a request asks for.
pub(crate) fn offset(body: &Bytes) -> u64 {
    let body = serde_json::from_slice::<Value>(body).unwrap();
    body["input"]["offset"].as_u64().unwrap()
}

/// The offsets that were asked for.
pub(crate) fn offsets(service: &Alloy) -> Vec<u64> {
    service.log().iter().map(|logged| offset(&logged.body)).collect()
}
