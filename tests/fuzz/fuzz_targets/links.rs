//! Any bytes as the headers `Link` of an answer. A link that is followed stays at its origin.

#![no_main]

use bytes::Bytes;
use futures::executor::block_on;
use http::{HeaderValue, Request, Response};
use libfuzzer_sys::fuzz_target;
use pagestream::{Error, Paginator, http::Client, rest::LinkHeader};

// Each line is a header.
fuzz_target!(|input: &[u8]| {
    let lines = input.split(|byte| *byte == b'\n').map(HeaderValue::from_bytes);
    let Ok(lines) = lines.collect::<Result<Vec<_>, _>>() else { return };
    let service = move |request: Request<Bytes>| {
        assert_eq!(request.uri().host(), Some("api.example.com"));
        let mut response = Response::new(Bytes::from("[]"));
        for line in &lines {
            response.headers_mut().append("link", line.clone());
        }
        async { Ok::<_, Error>(response) }
    };
    let client = Client::builder("https://api.example.com/v1").transport(service).build().unwrap();
    let list = client.get("/list").pages(LinkHeader::new()).build::<u64>().unwrap();
    if let Ok(page) = block_on(list.fetch(list.start()))
        && let Some(next) = page.next().first()
    {
        let _ = block_on(list.fetch(next.clone()));
    }
});
