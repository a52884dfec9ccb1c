//! What the tests of several modules share.

/// The text of a file in `tests/fixtures`.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $name, ".json"))
    };
}

pub(crate) mod events;
pub(crate) mod hooked;
mod outcome;
mod script;
pub(crate) mod spans;
mod vendors;

use pagestream::{Checkpoint, Cursor, Error, FromFn, Page};

pub(crate) use self::{
    outcome::{Outcome, Whole, drain, whole},
    script::{Answer, Script},
    vendors::{CREDENTIAL, Contact, contacts_over, deals_over, held, offset, offsets, told},
};

/// As a checkpoint goes to a file and comes back.
pub(crate) fn stored(checkpoint: &Checkpoint) -> Checkpoint {
    serde_json::from_str(&serde_json::to_string(checkpoint).unwrap()).unwrap()
}

/// A paginator made of a closure, with a name, so that it has checkpoints.
pub(crate) fn from_fn<C, F, Fut, R>(start: C, fetch: F) -> FromFn<C, F>
where
    C: Cursor,
    F: Fn(C) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Page<R, C>, Error>> + Send,
    R: Send,
{
    pagestream::from_fn(start, fetch).identified_by("a test")
}

pub(crate) fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

/// Runs a future on a clock that moves when all else waits for it.
pub(crate) fn in_virtual_time<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(future)
}
