use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::stream::{FuturesUnordered, Stream};

use crate::frontier::RequestId;

/// The requests on their way. One that is alone is polled where it stands, which
/// is what most readings need; more of them are woken each by itself.
pub(super) struct InFlight<F> {
    alone: Option<Numbered<F>>,
    crowd: FuturesUnordered<Numbered<F>>,
}

/// A request with its number.
struct Numbered<F> {
    id: RequestId,
    request: F,
}

impl<F: Future + Unpin> Future for Numbered<F> {
    type Output = (RequestId, F::Output);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let output = Pin::new(&mut self.request).poll(cx);
        output.map(|output| (self.id, output))
    }
}

impl<F: Future + Unpin> InFlight<F> {
    pub(super) fn new() -> Self {
        Self { alone: None, crowd: FuturesUnordered::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, id: RequestId, request: F) {
        let request = Numbered { id, request };
        if self.is_empty() {
            self.alone = Some(request);
        } else {
            self.push_to_crowd(request);
        }
    }

    // Not a part of what a request that is alone takes.
    #[inline(never)]
    fn push_to_crowd(&mut self, request: Numbered<F>) {
        self.crowd.push(request);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.alone.is_none() && self.crowd.is_empty()
    }

    /// What one of them brought; pending also where there are none.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(RequestId, F::Output)> {
        if let Some(Numbered { id, request }) = &mut self.alone
            && let Poll::Ready(output) = Pin::new(request).poll(cx)
        {
            let id = *id;
            self.alone = None;
            return Poll::Ready((id, output));
        }
        if !self.crowd.is_empty()
            && let Poll::Ready(Some(output)) = Pin::new(&mut self.crowd).poll_next(cx)
        {
            return Poll::Ready(output);
        }
        Poll::Pending
    }

    /// Takes each of them out.
    pub(super) fn take(&mut self) -> impl Iterator<Item = F> + use<F> {
        let crowd = std::mem::take(&mut self.crowd);
        self.alone.take().into_iter().chain(crowd).map(|numbered| numbered.request)
    }
}
