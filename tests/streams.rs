//! What the streams promise, a test each. Where the order of events matters they
//! are polled by hand, and nothing sleeps.

use std::{
    collections::BTreeMap,
    future::{poll_fn, ready},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use futures::{
    FutureExt, Stream, StreamExt, TryStreamExt,
    channel::oneshot,
    executor::block_on,
    stream::{self, FusedStream},
};
use pagestream::{
    BoxPaginator, Checkpoint, Error, ErrorKind, Monitor, OpaqueCursor, Page, Pages, Paginator,
    PaginatorExt, Records, RepeatedCursor, StopReason, async_trait, from_fn,
};
use proptest::prelude::*;

/// The numbers below `total`, `per_page` to a page. It counts its requests.
#[derive(Clone, Default)]
struct Numbers {
    total: u64,
    per_page: u64,
    /// The request that fails, from 1; later ones succeed.
    fails_at: Option<usize>,
    log: Arc<Mutex<Vec<u64>>>,
}

impl Numbers {
    fn new(total: u64, per_page: u64) -> Self {
        Self { total, per_page, ..Self::default() }
    }

    fn requests(&self) -> usize {
        self.log.lock().unwrap().len()
    }
}

#[async_trait]
impl Paginator for Numbers {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, from: u64) -> Result<Page<u64, u64>, Error> {
        let requests = {
            let mut log = self.log.lock().unwrap();
            log.push(from);
            log.len()
        };
        if self.fails_at == Some(requests) {
            let error = Error::new(ErrorKind::Status, "the service is busy");
            return Err(error.with_status(503).with_retryable(false));
        }
        let to = (from + self.per_page).min(self.total);
        Ok(Page::new((from..to).collect(), (to < self.total).then_some(to)))
    }

    fn identity(&self) -> String {
        format!("the numbers below {}", self.total)
    }
}

/// A page that leads to `branches` others, each of which comes when the test lets
/// it. Page `n` holds the record `n`.
struct Gated {
    branches: u64,
    gates: Mutex<BTreeMap<u64, oneshot::Sender<Result<(), Error>>>>,
}

impl Gated {
    fn new(branches: u64) -> Self {
        Self { branches, gates: Mutex::default() }
    }

    /// The pages that are asked for and have not come.
    fn in_flight(&self) -> Vec<u64> {
        let mut gates = self.gates.lock().unwrap();
        gates.retain(|_, gate| !gate.is_canceled());
        gates.keys().copied().collect()
    }

    fn open(&self, page: u64, outcome: Result<(), Error>) {
        let gate = self.gates.lock().unwrap().remove(&page).expect("it is in flight");
        gate.send(outcome).expect("somebody waits for it");
    }
}

#[async_trait]
impl Paginator for Gated {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: u64) -> Result<Page<u64, u64>, Error> {
        let (gate, opened) = oneshot::channel();
        self.gates.lock().unwrap().insert(page, gate);
        opened.await.expect("the gate is kept")?;
        let branches = if page == 0 { self.branches } else { 0 };
        Ok(Page::new(vec![page], 1..=branches))
    }
}

/// Two ids of a batch failed on the first of two pages.
#[derive(Clone)]
struct HalfFailing;

#[async_trait]
impl Paginator for HalfFailing {
    type Record = u64;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: u64) -> Result<Page<u64, u64>, Error> {
        let failed = |id: &str| Error::new(ErrorKind::Rejected, "no access").with_ids([id]);
        Ok(if page == 0 {
            Page::new(vec![1, 2], Some(1))
                .with_failure(None, failed("x"))
                .with_failure(None, failed("y"))
        } else {
            Page::last(vec![3])
        })
    }
}

fn poll<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    stream.poll_next_unpin(&mut Context::from_waker(Waker::noop()))
}

/// The next item of a stream that must have one at once.
fn item<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    match poll(stream) {
        Poll::Ready(item) => item,
        Poll::Pending => panic!("the stream is pending"),
    }
}

fn all<S: Stream<Item = Result<T, Error>>, T>(stream: S) -> Vec<T> {
    block_on(stream.try_collect()).unwrap()
}

/// As a checkpoint goes to a file and comes back.
fn stored(checkpoint: &Checkpoint) -> Checkpoint {
    serde_json::from_str(&serde_json::to_string(checkpoint).unwrap()).unwrap()
}

// ---- What a stream is

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

// ---- When it asks

#[test]
fn a_stream_that_is_not_polled_asks_for_nothing() {
    let numbers = Numbers::new(4, 2);
    drop(numbers.records());
    drop(numbers.read().window(8).pages());
    assert_eq!(numbers.requests(), 0);
}

