//! What a stream is, and what it can be made of.

use std::sync::Arc;

use futures::{
    StreamExt,
    stream::{self},
};
use pagestream::{
    BoxPaginator, Checkpoint, Error, Monitor, Page, Pages, Paginator, PaginatorExt, Records,
    async_trait,
};

use super::{Numbers, all, item};
use crate::support::{from_fn, stored};

#[test]
fn streams_are_send_unpin_and_static_when_the_paginator_is() {
    fn is<T: Send + Unpin + 'static>() {}
    is::<Records<Arc<Numbers>>>();
    is::<Pages<Arc<Numbers>>>();
    is::<Records<&'static Numbers>>();
    is::<Pages<Arc<dyn Paginator<Record = u64, Cursor = u64>>>>();
}

#[test]
fn what_is_kept_outside_of_a_stream_is_send_sync_unpin_and_static() {
    fn is<T: Send + Sync + Unpin + 'static>() {}
    is::<Monitor>();
    is::<Error>();
    is::<Checkpoint>();
}

#[test]
fn a_stream_may_borrow_a_paginator_that_borrows() {
    struct Borrowing<'a>(&'a [u64]);

    #[async_trait]
    impl Paginator for Borrowing<'_> {
        type Record = u64;
        type Cursor = usize;

        fn start(&self) -> usize {
            0
        }

        async fn fetch(&self, at: usize) -> Result<Page<u64, usize>, Error> {
            Ok(Page::new(vec![self.0[at]], (at + 1 < self.0.len()).then_some(at + 1)))
        }
    }

    let numbers = vec![4, 5, 6];
    assert_eq!(all(Borrowing(&numbers).records()), numbers);
}

#[test]
fn a_reference_a_box_and_an_arc_of_a_paginator_are_that_paginator() {
    fn read(paginator: impl Paginator<Record = u64>, identity: &str) -> Vec<u64> {
        assert_eq!(paginator.identity(), identity);
        all(paginator.records())
    }

    let numbers = Numbers::new(5, 2);
    let identity = "the numbers below 5";
    assert_eq!(read(&numbers, identity), [0, 1, 2, 3, 4]);
    assert_eq!(read(Box::new(numbers.clone()), identity), [0, 1, 2, 3, 4]);
    assert_eq!(read(Arc::new(numbers.clone()), identity), [0, 1, 2, 3, 4]);
    let object: Box<dyn Paginator<Record = u64, Cursor = u64>> = Box::new(numbers);
    assert_eq!(read(object, identity), [0, 1, 2, 3, 4]);
}

#[test]
fn paginators_of_different_cursors_stand_in_one_vec_and_their_streams_combine() {
    let texts = from_fn("a".to_owned(), |cursor: String| async move {
        Ok(Page::new(vec![100], (cursor == "a").then(|| "b".to_owned())))
    });
    let paginators: Vec<BoxPaginator<u64>> = vec![Numbers::new(3, 2).boxed(), texts.boxed()];

    let chained = paginators[0].records().chain(paginators[1].records());
    assert_eq!(all(chained), [0, 1, 2, 100, 100]);
    let selected = stream::select(paginators[0].records(), paginators[1].records());
    let mut selected = all(selected);
    selected.sort_unstable();
    assert_eq!(selected, [0, 1, 2, 100, 100]);
    let mut merged =
        all(stream::select_all(paginators.into_iter().map(PaginatorExt::into_records)));
    merged.sort_unstable();
    assert_eq!(merged, [0, 1, 2, 100, 100]);
}

#[test]
fn a_checkpoint_of_a_boxed_paginator_fits_the_paginator_inside() {
    let numbers = Numbers::new(6, 4);
    let some = numbers.clone().boxed().into_read().max_records(3).records();
    let monitor = some.monitor();
    assert_eq!(all(some), [0, 1, 2]);
    let checkpoint = stored(&monitor.checkpoint().unwrap());
    assert_eq!(all(numbers.read().resume(checkpoint).records()), [3, 4, 5]);
}

#[test]
fn map_makes_other_records_and_keeps_the_checkpoints() {
    let numbers = Numbers::new(6, 4);
    let texts = numbers.clone().map(|n| format!("#{n}"));
    let some = texts.read().max_records(5).records();
    let monitor = some.monitor();
    assert_eq!(all(some), ["#0", "#1", "#2", "#3", "#4"]);
    assert_eq!(all(numbers.read().resume(monitor.checkpoint().unwrap()).records()), [5]);
}

#[test]
fn pages_and_records_agree() {
    let numbers = Numbers::new(7, 3);
    assert_eq!(all(numbers.pages()), [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    assert_eq!(all(numbers.pages()).concat(), all(numbers.records()));
}

#[test]
fn two_streams_of_one_paginator_share_nothing() {
    let numbers = Numbers::new(4, 2);
    let (mut one, mut other) = (numbers.records(), numbers.records());
    assert_eq!(item(&mut one).unwrap().unwrap(), 0);
    assert_eq!(item(&mut one).unwrap().unwrap(), 1);
    assert_eq!(item(&mut other).unwrap().unwrap(), 0);
    assert_eq!(item(&mut one).unwrap().unwrap(), 2);
    assert_eq!(all(other), [1, 2, 3]);
    assert_eq!(all(one), [3]);
}
