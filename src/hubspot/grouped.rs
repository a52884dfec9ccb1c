use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{
    batch::{Batch, Input},
    reader::{Answer, Reader},
    wire::{Associated, ObjectId},
};
use crate::{error::Error, page::Page, paginator::Paginator};

/// The associations of each object together:
/// [`Associations::grouped`](super::Associations::grouped).
///
/// It makes the same requests as the flat view, and its errors are the same. A
/// [`Group`] is given out as soon as its id is read whole, and a group without
/// associations for an id that has none. An id that fails gives its error and no
/// group.
///
/// Only the ids whose last page has not come are held in memory. What was read
/// of them goes into a checkpoint, so that a reading that is resumed asks for
/// nothing twice but the page at which it stood.
#[derive(Clone, Debug)]
#[must_use = "a paginator does nothing until it is read"]
pub struct Grouped {
    reader: Arc<Reader>,
}

/// An object and all of its associations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// The object that was asked for.
    pub from: ObjectId,
    /// The objects that it is associated with, in the order of its pages.
    pub to: Vec<Associated>,
}

impl Grouped {
    pub(super) fn new(reader: Arc<Reader>) -> Self {
        Self { reader }
    }
}

#[async_trait]
impl Paginator for Grouped {
    type Record = Group;
    type Cursor = Batch;

    fn start(&self) -> Batch {
        self.reader.start()
    }

    async fn fetch(&self, batch: Batch) -> Result<Page<Group, Batch>, Error> {
        let grouped =
            |id: &ObjectId, input: Option<&Input>, answer: Answer, groups: &mut Vec<_>| {
                let mut gathered = input.map_or_else(Vec::new, |input| input.gathered.clone());
                if let Some(next) = answer.next {
                    gathered.push(Arc::new(answer.to));
                    return Some(Input { gathered, ..next });
                }
                if !answer.failed {
                    let mut to =
                        gathered.iter().flat_map(|page| page.iter().cloned()).collect::<Vec<_>>();
                    to.extend(answer.to);
                    groups.push(Group { from: id.clone(), to });
                }
                None
            };
        self.reader.page(&batch, grouped).await
    }

    fn identity(&self) -> String {
        format!("{}, grouped", self.reader.identity)
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