#[test]
fn with_a_window_of_one_the_next_page_is_asked_for_when_this_one_is_used_up() {
    let numbers = Numbers::new(4, 2);
    let mut records = numbers.records();
    item(&mut records);
    item(&mut records);
    assert_eq!(numbers.requests(), 1);
    item(&mut records);
    assert_eq!(numbers.requests(), 2);
}

#[test]
fn with_a_window_of_two_the_next_page_is_on_its_way_before_the_first_record_is_out() {
    let numbers = Numbers::new(4, 2);
    let mut records = numbers.read().window(2).records();
    assert_eq!(item(&mut records).unwrap().unwrap(), 0);
    assert_eq!(numbers.requests(), 2);
}

#[test]
fn an_empty_page_that_leads_on_is_not_the_end() {
    let pages = from_fn(0, |at: u64| async move {
        let records = if at == 3 { vec![at] } else { vec![] };
        Ok(Page::new(records, (at < 5).then_some(at + 1)))
    });
    assert_eq!(all(pages.records()), [3]);
    assert_eq!(all(pages.pages()).len(), 6, "a page is an item, an empty one too");
}

#[test]
fn a_window_keeps_that_many_requests_in_flight_and_hands_out_in_their_order() {
    let gated = Gated::new(15);
    let mut records = gated.read().window(3).records();
    assert!(poll(&mut records).is_pending());
    assert_eq!(gated.in_flight(), [0]);
    gated.open(0, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 0);
    assert_eq!(gated.in_flight(), [1, 2], "the page being handed out has a place in the window");
    assert!(poll(&mut records).is_pending());
    assert_eq!(gated.in_flight(), [1, 2, 3]);
    gated.open(3, Ok(()));
    gated.open(2, Ok(()));
    assert!(poll(&mut records).is_pending(), "their turn has not come");
    gated.open(1, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    assert_eq!(item(&mut records).unwrap().unwrap(), 2);
    assert_eq!(item(&mut records).unwrap().unwrap(), 3);
    assert_eq!(gated.in_flight(), [4, 5]);
}

#[test]
fn a_late_response_does_not_stop_the_others_until_four_windows_are_held() {
    let gated = Gated::new(30);
    let mut records = gated.read().window(3).records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    item(&mut records);
    for held in 2..=12 {
        assert!(poll(&mut records).is_pending(), "the first one is late");
        assert!(gated.in_flight().contains(&held));
        gated.open(held, Ok(()));
    }
    assert!(poll(&mut records).is_pending());
    assert_eq!(gated.in_flight(), [1], "no more pages are held than four windows");
    gated.open(1, Ok(()));
    for expected in 1..=12 {
        assert_eq!(item(&mut records).unwrap().unwrap(), expected);
    }
}

#[test]
fn max_pages_asks_for_no_page_beyond_them_though_one_is_late() {
    let gated = Gated::new(30);
    let mut records = gated.read().window(3).max_pages(4).records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    item(&mut records);
    for held in [2, 3] {
        assert!(poll(&mut records).is_pending(), "the first one is late");
        gated.open(held, Ok(()));
    }
    assert!(poll(&mut records).is_pending());
    assert_eq!(gated.in_flight(), [1]);
    gated.open(1, Ok(()));
    assert!(all(records).into_iter().eq(1..=3));
    assert!(gated.in_flight().is_empty());
}

#[test]
fn a_slow_consumer_is_no_reason_to_hold_more_pages_than_the_window() {
    let gated = Gated::new(30);
    let mut records = gated.read().window(3).records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 0);
    gated.open(1, Ok(()));
    gated.open(2, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    assert_eq!(gated.in_flight(), [3], "one is handed out, one is held, one is on its way");
}

#[test]
fn unordered_pages_are_handed_out_as_they_come_and_the_rest_is_resumed() {
    let gated = Gated::new(5);
    let mut records = gated.read().window(3).unordered().records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 0);
    assert!(poll(&mut records).is_pending());
    gated.open(3, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 3, "the others are late");
    let checkpoint = records.checkpoint().unwrap();
    drop(records);
    let mut rest = gated.read().resume(stored(&checkpoint)).records();
    for expected in [1, 2, 4, 5] {
        assert!(poll(&mut rest).is_pending());
        gated.open(expected, Ok(()));
        assert_eq!(item(&mut rest).unwrap().unwrap(), expected);
    }
    assert!(item(&mut rest).is_none());
}

