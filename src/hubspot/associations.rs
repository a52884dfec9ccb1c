use std::{marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{
    association_types::AssociationTypes,
    batch::{Batch, Input},
    group::Group,
    inputs::forward_to_inputs,
    reader::Reader,
    record_shape::{Answer, RecordShape},
    wire::ObjectId,
};
use crate::{error::Error, page::Page, paginator::Paginator};

/// The associations from a set of objects to all objects of a type.
///
/// It calls `POST /crm/associations/2026-03/{from}/{to}/batch/read` with up to 1000
/// ids in a request. Each id has pages of its own. An id is read until the service
/// sends no `paging.next.after` for it. Ids with more pages share their requests
/// with each other, and with ids that have not begun.
///
/// [`AssociationsOf`](super::AssociationsOf) does the same for the ids that another reading
/// finds. [`AssociationsOfOne`](super::AssociationsOfOne) lists those of one object.
///
/// # Records
///
/// There is one [`Association`] for each pair of objects. [`grouped`](Self::grouped)
/// gives one record for each id instead.
///
/// - The records of one request come in the order of its ids, whatever the order of
///   the response.
/// - The records of one object come in the order of its pages.
/// - The order between objects is not fixed. Which objects share a request depends
///   on the [window](crate::Read::window), and on which response comes first.
///
/// # Errors
///
/// An error about single ids is yielded as an `Err` that [names
/// them](Error::ids), and the stream goes on. These are such errors:
///
/// - An entry in the response's `errors`
///   ([`Rejected`](crate::ErrorKind::Rejected)). `NO_ASSOCIATIONS_FOUND` is no error:
///   the id has an empty result.
/// - An id that is neither in `results` nor in `errors`, an id that comes back
///   twice, and an id that was not requested
///   ([`Contradiction`](crate::ErrorKind::Contradiction)).
/// - An id that has a link to a next page, but no cursor
///   ([`Contradiction`](crate::ErrorKind::Contradiction)).
/// - An id whose `after` cursors form a cycle of any length
///   ([`Loop`](crate::ErrorKind::Loop)).
///
/// An id that failed is not requested again. At the end of the stream,
/// [`Monitor::failed_ids`](crate::Monitor::failed_ids) lists them all. Every other
/// id was read completely.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, hubspot::Associations, testing::HubSpot};
///
/// # futures::executor::block_on(async {
/// let service = HubSpot::new(1).objects(2_500);
/// let associations = Associations::builder("deals", "companies")
///     .ids(service.ids())
///     .token("pat-na1-...")
///     .transport(service) // without it, over HTTPS
///     .build()?;
///
/// let mut records = associations.records();
/// while let Some(association) = records.try_next().await? {
///     println!("{} -> {}", association.from, association.to);
/// #   break;
/// }
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "a paginator does nothing until it is read"]
pub struct Associations<R = Association> {
    reader: Arc<Reader>,
    record: PhantomData<fn() -> R>,
}

/// The associations of each object together:
/// [`Associations::grouped`](super::Associations::grouped).
///
/// It makes the same requests as [`Associations`](super::Associations), and has the
/// same errors. A [`Group`] is delivered when the last page of its id has come. An id
/// without associations has an empty group. An id that fails has an error and no
/// group.
///
/// Memory holds the ids that still have pages to come, and no others. A checkpoint does not
/// hold what was read of them, so it stays small. A resumed reading reads those ids again
/// from their first page; a reading that is always cut before a large id is read whole does
/// not get past it.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, hubspot::{Associations, Grouped}, testing::HubSpot};
///
/// # futures::executor::block_on(async {
/// let service = HubSpot::new(1).objects(20).pages(|index| index % 3);
/// let deals = Associations::builder("deals", "companies").ids(service.ids());
/// let deals: Grouped = deals.token("pat-na1-...").transport(service).build()?.grouped();
///
/// let mut groups = deals.records();
/// while let Some(group) = groups.try_next().await? {
///     let companies = group.to.iter().map(|associated| associated.to.to_string());
///     println!("{} -> {}", group.from, companies.collect::<Vec<_>>().join(", "));
/// }
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
pub type Grouped = Associations<Group>;

/// An association between two objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Association {
    /// The requested object.
    pub from: ObjectId,
    /// The object that it is associated with.
    pub to: ObjectId,
    /// How they are associated.
    pub types: AssociationTypes,
}

impl RecordShape for Association {
    const IDENTITY_SUFFIX: &'static str = "";
    const TAKES_PARTS: bool = true;

    fn key(&self) -> u64 {
        self.to.key()
    }

    fn append_records(
        id: &ObjectId,
        _: Option<&Input>,
        answer: Answer,
        records: &mut Vec<Self>,
    ) -> Option<Input> {
        records.extend(answer.to.into_iter().map(|associated| Self {
            from: id.clone(),
            to: associated.to,
            types: associated.types,
        }));
        answer.next
    }
}

impl Associations {
    /// The same associations with one record for each id: a
    /// [`Group`](super::Group) with all associations of the id.
    pub fn grouped(self) -> Grouped {
        Associations { reader: self.reader, record: PhantomData }
    }

    pub(super) fn new(reader: Reader) -> Self {
        Self { reader: Arc::new(reader), record: PhantomData }
    }
}

#[async_trait]
impl<R: RecordShape> Paginator for Associations<R> {
    type Record = R;
    type Cursor = Batch;

    async fn fetch(&self, batch: Batch) -> Result<Page<R, Batch>, Error> {
        self.reader.page(&batch).await
    }

    fn identity(&self) -> String {
        format!("{}{}", self.reader.identity, R::IDENTITY_SUFFIX)
    }

    forward_to_inputs!(self => self.reader.inputs);
}
