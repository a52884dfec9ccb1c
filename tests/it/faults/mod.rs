//! The faults that services meet, a test each: in memory, over HTTP, by a script and
//! by a seed, and readings that get over them.

mod answers;
mod memory;
mod over_http;
mod readings;
mod which;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header::CONTENT_TYPE};
use pagestream::{
    Error, Reqwest, Transport,
    testing::{Fault, FaultPosition, Faults, Faulty, HubSpot, Server, Service},
};
use serde_json::Value;

const POSITIONS: [FaultPosition; 3] =
    [FaultPosition::BeforeHeaders, FaultPosition::InHeaders, FaultPosition::InBody];

const BODY: &str = r#"{"data":[1,2,3,4,5]}"#;

/// A service of one's own, which gives the same answer each time.
#[derive(Clone, Debug)]
struct Numbers;

impl Service for Numbers {
    fn respond(&self, _: &Request<Bytes>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(BODY));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }
}

fn request(path: &str) -> Request<Bytes> {
    let request = Request::builder().method(Method::POST).uri(path);
    request.body(Bytes::from_static(b"{}")).unwrap()
}

/// The numbers with a fault at the first request.
fn first(fault: Fault) -> Faulty<Numbers> {
    Faults::script([(1, fault)]).on(Numbers)
}

async fn met_in_memory(fault: Fault) -> Result<Response<Bytes>, Error> {
    first(fault).send(request("/")).await
}

async fn met_over_http(fault: Fault) -> Result<Response<Bytes>, Error> {
    let server = Server::start(first(fault)).await.unwrap();
    Reqwest::new().unwrap().send(request(&server.base_url())).await
}

/// The answer to a fault that leaves the connection alone, which is the same in
/// memory and over HTTP.
async fn met(fault: Fault) -> Response<Bytes> {
    let in_memory = met_in_memory(fault.clone()).await.unwrap();
    let over_http = met_over_http(fault).await.unwrap();
    assert_eq!(over_http.status(), in_memory.status());
    assert_eq!(over_http.body(), in_memory.body());
    for (name, value) in in_memory.headers() {
        assert_eq!(over_http.headers().get(name), Some(value), "{name}");
    }
    in_memory
}

fn value(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

fn hubspot() -> HubSpot {
    HubSpot::new(7).objects(40).pages(|index| index % 5)
}