#[test]
fn dropping_next_before_it_is_ready_loses_nothing() {
    let gated = Gated::new(1);
    let mut records = gated.records();
    assert!(records.next().now_or_never().is_none());
    assert!(records.next().now_or_never().is_none());
    assert_eq!(gated.in_flight(), [0], "the request goes on, and is not made again");
    gated.open(0, Ok(()));
    assert_eq!(records.next().now_or_never().unwrap().unwrap().unwrap(), 0);
    assert!(records.next().now_or_never().is_none());
    gated.open(1, Ok(()));
    assert_eq!(records.next().now_or_never().unwrap().unwrap().unwrap(), 1);
    assert!(records.next().now_or_never().unwrap().is_none());
}

#[test]
fn dropping_the_stream_drops_its_requests() {
    let gated = Gated::new(2);
    let mut records = gated.read().window(3).records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    item(&mut records);
    assert_eq!(gated.in_flight(), [1, 2]);
    drop(records);
    assert!(gated.in_flight().is_empty());
}

// ---- The end, and errors

#[test]
fn after_the_end_it_yields_none_for_ever_and_asks_for_nothing() {
    let numbers = Numbers::new(2, 2);
    let mut records = numbers.records();
    item(&mut records);
    item(&mut records);
    for _ in 0..3 {
        assert!(item(&mut records).is_none());
    }
    assert_eq!(numbers.requests(), 1);
    assert_eq!(records.monitor().progress().stop, Some(StopReason::End));
}

#[test]
fn a_fatal_error_is_yielded_once_and_then_none_for_ever_without_a_request() {
    let numbers = Numbers { fails_at: Some(2), ..Numbers::new(6, 2) };
    let mut records = numbers.records();
    assert_eq!(item(&mut records).unwrap().unwrap(), 0);
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    assert!(!records.is_terminated());
    let error = item(&mut records).unwrap().unwrap_err();
    assert!(!error.is_partial());
    assert!(records.is_terminated());
    for _ in 0..3 {
        assert!(item(&mut records).is_none());
    }
    assert_eq!(numbers.requests(), 2);
    assert_eq!(records.monitor().progress().stop, Some(StopReason::Failed));
}

#[test]
fn a_fatal_error_names_page_and_cursor_and_carries_the_checkpoint_to_the_rest() {
    let numbers = Numbers { fails_at: Some(3), ..Numbers::new(7, 2) };
    let mut records = numbers.records();
    let mut read = Vec::new();
    let error = loop {
        match item(&mut records).unwrap() {
            Ok(record) => read.push(record),
            Err(error) => break error,
        }
    };
    assert_eq!(read, [0, 1, 2, 3]);
    assert_eq!((error.page(), error.cursor()), (Some(3), Some("4")));
    assert_eq!(
        error.to_string(),
        "the service is busy (status 503), at page 3, cursor 4; to go on from here, resume from \
         the checkpoint of this error"
    );
    let checkpoint = stored(error.checkpoint().unwrap());
    assert_eq!(checkpoint.records(), 4);
    assert_eq!(all(numbers.read().resume(checkpoint).records()), [4, 5, 6]);
}

#[test]
fn an_error_of_a_later_page_waits_for_its_turn_and_nothing_is_sent_meanwhile() {
    let gated = Gated::new(4);
    let mut records = gated.read().window(3).records();
    assert!(poll(&mut records).is_pending());
    gated.open(0, Ok(()));
    item(&mut records);
    gated.open(2, Err(Error::other("broken")));
    assert!(poll(&mut records).is_pending());
    gated.open(1, Ok(()));
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    let error = item(&mut records).unwrap().unwrap_err();
    assert_eq!(error.cursor(), Some("2"));
    assert!(item(&mut records).is_none());
    assert!(gated.in_flight().is_empty(), "the requests behind it were dropped");
    assert_eq!(records.monitor().progress().in_flight, 0);

    // Two to four were never handed out.
    let rest = gated.read().window(9).resume(error.checkpoint().unwrap().clone()).records();
    let mut rest = pin!(rest);
    assert!(poll(&mut rest).is_pending());
    assert_eq!(gated.in_flight(), [2, 3, 4]);
}

#[test]
fn an_error_that_concerns_some_ids_alone_is_yielded_and_the_stream_goes_on() {
    let mut records = HalfFailing.records();
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    assert_eq!(item(&mut records).unwrap().unwrap(), 2);
    for id in ["x", "y"] {
        let error = item(&mut records).unwrap().unwrap_err();
        assert!(error.is_partial());
        assert_eq!(error.ids(), [id]);
        assert_eq!((error.page(), error.cursor()), (Some(1), Some("0")));
        assert!(!records.is_terminated());
    }
    assert_eq!(item(&mut records).unwrap().unwrap(), 3);
    assert!(item(&mut records).is_none());
    let monitor = records.monitor();
    assert_eq!(monitor.failed_ids(), ["x", "y"]);
    assert_eq!(monitor.progress().failures, 2);
}

