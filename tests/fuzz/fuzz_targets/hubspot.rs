//! Any bytes as the answer to a batch read: an error or records, and each id of
//! the request is read, goes on or failed.

#![no_main]

use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response};
use libfuzzer_sys::fuzz_target;
use pagestream::{Error, Paginator, hubspot::Associations};

fuzz_target!(|input: (u16, &[u8])| {
    let status = 200 + input.0 % 400;
    let body = Bytes::copy_from_slice(input.1);
    let answer = move |_: Request<Bytes>| {
        let answer = Response::builder().status(status).body(body.clone());
        async { answer.map_err(Error::other) }
    };
    let associations = Associations::builder("deals", "companies")
        .ids([1, 2, 3])
        .token("a-token")
        .transport(answer)
        .build()
        .expect("the builder has all it needs");
    block_on(async {
        let flat = associations.fetch(associations.start()).await;
        let grouped = associations.clone().grouped();
        let groups = grouped.fetch(grouped.start()).await;
        assert_eq!(flat.is_ok(), groups.is_ok());
        if let (Ok(flat), Ok(groups)) = (flat, groups) {
            let named = |id: &str| flat.failures().any(|failure| failure.ids().iter().any(|it| it == id));
            for id in ["1", "2", "3"] {
                let is_whole = groups.records().iter().any(|group| group.from.to_string() == id);
                let goes_on = flat.next().iter().any(|next| format!("{next:?}").contains(id));
                assert!(is_whole || goes_on || named(id), "id {id} is lost");
            }
        }
    });
});
