//! The total of a service is a check, where the caller says so.

use pagestream::{Error, ErrorKind, Page, Paginator, PaginatorExt, StopReason};

use crate::support::{drain, from_fn, stored};

/// Pages of ten, with these totals.
fn pages(
    totals: &'static [u64],
    records: u64,
    by_offset: bool,
) -> impl Paginator<Record = u64, Cursor = u64> {
    from_fn(0_u64, move |at| async move {
        let end = records.min(at + 10);
        let total = totals[(at / 10) as usize];
        let page = Page::new((at..end).collect(), (end < records).then_some(end)).with_total(total);
        Ok(if by_offset { page.with_offset_cursors() } else { page })
    })
}

#[tokio::test]
async fn an_end_before_the_total_is_an_error_that_is_partial() {
    let pages = pages(&[30, 30], 20, false);
    assert_eq!(drain(pages.records()).await.whole().len(), 20);
    let outcome = drain(pages.read().check_total().records()).await;
    assert_eq!((outcome.records.len(), outcome.errors.len()), (20, 1));
    let error = &outcome.errors[0];
    assert!(error.is_partial() && error.kind() == ErrorKind::Contradiction);
    let expected = "there are 30 records, and the list ended after 20";
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(outcome.progress().stop, Some(StopReason::End));
    assert!(outcome.monitor.checkpoint().unwrap().is_finished());
}

#[tokio::test]
async fn a_total_that_falls_to_0_is_an_error_and_so_is_one_that_shrinks_between_offsets() {
    let check = async |totals, by_offset| {
        let pages = pages(totals, 30, by_offset);
        let outcome = drain(pages.read().check_total().records()).await;
        assert_eq!(outcome.records.len(), 30);
        outcome.errors.iter().map(Error::to_string).collect::<String>()
    };
    assert_eq!(check(&[30, 30, 30], true).await, "");
    assert_eq!(check(&[40, 35, 30], false).await, "");
    assert!(check(&[40, 40, 0], false).await.contains("40 records"));
    assert!(check(&[33, 30, 30], true).await.contains("fell by 3"));
}

#[tokio::test]
async fn a_resumed_reading_counts_what_came_before() {
    let pages = pages(&[30, 30, 30], 30, false);
    let first = drain(pages.read().max_records(15).records()).await;
    let checkpoint = stored(&first.monitor.checkpoint().unwrap());
    let rest = drain(pages.read().check_total().resume(checkpoint).records()).await;
    assert_eq!(rest.whole().len(), 15);
}

#[tokio::test]
async fn set_aside_the_error_waits_for_who_takes_it() {
    let pages = pages(&[30, 30], 20, false);
    let read = pages.read().check_total().set_failures_aside();
    let outcome = drain(read.records()).await;
    assert!(outcome.errors.is_empty());
    assert_eq!(outcome.monitor.take_failures().len(), 1);
}

#[tokio::test]
async fn records_that_failed_count_as_well() {
    let pages = from_fn(0_u64, |_| async {
        let bad = Error::new(ErrorKind::Decode, "bad");
        Ok(Page::last(vec![1, 2]).with_failure(None, bad).with_total(3))
    });
    let outcome = drain(pages.read().check_total().records()).await;
    assert_eq!(outcome.errors.len(), 1, "{:?}", outcome.errors);
}

#[tokio::test]
async fn a_list_that_was_read_anew_is_checked_by_what_came_since() {
    let expired = std::sync::atomic::AtomicBool::new(false);
    let pages = from_fn(0_u64, move |at| {
        let is_expired = at == 50 && !expired.swap(true, std::sync::atomic::Ordering::SeqCst);
        async move {
            if is_expired {
                return Err(Error::new(ErrorKind::Expired, "unknown").with_status(410));
            }
            let page = Page::new((at..at + 10).collect::<Vec<_>>(), (at < 60).then_some(at + 10));
            Ok(page.with_total(100))
        }
    });
    let pages = pages.keyed(|it: &u64| *it);
    let outcome = drain(pages.read().restarts(1).check_total().records()).await;
    assert_eq!(outcome.records.len(), 70);
    let message = outcome.errors[0].to_string();
    assert!(message.contains("100 records, and the list ended after 70"), "{message}");
}