/// Page 1 leads to page 10, after the pages that are guessed behind it have come. The
/// records say how many of them are held.
struct Jumping(Arc<()>);

#[async_trait]
impl Paginator for Jumping {
    type Record = Arc<()>;
    type Cursor = u64;

    fn start(&self) -> u64 {
        0
    }

    async fn fetch(&self, page: u64) -> Result<Page<Arc<()>, u64>, Error> {
        let mut waits = page == 1;
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if std::mem::take(&mut waits) { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        let next = [(0, 1), (1, 10)].into_iter().find(|(from, _)| *from == page);
        Ok(Page::new(vec![Arc::clone(&self.0)], next.map(|(_, to)| to)))
    }

    fn predict(&self, before: &u64, at: &u64, _: Option<u64>) -> Option<u64> {
        Some(at + (at - before))
    }
}

#[test]
fn a_wrong_guess_that_came_is_let_go_of_as_soon_as_it_is_told() {
    let jumping = Jumping(Arc::default());
    let mut records = pin!(jumping.read().window(4).records());
    let (first, second) = block_on(async { (records.next().await, records.next().await) });
    assert!(first.is_some_and(|it| it.is_ok()) && second.is_some_and(|it| it.is_ok()));
    let discarded = records.monitor().progress().discarded;
    assert!(discarded > 0);
    assert_eq!(Arc::strong_count(&jumping.0), 2, "page 10 is here, and no other");
    assert_eq!(block_on(records.count()), 1);
}

#[test]
fn a_reading_that_is_cut_between_the_errors_of_a_page_gives_each_of_them_once() {
    let name = |item: Result<u64, Error>| match item {
        Ok(record) => record.to_string(),
        Err(error) => error.ids().concat(),
    };
    for cut in 0..=5 {
        let mut begin = HalfFailing.records();
        let before = block_on(begin.by_ref().take(cut).map(name).collect::<Vec<_>>());
        let rest = HalfFailing.read().resume(stored(&begin.checkpoint().unwrap())).records();
        let rest = block_on(rest.map(name).collect::<Vec<_>>());
        assert_eq!([before, rest].concat(), ["1", "2", "x", "y", "3"], "cut after {cut} items");
    }
}

#[test]
fn errors_that_are_set_aside_are_no_items_and_wait_for_the_monitor() {
    let mut records = HalfFailing.read().set_failures_aside().records();
    let monitor = records.monitor();
    assert_eq!(item(&mut records).unwrap().unwrap(), 1);
    assert_eq!(records.size_hint(), (1, None), "the errors are no items");
    assert_eq!(item(&mut records).unwrap().unwrap(), 2);
    assert_eq!(item(&mut records).unwrap().unwrap(), 3);
    assert!(item(&mut records).is_none());
    let ids = monitor.take_failures().into_iter().map(|error| error.ids().to_vec());
    assert!(ids.eq([["x"], ["y"]]));
    assert_eq!(monitor.progress().failures, 2);
    assert!(monitor.take_failures().is_empty(), "they are taken once");
}

#[test]
fn is_terminated_is_true_only_when_the_buffer_is_empty_too() {
    let numbers = Numbers::new(3, 3);
    let mut records = numbers.records();
    for _ in 0..3 {
        assert!(!records.is_terminated());
        item(&mut records);
    }
    assert!(!records.is_terminated(), "it has not said so yet");
    assert!(item(&mut records).is_none());
    assert!(records.is_terminated());
}

#[test]
fn the_size_hint_counts_what_is_here_and_promises_nothing_else() {
    let numbers = Numbers::new(5, 3);
    let mut records = numbers.records();
    assert_eq!(records.size_hint(), (0, None));
    item(&mut records);
    assert_eq!(records.size_hint(), (2, None));
    while item(&mut records).is_some() {}
    assert_eq!(records.size_hint(), (0, Some(0)));
}

#[test]
fn an_error_of_the_paginators_own_comes_back_by_downcast() {
    #[derive(Debug, thiserror::Error)]
    #[error("the quota of {0} is used up")]
    struct Quota(u32);

    let pages = from_fn(0, |_: u64| async { Err::<Page<(), _>, _>(Error::other(Quota(7))) });
    let error = item(&mut pages.into_records()).unwrap().unwrap_err();
    assert_eq!(error.downcast_ref::<Quota>().unwrap().0, 7);
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(!error.to_string().contains("quota"), "the source's text is the source's");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the quota of 7 is used up");
}

#[test]
fn a_paginator_whose_units_do_not_add_up_is_told_so() {
    let pages = from_fn(0, |_: u64| async { Ok(Page::last(vec![1, 2]).with_units(vec![1])) });
    let error = item(&mut pages.into_records()).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
}

// ---- No reading is endless

/// Pages 0 to `length` - 1, and behind them page `back` again.
fn circle(back: u64, length: u64) -> impl Paginator<Record = u64, Cursor = u64> + Clone {
    from_fn(0, move |page: u64| async move {
        Ok(Page::new(vec![page], Some(if page + 1 < length { page + 1 } else { back })))
    })
    .identified_by("a circle")
}

#[test]
fn a_cursor_that_leads_to_itself_is_an_error_before_it_is_asked_for_again() {
    for length in 1..40 {
        let mut records = circle(length - 1, length).into_records();
        for record in 0..length {
            assert_eq!(item(&mut records).unwrap().unwrap(), record);
        }
        let error = item(&mut records).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Loop);
        assert_eq!(error.page(), Some(length + 1));
        assert_eq!(error.cursor(), Some((length - 1).to_string().as_str()));
        assert!(item(&mut records).is_none());
        assert_eq!(records.monitor().progress().requests, length);
    }
}

