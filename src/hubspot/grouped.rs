use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    associations::{Associations, RecordShape},
    batch::Input,
    reader::Answer,
    wire::{Associated, ObjectId},
};

/// The associations of each object together:
/// [`Associations::grouped`](super::Associations::grouped).
///
/// It makes the same requests as [`Associations`](super::Associations), and has the
/// same errors. A [`Group`] is delivered when the last page of its id has come. An id
/// without associations has an empty group. An id that fails has an error and no
/// group.
///
/// Memory holds the ids that still have pages to come, and no others. A checkpoint
/// contains what was read of them. So a resumed reading requests again the page at
/// which it stopped, and no other.
pub type Grouped = Associations<Group>;

/// An object and all of its associations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// The requested object.
    pub from: ObjectId,
    /// The objects that it is associated with, in the order of its pages.
    pub to: Vec<Associated>,
}

impl RecordShape for Group {
    const IDENTITY_SUFFIX: &'static str = ", grouped";

    fn append_records(
        id: &ObjectId,
        input: Option<&Input>,
        answer: Answer,
        groups: &mut Vec<Self>,
    ) -> Option<Input> {
        let mut gathered = input.map_or_else(Vec::new, |input| input.gathered.clone());
        if let Some(next) = answer.next {
            gathered.push(Arc::new(answer.to));
            return Some(Input { gathered, ..next });
        }
        if !answer.failed {
            let mut to = gathered.iter().flat_map(|page| page.iter().cloned()).collect::<Vec<_>>();
            to.extend(answer.to);
            groups.push(Self { from: id.clone(), to });
        }
        None
    }
}
