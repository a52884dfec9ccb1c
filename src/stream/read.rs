use std::time::Duration;

use super::{
    monitor::{Progress, StopReason},
    on_end::OnEnd,
    on_progress::OnProgress,
    options::{ChangedPage, Options},
    pages::Pages,
    records::Records,
    source::Source,
};
use crate::{
    checkpoint::Checkpoint,
    frontier::{Config, Order},
    repeated_cursor::RepeatedCursor,
    retry::Retry,
};

/// The largest window.
const MAX_WINDOW: usize = 1_024;

/// How many keys are kept for restarts, unless the caller says otherwise.
pub(super) const KNOWN_KEYS: usize = 10_000;

/// How many empty pages in a row are followed, unless the caller says otherwise.
const MAX_EMPTY_PAGES: u64 = 1_000;

/// How to read a paginator: the options of a stream, and then the stream.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{Page, PaginatorExt, StopReason, from_fn};
///
/// # futures::executor::block_on(async {
/// let pages = from_fn(0, |at: u64| async move {
///     Ok(Page::new(vec![at, at + 1], (at < 8).then_some(at + 2)))
/// })
/// .identified_by("the numbers below 10");
///
/// let some = pages.read().max_records(3).records();
/// let monitor = some.monitor();
/// assert_eq!(some.try_collect::<Vec<_>>().await?, [0, 1, 2]);
/// assert_eq!(monitor.progress().stop, Some(StopReason::MaxRecords));
///
/// let remaining = pages.read().resume(monitor.checkpoint()?).records();
/// assert_eq!(remaining.try_collect::<Vec<_>>().await?, [3, 4, 5, 6, 7, 8, 9]);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
///
/// # Spans
///
/// With the feature `tracing`, and for a subscriber that wants them, there are spans with the
/// target `pagestream`:
///
/// | span | level | parent | from | until | fields |
/// |---|---|---|---|---|---|
/// | `reading` | info | what is current where the stream is made | then | the stream ends or is dropped | `pagestream.paginator`: its type. At the end `pagestream.pages`, `pagestream.records`, `pagestream.stop`: the [`StopReason`](crate::StopReason) |
/// | `page` | debug | its `reading` | its first request | it comes | `pagestream.page`: its number from 1, in the order of the first requests. When it has come, `pagestream.records` |
/// | `attempt` | debug | its `page` | a request is sent | its response is here | those below |
///
/// The fields of an attempt are those of OpenTelemetry's conventions for HTTP clients:
///
/// | field | value |
/// |---|---|
/// | `http.request.method` | as `GET`; `otel.name` is the same, and `otel.kind` is `client` |
/// | `url.scheme`, `server.address`, `server.port` | where the request goes |
/// | `url.path` | the path without the secret of the client. A query is in no field |
/// | `http.request.resend_count` | how many attempts its page had before; none at the first |
/// | `http.response.status_code` | the status, if a response came |
/// | `error.type` | the status from 400 on, or the [`ErrorKind`](crate::ErrorKind) in lower case where no response came; `otel.status_code` is `ERROR` then |
///
/// An attempt is a request that [`http`](crate::http) sends: for all paginators of this crate, and
/// for the tokens of OAuth. It includes the time for which it waits for a rate limiter. What a
/// paginator of your own does in `fetch` is in the span of the page. The event of a retry is in the
/// span of its page. The event of a restart is in the span of the reading.
#[derive(Clone, Debug)]
#[must_use = "call `records` or `pages` to make a stream of it"]
pub struct Read<S> {
    source: S,
    config: Config,
    options: Options,
    on_end: OnEnd,
    on_progress: OnProgress,
    checkpoint: Option<Checkpoint>,
}

impl<S: Source> Read<S> {
    pub(crate) fn new(source: S) -> Self {
        let config = Config {
            window: 1,
            order: Order::default(),
            max_pages: None,
            max_requests: None,
            retry: Retry::default(),
            passes_over_unreadable: false,
            repeated_cursor: RepeatedCursor::default(),
        };
        let options = Options {
            max_records: None,
            max_duration: None,
            max_empty_pages: MAX_EMPTY_PAGES,
            changed_page: ChangedPage::default(),
            sets_failures_aside: false,
            known_keys: None,
            restarts: 0,
            checks_total: false,
        };
        let (on_end, on_progress) = (OnEnd::default(), OnProgress::default());
        Self { source, config, options, on_end, on_progress, checkpoint: None }
    }

