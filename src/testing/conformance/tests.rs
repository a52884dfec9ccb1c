//! No paginator can break what the streams promise by themselves. So these streams
//! lie, to show that the driver notices it.

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    executor::block_on,
    stream::{FusedStream, Stream, TryStreamExt},
};

use super::{
    reading::{Drive, Reading, Until, drive},
    violation::{Rule, Violation},
};
use crate::{
    error::{Error, ErrorKind},
    ext::PaginatorExt,
    from_fn::from_fn,
    page::Page,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    /// It gives a record after its end.
    Undead,
    /// It requests a page after its end.
    Restless,
    NeverTerminated,
    TerminatedAtOnce,
    /// It gives a record after a fatal error.
    Unharmed,
    /// It gives a record that its monitor does not know.
    Uncounted,
    AtLeast(usize),
    AtMost(usize),
    /// It ends when half of it is read.
    HalfTheWay,
}

struct Liar<'a, S> {
    stream: S,
    lie: Lie,
    given: usize,
    is_over: bool,
    fetches: &'a AtomicUsize,
}

impl<S: FusedStream<Item = Result<[u32; 1], Error>> + Unpin> Stream for Liar<'_, S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.given += 1;
        match (self.lie, self.given) {
            (Lie::Uncounted, 1) => return Poll::Ready(Some(Ok([0]))),
            (Lie::Unharmed, 1) => {
                return Poll::Ready(Some(Err(Error::new(ErrorKind::Other, "a fatal error"))));
            }
            (Lie::HalfTheWay, 5..) => return Poll::Ready(None),
            _ => {}
        }
        match self.lie {
            Lie::Undead if self.is_over => return Poll::Ready(Some(Ok([0]))),
            Lie::Restless if self.is_over => {
                self.fetches.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
        let item = Pin::new(&mut self.stream).poll_next(cx);
        self.is_over |= matches!(item, Poll::Ready(None));
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self.lie {
            Lie::AtLeast(items) => (items, None),
            Lie::AtMost(items) => (0, Some(items)),
            _ => self.stream.size_hint(),
        }
    }
}

impl<S: FusedStream<Item = Result<[u32; 1], Error>> + Unpin> FusedStream for Liar<'_, S> {
    fn is_terminated(&self) -> bool {
        match self.lie {
            Lie::NeverTerminated => false,
            Lie::TerminatedAtOnce => true,
            Lie::HalfTheWay => self.given >= 5,
            _ => self.stream.is_terminated(),
        }
    }
}

/// Reads the numbers from 0 to 5, two to a page, by a stream that lies.
fn read(lie: Lie, until: Until) -> Result<Reading<u32>, Violation> {
    let numbers = from_fn(0, |from: u32| async move {
        Ok(Page::new(vec![from, from + 1], (from < 4).then_some(from + 2)))
    })
    .identified_by("numbers");
    let fetches = AtomicUsize::new(0);
    let records = numbers.records();
    let monitor = records.monitor();
    let stream = records.map_ok(|record| [record]);
    let liar = Liar { stream, lie, given: 0, is_over: false, fetches: &fetches };
    let driving = Drive {
        until,
        marks: BTreeSet::from([0, 3]),
        drops_next: false,
        timeout: Duration::from_secs(30),
        most_records: 1_000,
    };
    block_on(drive(liar, &monitor, || fetches.load(Ordering::Relaxed), &driving))
}

#[test]
fn a_stream_that_does_not_lie_is_read_whole() {
    let reading = read(Lie::None, Until::End).unwrap();
    assert_eq!(reading.records, [0, 1, 2, 3, 4, 5]);
    assert_eq!(reading.marks.iter().map(|mark| mark.records).collect::<Vec<_>>(), [0, 3]);
    assert!(reading.checkpoint.is_finished());

    let reading = read(Lie::None, Until::Items(4)).unwrap();
    assert_eq!(reading.records, [0, 1, 2, 3]);
    assert_eq!(reading.progress.stop, None);
}

#[test]
fn each_lie_of_a_stream_is_told() {
    for (lie, rule, part) in [
        (Lie::Undead, Rule::Ended, "it gave `None`, and then no `None`"),
        (Lie::Restless, Rule::Ended, "it gave `None`, and then made 3 requests"),
        (Lie::NeverTerminated, Rule::Ended, "does not say that it is terminated"),
        (Lie::TerminatedAtOnce, Rule::Ended, "after it reported its end, after 0 records"),
        (Lie::Unharmed, Rule::Ended, "something came after a fatal error, after 0 records"),
        (Lie::Uncounted, Rule::Count, "1 records came after 0, and 0 are counted"),
        (Lie::AtLeast(7), Rule::SizeHint, "6 items came, and the hints promised at least 13"),
        (Lie::AtMost(1), Rule::SizeHint, "6 items came, and the hints promised at most 1"),
        (Lie::HalfTheWay, Rule::Ended, "it ended, and the reason given is None"),
    ] {
        let violation = read(lie, Until::End).unwrap_err();
        assert_eq!(violation.rule(), rule, "{lie:?}: {violation}");
        assert!(violation.to_string().contains(part), "{part:?} in {violation:?}");
    }
}

#[test]
fn a_check_may_be_sent_to_another_thread() {
    fn sent<T: Send>(check: T) -> T {
        check
    }
    let build =
        || from_fn(0, |_: u32| async { Ok(Page::last(vec![0_u32, 1])) }).identified_by("two");
    block_on(sent(super::check(build, vec![0, 1]))).unwrap();
}
