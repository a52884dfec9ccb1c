use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{
    batch::{Batch, Input},
    grouped::Grouped,
    reader::{Answer, Reader},
    wire::{AssociationType, ObjectId},
};
use crate::{error::Error, page::Page, paginator::Paginator};

/// The associations from a set of objects to all objects of a type.
///
/// It reads `POST /crm/associations/2026-03/{from}/{to}/batch/read`: up to 1000
/// ids in a request, each of them with pages of its own. Every id is read until
/// the service gives no `paging.next.after` for it; ids that go on share their
/// requests with each other and with ids that have not begun.
///
/// # Records
///
/// One [`Association`] for each pair of objects. Those of one request come in
/// the order of its ids, whatever the order of the response. Those of one object
/// come in the order of its pages. Which objects share a request depends on the
/// [window](crate::Read::window) and on what the service answers first, so the order
/// from one object to another does, too.
///
/// # Errors
///
/// What concerns single ids is yielded as an `Err` that
/// [names them](Error::ids), and the stream goes on:
///
/// - an entry of the response's `errors`, but for `NO_ASSOCIATIONS_FOUND`, which
///   is an empty result ([`Refused`](crate::ErrorKind::Rejected));
/// - an id that comes back neither in `results` nor in `errors`, one that comes
///   back twice, and one that was not asked for
///   ([`Contradiction`](crate::ErrorKind::Contradiction));
/// - an id that has a next page and no cursor to it, though a link
///   ([`Contradiction`](crate::ErrorKind::Contradiction));
/// - an id whose `after` leads in a circle, of any length
///   ([`Loop`](crate::ErrorKind::Loop)).
///
/// An id that failed is asked for no more. When the stream has ended,
/// [`Monitor::failed_ids`](crate::Monitor::failed_ids) has them all, and every
/// other id was read whole.
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
///     .transport(service) // without this line, over HTTPS
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
pub struct Associations {
    reader: Arc<Reader>,
}

/// An association between two objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Association {
    /// The object that was asked for.
    pub from: ObjectId,
    /// The object that it is associated with.
    pub to: ObjectId,
    /// In what ways they are associated.
    pub types: Vec<AssociationType>,
}

impl Associations {
    /// The same reading with one record for each id, which holds all of its
    /// associations.
    pub fn grouped(self) -> Grouped {
        Grouped::new(self.reader)
    }

    pub(super) fn new(reader: Reader) -> Self {
        Self { reader: Arc::new(reader) }
    }
}

#[async_trait]
impl Paginator for Associations {
    type Record = Association;
    type Cursor = Batch;

    fn start(&self) -> Batch {
        self.reader.start()
    }

    async fn fetch(&self, batch: Batch) -> Result<Page<Association, Batch>, Error> {
        let flat = |id: &ObjectId, _: Option<&Input>, answer: Answer, records: &mut Vec<_>| {
            records.extend(answer.to.into_iter().map(|associated| Association {
                from: id.clone(),
                to: associated.to,
                types: associated.types,
            }));
            answer.next
        };
        self.reader.page(&batch, flat).await
    }

    fn identity(&self) -> String {
        self.reader.identity.clone()
    }

    fn pack(&self, waiting: &mut VecDeque<Batch>, halvings: u32) {
        self.reader.pack(waiting, halvings);
    }

    fn narrow(&self, batch: &Batch, units: &[usize]) -> Batch {
        self.reader.narrow(batch, units)
    }

    fn is_full(&self, batch: &Batch, halvings: u32) -> bool {
        self.reader.is_full(batch, halvings)
    }

    fn split_cursor(&self, batch: &Batch, parts: usize, _: Option<u64>) -> Vec<Batch> {
        self.reader.split(batch, parts)
    }
}