#[test]
fn a_circle_of_any_length_is_an_error_within_three_times_its_length() {
    for length in [2, 3, 5, 64, 1_000] {
        for window in [1, 4] {
            let mut records = circle(0, length).into_read().window(window).records();
            let most = usize::try_from(3 * length).unwrap();
            let error = (0..=most).find_map(|_| item(&mut records).unwrap().err());
            let error = error.unwrap_or_else(|| panic!("a length of {length} is not found"));
            assert_eq!(error.kind(), ErrorKind::Loop);
        }
    }
}

#[test]
fn a_circle_is_found_over_checkpoints_and_a_resumed_reading_finds_it_again() {
    let paginator = circle(0, 7);
    let mut checkpoint = paginator.records().checkpoint().unwrap();
    for records in 0_u64.. {
        assert!(records <= 3 * 7, "it is never found");
        let mut one = paginator.read().resume(stored(&checkpoint)).records();
        match item(&mut one).unwrap() {
            Ok(_) => checkpoint = one.checkpoint().unwrap(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Loop);
                checkpoint = error.checkpoint().unwrap().clone();
                break;
            }
        }
    }
    let mut again = paginator.read().resume(checkpoint).records();
    assert_eq!(item(&mut again).unwrap().unwrap_err().kind(), ErrorKind::Loop);
    assert_eq!(again.monitor().progress().requests, 0);
}

#[test]
fn a_repeated_cursor_is_the_end_by_choice() {
    let records =
        circle(4, 5).into_read().repeated_cursor(RepeatedCursor::End).max_records(99).records();
    let monitor = records.monitor();
    assert_eq!(all(records), [0, 1, 2, 3, 4]);
    assert_eq!(monitor.progress().stop, Some(StopReason::End));
}

#[test]
fn a_request_that_failed_is_asked_for_again_and_is_no_circle() {
    let numbers = Numbers { fails_at: Some(2), ..Numbers::new(4, 2) };
    let mut records = numbers.records();
    let error = loop {
        if let Err(error) = item(&mut records).unwrap() {
            break error;
        }
    };
    let rest = numbers.read().resume(error.checkpoint().unwrap().clone()).records();
    assert_eq!(all(rest), [2, 3]);
}

#[test]
fn empty_pages_in_a_row_are_followed_up_to_a_limit() {
    // Five empty pages, a record, and many more empty pages.
    let pages = from_fn(0, |page: u64| async move {
        let records = if page == 5 { vec![page] } else { vec![] };
        Ok(Page::new(records, (page < 5_000).then_some(page + 1)))
    });
    let mut records = pages.read().max_empty_pages(5).records();
    assert_eq!(item(&mut records).unwrap().unwrap(), 5);
    let error = item(&mut records).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.page()), (ErrorKind::Loop, Some(12)));
    let mut rest = pages.read().resume(error.checkpoint().unwrap().clone()).records();
    let error = item(&mut rest).unwrap().unwrap_err();
    assert_eq!(error.page(), Some(11 + 1_001), "1,000 by default, counted anew");

    let mut none = pages.read().max_empty_pages(4).records();
    assert_eq!(item(&mut none).unwrap().unwrap_err().page(), Some(5));
}

#[test]
fn a_batch_whose_ids_have_nothing_is_no_empty_page() {
    let batches = from_fn(0, |page: u64| async move {
        Ok(Page::<u64, _>::new(vec![], (page < 9).then_some(page + 1)).with_units(vec![0; 3]))
    });
    assert!(all(batches.read().max_empty_pages(0).records()).is_empty());
}

// ---- Limits

