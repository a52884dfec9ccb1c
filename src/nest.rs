use std::{
    collections::VecDeque,
    fmt::{self, Debug, Formatter},
    marker::PhantomData,
    sync::Arc,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, ErrorKind},
    keys::key,
    pack_front::pack_front,
    page::Page,
    paginator::Paginator,
};

/// How many characters of a parent an error names, where it has no id of its own.
const SHOWN_PARENT: usize = 120;

/// A list for each record of another list:
/// [`PaginatorExt::nest`](crate::PaginatorExt::nest).
///
/// # Errors
///
/// - A child list that ends with status 404 fails alone, since its parent was deleted meanwhile,
///   and so does one that begins with 410: a [partial error](Error::is_partial) names the parent
///   ([`failing_alone`](Self::failing_alone), [`named_by`](Self::named_by)). Any other error of a
///   list is fatal; so is a 410 behind the first page, which tells of a cursor that has expired.
/// - A parent that comes twice in one stream, and has not changed, is a
///   [`Loop`](ErrorKind::Loop), because its children would come twice.
///
/// # Parents that move
///
/// A parent that has changed and comes again has its children read again, and so has one that
/// came before a checkpoint. [`deduplicate`](crate::Read::deduplicate) leaves those children out
/// that have keys, if [`named_by`](Self::named_by) says what stays the same of a parent. With
/// parents in the stream, a parent that is inserted between a cut within a page of parents and
/// the resumption may come without its children.
#[must_use = "a paginator does nothing until it is read"]
pub struct Nest<P: Paginator, F, R = ChildrenAlone> {
    parents: P,
    children: F,
    name: String,
    parent_id: Option<Arc<ParentId<P::Record>>>,
    fails_alone: Arc<FailsAlone>,
    records: PhantomData<fn() -> R>,
}

type ParentId<R> = dyn Fn(&R) -> String + Send + Sync;
type FailsAlone = dyn Fn(&Error) -> bool + Send + Sync;

/// Where a nested reading goes on: in the list of parents, or in the children of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NestCursor<P, C> {
    /// In the list of parents.
    Parents(P),
    /// In the list of one parent's children.
    Children {
        /// The parent, as JSON.
        parent: String,
        /// The cursor of its list; absent at the beginning.
        #[serde(default = "none", skip_serializing_if = "Option::is_none")]
        at: Option<C>,
        /// Whether a page of the list led here.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        goes_on: bool,
    },
}

fn none<T>() -> Option<T> {
    None
}

/// A record of a reading that has both levels: [`Nest::with_parents`].
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{Nested, Page, PaginatorExt, from_fn};
///
/// # futures::executor::block_on(async {
/// let authors = from_fn(0_u64, |_| async { Ok(Page::last(vec!["Ada".to_owned()])) });
/// let books = authors.nest("books", |author: &String| {
///     let book = format!("a book of {author}");
///     from_fn(0_u64, move |_| {
///         let page = Page::last(vec![book.clone()]);
///         async move { Ok(page) }
///     })
/// });
/// let mut records = books.with_parents().into_records();
/// while let Some(record) = records.try_next().await? {
///     match record {
///         Nested::Parent(author) => assert_eq!(author, "Ada"),
///         Nested::Child(book) => assert_eq!(book, "a book of Ada"),
///     }
/// }
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nested<P, C> {
    /// A record of the outer list. Its children come behind it.
    Parent(P),
    /// A record of the list of one parent.
    Child(C),
}

/// What records a nested reading gives.
pub trait NestedRecords<P, C>: sealed::Sealed {
    /// The record type.
    type Record: Send;

    /// The record that a parent becomes, if it becomes one.
    fn parent(parent: P) -> Option<Self::Record>;

    /// The record that a child becomes.
    fn child(child: C) -> Self::Record;
}

/// The children are the records.
#[derive(Clone, Copy, Debug)]
pub struct ChildrenAlone;

/// The parents are records too: [`Nested`].
#[derive(Clone, Copy, Debug)]
pub struct ParentsToo;

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::ChildrenAlone {}
    impl Sealed for super::ParentsToo {}
}

impl<P, C: Send> NestedRecords<P, C> for ChildrenAlone {
    type Record = C;

    fn parent(_: P) -> Option<C> {
        None
    }

    fn child(child: C) -> C {
        child
    }
}

impl<P: Send, C: Send> NestedRecords<P, C> for ParentsToo {
    type Record = Nested<P, C>;

    fn parent(parent: P) -> Option<Self::Record> {
        Some(Nested::Parent(parent))
    }

    fn child(child: C) -> Self::Record {
        Nested::Child(child)
    }
}

impl<P: Paginator, F> Nest<P, F> {
    pub(crate) fn new(parents: P, name: String, children: F) -> Self {
        Self {
            parents,
            children,
            name,
            parent_id: None,
            fails_alone: Arc::new(|error| matches!(error.status(), Some(404 | 410))),
            records: PhantomData,
        }
    }

