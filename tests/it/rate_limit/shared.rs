//! Paginators that share a limiter.

use std::time::Duration;

use futures::{TryStreamExt, future::join};
use pagestream::{
    PaginatorExt, Transport,
    alloy::Action,
    hubspot::Associations,
    testing::{Alloy, HubSpot},
};

use super::{Service, assert_within_budget, limiter};

/// A transport that notes in the service's log and passes on.
fn noted<T: Transport + Clone>(service: &Service, transport: T) -> impl Transport + use<T> {
    let service = service.clone();
    move |request| {
        service.answer();
        let transport = transport.clone();
        async move { transport.send(request).await }
    }
}

#[tokio::test(start_paused = true)]
async fn two_paginators_that_share_a_limiter_share_its_budget() {
    let service = Service::default();
    let limiter = limiter(5, Duration::from_secs(1));
    let hubspot = HubSpot::new(7).objects(20).pages(|_| 10);
    let alloy = Alloy::new(7).records(100);
    let associations = Associations::builder("deals", "companies")
        .ids(hubspot.ids())
        .token("a-test-token")
        .transport(limiter.limit(noted(&service, hubspot.clone())))
        .build()
        .unwrap();
    let contacts = Action::<serde_json::Value>::builder("hubspot", "listContacts")
        .credential_id("0123456789abcdef01234567")
        .api_key("a-test-key")
        .limit(10)
        .transport(limiter.clone().limit(noted(&service, alloy.clone())))
        .build()
        .unwrap();
    let (associations, contacts) = join(
        associations.records().try_collect::<Vec<_>>(),
        contacts.records().try_collect::<Vec<_>>(),
    )
    .await;
    assert_eq!([associations.unwrap().len(), contacts.unwrap().len()], [400, 100]);
    let starts = service.starts();
    assert_eq!(starts.len(), hubspot.requests() + alloy.requests());
    assert_within_budget(&starts, 5, Duration::from_secs(1));
    // Neither had to stand back for the other.
    assert_eq!([hubspot.requests(), alloy.requests()], [10, 10]);
}