    /// How many requests may be on their way at once: 1 by default. 0 is taken as 1, and
    /// more than 1,024 as 1,024.
    ///
    /// Several are on their way where a reading branches: where one page leads to several cursors,
    /// as with HubSpot's objects. They also are where the paginator can
    /// [predict](crate::Paginator::predict) its cursors, as with offsets. If only the service knows
    /// the next cursor, a window of 2 or more asks for the next page while you work on this one.
    ///
    /// Pages are delivered in the order of their requests. At most this many pages are in memory.
    /// The page being delivered counts as one, so with a window of 1 the next page is asked for
    /// when this one is used up. There is one exception: while the first response is late, up to
    /// four times as many pages are held, so that the others need not wait for it.
    ///
    /// If the service asks for fewer requests (429), the window is halved. It grows again as pages
    /// come.
    pub fn window(mut self, requests: usize) -> Self {
        self.config.window = requests.clamp(1, MAX_WINDOW);
        self
    }

    /// Delivers pages as they come, so that a late response holds up no other. By
    /// default they come in the order of their requests.
    ///
    /// If each page leads to one next page, they come in their order all the same. Pages come in
    /// another order only where a reading [branches](Self::window).
    pub fn unordered(mut self) -> Self {
        self.config.order = Order::AsTheyArrive;
        self
    }

    /// Ends the stream after this many records in all, in the middle of a page
    /// if need be, and leaves the remaining ones to [`resume`](Read::resume). No limit by
    /// default. The size of a page is set where the paginator is built.
    ///
    /// It counts what this stream delivers, not what an earlier one did.
    pub fn max_records(mut self, records: u64) -> Self {
        self.options.max_records = Some(records);
        self
    }

    /// Ends the stream after this many pages, and leaves the remaining ones to
    /// [`resume`](Read::resume). No limit by default.
    ///
    /// It counts what this stream delivers, not what an earlier one did.
    pub fn max_pages(mut self, pages: u64) -> Self {
        self.config.max_pages = Some(pages);
        self
    }

    /// Ends the stream when it has made this many requests and delivered what they brought. Retries
    /// count too. What remains is left to [`resume`](Read::resume). No limit by default.
    pub fn max_requests(mut self, requests: u64) -> Self {
        self.config.max_requests = Some(requests);
        self
    }

    /// Ends the stream this long after its first poll, and leaves what remains to
    /// [`resume`](Read::resume). No limit by default.
    ///
    /// The page being delivered is still delivered whole. Requests on their way are dropped. A
    /// stream that resumes makes them again.
    pub fn max_duration(mut self, duration: Duration) -> Self {
        self.options.max_duration = Some(duration);
        self
    }

