//! Paginators that share a limiter.

use std::time::Duration;

use futures::{
    TryStreamExt,
    future::{join, join_all},
    poll,
};
use pagestream::{
    PaginatorExt, Transport,
    alloy::Action,
    http::Client,
    hubspot::Associations,
    testing::{Alloy, HubSpot, Server},
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

#[tokio::test(start_paused = true)]
async fn two_clients_that_get_one_limiter_share_its_budget() {
    let service = Service::default();
    let limiter = limiter(5, Duration::from_secs(1));
    let client = || {
        let builder = Client::builder("https://api.example.com").rate_limiter(limiter.clone());
        builder.transport(service.transport()).build().unwrap()
    };
    let (first, second) = (client(), client());
    let requests = (0..10).flat_map(|_| [&first, &second]).map(|it| it.get("/x").send());
    let mut requests = Box::pin(join_all(requests));
    assert!(poll!(&mut requests).is_pending());
    assert_eq!(limiter.waiting(), 19);
    assert!(requests.await.iter().all(Result::is_ok));
    let starts = service.starts();
    assert_eq!(starts.len(), 20);
    assert_within_budget(&starts, 5, Duration::from_secs(1));
    // A fifth of a second each, evenly.
    assert_eq!(service.milliseconds()[..3], [0, 200, 400]);
}

#[tokio::test]
async fn the_default_transport_of_a_client_is_limited_too() {
    let limiter = limiter(1, Duration::from_secs(1000));
    let server = Server::start(HubSpot::new(1)).await.unwrap();
    let client = Client::builder(server.base_url()).rate_limiter(limiter.clone()).build().unwrap();
    let _ = client.get("/x").send().await;
    let mut second = Box::pin(client.get("/x").send());
    assert!(poll!(&mut second).is_pending());
    assert_eq!(limiter.waiting(), 1);
}
