//! The service that is read, and what it holds.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use pagestream::testing::{HubSpot, Service};
use sqlx::PgPool;
use tokio::sync::watch;

/// The parts of the reading, and the objects of each.
pub(crate) const PARTS: usize = 24;
const OBJECTS: usize = 10;

/// Whether all of them are read.
pub(crate) const ALL_FINISHED: &str = "select bool_and(finished) from parts";

/// Which objects the service rejects: one of each part, and all of the last part.
fn is_failing(index: usize) -> bool {
    index % OBJECTS == 3 || index / OBJECTS == PARTS - 1
}

/// How many requests it takes at least. Those of an object come one after another.
pub(crate) fn fewest_requests(pages: usize) -> usize {
    (PARTS - 1) * pages + 1
}

/// HubSpot, which tells how many requests it got.
#[derive(Clone)]
pub(crate) struct Observed {
    pub(crate) hubspot: HubSpot,
    requests: watch::Sender<usize>,
}

impl Observed {
    pub(crate) fn new(hubspot: HubSpot) -> Self {
        Self { hubspot, requests: watch::Sender::new(0) }
    }

    pub(crate) fn requests(&self) -> watch::Receiver<usize> {
        self.requests.subscribe()
    }
}

impl Service for Observed {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.requests.send_modify(|requests| *requests += 1);
        self.hubspot.respond(request)
    }

    fn latency(&self) -> Duration {
        Service::latency(&self.hubspot)
    }
}

/// Objects with up to so many pages of associations. In each part but the last, one has all of
/// these pages, and one has none.
pub(crate) fn hubspot(seed: u64, pages: usize) -> HubSpot {
    HubSpot::new(seed)
        .objects((PARTS * OBJECTS) as u64)
        .pages(move |index| match index % OBJECTS {
            1 => pages,
            2 => 0,
            other => (index * 7 + other) % pages,
        })
        .failing(is_failing)
        .counting_only()
}

/// Asserts that the tables have each record and each failed id of the service once, and nothing
/// else. Gives how many records there are.
pub(crate) async fn assert_exact(pool: &PgPool, hubspot: &HubSpot) -> usize {
    let (mut expected, mut expected_failures) = (BTreeSet::new(), BTreeSet::new());
    for (index, id) in hubspot.ids().enumerate() {
        if is_failing(index) {
            expected_failures.insert(id.to_string());
        } else {
            let to = hubspot.associations(id).into_iter();
            expected.extend(to.map(|to| (id.to_string(), to.to_string())));
        }
    }
    // All rows, and no set of them: a row that is there twice counts.
    let select = sqlx::query_as("select from_id, to_id from associations");
    let rows: Vec<(String, String)> = select.fetch_all(pool).await.unwrap();
    let select = sqlx::query_scalar("select id from failures");
    let failures: Vec<String> = select.fetch_all(pool).await.unwrap();
    assert_eq!(rows.len(), expected.len(), "records");
    assert_eq!(failures.len(), expected_failures.len(), "failed ids");
    assert!(rows.into_iter().collect::<BTreeSet<_>>() == expected, "other records");
    assert_eq!(failures.into_iter().collect::<BTreeSet<_>>(), expected_failures);
    expected.len()
}
