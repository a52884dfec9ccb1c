use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    mem,
};

use super::{
    batch::{Batch, Input},
    complete_cursor::{BATCH_SIZE, CompleteObjectsCursor as Cursor, Pool, by_type, fresh, inputs},
    group::Group,
    object::{AssociatedObjects, Object},
    objects::{Objects, ObjectsBuilder},
    reader::Reader,
};
use crate::{
    error::{Error, ErrorKind},
    keys::Keys,
    opaque_cursor::OpaqueCursor,
    pack_front::pack_front,
    page::{Page, Unit},
    paginator::Paginator,
    rest::Position,
    transport::{EndpointBuilder, path_segment},
};
use async_trait::async_trait;

/// All objects of a type, each with all of its associations:
/// [`ObjectsBuilder::build_with_all_associations`](super::ObjectsBuilder::build_with_all_associations).
///
/// A listed object carries the first page of its associations. An object that has more waits
/// until others fill a batch read of associations, or until the list is at its end; it comes
/// when all of them were read. So the objects that have more come later than others.
///
/// One checkpoint holds where all of it stands, with the objects that wait: less than a batch
/// of them for each type.
///
/// # Errors
///
/// Those of [`Objects`], and those of [`Associations`](super::Associations): an object whose
/// associations can't be read fails alone.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, hubspot::Objects, testing::HubSpot};
///
/// # futures::executor::block_on(async {
/// // Each deal has 300 companies.
/// let service = HubSpot::new(1).objects(150).page_size(300);
/// let deals = Objects::builder("deals")
///     .associations(["companies"])
///     .token("pat-na1-...")
///     .transport(service.clone()) // without it, over HTTPS
///     .build_with_all_associations()?;
///
/// let deals: Vec<_> = deals.records().try_collect().await?;
/// assert!(deals.iter().all(|deal| deal.associations["companies"].results.len() == 300));
/// # assert_eq!((deals.len(), service.requests()), (150, 2 + 1));
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "a paginator does nothing until it is read"]
pub struct CompleteObjects {
    objects: Objects,
    object_type: String,
    /// For the batch reads of associations, each of which has a path of its own.
    endpoint: EndpointBuilder,
}

impl ObjectsBuilder {
    /// Builds a paginator whose objects have all of their
    /// [associations](Self::associations), and not the first page of them alone.
    ///
    /// # Errors
    ///
    /// As for [`build`](Self::build).
    pub fn build_with_all_associations(mut self) -> Result<CompleteObjects, Error> {
        // The list and the batch reads share it.
        let address = self.endpoint.uri("")?;
        self.endpoint.transport = Some(self.endpoint.sender(&address)?);
        let (object_type, endpoint) = (self.object_type.clone(), self.endpoint.clone());
        Ok(CompleteObjects { objects: self.build()?, object_type, endpoint })
    }
}

impl CompleteObjects {
    /// What reads the associations to a type.
    fn reader(&self, to: &str) -> Result<Reader, Error> {
        let to = path_segment("object type", to).map_err(|error| {
            let message = "the service gives associations to a type that can't be part of a path";
            Error::new(ErrorKind::Contradiction, message).with_source(error)
        })?;
        let path = format!("/crm/associations/2026-03/{}/{to}/batch/read", self.object_type);
        let endpoint = self.endpoint.clone().build(&path, "token", None::<(&str, String)>)?;
        Ok(Reader { endpoint, inputs: inputs(), identity: String::new() })
    }

    /// A page of the list: the objects that are complete, and the others wait.
    async fn list_page(
        &self,
        at: Position<Vec<Option<OpaqueCursor>>>,
        mut waiting: Vec<Object>,
    ) -> Result<Page<Object, Cursor>, Error> {
        let mut page = self.objects.fetch(at).await?;
        let next = mem::take(&mut page.next).into_iter().next();
        let had = waiting.len();
        let page = page.filter_map(|object| {
            if object.incomplete().is_none() {
                return Some(object);
            }
            // A request has each id once.
            if waiting.iter().all(|it| it.id != object.id) {
                waiting.push(object);
            }
            None
        });
        let has_more_waiting = waiting.len() > had;
        let mut cursors = Vec::new();
        let mut still_waiting = Vec::new();
        for (to, mut objects) in by_type(waiting) {
            while objects.len() >= BATCH_SIZE || (next.is_none() && !objects.is_empty()) {
                let rest = objects.split_off(objects.len().min(BATCH_SIZE));
                cursors.push(fresh(to.clone(), mem::replace(&mut objects, rest)));
            }
            still_waiting.extend(objects);
        }
        cursors.extend(next.map(|at| Cursor::List { at, waiting: still_waiting }));
        let keys = page.records().iter().map(|object| object.id.key()).collect::<Keys>();
        let page = page.with_next(cursors).with_raw_keys(keys);
        Ok(if has_more_waiting { page.making_headway() } else { page })
    }