    /// Gives the parents too, each before its children: the records are [`Nested`].
    pub fn with_parents(self) -> Nest<P, F, ParentsToo> {
        let Self { parents, children, name, parent_id, fails_alone, .. } = self;
        Nest { parents, children, name, parent_id, fails_alone, records: PhantomData }
    }
}

impl<P: Paginator, F, R> Nest<P, F, R> {
    /// What an error names of a parent whose list fails: [`Error::ids`]. It also tells the
    /// children of one parent from those of another, where keys of records count
    /// ([`deduplicate`](crate::Read::deduplicate), [`restarts`](crate::Read::restarts)), so it
    /// should stay the same when a parent changes. By default a parent that is a text or a number
    /// is its own id. Of any other, errors show the first 120 characters of its JSON, and all of
    /// the JSON tells its children apart.
    pub fn named_by(mut self, id: impl Fn(&P::Record) -> String + Send + Sync + 'static) -> Self {
        self.parent_id = Some(Arc::new(id));
        self
    }

    /// Which errors of a child list concern its parent alone: those with status 404, and 410 for
    /// its first page, by default. A cursor that has expired behind the first page never does. An error that is [retryable](Error::is_retryable) is tried again first, and is
    /// fatal then.
    pub fn failing_alone(
        mut self,
        concerns_parent: impl Fn(&Error) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.fails_alone = Arc::new(concerns_parent);
        self
    }

    fn child<C>(&self, parent: &str) -> Result<(P::Record, C), Error>
    where
        F: Fn(&P::Record) -> C,
        P::Record: DeserializeOwned,
    {
        let parent = serde_json::from_str(parent).map_err(|error| {
            let message = "the cursor holds another parent than this paginator reads: a record \
                           type that changed, or one that does not come back from JSON";
            Error::new(ErrorKind::Contract, message).with_source(error)
        })?;
        let child = (self.children)(&parent);
        Ok((parent, child))
    }

    fn id_of(&self, parent: &P::Record, json: &str) -> String {
        if let Some(id) = &self.parent_id {
            return id(parent);
        }
        match serde_json::from_str(json) {
            Ok(serde_json::Value::String(text)) => text,
            _ => json.chars().take(SHOWN_PARENT).collect(),
        }
    }
}