#[test]
fn max_records_stops_in_the_middle_of_a_page_and_the_rest_can_be_resumed() {
    let numbers = Numbers::new(7, 3);
    for limit in 0..=7 {
        let some = numbers.read().max_records(limit).records();
        let monitor = some.monitor();
        assert!(all(some).into_iter().eq(0..limit));
        let stop = if limit == 7 { StopReason::End } else { StopReason::MaxRecords };
        assert_eq!(monitor.progress().stop, Some(stop), "a limit of {limit}");
        let rest = numbers.read().resume(stored(&monitor.checkpoint().unwrap())).records();
        assert!(all(rest).into_iter().eq(limit..7));
    }
}

#[test]
fn max_records_at_the_border_of_a_page_asks_for_no_other() {
    let numbers = Numbers::new(6, 3);
    assert_eq!(all(numbers.read().max_records(3).records()), [0, 1, 2]);
    assert_eq!(numbers.requests(), 1);
}

#[test]
fn max_pages_stops_behind_a_page_and_the_rest_can_be_resumed() {
    let numbers = Numbers::new(7, 3);
    for (limit, records, stop) in [
        (0, 0, StopReason::MaxPages),
        (1, 3, StopReason::MaxPages),
        (2, 6, StopReason::MaxPages),
        (3, 7, StopReason::End),
        (4, 7, StopReason::End),
    ] {
        numbers.log.lock().unwrap().clear();
        let some = numbers.read().window(4).max_pages(limit).records();
        let monitor = some.monitor();
        assert!(all(some).into_iter().eq(0..records));
        assert_eq!(monitor.progress().stop, Some(stop));
        assert_eq!(numbers.requests() as u64, limit.min(3));
        let rest = numbers.read().resume(monitor.checkpoint().unwrap()).records();
        assert!(all(rest).into_iter().eq(records..7));
    }
}

#[test]
fn max_records_counts_what_this_stream_gives_out() {
    let numbers = Numbers::new(7, 3);
    let first = numbers.read().max_records(2).records();
    let monitor = first.monitor();
    all(first);
    let second = numbers.read().resume(monitor.checkpoint().unwrap()).max_records(2).records();
    let monitor = second.monitor();
    assert_eq!(all(second), [2, 3]);
    assert_eq!(monitor.progress().records, 4, "the progress counts the whole reading");
}

#[test]
fn max_records_leaves_the_errors_of_a_page_that_it_cuts_to_the_rest() {
    let some = HalfFailing.into_read().max_records(1).records();
    let monitor = some.monitor();
    assert_eq!(block_on(some.map(|item| item.is_ok()).collect::<Vec<_>>()), [true]);
    let rest = HalfFailing.into_read().resume(monitor.checkpoint().unwrap()).records();
    let rest = block_on(rest.map(Result::ok).collect::<Vec<_>>());
    assert_eq!(rest, [Some(2), None, None, Some(3)]);
}

// ---- Progress and checkpoints

#[test]
fn progress_can_be_read_while_the_stream_is_inside_combinators() {
    let numbers = Numbers::new(10, 3);
    let records = numbers.records();
    let monitor = records.monitor();
    let mut even = records.try_filter(|n| ready(n % 2 == 0)).boxed_local();
    assert_eq!(item(&mut even).unwrap().unwrap(), 0);
    assert_eq!(item(&mut even).unwrap().unwrap(), 2);
    assert_eq!(item(&mut even).unwrap().unwrap(), 4);
    let progress = monitor.progress();
    assert_eq!((progress.records, progress.pages, progress.requests), (5, 2, 2));
    assert_eq!(progress.stop, None);
    drop(even);
    let rest = numbers.read().resume(monitor.checkpoint().unwrap()).records();
    assert_eq!(all(rest), [5, 6, 7, 8, 9], "it can be read when the stream is gone, too");
}

#[test]
fn progress_shows_the_total_in_flight_and_what_was_passed_over() {
    let gated = Gated::new(3);
    let mut records = gated.read().window(4).records();
    assert!(poll(&mut records).is_pending());
    assert_eq!(records.monitor().progress().in_flight, 1);
    gated.open(0, Ok(()));
    item(&mut records);
    assert_eq!(records.monitor().progress().in_flight, 3);

    let pages = from_fn(0_u64, |at| async move {
        let page = Page::new(vec![at], (at < 20).then_some(at + 10));
        Ok(page.with_total(21 + at).with_skipped(if at < 20 { 9 } else { 0 }))
    });
    let records = pages.records();
    let monitor = records.monitor();
    assert_eq!(all(records), [0, 10, 20]);
    assert_eq!(monitor.progress().total, Some(41), "the service's last word");
    assert_eq!(monitor.progress().skipped, 18);
}

