use std::sync::Arc;

use crate::{
    erased::{BoxPaginator, Erased},
    map::Map,
    paginator::Paginator,
    stream::{Pages, Read, Records},
};

/// What every paginator can do.
///
/// | to read | borrowing it | taking it |
/// |---|---|---|
/// | its records | [`records`](Self::records) | [`into_records`](Self::into_records) |
/// | its pages | [`pages`](Self::pages) | [`into_pages`](Self::into_pages) |
/// | with options | [`read`](Self::read) | [`into_read`](Self::into_read) |
///
/// What takes the paginator gives a stream without a lifetime, to return or to
/// spawn. To keep the paginator too, put it into an [`Arc`] and give away a
/// clone: an `Arc` of a paginator is one.
pub trait PaginatorExt: Paginator {
    /// A stream of all records.
    fn records(&self) -> Records<&Self> {
        self.read().records()
    }

    /// A stream of all pages.
    fn pages(&self) -> Pages<&Self> {
        self.read().pages()
    }

    /// Sets how to read: `paginator.read().window(8).resume(checkpoint).records()`.
    fn read(&self) -> Read<&Self> {
        Read::new(self)
    }

    /// A stream of all records that owns the paginator.
    fn into_records(self) -> Records<Arc<Self>>
    where
        Self: Sized + 'static,
    {
        self.into_read().records()
    }

    /// A stream of all pages that owns the paginator.
    fn into_pages(self) -> Pages<Arc<Self>>
    where
        Self: Sized + 'static,
    {
        self.into_read().pages()
    }

    /// Sets how to read, for a stream that owns the paginator.
    fn into_read(self) -> Read<Arc<Self>>
    where
        Self: Sized + 'static,
    {
        Read::new(Arc::new(self))
    }

    /// The same paginator with other records, each made from one of its own.
    fn map<T, F>(self, record: F) -> Map<Self, F>
    where
        Self: Sized,
        F: Fn(Self::Record) -> T + Send + Sync,
        T: Send,
    {
        Map::new(self, record)
    }

    /// The same paginator without its type, so that paginators of different
    /// services stand in one `Vec`.
    ///
    /// Its cursors are JSON, and its checkpoints those of the paginator inside.
    fn boxed(self) -> BoxPaginator<Self::Record>
    where
        Self: Sized + 'static,
    {
        Box::new(Erased::new(self))
    }
}

impl<P: Paginator + ?Sized> PaginatorExt for P {}