#[async_trait]
impl<P, F, C, R> Paginator for Nest<P, F, R>
where
    P: Paginator,
    P::Record: Serialize + DeserializeOwned,
    F: Fn(&P::Record) -> C + Send + Sync,
    C: Paginator,
    R: NestedRecords<P::Record, C::Record> + 'static,
{
    type Record = R::Record;
    type Cursor = NestCursor<P::Cursor, C::Cursor>;

    fn start(&self) -> Self::Cursor {
        NestCursor::Parents(self.parents.start())
    }

    async fn fetch(&self, cursor: Self::Cursor) -> Result<Page<R::Record, Self::Cursor>, Error> {
        let (parent, at, goes_on) = match cursor {
            NestCursor::Parents(at) => {
                return parents_page::<_, _, R, C>(self.parents.fetch(at).await?);
            }
            NestCursor::Children { parent, at, goes_on } => (parent, at, goes_on),
        };
        let (child, mark) = {
            let (record, child) = self.child(&parent)?;
            (child, self.parent_id.as_ref().map_or_else(|| key(&parent), |id| key(&id(&record))))
        };
        let at = at.unwrap_or_else(|| child.start());
        match child.fetch(at).await {
            Ok(page) => {
                let next = |at| within(&parent, at, true);
                let page = page.with_later(None).map_next(next).map(R::child);
                let page = page.without_total().marked_by(mark);
                let is_last = page.next().is_empty();
                Ok(if is_last { page.making_headway() } else { page })
            }
            Err(error)
                if !(error.is_retryable() || goes_on && error.is_expired())
                    && (self.fails_alone)(&error) =>
            {
                let (record, _) = self.child(&parent)?;
                let ids = [self.id_of(&record, &parent)];
                Ok(Page::last(Vec::new()).with_failure(None, error.with_ids(ids)))
            }
            Err(error) => Err(error),
        }
    }

    fn identity(&self) -> String {
        match self.parents.identity() {
            parents if parents.is_empty() => parents,
            parents => format!("{} of each of {parents}", self.name),
        }
    }

    /// The cursors at the front of one list are packed as that list packs them.
    fn pack(&self, waiting: &mut VecDeque<Self::Cursor>, halvings: u32) {
        match waiting.front() {
            Some(NestCursor::Parents(_)) => {
                let of_parents = |cursor| match cursor {
                    NestCursor::Parents(at) => Ok(at),
                    other @ NestCursor::Children { .. } => Err(other),
                };
                let pack = |own: &mut VecDeque<_>| self.parents.pack(own, halvings);
                pack_front(waiting, of_parents, pack, NestCursor::Parents);
            }
            Some(NestCursor::Children { parent, goes_on, .. }) => {
                let (parent, is_next) = (parent.clone(), *goes_on);
                let Ok((_, child)) = self.child(&parent) else { return };
                let of_child = |cursor| match cursor {
                    NestCursor::Children { parent: of, at, goes_on }
                        if of == parent && goes_on == is_next =>
                    {
                        Ok(at.unwrap_or_else(|| child.start()))
                    }
                    other => Err(other),
                };
                let pack = |own: &mut VecDeque<_>| child.pack(own, halvings);
                pack_front(waiting, of_child, pack, |at| within(&parent, at, is_next));
            }
            None => {}
        }
    }

    fn narrow(&self, cursor: &Self::Cursor, units: &[usize]) -> Self::Cursor {
        match cursor {
            NestCursor::Parents(at) => NestCursor::Parents(self.parents.narrow(at, units)),
            NestCursor::Children { parent, at: Some(at), goes_on } => match self.child(parent) {
                Ok((_, child)) => within(parent, child.narrow(at, units), *goes_on),
                Err(_) => cursor.clone(),
            },
            NestCursor::Children { .. } => cursor.clone(),
        }
    }

    fn ids(&self, cursor: &Self::Cursor, unit: usize) -> Vec<String> {
        match cursor {
            NestCursor::Parents(at) => self.parents.ids(at, unit),
            NestCursor::Children { parent, at: Some(at), .. } => {
                self.child(parent).map_or_else(|_| Vec::new(), |(_, child)| child.ids(at, unit))
            }
            NestCursor::Children { .. } => Vec::new(),
        }
    }

    fn pass_over(&self, cursor: &Self::Cursor) -> Option<Vec<Self::Cursor>> {
        let (parent, at, goes_on) = match cursor {
            NestCursor::Parents(at) => {
                let left = self.parents.pass_over(at)?.into_iter();
                return Some(left.map(NestCursor::Parents).collect());
            }
            NestCursor::Children { parent, at, goes_on } => (parent, at.as_ref()?, *goes_on),
        };
        let (_, child) = self.child(parent).ok()?;
        let left = child.pass_over(at)?.into_iter();
        Some(left.map(|at| within(parent, at, goes_on)).collect())
    }

    /// The list of parents is split.
    fn split_cursor(
        &self,
        cursor: &Self::Cursor,
        parts: usize,
        total: Option<u64>,
    ) -> Vec<Self::Cursor> {
        match cursor {
            NestCursor::Parents(at) => {
                let split = self.parents.split_cursor(at, parts, total);
                split.into_iter().map(NestCursor::Parents).collect()
            }
            NestCursor::Children { .. } => vec![cursor.clone()],
        }
    }
}

/// A cursor within the list of this parent.
fn within<P, C>(parent: &str, at: C, goes_on: bool) -> NestCursor<P, C> {
    NestCursor::Children { parent: parent.to_owned(), at: Some(at), goes_on }
}

type NestedPage<T, N, C> = Page<T, NestCursor<N, <C as Paginator>::Cursor>>;

/// A page of parents: it leads to the children of each, and then to the next parents.
fn parents_page<P, N, R, C>(mut page: Page<P, N>) -> Result<NestedPage<R::Record, N, C>, Error>
where
    P: Serialize,
    C: Paginator,
    R: NestedRecords<P, C::Record>,
{
    let has_parents = !page.records().is_empty();
    let next = std::mem::take(&mut page.next).into_iter().map(NestCursor::Parents);
    let children = page.records().iter().map(|parent| {
        let parent = serde_json::to_string(parent).map_err(|error| {
            Error::new(ErrorKind::Contract, "a parent can't be written as JSON").with_source(error)
        })?;
        Ok(NestCursor::Children { parent, at: None, goes_on: false })
    });
    let next = children.chain(next.map(Ok)).collect::<Result<Vec<_>, Error>>()?;
    let later = page.later.take().map(|later| NestCursor::Parents(*later));
    let page = page.filter_map(R::parent).without_total().without_units();
    let page = page.with_next(next).with_later(later);
    Ok(if has_parents { page.making_headway() } else { page })
}

impl<P: Paginator + Clone, F: Clone, R> Clone for Nest<P, F, R> {
    fn clone(&self) -> Self {
        Self {
            parents: self.parents.clone(),
            children: self.children.clone(),
            name: self.name.clone(),
            parent_id: self.parent_id.clone(),
            fails_alone: Arc::clone(&self.fails_alone),
            records: PhantomData,
        }
    }
}

impl<P: Paginator + Debug, F, R> Debug for Nest<P, F, R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nest")
            .field("parents", &self.parents)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