#[test]
fn a_checkpoint_of_a_reading_that_ended_reads_nothing_more() {
    let numbers = Numbers::new(3, 3);
    let records = numbers.records();
    let monitor = records.monitor();
    all(records);
    let checkpoint = monitor.checkpoint().unwrap();
    assert!(checkpoint.is_finished());
    assert!(all(numbers.read().resume(checkpoint).records()).is_empty());
    assert_eq!(numbers.requests(), 1);
}

#[test]
fn a_checkpoint_of_another_paginator_is_refused_before_any_request() {
    let checkpoint = Numbers::new(9, 3).records().checkpoint().unwrap();
    let numbers = Numbers::new(8, 3);
    let mut records = numbers.read().resume(checkpoint).records();
    let error = item(&mut records).unwrap().unwrap_err();
    assert!(error.is_checkpoint());
    assert!(error.to_string().contains("the numbers below 9"), "{error}");
    assert!(error.to_string().contains("the numbers below 8"), "{error}");
    assert!(item(&mut records).is_none());
    assert_eq!(numbers.requests(), 0);
}

#[test]
fn a_checkpoint_does_not_depend_on_the_page_size() {
    let some = Numbers::new(10, 4).into_read().max_records(4).records();
    let monitor = some.monitor();
    all(some);
    let rest = Numbers::new(10, 3).into_read().resume(monitor.checkpoint().unwrap()).records();
    assert_eq!(all(rest), [4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_checkpoint_with_a_cursor_of_another_kind_is_refused() {
    let checkpoint = Numbers::new(9, 3).records().checkpoint().unwrap();
    let texts = from_fn(String::new(), |_: String| async { Ok(Page::last(vec![()])) })
        .identified_by("the numbers below 9");
    let error = item(&mut texts.read().resume(checkpoint).records()).unwrap().unwrap_err();
    assert!(error.is_checkpoint());
}

#[test]
fn a_corrupt_checkpoint_and_one_of_a_newer_version_are_refused_with_a_reason() {
    let text = serde_json::to_string(&Numbers::new(9, 3).records().checkpoint().unwrap()).unwrap();
    let refusal = |text: &str| serde_json::from_str::<Checkpoint>(text).unwrap_err().to_string();
    assert!(refusal(&text.replace("\"version\":1", "\"version\":2")).contains("version 2"));
    assert!(refusal(&text.replace("identity", "identify")).contains("identify"));
    for end in 0..text.len() {
        assert!(serde_json::from_str::<Checkpoint>(&text[..end]).is_err());
    }
}

#[test]
fn only_the_units_that_are_left_are_read_again() {
    /// Three ids in one page, with two records each; the first one grows.
    #[derive(Clone, Default)]
    struct Batch(Arc<Mutex<Vec<Vec<u64>>>>);

    #[async_trait]
    impl Paginator for Batch {
        type Record = (u64, u64);
        type Cursor = Vec<u64>;

        fn start(&self) -> Vec<u64> {
            vec![1, 2, 3]
        }

        async fn fetch(&self, ids: Vec<u64>) -> Result<Page<(u64, u64), Vec<u64>>, Error> {
            let mut log = self.0.lock().unwrap();
            log.push(ids.clone());
            let size = |id: &u64| if *id == 1 && log.len() > 1 { 9 } else { 2 };
            let records = ids.iter().flat_map(|id| (0..size(id)).map(move |record| (*id, record)));
            let units = ids.iter().map(|id| usize::try_from(size(id)).unwrap()).collect();
            Ok(Page::last(records.collect()).with_units(units))
        }

        fn narrow(&self, ids: &Vec<u64>, units: &[usize]) -> Vec<u64> {
            units.iter().map(|&unit| ids[unit]).collect()
        }
    }

    let batch = Batch::default();
    let some = batch.read().max_records(3).records();
    let monitor = some.monitor();
    assert_eq!(all(some), [(1, 0), (1, 1), (2, 0)]);
    let rest = batch.read().resume(stored(&monitor.checkpoint().unwrap())).records();
    assert_eq!(all(rest), [(2, 1), (3, 0), (3, 1)]);
    assert_eq!(*batch.0.lock().unwrap(), [vec![1, 2, 3], vec![2, 3]]);
}

#[test]
fn a_page_that_is_read_again_and_has_shrunk_is_an_error_and_the_stream_goes_on() {
    let service = |of: u64| {
        from_fn(0_u64, move |page| async move {
            Ok(if page == 0 { Page::new((0..of).collect(), Some(1)) } else { Page::last(vec![9]) })
        })
        .identified_by("a page that shrinks")
    };
    let some = service(5).into_read().max_records(2).records();
    let monitor = some.monitor();
    assert_eq!(all(some), [0, 1]);
    let mut rest = service(4).into_read().resume(stored(&monitor.checkpoint().unwrap())).records();
    assert_eq!(item(&mut rest).unwrap().unwrap(), 2);
    assert_eq!(item(&mut rest).unwrap().unwrap(), 3);
    let checkpoint = stored(&rest.checkpoint().unwrap());
    let error = item(&mut rest).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.is_partial()), (ErrorKind::Changed, true));
    assert!(error.to_string().contains("holds 4 records and held 5"), "{error}");
    assert_eq!(item(&mut rest).unwrap().unwrap(), 9);
    assert!(item(&mut rest).is_none());

    let mut rest = service(4).into_read().resume(checkpoint).records();
    let error = item(&mut rest).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Changed, "a cut before it does not lose it");
    assert_eq!(item(&mut rest).unwrap().unwrap(), 9);
}

