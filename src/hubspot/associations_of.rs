use std::{
    collections::{HashSet, VecDeque},
    fmt::{self, Debug, Formatter},
    marker::PhantomData,
    mem,
    sync::Arc,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{
    associations::Association,
    batch::{Batch, Input},
    group::Group,
    reader::Reader,
    record_shape::RecordShape,
    wire::ObjectId,
};
use crate::{error::Error, pack_front::pack_front, page::Page, paginator::Paginator};

/// The associations of the objects that another reading finds:
/// [`AssociationsBuilder::build_from`](super::AssociationsBuilder::build_from).
///
/// The other paginator is read for its ids alone. They are packed into full requests as they
/// come; the last request has the rest. One checkpoint holds where both stand, with at most one
/// request of ids that wait. Records and errors are those of
/// [`Associations`](super::Associations); so are those of the other reading.
///
/// With a [window](crate::Read::window), the ids are read on while associations are read.
///
/// The other reading is to find each id once. One that comes again may be read again, or fail
/// alone if it is being read.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, hubspot::{Associations, Object, Objects}, testing::HubSpot};
///
/// # futures::executor::block_on(async {
/// let service = HubSpot::new(1).objects(2_500);
/// let deals = Objects::builder("deals").token("pat-na1-...");
/// let companies = Associations::builder("deals", "companies").token("pat-na1-...");
/// # let deals = deals.transport(service.clone());
/// # let companies = companies.transport(service.clone());
///
/// let companies = companies.build_from(deals.build::<Object>()?)?;
/// let companies: Vec<_> = companies.records().try_collect().await?;
/// assert_eq!(companies.len(), 5_000);
/// # assert_eq!(service.requests(), 25 + 3);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[must_use = "a paginator does nothing until it is read"]
pub struct AssociationsOf<P, R = Association> {
    source: P,
    reader: Arc<Reader>,
    record: PhantomData<fn() -> R>,
}

/// Where a reading of [`AssociationsOf`] goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssociationsOfCursor<C> {
    /// In the reading that finds the ids.
    Ids {
        /// The cursor of that reading.
        at: C,
        /// The ids that wait until they fill a request.
        #[serde(default)]
        waiting: Batch,
    },
    /// In the associations.
    Associations(Batch),
}

type Cursor<C> = AssociationsOfCursor<C>;

impl<P> AssociationsOf<P> {
    pub(super) fn new(source: P, reader: Reader) -> Self {
        Self { source, reader: Arc::new(reader), record: PhantomData }
    }

    /// The same associations with one record for each id: a [`Group`] with all associations of
    /// the id.
    pub fn grouped(self) -> AssociationsOf<P, Group> {
        AssociationsOf { source: self.source, reader: self.reader, record: PhantomData }
    }
}

impl<P: Paginator<Record: Into<ObjectId>>, R> AssociationsOf<P, R> {
    /// A page of ids, which leads to their associations and to the next ids.
    fn ids_page(
        &self,
        mut page: Page<P::Record, P::Cursor>,
        mut waiting: Batch,
    ) -> Page<R, Cursor<P::Cursor>> {
        let mut next = mem::take(&mut page.next).into_iter();
        let has_ids = !page.records().is_empty();
        let page = page.filter_map(|record| {
            waiting.inputs.push(Input::fresh(&record.into()));
            None
        });
        let mut batches = Vec::new();
        while waiting.len() >= self.reader.inputs.batch_size {
            let rest = waiting.split_off(self.reader.inputs.batch_size);
            batches.push(Cursor::Associations(mem::replace(&mut waiting, rest)));
        }
        match next.next() {
            Some(at) => batches.push(Cursor::Ids { at, waiting }),
            None if waiting.len() > 0 => batches.push(Cursor::Associations(waiting)),
            None => {}
        }
        batches.extend(next.map(|at| Cursor::Ids { at, waiting: Batch::default() }));
        let page = page.without_total().without_units().with_next(batches);
        if has_ids { page.making_headway() } else { page }
    }
}

