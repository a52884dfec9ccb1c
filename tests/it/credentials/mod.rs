//! Where the secret comes from, and where it goes.

mod destination;
mod provider;

use futures::StreamExt;
use pagestream::{
    Error, Paginator, PaginatorExt, Progress, StopReason,
    alloy::{Action, ActionBuilder},
    hubspot::{Associations, AssociationsBuilder},
    testing::HubSpot,
};
use serde_json::Value;

fn companies(service: &HubSpot) -> AssociationsBuilder {
    Associations::builder("deals", "companies").ids(service.ids()).batch_size(1)
}

fn contacts() -> ActionBuilder<Value> {
    Action::builder("hubspot", "listContacts").credential_id("68d9876543210fedcba98765").limit(10)
}

/// What came of a reading.
struct Outcome {
    records: usize,
    error: Option<Error>,
    progress: Progress,
}

impl Outcome {
    fn error(self) -> Error {
        self.error.expect("it fails")
    }

    fn assert_whole(&self, records: usize) {
        assert!(self.error.is_none(), "{:?}", self.error);
        assert_eq!((self.records, self.progress.stop), (records, Some(StopReason::End)));
    }
}

async fn read(paginator: impl Paginator, window: usize) -> Outcome {
    let mut stream = paginator.read().window(window).records();
    let monitor = stream.monitor();
    let (mut records, mut error) = (0, None);
    while let Some(item) = stream.next().await {
        match item {
            Ok(_) => records += 1,
            Err(it) => error = Some(it),
        }
    }
    Outcome { records, error, progress: monitor.progress() }
}

/// What both builders say to a base URL, and to the same with plain http allowed.
fn build(base_url: &str) -> (Result<(), Error>, Result<(), Error>) {
    let hubspot = companies(&HubSpot::new(1)).token("a-token").base_url(base_url);
    let alloy = contacts().api_key("a-key").base_url(base_url);
    let allowed = hubspot.clone().allow_plain_http().build().map(drop);
    let refused = hubspot.build().map(drop);
    assert_eq!(refused.is_ok(), alloy.build().is_ok(), "{base_url}");
    let alloy = contacts().api_key("a-key").base_url(base_url).allow_plain_http();
    assert_eq!(allowed.is_ok(), alloy.build().is_ok(), "{base_url}");
    (refused, allowed)
}
