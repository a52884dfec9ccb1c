//! The spans of a reading and of its pages. Without the feature `tracing`, and where nobody wants
//! them, they are nothing.
//!
//! A subscriber is the code of a user, so nothing is locked where one is called. A span is entered
//! only while a future is polled, on whatever thread.

#[cfg(feature = "tracing")]
use std::sync::Arc;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

#[cfg(feature = "tracing")]
use rustc_hash::FxHashMap;
#[cfg(feature = "tracing")]
use tracing::{Span, field::Empty, level_filters::LevelFilter};

use super::monitor::{Progress, StopReason};
use crate::frontier::RequestId;
#[cfg(feature = "tracing")]
use crate::send_count::SendCount;

/// The spans of a reading.
pub(super) struct Spans {
    #[cfg(feature = "tracing")]
    reading: Span,
    /// Those of the pages that were asked for and did not come yet, if somebody wants them.
    #[cfg(feature = "tracing")]
    pages: FxHashMap<RequestId, PageSpan>,
    /// How many pages were asked for.
    #[cfg(feature = "tracing")]
    count: u64,
}

/// The span of a page, from its first request until it comes.
#[derive(Clone, Debug)]
pub struct PageSpan {
    #[cfg(feature = "tracing")]
    wanted: Option<Arc<Wanted>>,
}

#[cfg(feature = "tracing")]
#[derive(Debug)]
struct Wanted {
    span: Span,
    sends: SendCount,
}

#[cfg(feature = "tracing")]
impl Spans {
    /// Begins a reading of a paginator of this type.
    // Its identity may hold what a caller took for no secret, and nobody could remove it here.
    pub(super) fn new<P: ?Sized>() -> Self {
        let reading = tracing::info_span!(
            target: "pagestream",
            "reading",
            pagestream.paginator = std::any::type_name::<P>(),
            pagestream.pages = Empty,
            pagestream.records = Empty,
            pagestream.stop = Empty,
        );
        Self { reading, pages: FxHashMap::default(), count: 0 }
    }

    /// The span of a page that is asked for, maybe again.
    #[inline]
    pub(super) fn page(&mut self, id: RequestId) -> PageSpan {
        if self.reading.is_disabled() && LevelFilter::current() < LevelFilter::DEBUG {
            return PageSpan { wanted: None };
        }
        self.wanted_page(id)
    }

    #[cold]
    fn wanted_page(&mut self, id: RequestId) -> PageSpan {
        if let Some(page) = self.pages.get(&id) {
            return page.clone();
        }
        self.count += 1;
        let count = self.count;
        let page = self.reading.in_scope(|| {
            tracing::debug_span!(
                target: "pagestream",
                "page",
                pagestream.page = count,
                pagestream.records = Empty,
            )
        });
        let span = if page.is_disabled() { &self.reading } else { &page };
        if span.is_disabled() {
            return PageSpan { wanted: None };
        }
        let wanted = Wanted { span: span.clone(), sends: SendCount::default() };
        let page = PageSpan { wanted: Some(Arc::new(wanted)) };
        self.pages.insert(id, page.clone());
        page
    }

    /// A page came, with this many records.
    #[inline]
    pub(super) fn page_came(&mut self, id: RequestId, records: usize) {
        if !self.pages.is_empty() {
            self.wanted_page_came(id, records);
        }
    }

    #[cold]
    fn wanted_page_came(&mut self, id: RequestId, records: usize) {
        // Where nobody wants spans of pages, it is that of the reading.
        if let Some(page) = self.pages.remove(&id).and_then(|page| page.wanted)
            && page.span.id() != self.reading.id()
        {
            page.span.record("pagestream.records", records);
        }
    }

    /// Nobody waits for a page any more.
    pub(super) fn forget(&mut self, id: RequestId) {
        self.pages.remove(&id);
    }

    /// Nobody waits for any page.
    pub(super) fn forget_all(&mut self) {
        self.pages.clear();
    }

    /// Runs `f` in the span of a page.
    pub(super) fn in_page<T>(&self, id: RequestId, f: impl FnOnce() -> T) -> T {
        match self.pages.get(&id) {
            Some(page) => page.run(f),
            None => self.reading.in_scope(f),
        }
    }

    /// Runs `f` in the span of the reading.
    pub(super) fn in_reading<T>(&self, f: impl FnOnce() -> T) -> T {
        self.reading.in_scope(f)
    }

    /// The reading has ended.
    pub(super) fn end(&mut self, reason: StopReason, progress: impl FnOnce() -> Progress) {
        self.forget_all();
        let reading = std::mem::replace(&mut self.reading, Span::none());
        if !reading.is_disabled() {
            let Progress { pages, records, .. } = progress();
            reading.record("pagestream.pages", pages);
            reading.record("pagestream.records", records);
            reading.record("pagestream.stop", tracing::field::debug(reason));
        }
    }
}

#[cfg(not(feature = "tracing"))]
impl Spans {
    pub(super) fn new<P: ?Sized>() -> Self {
        Self {}
    }

    #[inline]
    pub(super) fn page(&mut self, _: RequestId) -> PageSpan {
        PageSpan {}
    }

    #[inline]
    pub(super) fn page_came(&mut self, _: RequestId, _: usize) {}

    pub(super) fn forget(&mut self, _: RequestId) {}

    pub(super) fn forget_all(&mut self) {}

    pub(super) fn in_page<T>(&self, _: RequestId, f: impl FnOnce() -> T) -> T {
        f()
    }

    pub(super) fn in_reading<T>(&self, f: impl FnOnce() -> T) -> T {
        f()
    }

    pub(super) fn end(&mut self, _: StopReason, _: impl FnOnce() -> Progress) {}
}

impl PageSpan {
    /// Whether nobody wants it.
    pub(super) fn is_disabled(&self) -> bool {
        #[cfg(feature = "tracing")]
        return self.wanted.is_none();
        #[cfg(not(feature = "tracing"))]
        true
    }

    /// A future that is polled in the span.
    pub(super) fn around<F: Future>(self, future: F) -> InPage<F> {
        InPage { page: self, future }
    }

    fn run<T>(&self, f: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        if let Some(page) = &self.wanted {
            return page.span.in_scope(|| page.sends.count(f));
        }
        f()
    }
}

/// The future of [`PageSpan::around`].
#[pin_project::pin_project]
pub(super) struct InPage<F> {
    page: PageSpan,
    #[pin]
    future: F,
}

impl<F: Future> Future for InPage<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let future = this.future;
        this.page.run(|| future.poll(cx))
    }
}
