use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};

use super::{
    spans::PageSpan,
    spawn::{detach, spawn},
};
use crate::{error::Error, page::Page, paginator::Paginator};
pub(super) use sealed::Counter;

/// What a request brings: the page, or what went wrong.
pub(super) type Fetched<P> =
    Result<Page<<P as Paginator>::Record, <P as Paginator>::Cursor>, Error>;

/// How a stream holds its paginator: `&P`, or [`Arc<P>`] where the stream
/// outlives the code that made it.
///
/// A stream holds the requests in flight next to the paginator that makes them,
/// so each request has a hold of its own on it. The trait is sealed.
///
/// With an `Arc`, and so with [`into_read`](crate::PaginatorExt::into_read), the
/// requests of a [window](crate::Read::window) of 2 or more run on tokio's runtime, if
/// it has several threads: they go on, and their pages are decoded, while the consumer
/// is busy. With `&P` they go on when the stream is polled; what the HTTP client does by
/// itself goes on all the same. At the end, requests beyond it that were speculative are
/// detached: they come to their end on the runtime, which keeps their connections. With
/// `&P` they are dropped.
pub trait Source: sealed::Sealed + Clone {
    /// The paginator that is held.
    type Paginator: Paginator + ?Sized;

    /// A request in flight.
    #[doc(hidden)]
    type Fetch: Future<Output = Fetched<Self::Paginator>> + Send + Unpin;

    #[doc(hidden)]
    fn paginator(&self) -> &Self::Paginator;

    /// A request for a cursor, in the span of its page. It is spawned where it can be, if a
    /// counter is given, which then counts what waits in it.
    #[doc(hidden)]
    fn request(
        &self,
        cursor: <Self::Paginator as Paginator>::Cursor,
        page: PageSpan,
        spawn: Option<&Counter>,
    ) -> Self::Fetch;

    /// Detaches a request that nobody needs.
    #[doc(hidden)]
    fn detach(request: Self::Fetch);
}

mod sealed {
    use crate::waiting_count::WaitingCounter;

    pub trait Sealed {}

    /// It counts the requests that wait for a rate limiter.
    #[derive(Debug)]
    pub struct Counter(pub(crate) WaitingCounter);

    impl<P: ?Sized> Sealed for &P {}
    impl<P: ?Sized> Sealed for std::sync::Arc<P> {}
}

impl<'a, P: Paginator + ?Sized> Source for &'a P {
    type Paginator = P;
    type Fetch = BoxFuture<'a, Fetched<P>>;

    fn paginator(&self) -> &P {
        self
    }

    fn request(&self, cursor: P::Cursor, page: PageSpan, _: Option<&Counter>) -> Self::Fetch {
        let paginator: &'a P = self;
        let request = paginator.fetch(cursor);
        // No box around the box that it is, unless somebody looks.
        if page.is_disabled() { request } else { page.around(request).boxed() }
    }

    fn detach(request: Self::Fetch) {
        drop(request);
    }
}

impl<P: Paginator + ?Sized + 'static> Source for Arc<P> {
    type Paginator = P;
    type Fetch = BoxFuture<'static, Fetched<P>>;

    fn paginator(&self) -> &P {
        self
    }

    fn request(&self, cursor: P::Cursor, page: PageSpan, spawned: Option<&Counter>) -> Self::Fetch {
        let paginator = Self::clone(self);
        let Some(Counter(counter)) = spawned else {
            return async move { page.around(paginator.fetch(cursor)).await }.boxed();
        };
        let request = move || {
            let (paginator, cursor) = (Self::clone(&paginator), cursor.clone());
            let page = page.clone();
            async move { page.around(paginator.fetch(cursor)).await }.boxed()
        };
        spawn(request, counter)
    }

    fn detach(request: Self::Fetch) {
        detach(request);
    }
}
