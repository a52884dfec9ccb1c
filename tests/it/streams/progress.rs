//! A reading tells how far it is.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use futures::{StreamExt, executor::block_on};
use pagestream::{Error, ErrorKind, Monitor, Page, PaginatorExt, StopReason, WaitReason};

use crate::support::{drain, from_fn};

#[tokio::test(start_paused = true)]
async fn it_is_told_at_each_page_each_error_each_retry_and_the_end() {
    let failed = Arc::new(Mutex::new(false));
    let pages = from_fn(0_u64, move |at| {
        let fails = at == 2 && !std::mem::replace(&mut *failed.lock().unwrap(), at == 2);
        async move {
            if fails {
                return Err(Error::new(ErrorKind::Status, "busy")
                    .with_status(503)
                    .with_retryable(true));
            }
            let page = Page::new(vec![at], (at < 3).then_some(at + 1));
            let bad = || Error::new(ErrorKind::Decode, "bad");
            Ok(if at == 1 { page.with_failure(None, bad()) } else { page })
        }
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let read = pages.read().on_progress(move |progress| {
        let reason = progress.wait.map(|wait| wait.reason);
        tell.lock().unwrap().push((progress.records, progress.failures, reason, progress.stop));
    });
    let outcome = drain(read.records()).await;
    assert_eq!(outcome.records, [0, 1, 2, 3]);
    let retry = Some(WaitReason::Retry);
    let expected = [
        (0, 0, None, None),
        (1, 0, None, None),
        (2, 1, None, None),
        (2, 1, retry, None),
        (2, 1, None, None),
        (3, 1, None, None),
        (4, 1, None, Some(StopReason::End)),
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[test]
fn who_is_told_may_ask_for_a_checkpoint() {
    let pages =
        from_fn(0_u64, |at| async move { Ok(Page::new(vec![at], (at < 9).then_some(at + 1))) });
    let monitor = Arc::new(Mutex::new(None::<Monitor>));
    let asked = Arc::clone(&monitor);
    let records = pages.read().on_progress(move |progress| {
        let monitor = asked.lock().unwrap().clone().unwrap();
        assert_eq!(monitor.checkpoint().unwrap().records(), progress.records);
    });
    let records = records.records();
    *monitor.lock().unwrap() = Some(records.monitor());
    assert_eq!(block_on(drain(records)).whole().len(), 10);
}

#[test]
fn a_panic_of_who_is_told_loses_nothing_in_silence() {
    let pages =
        from_fn(0_u64, |at| async move { Ok(Page::new(vec![at], (at < 9).then_some(at + 1))) });
    let read = pages.read().on_progress(|progress| assert_ne!(progress.pages, 3, "a test"));
    let mut records = read.records();
    let mut next = || catch_unwind(AssertUnwindSafe(|| block_on(records.next())));
    assert_eq!(next().unwrap().unwrap().unwrap(), 0);
    assert_eq!(next().unwrap().unwrap().unwrap(), 1);
    next().unwrap_err();
    // The page is here, and comes; or an error says that something is missing.
    let item = next().unwrap().unwrap();
    assert!(item.is_err() || item.is_ok_and(|record| record == 2));
}