proptest! {
    #[test]
    fn a_reading_cut_at_every_item_and_resumed_from_its_text_has_no_gap_and_no_repeat(
        pages in prop::collection::vec((0..4_u64, 0..3_u64), 1..12), window in 1..5_usize,
        boxed in any::<bool>(),
    ) {
        // Page n holds some records and leads to some pages behind it.
        let pages = Arc::new(pages);
        let first_child = |n: usize| 1 + pages[..n].iter().map(|(_, leads_to)| leads_to).sum::<u64>();
        let children = (0..pages.len()).map(|n| first_child(n)..first_child(n + 1).min(pages.len() as u64));
        let children = Arc::new(children.collect::<Vec<_>>());
        let paginator = from_fn(0_u64, move |n| {
            let (pages, children) = (Arc::clone(&pages), Arc::clone(&children));
            async move {
                let n = usize::try_from(n).unwrap();
                let records = (0..pages[n].0).map(|record| (n, record)).collect();
                Ok(Page::new(records, children[n].clone().filter(|&next| next > n as u64)))
            }
        });
        let paginator = if boxed {
            either(paginator.boxed())
        } else {
            either(paginator)
        };
        let mut whole = all(paginator.read().window(window).records());
        let mut read = Vec::new();
        let mut checkpoint = paginator.records().checkpoint().unwrap();
        loop {
            let read_on = paginator.read().window(window).resume(stored(&checkpoint));
            let mut records = read_on.records();
            let Some(record) = item(&mut records) else { break };
            read.push(record.unwrap());
            checkpoint = records.checkpoint().unwrap();
        }
        if window > 1 {
            // Which branch is asked for first depends on when pages arrive.
            read.sort_unstable();
            whole.sort_unstable();
        }
        prop_assert_eq!(read, whole);
    }
}

/// A paginator as an object that any other can stand for.
fn either<R: Send + 'static>(paginator: impl Paginator<Record = R> + 'static) -> BoxPaginator<R> {
    paginator.boxed()
}

/// Cursors of every kind, in the order in which a service gives them.
const CURSORS: [&str; 6] =
    ["0", r#""0""#, "-1", r#""a/b+c=%3D é\u0000""#, "18446744073709551615", r#""7""#];

#[test]
fn a_cursor_is_a_string_or_a_number_as_it_came_and_an_empty_one_is_the_end() {
    #[derive(serde::Deserialize)]
    struct Answer {
        #[serde(default, deserialize_with = "OpaqueCursor::or_end")]
        next: Option<OpaqueCursor>,
    }

    for end in ["{}", r#"{"next": null}"#, r#"{"next": ""}"#] {
        let asked = Mutex::new(Vec::new());
        let service = from_fn(None, |cursor: Option<OpaqueCursor>| {
            let at = asked.lock().unwrap().len();
            asked.lock().unwrap().push(serde_json::to_string(&cursor).unwrap());
            let body =
                CURSORS.get(at).map_or(end.to_owned(), |next| format!(r#"{{"next": {next}}}"#));
            let Answer { next } = serde_json::from_str(&body).unwrap();
            ready(Ok(Page::new(vec![at], next.map(Some))))
        });
        let mut checkpoint = service.records().checkpoint().unwrap();
        for at in 0..=CURSORS.len() {
            let mut records = service.read().resume(stored(&checkpoint)).records();
            assert_eq!(item(&mut records).unwrap().unwrap(), at);
            checkpoint = records.checkpoint().unwrap();
        }
        assert!(checkpoint.is_finished());
        assert_eq!(asked.lock().unwrap()[0], "null");
        assert_eq!(asked.lock().unwrap()[1..], CURSORS);
    }
}
