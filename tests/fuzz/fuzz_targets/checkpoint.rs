//! Any bytes as a checkpoint: it is an error, or it is written as it was read, and
//! resuming from it never panics and ends.

#![no_main]

use bytes::Bytes;
use futures::{StreamExt, executor::block_on};
use http::{Request, Response};
use libfuzzer_sys::fuzz_target;
use pagestream::{
    Checkpoint, Error, Page, Paginator, PaginatorExt, Retry, from_fn, hubspot::Associations,
};
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let Ok(mut value) = serde_json::from_slice::<Value>(input) else { return };
    let numbers = from_fn(0_u64, |at| async move {
        Ok(Page::new(vec![at], at.checked_add(1).filter(|next| *next < 10)))
    })
    .identified_by("numbers");
    let empty = |_: Request<Bytes>| async {
        Response::builder().body(Bytes::from(r#"{"results":[]}"#)).map_err(Error::other)
    };
    let associations = Associations::builder("deals", "companies")
        .ids([1, 2, 3])
        .token("a-token")
        .transport(empty)
        .build()
        .expect("the builder has all it needs");
    let grouped = associations.clone().grouped();

    // The identity is the one thing that the input does not decide.
    for identity in [numbers.identity(), associations.identity(), grouped.identity()] {
        if let Some(object) = value.as_object_mut() {
            object.insert("identity".to_owned(), identity.into());
        }
        let Ok(checkpoint) = serde_json::from_value::<Checkpoint>(value.clone()) else { return };
        let text = serde_json::to_string(&checkpoint).expect("a checkpoint is JSON");
        assert_eq!(serde_json::from_str::<Checkpoint>(&text).expect("it was one"), checkpoint);
        block_on(async {
            resume(&numbers, &checkpoint).await;
            resume(&associations, &checkpoint).await;
            resume(&grouped, &checkpoint).await;
        });
    }
});

async fn resume<P: Paginator>(paginator: &P, checkpoint: &Checkpoint) {
    let reading = paginator.read().resume(checkpoint.clone()).retry(Retry::never());
    let mut records = reading.max_requests(200).records();
    while records.next().await.is_some() {}
    let _ = records.checkpoint();
}
