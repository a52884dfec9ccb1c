use std::{hash::Hash, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    checkpoint::Checkpoint,
    cursor::to_json,
    erased::{BoxPaginator, Erased},
    error::Error,
    keyed::Keyed,
    map::Map,
    nest::Nest,
    paginator::Paginator,
    stream::{Pages, Read, Records},
};

/// What every paginator can do.
///
/// | to read | a stream that borrows it | a stream that owns it |
/// |---|---|---|
/// | its records | [`records`](Self::records) | [`into_records`](Self::into_records) |
/// | its pages | [`pages`](Self::pages) | [`into_pages`](Self::into_pages) |
/// | with options | [`read`](Self::read) | [`into_read`](Self::into_read) |
///
/// A stream that owns the paginator has no lifetime, so you can return it or spawn it. To keep the
/// paginator too, put it into an [`Arc`] and give away a clone: an `Arc` of a paginator is one.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{Page, PaginatorExt, from_fn};
///
/// # futures::executor::block_on(async {
/// let numbers = from_fn(0_u64, |at| async move {
///     Ok(Page::new(vec![at, at + 1], (at < 8).then_some(at + 2)))
/// });
/// let words = numbers.map(|number| format!("number {number}")).keyed(|word| word.clone());
/// let mut first = words.read().max_records(3).records();
/// while let Some(word) = first.try_next().await? {
///     println!("{word}");
/// }
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
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

    /// Splits the reading into parts that other tasks, processes or machines can read. Each part
    /// is a checkpoint to resume from. There are as many as `parts`, or fewer. Together they read
    /// everything, each record once.
    ///
    /// What can be split is up to the paginator ([`Paginator::split_cursor`]): batches of ids,
    /// such as HubSpot's, by their ids; offsets and page numbers, such as Alloy's, by ranges;
    /// slices of time; chains by their lists; nested lists by their parents. Anything else stays
    /// one part.
    ///
    /// For ranges, `total` is how many records there are, as far as you know. If it is too small,
    /// the last part is long. If it is too large, the last parts are empty; they fail if the
    /// service rejects an offset beyond its records.
    ///
    /// [`Checkpoint::split`] does the same in the middle of a reading.
    ///
    /// ```
    /// use futures::{StreamExt, TryStreamExt, stream};
    /// use pagestream::{PaginatorExt, hubspot::Associations, testing::HubSpot};
    ///
    /// # futures::executor::block_on(async {
    /// let service = HubSpot::new(1).objects(100);
    /// let associations = Associations::builder("deals", "companies")
    ///     .ids(service.ids())
    ///     .token("pat-na1-...")
    ///     .transport(service)
    ///     .build()?;
    ///
    /// // Each part is a serde value: send it to a worker, as JSON for example.
    /// let parts = associations.split(4, None)?;
    /// let read = |part| associations.read().resume(part).records();
    /// let all: Vec<_> = stream::iter(parts).map(read).flatten_unordered(None).try_collect().await?;
    /// assert_eq!(all.len(), 200);
    /// # Ok::<(), pagestream::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`Contract`](crate::ErrorKind::Contract) if a cursor can't be written as JSON, and if the
    /// paginator has no [identity](Paginator::identity).
    fn split(&self, parts: usize, total: impl Into<Option<u64>>) -> Result<Vec<Checkpoint>, Error>
    where
        Self: Sized,
    {
        let start = to_json(&self.start())?;
        Checkpoint::at_start(self.identity(), start).split(self, parts, total)
    }

    /// The same paginator with other records. The closure makes each of them from a record.
    fn map<T, F>(self, record: F) -> Map<Self, F>
    where
        Self: Sized,
        F: Fn(Self::Record) -> T + Send + Sync,
        T: Send,
    {
        Map::new(self, record)
    }

    /// The same paginator, whose records have keys. A key tells a record apart from the others of
    /// its page. The closure makes the key of a record: its id, for example.
    ///
    /// A checkpoint in the middle of a page keeps the keys of a few delivered records. If the page
    /// has changed when it is read again, its remaining records are found by these keys. Without
    /// keys, records are counted ([`Page::with_keys`](crate::Page::with_keys)). The paginators of
    /// this crate have keys already.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use pagestream::{Page, PaginatorExt, from_fn};
    ///
    /// # futures::executor::block_on(async {
    /// let letters = |text: &'static str| {
    ///     from_fn((), move |()| async move { Ok(Page::last(text.chars().collect())) })
    ///         .identified_by("letters")
    ///         .keyed(|letter| *letter)
    /// };
    /// let before = letters("abcde");
    /// let mut records = before.records();
    /// assert_eq!(records.try_next().await?, Some('a'));
    /// assert_eq!(records.try_next().await?, Some('b'));
    ///
    /// // Meanwhile one letter was inserted, and another was deleted.
    /// let after = letters("xbcde");
    /// let remaining = after.read().resume(records.checkpoint()?).records();
    /// assert_eq!(remaining.try_collect::<String>().await?, "cde");
    /// # Ok::<(), pagestream::Error>(()) }).unwrap();
    /// ```
    fn keyed<K, F>(self, key: F) -> Keyed<Self, F>
    where
        Self: Sized,
        F: Fn(&Self::Record) -> K + Send + Sync,
        K: Hash,
    {
        Keyed::new(self, key)
    }

    /// Reads a list for each record of this one, such as the comments of each issue. Here an issue
    /// is a parent, and its comments are the children. The records are the children;
    /// [`with_parents`](Nest::with_parents) gives both.
    ///
    /// It is a paginator too. Its checkpoint holds at most one page of parents, as JSON, and where
    /// each list stands that is being read. With a [window](crate::Read::window), several lists
    /// are read side by side. With one request at a time, the lists come in the order of their
    /// parents. Otherwise the pages come in the order of their requests.
    ///
    /// `name` says what is read of each parent, such as "comments". It is a part of the
    /// [identity](Paginator::identity). `children` makes the list of a parent. For an equal parent
    /// it makes an equal list, in another process too. If it needs only the id of a parent,
    /// [`map`](Self::map) the parents to ids first: then checkpoints are smaller.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use pagestream::{Page, PaginatorExt, from_fn};
    ///
    /// # futures::executor::block_on(async {
    /// let authors = from_fn(0_u64, |_| async { Ok(Page::last(vec!["Ada", "Mary"])) });
    /// let authors = authors.map(str::to_owned);
    /// let books = authors.nest("books", |author: &String| {
    ///     let author = author.clone();
    ///     from_fn(1_u64, move |volume| {
    ///         let page = Page::new(vec![format!("{author} {volume}")], (volume < 2).then_some(2));
    ///         async move { Ok(page) }
    ///     })
    /// });
    /// let books: Vec<String> = books.records().try_collect().await?;
    /// assert_eq!(books, ["Ada 1", "Ada 2", "Mary 1", "Mary 2"]);
    /// # Ok::<(), pagestream::Error>(()) }).unwrap();
    /// ```
    fn nest<F, C>(self, name: impl Into<String>, children: F) -> Nest<Self, F>
    where
        Self: Sized,
        Self::Record: Serialize + DeserializeOwned,
        F: Fn(&Self::Record) -> C + Send + Sync,
        C: Paginator,
    {
        Nest::new(self, name.into(), children)
    }

    /// The same paginator without its type. So paginators of different services fit into one
    /// `Vec`.
    ///
    /// Its cursors are JSON. Its checkpoints are those of the paginator inside.
    fn boxed(self) -> BoxPaginator<Self::Record>
    where
        Self: Sized + 'static,
    {
        Box::new(Erased::new(self))
    }
}

impl<P: Paginator + ?Sized> PaginatorExt for P {}