    /// When and how often a page that failed is asked for again: [`Retry::default`] by default.
    /// [`Retry::never`] turns it off.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.config.retry = retry;
        self
    }

    /// Keeps [partial errors](crate::Error::is_partial) out of the stream. They concern some ids or
    /// one record alone. So `try_collect` and `?` end at fatal errors only. Partial errors are
    /// still counted, and [`Monitor::take_failures`](crate::Monitor::take_failures) gives them.
    ///
    /// They are held until you take them, some 600 bytes each. If there may be very many, take
    /// them from time to time. A checkpoint holds each failed id.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use pagestream::{PaginatorExt, hubspot::Associations, testing::HubSpot};
    ///
    /// # futures::executor::block_on(async {
    /// let service = HubSpot::new(1).objects(10).failing(|index| index == 4);
    /// let associations = Associations::builder("deals", "companies")
    ///     .ids(service.ids())
    ///     .token("pat-na1-...")
    ///     .transport(service)
    ///     .build()?;
    ///
    /// let records = associations.read().set_failures_aside().records();
    /// let monitor = records.monitor();
    /// let records: Vec<_> = records.try_collect().await?;
    ///
    /// assert_eq!(records.len(), 18); // nine objects with 2 associations each
    /// let failures = monitor.take_failures();
    /// assert_eq!(failures[0].ids(), ["515690208004"]);
    /// # Ok::<(), pagestream::Error>(()) }).unwrap();
    /// ```
    pub fn set_failures_aside(mut self) -> Self {
        self.options.sets_failures_aside = true;
        self
    }

    /// Goes on behind a record for which the service always fails: it is too large, or each attempt
    /// ends in a timeout or in a gateway's error (502, 503, 504), although it is asked for alone. A
    /// [partial error](crate::Error::is_partial) says where it is. By default the stream ends with
    /// that error.
    ///
    /// Pages by offset and batches of ids are asked for in halves until such a record is alone. If
    /// a page can't be made smaller, its error is fatal all the same. So is the fourth such error
    /// in a row, because then the service is down.
    pub fn pass_over_unreadable(mut self) -> Self {
        self.config.passes_over_unreadable = true;
        self
    }

    /// Leaves out a record whose key is among those of the last `keys` records that were
    /// delivered. By default each record of a page is delivered.
    ///
    /// A record that moves while the list is read may come twice. If the list is sorted by time, a
    /// record that is updated moves to the end. If pages are read by offset, each insertion moves
    /// all records behind it.
    ///
    /// The paginators of this crate give keys. Your own gives them by
    /// [`keyed`](crate::PaginatorExt::keyed). A page without keys is an error. The page of a batch
    /// with [units](crate::Page::with_units) is left as it is.
    ///
    /// [`Progress::repeated`](crate::Progress::repeated) counts what is left out. A page that
    /// brings nothing new counts as an empty page. A checkpoint holds the keys, up to 21
    /// bytes each.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use pagestream::{Page, PaginatorExt, from_fn};
    ///
    /// # futures::executor::block_on(async {
    /// // A record was inserted at the front between the two pages, so "b" comes again.
    /// let letters = from_fn(0, |offset: usize| async move {
    ///     let records = if offset == 0 { vec!["a", "b"] } else { vec!["b", "c"] };
    ///     Ok(Page::new(records, (offset == 0).then_some(2)))
    /// });
    /// let letters = letters.keyed(|letter| *letter);
    /// let letters: Vec<_> = letters.read().deduplicate(1_000).records().try_collect().await?;
    /// assert_eq!(letters, ["a", "b", "c"]);
    /// # Ok::<(), pagestream::Error>(()) }).unwrap();
    /// ```
    pub fn deduplicate(mut self, keys: usize) -> Self {
        self.options.known_keys = Some(keys.max(1));
        self
    }

    /// How often the list may be read again from its start, if a cursor has
    /// [expired](crate::Error::is_expired): never by default.
    ///
    /// A restart leaves out what was delivered. It knows that by the keys of the records. So this
    /// option also [deduplicates](Self::deduplicate), by the last 10,000 keys if you do not say
    /// how many.
    ///
    /// - If fewer records than that were delivered, all keys are known. Then each record that is
    ///   new comes.
    /// - Otherwise the list must keep its order. The reading goes on behind the first record whose
    ///   key is known. If none comes, an error of kind [`Changed`](crate::ErrorKind::Changed) ends
    ///   it.
    /// - A reading that [branches](Self::window), such as nested lists, needs all of its keys.
    /// - A [part](crate::PaginatorExt::split) is never restarted.
    /// - The error of a single record comes again when the record does.
    ///
    /// [`Progress::restarts`](crate::Progress::restarts) counts the restarts. A reading that
    /// resumes from a checkpoint can restart too, if the reading before it had this option or kept
    /// keys.
    pub fn restarts(mut self, restarts: u32) -> Self {
        self.options.restarts = restarts;
        self.options.known_keys.get_or_insert(KNOWN_KEYS);
        self
    }

    /// Checks the total that the service gives. By default a total decides nothing, since many
    /// services only estimate it.
    ///
    /// At the end there is a [partial error](crate::Error::is_partial) if fewer records came than
    /// the total says. There also is one if the total fell while pages were read by offset: then
    /// records were deleted, others moved forward, and some of these may be missing.
    ///
    /// Records that failed or were left out count too. The total of a
    /// [part](crate::PaginatorExt::split) is not checked. Nested lists and chains have no total.
    pub fn check_total(mut self) -> Self {
        self.options.checks_total = true;
        self
    }

    /// How many empty pages in a row are read: 1,000 by default. One more is an error of kind
    /// [`Loop`](crate::ErrorKind::Loop). To go on, resume from it with a higher number. A batch of
    /// ids that have no records does not count as an empty page.
    pub fn max_empty_pages(mut self, pages: u64) -> Self {
        self.options.max_empty_pages = pages;
        self
    }

    /// What it means if a page leads to its own cursor: [`RepeatedCursor::Error`] by default.
    ///
    /// A longer cycle is always an error. If the cursor that comes again is one of the last
    /// 65,536, it is noticed at once. A cycle that is longer, or that began before a checkpoint, is
    /// noticed later: within three times its length, or three times the way into it.
    pub fn repeated_cursor(mut self, meaning: RepeatedCursor) -> Self {
        self.config.repeated_cursor = meaning;
        self
    }

    /// A stream that resumes reads a page again. What to do if this page has changed so much that
    /// it is not known which of its records were delivered: [`ChangedPage::Error`] by default.
    ///
    /// That is rare. Mostly the place is found by the [keys](crate::Page::with_keys) of the
    /// records, even if some were inserted or deleted meanwhile. If one id of a batch has changed,
    /// a partial error of this id says so, whatever this option is.
    pub fn changed_page(mut self, meaning: ChangedPage) -> Self {
        self.options.changed_page = meaning;
        self
    }

    /// Calls this closure once, when the stream has ended, with the reason. If the stream is dropped
    /// before its end, the reason is `None`, also if it was never polled.
    ///
    /// Here you can release what a service holds for a reading: a scroll, a cursor of a database, a
    /// snapshot. The closure can't wait for a request, so spawn the request, or send it to a task
    /// that makes it. A limit ends a stream too: then keep what the next reading needs.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use futures::StreamExt;
    /// use pagestream::{Page, PaginatorExt, StopReason, from_fn};
    ///
    /// # futures::executor::block_on(async {
    /// let (release, released) = mpsc::channel();
    /// let pages = from_fn(0_u64, |at| async move { Ok(Page::new(vec![at], Some(at + 1))) });
    /// let mut records = pages
    ///     .read()
    ///     .on_end(move |reason| match reason {
    ///         Some(StopReason::MaxRecords) => {} // it is resumed later
    ///         _ => release.send("DELETE /scroll/7").unwrap(),
    ///     })
    ///     .records();
    /// records.next().await;
    /// drop(records);
    /// assert_eq!(released.try_recv(), Ok("DELETE /scroll/7"));
    /// # });
    /// ```
    pub fn on_end(mut self, callback: impl Fn(Option<StopReason>) + Send + Sync + 'static) -> Self {
        self.on_end = OnEnd::new(callback);
        self
    }

    /// Calls this closure with the progress: when the delivery of a page begins, at each error, at
    /// each retry, and at the end. To ask at any other time, use
    /// [`Monitor::progress`](crate::Monitor::progress).
    ///
    /// It runs within the poll of the stream, so it should be quick. It may ask a monitor. If it
    /// panics, the stream ends with an error.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use futures::TryStreamExt;
    /// use pagestream::{Page, PaginatorExt, from_fn};
    ///
    /// # futures::executor::block_on(async {
    /// let pages = from_fn(0_u64, |at| async move {
    ///     Ok(Page::new(vec![at, at + 1], (at < 4).then_some(at + 2)).with_total(6))
    /// });
    /// // The channel is the stream of the progress.
    /// let (sender, progress) = mpsc::channel();
    /// let read = pages.read().on_progress(move |progress| {
    ///     let _ = sender.send((progress.pages, progress.records, progress.total));
    /// });
    /// let records: Vec<u64> = read.records().try_collect().await?;
    /// assert_eq!(records.len(), 6);
    /// let total = Some(6);
    /// let expected = [(1, 0, total), (2, 2, total), (3, 4, total), (3, 6, total)];
    /// assert!(progress.try_iter().eq(expected));
    /// # Ok::<(), pagestream::Error>(()) }).unwrap();
    /// ```
    pub fn on_progress(mut self, callback: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = OnProgress::new(callback);
        self
    }

    /// Goes on where another stream of the same paginator stood.
    ///
    /// If the checkpoint is of another paginator, the only item of the stream is an error of kind
    /// [`Checkpoint`](crate::ErrorKind::Checkpoint). No request is made then.
    pub fn resume(mut self, checkpoint: Checkpoint) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }

    /// The stream of records.
    pub fn records(self) -> Records<S> {
        Records::new(self.pages())
    }

    /// The stream of pages.
    pub fn pages(self) -> Pages<S> {
        let Self { source, config, options, on_end, on_progress, checkpoint } = self;
        Pages::new(source, config, options, on_end, on_progress, checkpoint)
    }
}
