//! Where the secret comes from, and where it goes.

mod destination;
mod oauth;
mod provider;
mod shared;

use crate::support::{CREDENTIAL, Outcome, drain};
use pagestream::{
    Error, Paginator, PaginatorExt, StopReason,
    alloy::{Action, ActionBuilder},
    hubspot::{Associations, AssociationsBuilder},
    testing::HubSpot,
};
use serde_json::Value;

fn companies(service: &HubSpot) -> AssociationsBuilder {
    Associations::builder("deals", "companies").ids(service.ids()).batch_size(1)
}

fn contacts() -> ActionBuilder<Value> {
    Action::builder("hubspot", "listContacts").credential_id(CREDENTIAL).limit(10)
}

impl<R> Outcome<R> {
    fn assert_whole(&self, records: usize) {
        assert!(self.errors.is_empty(), "{:?}", self.errors);
        let stop = self.progress().stop;
        assert_eq!((self.records.len(), stop), (records, Some(StopReason::End)));
    }
}

async fn read<P: Paginator>(paginator: P, window: usize) -> Outcome<P::Record> {
    drain(paginator.read().window(window).records()).await
}

/// What both builders say to a base URL, and to the same with plain http allowed.
fn build(base_url: &str) -> (Result<(), Error>, Result<(), Error>) {
    // Given, because the default one needs a TLS feature for https.
    let companies = companies(&HubSpot::new(1)).transport(HubSpot::new(1));
    let contacts = || contacts().transport(HubSpot::new(1));
    let hubspot = companies.token("a-token").base_url(base_url);
    let alloy = contacts().api_key("a-key").base_url(base_url);
    let allowed = hubspot.clone().allow_plain_http().build().map(drop);
    let by_default = hubspot.build().map(drop);
    assert_eq!(by_default.is_ok(), alloy.build().is_ok(), "{base_url}");
    let alloy = contacts().api_key("a-key").base_url(base_url).allow_plain_http();
    assert_eq!(allowed.is_ok(), alloy.build().is_ok(), "{base_url}");
    (by_default, allowed)
}
