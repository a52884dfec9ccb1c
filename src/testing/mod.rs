//! For tests of connectors: services to test against, in memory or over loopback HTTP, and a
//! [check](conformance) for a paginator of your own.
//!
//! - A [`Script`] is a list of requests, each with its reply. It answers in place of a service.
//! - A [`Recorder`] writes what a real service answers to a file, without secrets. The format is
//!   HAR, which browsers and proxies write too. A [`Replay`] plays such a file back. [`shrink`]
//!   makes it as small as possible, while it still shows a problem.
//! - [`conformance`] reads a paginator in every way that its contract allows.
//! - [`Alloy`] and [`HubSpot`] emulate these services, with as much data as you want.
//!
//! # A connector's test file from its first line to its last
//!
//! ```
//! use std::time::Duration;
//!
//! use futures::TryStreamExt;
//! use pagestream::{
//!     Error, Paginator, PaginatorExt, Transport,
//!     http::Client,
//!     rest::NextCursor,
//!     testing::{Recorder, Replay, Reply, Script, conformance, script::get},
//! };
//! use serde_json::json;
//!
//! #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
//! struct Issue {
//!     id: u64,
//! }
//!
//! // The connector. Its tests only need to give it another transport.
//! fn issues(transport: impl Transport + 'static) -> Result<impl Paginator<Record = Issue>, Error> {
//!     let client = Client::builder("https://api.example.com/v1").bearer("a-real-token");
//!     let client = client.transport(transport).build()?;
//!     let pages = client.get("/issues").limit("limit", 2);
//!     let pages = pages.pages(NextCursor::at("/next").into_query("cursor"));
//!     pages.records_at("/items").build::<Issue>()
//! }
//!
//! async fn ids(transport: impl Transport + 'static) -> Result<Vec<u64>, Error> {
//!     issues(transport)?.records().map_ok(|issue| issue.id).try_collect().await
//! }
//!
//! // #[tokio::test]
//! async fn it_reads_to_the_last_page() {
//!     let script = Script::new()
//!         .on(get("/v1/issues?limit=2").without_query("cursor"))
//!         .reply(json!({"items": [{"id": 1}, {"id": 2}], "next": "c2"}))
//!         .on(get("/v1/issues").query("cursor", "c2"))
//!         .reply(json!({"items": [{"id": 3}], "next": null}));
//!     assert_eq!(ids(script.clone()).await.unwrap(), [1, 2, 3]);
//!     script.verify();
//! }
//!
//! // #[tokio::test(start_paused = true)], so that nothing waits in real time.
//! async fn it_waits_for_a_busy_service_and_reads_again_what_was_cut() {
//!     let script = Script::new()
//!         .on(get("/v1/issues"))
//!         .reply(Reply::status(429).header("retry-after", "30"))
//!         .on(get("/v1/issues"))
//!         .reply(Reply::status(200).json(json!({"items": [{"id": 1}]})).cut())
//!         .on(get("/v1/issues"))
//!         .reply(Reply::status(200).json(json!({"items": [{"id": 1}]})).delay(Duration::from_secs(5)));
//!     assert_eq!(ids(script.clone()).await.unwrap(), [1]);
//!     script.verify();
//! }
//!
//! // #[tokio::test]
//! async fn it_says_what_is_wrong_with_the_token() {
//!     let refusal = Reply::status(401).json(json!({"message": "this token is revoked"}));
//!     let script = Script::new().on(get("/v1/issues")).reply(refusal);
//!     let error = ids(script.clone()).await.unwrap_err();
//!     assert_eq!(error.status(), Some(401));
//!     assert_eq!(error.service_error().message.as_deref(), Some("this token is revoked"));
//!     script.verify();
//! }
//!
//! // #[tokio::test(start_paused = true)]
//! async fn it_keeps_the_contract_of_a_paginator() {
//!     let page = |items: &[u64], next: Option<&str>| {
//!         let items = items.iter().map(|id| json!({"id": id})).collect::<Vec<_>>();
//!         json!({"items": items, "next": next})
//!     };
//!     let script = Script::new()
//!         .on(get("/v1/issues").without_query("cursor")).always().reply(page(&[1, 2], Some("c2")))
//!         .on(get("/v1/issues").query("cursor", "c2")).always().reply(page(&[3], None));
//!     let build = || issues(script.clone()).unwrap();
//!     let expected = (1..=3).map(|id| Issue { id }).collect();
//!     conformance::check(build, expected).await.unwrap_or_else(|violation| panic!("{violation}"));
//! }
//!
//! // #[tokio::test] #[ignore = "it reads the real service"]
//! async fn it_records_the_real_service() {
//! #   async fn real_service(_: http::Request<bytes::Bytes>) -> Result<http::Response<bytes::Bytes>, Error> {
//! #       Ok(http::Response::new(r#"{"items": [{"id": 7}]}"#.into()))
//! #   }
//! #   /*
//!     let recorder = Recorder::new(pagestream::Reqwest::new().unwrap());
//! #   */
//! #   let recorder = Recorder::new(real_service);
//!     ids(recorder.clone()).await.unwrap();
//! #   /*
//!     recorder.save("tests/issues.har").unwrap();
//! #   */
//! #   recorder.save(path()).unwrap();
//! }
//!
//! // #[tokio::test]
//! async fn it_reads_what_was_recorded() {
//! #   /*
//!     let replay = Replay::open("tests/issues.har").unwrap();
//! #   */
//! #   let replay = Replay::open(path()).unwrap();
//! #   std::fs::remove_file(path()).unwrap();
//!     assert_eq!(ids(replay.clone()).await.unwrap(), [7]);
//!     replay.verify();
//! }
//! # fn path() -> std::path::PathBuf {
//! #     std::env::temp_dir().join(format!("pagestream-issues-{}.har", std::process::id()))
//! # }
//! # let mut runtime = tokio::runtime::Builder::new_current_thread();
//! # runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
//! #     it_reads_to_the_last_page().await;
//! #     it_waits_for_a_busy_service_and_reads_again_what_was_cut().await;
//! #     it_says_what_is_wrong_with_the_token().await;
//! #     it_keeps_the_contract_of_a_paginator().await;
//! #     it_records_the_real_service().await;
//! #     it_reads_what_was_recorded().await;
//! # });
//! ```
//!
//! # Emulated services
//!
//! [`HubSpot`] and [`Alloy`] make their data from a seed. So they can have any size, and they know
//! what a reading must deliver. They check requests as the real services do. A bad request gets the
//! error that the real service would send.
//!
//! Each of them is a [`Transport`](crate::Transport) that answers in memory. For real
//! HTTP, give it to a [`Server`]:
//!
//! ```
//! use futures::TryStreamExt;
//! use pagestream::{PaginatorExt, hubspot::Associations, testing::{HubSpot, Server}};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let service = HubSpot::new(7).objects(3).pages(|index| 1 + index);
//! let server = Server::start(service.clone()).await.unwrap();
//!
//! let associations = Associations::builder("deals", "companies")
//!     .ids(service.ids())
//!     .token("a-test-token")
//!     .base_url(server.base_url())
//!     .build()?;
//! let records: Vec<_> = associations.records().try_collect().await?;
//!
//! assert_eq!(records.len(), 12); // objects of 1, 2 and 3 pages with 2 associations each
//! assert_eq!(service.requests(), 3); // as many as the deepest id has pages
//! # Ok::<(), pagestream::Error>(()) }).unwrap();
//! ```
//!
//! # What goes wrong
//!
//! - A [`Fault`] is what goes wrong with one request: an error status, a reset connection, a
//!   truncated or an endless response. [`Faults`] decides which requests get one, by a script or by
//!   a seed. It works with a [`Service`] of your own too.
//! - [`AlloyFlaw`] and [`HubSpotFlaw`] are bugs of a service, in any of its pages.

mod alloy;
pub mod conformance;
mod connection;
mod credential_names;
mod faults;
mod har;
mod hubspot;
mod recorder;
mod replay;
pub mod script;
mod server;
mod service;
mod shrink;
mod url_text;

pub use self::{
    alloy::{Alloy, AlloyFlaw},
    faults::{Fault, FaultPosition, Faults, Faulty},
    hubspot::{HubSpot, HubSpotFlaw},
    recorder::Recorder,
    replay::Replay,
    script::{Reply, Script},
    server::Server,
    service::{Logged, Service},
    shrink::shrink,
};
