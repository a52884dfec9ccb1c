//! Any bytes as the answer of an action: an error or records, and an offset that
//! advances.

#![no_main]

use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response};
use libfuzzer_sys::fuzz_target;
use pagestream::{Error, Paginator, alloy::Action};
use serde_json::Value;

fuzz_target!(|input: (u16, bool, &[u8])| {
    let status = 200 + input.0 % 400;
    let body = Bytes::copy_from_slice(input.2);
    let answer = move |_: Request<Bytes>| {
        let answer = Response::builder().status(status).body(body.clone());
        async { answer.map_err(Error::other) }
    };
    let mut action = Action::<Value>::builder("crm", "listContacts")
        .api_key("a-key")
        .credential_id("68d9876543210fedcba98765")
        .transport(answer);
    if input.1 {
        action = action.data_at("/a~1b/0").pagination_at("/a~1b/1");
    }
    let action = action.build().expect("the builder has all it needs");
    if let Ok(page) = block_on(action.fetch(action.start())) {
        for next in page.next() {
            let next = serde_json::to_value(next).expect("a cursor is JSON");
            let offset = next["offset"].as_u64().expect("an offset is a number");
            assert!(offset > 0 && offset >= page.records().len() as u64);
        }
    }
});