    /// A page of associations: the objects that are complete now, and where each of the others
    /// goes on.
    async fn associations_page(
        &self,
        to: String,
        batch: &Batch,
        objects: Vec<Object>,
    ) -> Result<Page<Object, Cursor>, Error> {
        let mut page = self.reader(&to)?.page::<Group>(batch).await?;
        let next = mem::take(&mut page.next).into_iter().flat_map(|batch| batch.inputs);
        let mut next = next.map(|input| (input.id.clone(), input)).collect::<HashMap<_, _>>();
        let mut groups = HashMap::new();
        let page = page.filter_map(|group| {
            groups.insert(group.from, group.to);
            None::<Object>
        });
        let mut pool = Pool::of(objects);
        let (mut records, mut units, mut cursors) = (Vec::new(), Vec::new(), Vec::new());
        let mut is_other_type = false;
        for Input { id, .. } in &batch.inputs {
            if let Some(input) = next.remove(id) {
                cursors.push(pool.cursor(&to, Batch { inputs: vec![input], fresh: 0..0 }));
                units.push(Unit::going_on(0));
                continue;
            }
            let Some((mut object, group)) = pool.0.remove(id).zip(groups.remove(id)) else {
                units.push(Unit::last(0));
                continue;
            };
            object.associations.insert(to.clone(), AssociatedObjects::whole(group));
            if let Some(other) = object.incomplete() {
                is_other_type = true;
                cursors.push(fresh(other.to_owned(), vec![object]));
                units.push(Unit::going_on(0));
            } else {
                records.push(object);
                units.push(Unit::last(1));
            }
        }
        let keys = records.iter().map(|object| object.id.key()).collect::<Keys>();
        let page = page.with_next(cursors).with_records(records);
        let page = page.with_units(units).with_raw_keys(keys);
        Ok(if is_other_type { page.making_headway() } else { page })
    }
}

#[async_trait]
impl Paginator for CompleteObjects {
    type Record = Object;
    type Cursor = Cursor;

    fn start(&self) -> Cursor {
        Cursor::List { at: self.objects.start(), waiting: Vec::new() }
    }

    async fn fetch(&self, cursor: Cursor) -> Result<Page<Object, Cursor>, Error> {
        match cursor {
            Cursor::List { at, waiting } => self.list_page(at, waiting).await,
            Cursor::Associations { to, batch, objects } => {
                self.associations_page(to, &batch, objects).await
            }
        }
    }

    fn identity(&self) -> String {
        format!("{} with all associations", self.objects.identity())
    }

    /// The cursors at the front of the list, or of one type, are packed.
    fn pack(&self, waiting: &mut VecDeque<Cursor>, halvings: u32) {
        match waiting.front() {
            Some(Cursor::Associations { to, .. }) => {
                let first = to.clone();
                let mut by_type = BTreeMap::<_, (VecDeque<_>, Vec<_>)>::new();
                while let Some(front) = waiting.pop_front() {
                    match front {
                        Cursor::Associations { to, batch, objects } => {
                            let (batches, all) = by_type.entry(to).or_default();
                            batches.push_back(batch);
                            all.extend(objects);
                        }
                        list @ Cursor::List { .. } => {
                            waiting.push_front(list);
                            break;
                        }
                    }
                }
                let of_first = by_type.remove_entry(&first).into_iter();
                let of_others = by_type.into_iter();
                let mut packed = Vec::new();
                for (to, (mut batches, objects)) in of_first.chain(of_others) {
                    inputs().pack(&mut batches, halvings);
                    let mut pool = Pool::of(objects);
                    packed.extend(batches.into_iter().map(|batch| pool.cursor(&to, batch)));
                }
                packed.into_iter().rev().for_each(|cursor| waiting.push_front(cursor));
            }
            Some(Cursor::List { waiting: objects, .. }) => {
                // A list has one cursor.
                let objects = objects.clone();
                let own = |cursor| match cursor {
                    Cursor::List { at, .. } => Ok(at),
                    other @ Cursor::Associations { .. } => Err(other),
                };
                let pack = |own: &mut VecDeque<_>| self.objects.pack(own, halvings);
                let whole = |at| Cursor::List { at, waiting: objects.clone() };
                pack_front(waiting, own, pack, whole);
            }
            None => {}
        }
    }

    fn narrow(&self, cursor: &Cursor, units: &[usize]) -> Cursor {
        match cursor {
            Cursor::Associations { to, batch, objects } => {
                Pool::of(objects.clone()).cursor(to, inputs().narrow(batch, units))
            }
            Cursor::List { .. } => cursor.clone(),
        }
    }

    fn ids(&self, cursor: &Cursor, unit: usize) -> Vec<String> {
        match cursor {
            Cursor::Associations { batch, .. } => inputs().ids(batch, unit),
            Cursor::List { .. } => Vec::new(),
        }
    }

    fn pass_over(&self, cursor: &Cursor) -> Option<Vec<Cursor>> {
        match cursor {
            Cursor::Associations { batch, .. } => inputs().is_single(batch).then(Vec::new),
            Cursor::List { .. } => None,
        }
    }

    fn is_full(&self, cursor: &Cursor, halvings: u32) -> bool {
        match cursor {
            Cursor::Associations { batch, .. } => inputs().is_full(batch, halvings),
            Cursor::List { .. } => true,
        }
    }
}
