//! Records in batches, each with its checkpoint.

use futures::{StreamExt, TryStreamExt};
use pagestream::{Error, ErrorKind, Page, Paginator, PaginatorExt};

use crate::support::{drain, from_fn, stored};

/// The numbers below 23, five to a page; the pages at 5 and 15 have an error of one id, and
/// the one at 10 has nothing else.
fn numbers() -> impl Paginator<Record = u64, Cursor = u64> {
    from_fn(0_u64, |at| async move {
        let records = if at == 10 { Vec::new() } else { (at..23.min(at + 5)).collect() };
        let mut page = Page::new(records, (at + 5 < 23).then_some(at + 5));
        if [5, 10, 15].contains(&at) {
            let error = Error::new(ErrorKind::Status, "refused").with_ids([at.to_string()]);
            page = page.with_failure(None, error);
        }
        Ok(page)
    })
}

fn expected() -> Vec<u64> {
    (0..10).chain(15..23).collect()
}

#[tokio::test]
async fn a_batch_has_its_size_unless_an_error_or_the_end_comes_behind_it() {
    let mut batches = numbers().into_records().batches(4);
    let mut items = Vec::new();
    while let Some(item) = batches.next().await {
        items
            .push(item.map_or_else(|error| vec![error.ids()[0].parse().unwrap()], |it| it.records));
    }
    let expected: [&[u64]; 9] = [
        &[0, 1, 2, 3],
        &[4, 5, 6, 7],
        &[8, 9],
        &[5],
        &[10],
        &[15, 16, 17, 18],
        &[19],
        &[15],
        &[20, 21, 22],
    ];
    assert_eq!(items, expected);
    assert!(batches.next().await.is_none());
}

#[tokio::test]
async fn from_the_checkpoint_of_each_batch_exactly_the_rest_comes() {
    for window in [1, 4] {
        for size in 1..24 {
            let numbers = numbers();
            let mut batches = numbers.read().window(window).records().batches(size);
            let (mut written, mut errors) = (Vec::new(), Vec::new());
            while let Some(item) = batches.next().await {
                let batch = match item {
                    Ok(batch) => batch,
                    Err(error) => {
                        errors.extend_from_slice(error.ids());
                        continue;
                    }
                };
                written.extend(batch.records);
                assert_eq!(batch.checkpoint.records(), written.len() as u64);
                let rest = numbers.read().resume(stored(&batch.checkpoint)).records();
                let rest = drain(rest).await;
                assert_eq!([&written[..], &rest.records].concat(), expected());
                // An error that came behind the batch was not delivered before it.
                let rest = rest.errors.iter().flat_map(Error::ids).cloned().collect::<Vec<_>>();
                assert_eq!([&errors[..], &rest].concat(), ["5", "10", "15"], "size {size}");
            }
            assert_eq!(written, expected());
        }
    }
}

#[tokio::test]
async fn what_came_before_a_fatal_error_is_a_batch_that_comes_first() {
    let numbers = from_fn(0_u64, |at| async move {
        let error = || Err(Error::new(ErrorKind::Status, "refused").with_status(403));
        if at == 6 { error() } else { Ok(Page::new(vec![at, at + 1], Some(at + 2))) }
    });
    let mut batches = numbers.records().batches(4);
    assert_eq!(batches.try_next().await.unwrap().unwrap().records, [0, 1, 2, 3]);
    let batch = batches.try_next().await.unwrap().unwrap();
    assert_eq!(batch.records, [4, 5]);
    let error = batches.try_next().await.unwrap_err();
    assert_eq!(error.checkpoint(), Some(&batch.checkpoint));
    assert!(batches.next().await.is_none());
}

#[tokio::test]
async fn the_checkpoint_of_the_last_batch_is_finished() {
    let numbers = from_fn(0_u64, |at| async move { Ok(Page::last(vec![at])) });
    let batches = numbers.records().batches(10).try_collect::<Vec<_>>().await.unwrap();
    assert!(batches.last().unwrap().checkpoint.is_finished());
}

#[tokio::test]
async fn without_checkpoints_the_first_batch_is_an_error_and_nothing_is_requested() {
    let nameless = pagestream::from_fn(0_u64, |_| async {
        panic!("it is not asked for");
        #[allow(unreachable_code, reason = "it gives the type")]
        Ok(Page::last(vec![1_u64]))
    });
    let mut batches = nameless.records().batches(10);
    assert_eq!(batches.next().await.unwrap().unwrap_err().kind(), ErrorKind::Contract);
    assert!(batches.next().await.is_none());
}