#[async_trait]
impl<P, R> Paginator for AssociationsOf<P, R>
where
    P: Paginator<Record: Into<ObjectId>>,
    R: RecordShape,
{
    type Record = R;
    type Cursor = AssociationsOfCursor<P::Cursor>;

    fn start(&self) -> Self::Cursor {
        Cursor::Ids { at: self.source.start(), waiting: Batch::default() }
    }

    async fn fetch(&self, cursor: Self::Cursor) -> Result<Page<R, Self::Cursor>, Error> {
        match cursor {
            Cursor::Ids { at, waiting } => Ok(self.ids_page(self.source.fetch(at).await?, waiting)),
            Cursor::Associations(batch) => {
                Ok(self.reader.page(&batch).await?.map_next(Cursor::Associations))
            }
        }
    }

    fn identity(&self) -> String {
        match self.source.identity() {
            source if source.is_empty() => source,
            source => format!("{}{} of {source}", self.reader.identity, R::IDENTITY_SUFFIX),
        }
    }

    /// The cursors at the front of one of both are packed as it packs them.
    fn pack(&self, waiting: &mut VecDeque<Self::Cursor>, halvings: u32) {
        if let Some(Cursor::Associations(_)) = waiting.front() {
            let own = |cursor| match cursor {
                Cursor::Associations(batch) => Ok(batch),
                other @ Cursor::Ids { .. } => Err(other),
            };
            let pack = |own: &mut VecDeque<Batch>| {
                self.reader.inputs.pack(own, halvings);
                if let Some(Batch { inputs, .. }) = own.front_mut() {
                    let begun = inputs.iter().filter(|input| input.after.is_some());
                    let mut seen = begun.map(|input| input.id.clone()).collect::<HashSet<_>>();
                    let is_begun = |input: &Input| input.after.is_some();
                    inputs.retain(|input| is_begun(input) || seen.insert(input.id.clone()));
                }
            };
            pack_front(waiting, own, pack, Cursor::Associations);
            return;
        }
        let (mut own, mut ids) = (VecDeque::new(), Batch::default());
        while let Some(front) = waiting.pop_front() {
            match front {
                Cursor::Ids { at, waiting } => {
                    own.push_back(at);
                    ids.inputs.extend(waiting.inputs);
                }
                other @ Cursor::Associations(_) => {
                    waiting.push_front(other);
                    break;
                }
            }
        }
        self.source.pack(&mut own, halvings);
        for cursor in self.ids_page(Page::new(Vec::new(), own), ids).next.into_iter().rev() {
            waiting.push_front(cursor);
        }
    }

    fn narrow(&self, cursor: &Self::Cursor, units: &[usize]) -> Self::Cursor {
        match cursor {
            Cursor::Associations(batch) => {
                Cursor::Associations(self.reader.inputs.narrow(batch, units))
            }
            Cursor::Ids { .. } => cursor.clone(),
        }
    }

    fn ids(&self, cursor: &Self::Cursor, unit: usize) -> Vec<String> {
        match cursor {
            Cursor::Associations(batch) => self.reader.inputs.ids(batch, unit),
            Cursor::Ids { .. } => Vec::new(),
        }
    }

    fn pass_over(&self, cursor: &Self::Cursor) -> Option<Vec<Self::Cursor>> {
        match cursor {
            Cursor::Associations(batch) => self.reader.inputs.is_single(batch).then(Vec::new),
            Cursor::Ids { at, waiting } => {
                let page = Page::new(Vec::new(), self.source.pass_over(at)?);
                Some(self.ids_page(page, waiting.clone()).next.into_vec())
            }
        }
    }

    fn is_full(&self, cursor: &Self::Cursor, halvings: u32) -> bool {
        match cursor {
            Cursor::Associations(batch) => self.reader.inputs.is_full(batch, halvings),
            Cursor::Ids { at, .. } => self.source.is_full(at, halvings),
        }
    }

    /// The reading that finds the ids is split.
    fn split_cursor(
        &self,
        cursor: &Self::Cursor,
        parts: usize,
        total: Option<u64>,
    ) -> Vec<Self::Cursor> {
        match cursor {
            Cursor::Associations(batch) => {
                let split = self.reader.inputs.split(batch, parts).into_iter();
                split.map(Cursor::Associations).collect()
            }
            Cursor::Ids { at, waiting } => {
                let page = Page::new(Vec::new(), self.source.split_cursor(at, parts, total));
                self.ids_page(page, waiting.clone()).next.into_vec()
            }
        }
    }
}

impl<P: Clone, R> Clone for AssociationsOf<P, R> {
    fn clone(&self) -> Self {
        let (source, reader) = (self.source.clone(), Arc::clone(&self.reader));
        Self { source, reader, record: PhantomData }
    }
}

impl<P: Debug, R> Debug for AssociationsOf<P, R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssociationsOf")
            .field("source", &self.source)
            .field("reader", &self.reader)
            .finish()
    }
}
